#!/usr/bin/env bash
# Runs every command and compiles every snippet of README.md, CONTRIBUTING.md and docs/.
#
#   ```sh     run line by line from the root of a scratch copy in which build/release is the build under test.
#             Commands that build or test the whole tree are only checked to exist: .ci/run runs those.
#   ```cpp    with main(): stands verbatim in examples/. Without: compiled as the body of main() and run.
#             "cpp throws" in docs/errors/: throws an error that names its page.
#   ```output what the snippet or command above it prints.
#   ```c++    quotes of the source: scripts/build-docs --check looks after them.
#   ```pycon  what Python says, held by pytest in .ci/run.
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
    "pip install ."*)
      [[ -e $source_dir/pyproject.toml ]] || fail "$place" "no pyproject.toml" ;;
    *"--preset "*)
      program=${command##*--preset }
      grep -q "\"name\": \"${program%% *}\"" "$source_dir/CMakePresets.json" || fail "$place" "no preset $program" ;;
    mpirun*)  # where the program was built with MPI
      if ldd "$build_dir/apps/factorize" | grep -q libmpi; then
        run_command "$place" "env OMP_NUM_THREADS=1 mpirun --allow-run-as-root --oversubscribe ${command#mpirun}"
      fi ;;
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

# Page: that which the error that it throws must name, if it is to throw.
run_snippet() {
  local place=$1 block=$2 page=${3-} flags=()
  if grep -q '^int main' "$block"; then
    stands_in "$block" "$source_dir"/examples/*.cpp || fail "$place" "stands in no program of examples/"
    return
  fi
  [[ -z $sanitizers ]] || flags+=("-fsanitize=$sanitizers")
  if [[ ! -e $scratch/snippets.h ]]; then  # read once for all snippets
    printf '#include <wengert/torch.h>\n#include <cstring>\n#include <fstream>\n#include <functional>\n#include <iostream>\n' >"$scratch/snippets.h"
    "$cxx" -std=c++20 "${flags[@]}" -I "$build_dir/include" -x c++-header "$scratch/snippets.h" -o "$scratch/snippets.h.gch"
  fi
  {
    printf 'int main() {\n'
    if [[ -n $page ]]; then
      printf 'try {\n%s\n} catch (const torch::Error& e) {\nreturn !strstr(e.what(), "%s");\n}\nreturn 1;\n' "$(<"$block")" "$page"
    else
      cat "$block"
    fi
    printf '}\n'
  } >"$scratch/snippet.cpp"
  { "$cxx" -std=c++20 "${flags[@]}" -I "$scratch" -I "$build_dir/include" -include snippets.h "$scratch/snippet.cpp" -o "$scratch/snippet" \
    -L "$library_dir" -lwengert "-Wl,-rpath,$library_dir" && (cd "$scratch" && ./snippet); } >"$scratch/output" 2>&1 ||
    fail "$place" "the snippet fails"
}

count=0
cd "$source_dir"
# With sanitizers, which make snippets slow to compile, not those for students.
documents=(README.md CONTRIBUTING.md docs/*.md)
[[ -n $sanitizers ]] || documents+=(docs/tour/*.md docs/errors/*.md)
for document in "${documents[@]}"; do
  rm -f "$scratch"/block.*
  awk -v out="$scratch/block" '
    /^```/ && !inside { inside = 1; kind = substr($0, 4); gsub(/ /, "_", kind); file = sprintf("%s.%04d.%s", out, NR, kind); printf "" > file; next }
    /^```/ { inside = 0; close(file); next }
    inside { print > file }' "$document"
  for block in "$scratch"/block.*; do
    [[ -e $block ]] || continue
    place=$document:$((10#$(cut -d. -f2 <<<"${block##*/}")))
    [[ $block == *.output ]] || rm -f "$scratch/output"
    count=$((count + 1))
    case $block in
      *.sh) last=$root
        while read -r line; do
        line=${line%%  \#*}
        [[ -z $line ]] || run_command "$place" "$line"
      done <"$block" ;;
      *.cpp) last=$scratch && run_snippet "$place" "$block" ;;
      *.cpp_throws) run_snippet "$place" "$block" "$document" ;;
      *.output) diff "$block" "$scratch/output" >"$scratch/difference" || { cp "$scratch/difference" "$scratch/output" && fail "$place" "it prints something else"; } ;;
      *.c++ | *.pycon) ;;
      *.python) (cd "$last" && /usr/bin/python3 "$block") >"$scratch/output" 2>&1 || fail "$place" "the snippet fails" ;;
      *.cmake) stands_in "$block" tests/consumer/*/CMakeLists.txt || fail "$place" "stands in no tests/consumer project" ;;
      *) fail "$place" "a block of no known kind: ${block##*.}" ;;
    esac
  done
done
for file in autograd/*/*.h autograd/*/*.cpp; do
  stem=$(basename "${file%.*}")
  grep -q "\`$stem\`" docs/tour/8-the-whole-tape.md || fail docs/tour/8-the-whole-tape.md "$file is not in it"
done
for page in $(grep -rhoE 'docs/errors/[a-z-]+\.md' autograd ops | sort -u) $(ls docs/errors/*.md | grep -v README); do
  [[ -e $page ]] || fail "$page" "an error names it, but it is not there"
  grep -rqF "$page" autograd ops || fail "$page" "no error names it"
done
python3 scripts/build-docs --check || fail docs "a quote is not as in the source"
echo "$count blocks, $failures failures"
[[ $count -gt 0 && $failures -eq 0 ]]
