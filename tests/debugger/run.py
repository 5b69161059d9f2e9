#!/usr/bin/env python3
"""Stops a program in gdb and in lldb and looks at a few tensors and Nodes with the printers.

usage: tests/debugger/run.py PROGRAM        (tests/debugger/program.cpp, compiled with -g)
"""
import os
import pathlib
import subprocess
import sys

PRINTERS = pathlib.Path(__file__).resolve().parent.parent.parent / "autograd/tools/wengert_printers.py"
EXPECTED = {
    "x": "tensor float32 [2, 3], requires grad, a view {0, 1, 2, 3, 4, 5}",
    "transposed": "tensor float32 [3, 2], a view {0, 3, 1, 4, 2, 5}",
    "whole": "tensor int64 [100] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, ...}",
    "y": "tensor float32 [2, 1], grad_fn MmBackward0 {3, 12}",
    "undefined": "tensor, undefined",
    "sizes": "[2, 3]",
    "node": "MmBackward0, level 1, 2 edges",
    "leaf": "AccumulateGrad, level 0, 0 edges",
}


def main():
    program, failures = sys.argv[1], 0
    gdb = ["gdb", "-q", "-batch", "-nx", "-ex", f"source {PRINTERS}", "-ex", "break stop_here", "-ex", "run", "-ex", "up"]
    lldb = ["lldb", "-b", "-o", f"command script import {PRINTERS}", "-o", "breakpoint set -n stop_here", "-o", "run", "-o", "up"]
    for name in EXPECTED:
        gdb += ["-ex", f"print {name}"]
        lldb += ["-o", f"frame variable {name}"]
    for command in (gdb, lldb):
        # Debian's lldb does not find its own module, and finds others by the python3 that is first in the path.
        environment = {**os.environ, "PATH": "/usr/bin:/bin", "PYTHONPATH": "/usr/lib/llvm-14/lib/python3.11/dist-packages"}
        output = subprocess.run([*command, program], capture_output=True, text=True, timeout=300, env=environment)
        for name, expected in EXPECTED.items():
            if expected not in output.stdout:
                failures += 1
                print(f"{command[0]}: {name} is not shown as '{expected}'")
        if failures:
            print(output.stdout[-3000:], output.stderr[-2000:])
    print(f"{2 * len(EXPECTED)} values, {failures} failures")
    return 1 if failures else 0


sys.exit(main())
