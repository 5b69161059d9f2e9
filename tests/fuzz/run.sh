#!/usr/bin/env bash
# Runs the fuzz targets, beginning with the inputs in corpus/; what makes one fail is left in FOLDER. The readers are
# compiled for libFuzzer with AddressSanitizer and UndefinedBehaviorSanitizer, and stand on the library of build/release.
# usage: tests/fuzz/run.sh FOLDER [SECONDS [TARGET ...]]
set -euo pipefail
folder=$(realpath -m "$1") seconds=${2:-20}
cd "$(dirname "$0")/../.."
targets=("${@:3}")
[[ ${#targets[@]} -gt 0 ]] || targets=(text triples matrix_market compressed scipy npy npz safetensors answers)
if [[ ${#targets[@]} -gt 1 ]]; then
  printf '%s\n' "${targets[@]}" | xargs -P 2 -I {} tests/fuzz/run.sh "$folder" "$seconds" {}
  exit
fi
library=build/release
processes=(apps/factorize/processes/{lines,numbering,processes}.cpp)  # that are alone: no mpi.cpp

sources_of() {
  case $1 in
    text | triples | matrix_market | compressed | scipy)
      echo tests/fuzz/input_fuzz.cpp apps/factorize/input/*.cpp "${processes[@]}" autograd/serialize/{file,npy,npz,stored_type}.cpp ;;
    npy) echo tests/fuzz/npy_fuzz.cpp autograd/serialize/{file,npy,stored_type}.cpp ;;
    npz) echo tests/fuzz/npz_fuzz.cpp autograd/serialize/{file,npy,npz,stored_type}.cpp ;;
    answers)
      echo tests/fuzz/answers_fuzz.cpp apps/factorize/{serve/answers,ask/recommender,terminal/table_writer}.cpp \
        apps/factorize/{model,input}/*.cpp "${processes[@]}" autograd/serialize/npz.cpp ;;
    safetensors) echo tests/fuzz/safetensors_fuzz.cpp autograd/serialize/{archive,file,safetensors,stored_type}.cpp ;;
  esac
}

target=${targets[0]}
read -ra sources <<<"$(sources_of "$target")"
mkdir -p "$folder/$target"
clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=all -I tests -I apps \
  -I "$library/include" "${sources[@]}" -o "$folder/${target}_fuzz" \
  "$library/libwengert.so" "-Wl,-rpath,$PWD/$library" -lfmt -lzip -lz -lzstd
# No input of 64 KiB is reason to ask for more than 64 MiB at once.
"$folder/${target}_fuzz" -max_total_time="$seconds" -max_len=65536 -malloc_limit_mb=64 -rss_limit_mb=4096 \
  -print_final_stats=1 -artifact_prefix="$folder/$target-" "$folder/$target" "tests/fuzz/corpus/$target"
