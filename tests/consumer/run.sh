#!/usr/bin/env bash
# Builds and runs a project that uses the library, in each of the ways a project may: installed as a shared and as a
# static library, by CMake and by pkg-config, and as a subdirectory.
# usage: tests/consumer/run.sh WORK_DIR      (the libraries are built beside it, in WORK_DIR-shared-ON and -OFF)
set -euo pipefail
source_dir=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
work=$(cd "$1" && pwd)

consume() {
  local name=$1 project=$2
  shift 2
  cmake -S "$source_dir/tests/consumer/$project" -B "$work/$name" -G Ninja -DCMAKE_BUILD_TYPE=Release "$@"
  cmake --build "$work/$name"
  (cd "$work/$name" && ./train)
}

# A shared library shows nothing of what it is made with, and all that it shows has the ABI's version.
check_symbols() {
  if nm -D --defined-only "$1" | cut -d' ' -f3 | grep -vE '^(_Z.*7wengert.*@@|wengert_debugger_layout@@|)WENGERT_0$'; then
    echo "$1 shows these symbols" >&2
    return 1
  fi
}

for shared in ON OFF; do
  prefix=$work/prefix-shared-$shared
  library=$work-shared-$shared  # beside build/release, and with CI's flags: so a compiler's cache knows them
  rm -rf "$prefix" "$prefix-moved"
  cmake -S "$source_dir" -B "$library" -G Ninja -DCMAKE_BUILD_TYPE=Release -DWENGERT_WERROR=ON \
    -DBUILD_SHARED_LIBS=$shared -DWENGERT_BUILD_TESTS=OFF -DWENGERT_BUILD_EXAMPLES=OFF
  cmake --build "$library"
  cmake --install "$library" --prefix "$prefix"
  # An installed tree may be moved.
  mv "$prefix" "$prefix-moved"
  "$prefix-moved/bin/factorize" --version
  [[ $shared == OFF ]] || find "$prefix-moved" -name 'libwengert*.so.*.*' | while read -r library; do check_symbols "$library"; done
  consume "installed-shared-$shared" installed -DCMAKE_PREFIX_PATH="$prefix-moved"
  pkgconfig=$(dirname "$(find "$prefix-moved" -name wengert.pc)")
  read -ra flags <<<"$(PKG_CONFIG_PATH=$pkgconfig pkg-config --cflags --libs wengert)"
  g++ -std=c++20 "$source_dir/tests/consumer/plain.cpp" -o "$work/plain-shared-$shared" "${flags[@]}"
  LD_LIBRARY_PATH=$(dirname "$pkgconfig") "$work/plain-shared-$shared"
done
consume subdirectory subdirectory
# Of the same objects.
cmake -S "$source_dir/tests/consumer/fetched" -B "$work/fetched" -G Ninja
