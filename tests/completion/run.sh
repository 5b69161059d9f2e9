#!/usr/bin/env bash
# Asks fish and zsh to complete lines of `factorize`, as somebody who presses the key of the tabulator does. (bash: command_test.cpp.)
# usage: tests/completion/run.sh PROGRAM
set -euo pipefail
program=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
touch ratings.csv
"$program" completion fish >factorize.fish
"$program" completion zsh >_factorize

fish_says() { HOME=$folder fish --no-config -c "source factorize.fish; complete -C '$1'" | cut -f1; }
zsh_says() { TERM=dumb timeout 20 zsh -f "$here/press_tab.zsh" "$(dirname "$program")" "$1"; }
failures=0
expect() {
  local shell=$1 line=$2 part=$3 said
  said=$("${shell}_says" "$line") || true
  if [[ $said != *"$part"* ]]; then
    printf '%s: "%s" became, and not %s:\n%s\n' "$shell" "$line" "$part" "$said"
    failures=$((failures + 1))
  fi
}
for shell in fish zsh; do
  expect $shell 'factorize rec' recommend
  expect $shell 'factorize fit --optim' --optimizer
  expect $shell 'factorize fit --optimizer adad' adadelta
  expect $shell 'factorize fit --schedule co' cosine
  expect $shell 'factorize fit rat' ratings.csv
done
exit $((failures > 0))
