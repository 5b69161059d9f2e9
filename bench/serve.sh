#!/usr/bin/env bash
# Times `factorize serve` under load: 64 connections that ask for 10 columns of rows at random, the server on one core;
# first as fast as they can, then 2,000 times a second together. Needs wrk.
# usage: bench/serve.sh MODEL [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."
model=$1 seconds=${2:-10}
command -v wrk >/dev/null || { echo "wrk is missing: apt-get install wrk" >&2 && exit 2; }
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT
taskset -c 0 build/release/apps/factorize serve "$model" --port 0 >"$folder/said" &
server=$!
until grep -q http "$folder/said"; do sleep 0.05; done
address=$(grep -o 'http://[0-9.:]*' "$folder/said")
cat >"$folder/ask.lua" <<'LUA'
local ids = {}
for id in io.lines(os.getenv("ROW_IDS")) do ids[#ids + 1] = id end
request = function()
  local id = ids[math.random(#ids)]
  return wrk.format("GET", "/recommend?n=10&row=" .. id:gsub("[^%w]", function(c) return string.format("%%%02X", c:byte()) end))
end
LUA
load() { ROW_IDS=$model/row_ids.txt taskset -c 1 wrk -t 1 -c 64 -d "$seconds" --latency -s "$folder/ask.lua" "$address"; }
load
echo 'delay = function() return math.random(24, 38) end  -- milliseconds, of each connection' >>"$folder/ask.lua"
load
