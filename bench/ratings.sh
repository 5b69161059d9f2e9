#!/usr/bin/env bash
# Times `factorize fit` on planted ratings, from text to the saved model, in turns with LIBMF where MF_TRAIN names its
# mf-train. Every tenth line is the test. Prints the median of the seconds and the test's error.
# usage: bench/ratings.sh FOLDER [small|large]     a million ratings, or ten
set -euo pipefail
folder=$(realpath -m "$1") size=${2:-small}
cd "$(dirname "$0")/.."
programs=$PWD/build/release
mkdir -p "$folder"
cd "$folder"
case $size in
  small) planted=(6040 3706 1000000 10 0.6 1) runs=5 ;;
  large) planted=(70000 10000 10000000 10 0.6 2) runs=3 ;;
  *) echo "usage: bench/ratings.sh FOLDER [small|large]" >&2 && exit 2 ;;
esac
if [[ ! -e $size.test ]]; then
  "$programs/bench/planted_ratings" "${planted[@]}" |
    awk -v train="$size.train" -v test="$size.test.new" '{ print > (NR % 10 == 0 ? test : train) }'
  mv "$size.test.new" "$size.test"
fi

# Appends "SECONDS ERROR" to the file of that name.
timed() {
  local name=$1 begin end
  shift
  begin=$EPOCHREALTIME
  "$@" >/dev/null
  end=$EPOCHREALTIME
  echo "$(awk "BEGIN { print $end - $begin }") $(error_of "$name")" >>"times.$name"
}
error_of() {
  if [[ $1 == libmf* ]]; then
    "${MF_TRAIN%train}predict" "$size.test" model.libmf predicted.libmf | grep -o '[0-9.]*$'
  else
    sed -n 's/.*"test_rmse": \([0-9.]*\).*/\1/p' model/metrics.json
  fi
}
fit() {
  timed "$1" "$programs/apps/factorize" fit "$size.train" --test "$size.test" --quiet --out model "${@:2}"
}
libmf() {
  timed "$1" "$MF_TRAIN" -s 1 -l2 0.05 -r 0.1 -k "$2" -t "$3" "$size.train" model.libmf
}

rm -f times.*
for ((run = 0; run < runs; ++run)); do
  fit default --threads 1
  fit rank_32 --threads 1 --rank 32
  fit rank_128 --threads 1 --rank 128
  fit two_threads --threads 2
  if [[ -n ${MF_TRAIN-} ]]; then
    libmf libmf_32_10 32 10
    if [[ $size == small ]]; then
      libmf libmf_32_20 32 20
      libmf libmf_128_10 128 10
    fi
  fi
done
printf '%-14s %8s %10s\n' run seconds 'test rmse'
for file in times.*; do
  sort -n "$file" | awk -v name="${file#times.}" '{ s[NR] = $1; e[NR] = $2 }
    END { m = int((NR + 1) / 2); printf "%-14s %8.2f %10.4f\n", name, s[m], e[m] }'
done
