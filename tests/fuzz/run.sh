#!/usr/bin/env bash
# Builds the fuzz targets on the library of build/release and runs them, beginning with the inputs in corpus/; what makes
# one fail is left in FOLDER.
# usage: tests/fuzz/run.sh FOLDER [SECONDS [TARGET ...]]
set -euo pipefail
mkdir -p "$1"
folder=$(realpath "$1") seconds=${2:-20}
cd "$(dirname "$0")/../.."
targets=("${@:3}")
[[ ${#targets[@]} -gt 0 ]] || targets=(text triples matrix_market compressed scipy npy npz safetensors answers)

fuzz() {
  local program=$1
  case $1 in text | triples | matrix_market | compressed | scipy) program=input ;; esac
  mkdir -p "$folder/$1"
  # No input of 64 KiB is reason to ask for more than 64 MiB at once.
  "$folder/build/${program}_fuzz" -max_total_time="$seconds" -max_len=65536 -malloc_limit_mb=64 -rss_limit_mb=4096 \
    -print_final_stats=1 -artifact_prefix="$folder/$1-" "$folder/$1" "tests/fuzz/corpus/$1"
}
export -f fuzz
export folder seconds

cmake -S tests/fuzz -B "$folder/build" -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DLIBRARY_DIR="$PWD/build/release"
cmake --build "$folder/build"
printf '%s\n' "${targets[@]}" | xargs -P 2 -I {} bash -euc 'fuzz {}'
