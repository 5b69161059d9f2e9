"""The stubs fit a program, and are those of the module that is tested."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def test_a_program_is_well_typed():
    pytest.importorskip("mypy")
    for what in (["python/tests/typed.py"], ["-p", "wengert"]):
        command = [sys.executable, "-m", "mypy", "--ignore-missing-imports", "--cache-dir", "/dev/null", *what]
        run = subprocess.run(command, cwd=ROOT, env={"MYPYPATH": str(ROOT / "python"), "PATH": "/usr/bin"}, capture_output=True, text=True)
        assert run.returncode == 0, run.stdout


def test_stubs_are_those_of_the_module():
    run = subprocess.run([sys.executable, ROOT / "scripts" / "write-stubs", "--check"], capture_output=True, text=True)
    assert run.returncode == 0, run.stdout
