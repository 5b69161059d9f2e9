#!/usr/bin/env python3
"""Times the module beside torch, where that is there: single operations on one element, the notebook's loop, and the import.

usage: PYTHONPATH=build/release/python python3 bench/bench_python.py
"""

import subprocess
import sys
import timeit

import wengert

try:
    import torch

    torch.set_num_threads(1)
except ImportError:
    torch = None

OPERATIONS = ["x + y", "x * 2", "x.exp()", "m.exp(x)", "x.sum()", "x[0]", "x.grad", "x.view(1)", "m.zeros(2, 3)", "m.mm(A, A)", "C * 2",
              "(C * C).sum().backward()"]
LOOP = """global C, F
loss = m.sum(m.pow(D - m.mm(C, F), 2))
loss.backward()
with m.no_grad():
    C -= 0.001 * C.grad
    F -= 0.001 * F.grad
    C.grad.zero_()
    F.grad.zero_()
"""


def nanoseconds(statement, module, number, repeat=7):
    """The least of some times: what disturbs only adds."""
    module.manual_seed(0)
    names = {"m": module, "x": module.ones(1), "y": module.ones(1), "A": module.ones(2, 2), "D": module.rand(3, 4)}
    names |= {"C": module.rand(3, 2, requires_grad=True), "F": module.rand(2, 4, requires_grad=True)}
    return min(timeit.repeat(statement, globals=names, number=number, repeat=repeat)) / number * 1e9


def main():
    print(f"{'':28}{'wengert':>10}{'torch':>10}{'ratio':>8}")
    for statement, number in [(s, 20000) for s in OPERATIONS] + [(LOOP, 10000)]:
        ours = nanoseconds(statement, wengert, number)
        theirs = nanoseconds(statement, torch, number // 4) if torch else float("nan")
        name = "a step of the notebook" if statement == LOOP else statement
        print(f"{name:28}{ours:8.0f} ns{theirs:8.0f} ns{theirs / ours:7.1f}x")
    code = "import numpy, time; t = time.perf_counter(); import {}; print(time.perf_counter() - t)"
    for name in ["wengert"] + (["torch"] if torch else []):
        seconds = min(float(subprocess.check_output([sys.executable, "-c", code.format(name)])) for _ in range(5))
        print(f"import {name}, behind numpy's: {seconds * 1e3:.0f} ms")


main()
