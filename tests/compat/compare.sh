#!/usr/bin/env bash
# Runs a program and compares what it prints with a file.
# usage: compare.sh PROGRAM EXPECTED
set -euo pipefail
diff -u "$2" <("$1")
