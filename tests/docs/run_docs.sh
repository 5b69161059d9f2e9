#!/usr/bin/env bash
# Runs every command and compiles every snippet of README.md, CONTRIBUTING.md and docs/.
#
#   ```sh     run line by line from the root of a scratch copy in which build/release is the build under test.
#             Commands that build or test the whole tree are only checked to exist: .ci/run runs those.
#   ```cpp    with main(): stands verbatim in examples/. Without: compiled as the body of main() and run.
#   ```python run where the snippets before it ran, by Debian's python3.
#   ```cmake  stands verbatim in a project of tests/consumer/.
#
# usage: run_docs.sh SOURCE_DIR BUILD_DIR CXX LIBRARY_DIR [SANITIZERS]
set -euo pipefail
source_dir=$1 build_dir=$2 cxx=$3 library_dir=$4 sanitizers=${5-}

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
root=$scratch/root
mkdir -p "$root/build"
for entry in "$source_dir"/*; do
  [[ ${entry##*/} == build ]] || ln -s "$entry" "$root/"
done
ln -s "$build_dir" "$root/build/release"

failures=0
fail() {
  echo "FAILED  $1: $2"
  sed 's/^/    /' "$scratch/output" 2>/dev/null || true
  failures=$((failures + 1))
}

run_command() {
  local place=$1 command=$2 program
  case $command in
    scripts/bench* | scripts/demo* | scripts/test* | scripts/build* | scripts/install-packages* | scripts/mutate* | \
      scripts/survey-libtorch* | .ci/run*)
      program=${command%% *}
      [[ -x $source_dir/$program ]] || fail "$place" "$program is not there" ;;
    DIFFERENTIAL_*differential_tests*)
      grep -q "add_executable(differential_tests" "$source_dir/tests/CMakeLists.txt" || fail "$place" "no differential test" ;;
    *"--preset "*)
      program=${command##*--preset }
      grep -q "\"name\": \"${program%% *}\"" "$source_dir/CMakePresets.json" || fail "$place" "no preset $program" ;;
    build/bench/*)
      program=${command%% *}
      grep -q "add_executable(${program##*/} " "$source_dir/bench/CMakeLists.txt" ||
        fail "$place" "no benchmark ${program##*/}" ;;
    *)
      (cd "$root" && bash -eo pipefail -c "$command") >"$scratch/output" 2>&1 || fail "$place" "$command" ;;
  esac
}

# Whether the lines of file $1 stand together, in order, in one of the other files.
stands_in() {
  local block
  block=$(<"$1")
  shift
  for file in "$@"; do
    [[ $(<"$file") == *"$block"* ]] && return
  done
  return 1
}

run_snippet() {
  local place=$1 block=$2 flags=()
  if grep -q '^int main' "$block"; then
    stands_in "$block" "$source_dir"/examples/*.cpp || fail "$place" "stands in no program of examples/"
    return
  fi
  [[ -z $sanitizers ]] || flags+=("-fsanitize=$sanitizers")
  {
    printf '#include <wengert/torch.h>\n#include <iostream>\nint main() {\n'
    cat "$block"
    printf '}\n'
  } >"$scratch/snippet.cpp"
  { "$cxx" -std=c++20 "${flags[@]}" -I "$build_dir/include" "$scratch/snippet.cpp" -o "$scratch/snippet" \
    -L "$library_dir" -lwengert "-Wl,-rpath,$library_dir" && (cd "$scratch" && ./snippet); } >"$scratch/output" 2>&1 ||
    fail "$place" "the snippet fails"
}

count=0
cd "$source_dir"
for document in README.md CONTRIBUTING.md docs/*.md; do
  rm -f "$scratch"/block.*
  awk -v out="$scratch/block" '
    /^```/ && !inside { inside = 1; file = sprintf("%s.%04d.%s", out, NR, substr($0, 4)); printf "" > file; next }
    /^```/ { inside = 0; close(file); next }
    inside { print > file }' "$document"
  for block in "$scratch"/block.*; do
    [[ -e $block ]] || continue
    place=$document:$((10#$(cut -d. -f2 <<<"${block##*/}")))
    rm -f "$scratch/output"
    count=$((count + 1))
    case $block in
      *.sh) last=$root
        while read -r line; do
        line=${line%%  \#*}
        [[ -z $line ]] || run_command "$place" "$line"
      done <"$block" ;;
      *.cpp) last=$scratch && run_snippet "$place" "$block" ;;
      *.python) (cd "$last" && /usr/bin/python3 "$block") >"$scratch/output" 2>&1 || fail "$place" "the snippet fails" ;;
      *.cmake) stands_in "$block" tests/consumer/*/CMakeLists.txt || fail "$place" "stands in no tests/consumer project" ;;
      *) fail "$place" "a block of no known kind: ${block##*.}" ;;
    esac
  done
done
echo "$count blocks, $failures failures"
[[ $count -gt 0 && $failures -eq 0 ]]
