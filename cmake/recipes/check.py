#!/usr/bin/env python3
"""Holds the recipes against their forms, and against CMakeLists.txt: versions, options, dependencies.

usage: cmake/recipes/check.py
"""

import ast
import json
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
CMAKE = (HERE.parent.parent / "CMakeLists.txt").read_text()
DEPENDENCIES = {"fmt", "highway", "nlohmann", "tbb", "openblas"}


def main():
    wrong = []

    def expect(holds, what):
        if not holds:
            wrong.append(what)

    conan = (HERE / "conanfile.py").read_text()
    classes = [node for node in ast.parse(conan).body if isinstance(node, ast.ClassDef)]
    methods = {item.name for cls in classes for item in cls.body if isinstance(item, ast.FunctionDef)}
    expect({"requirements", "layout", "generate", "build", "package", "package_info"} <= methods, "conanfile.py: a method is missing")
    port = json.loads((HERE / "vcpkg" / "vcpkg.json").read_text())
    version = re.search(r"project\(Wengert VERSION ([0-9.]+)", CMAKE).group(1)
    expect(port["version"] == version, f"vcpkg.json: version {port['version']}; CMakeLists.txt has {version}")
    of_port = [d if isinstance(d, str) else d["name"] for d in port["dependencies"]]
    portfile, formula = (HERE / "vcpkg" / "portfile.cmake").read_text(), (HERE / "wengert.rb").read_text()
    for dependency in DEPENDENCIES:
        for name, text in (("conanfile.py", conan), ("vcpkg.json", " ".join(of_port)), ("wengert.rb", formula)):
            expect(dependency in text, f"{name}: {dependency} is missing")
    for name, text in (("conanfile.py", conan.replace("f\"WENGERT_{option}\"", "")), ("portfile.cmake", portfile), ("wengert.rb", formula)):
        for option in re.findall(r"WENGERT_[A-Z]+(?:_[A-Z]+)*", text):
            expect(re.search(rf"\b{option}\b", CMAKE), f"{name}: there is no option {option}")
    for name, text in (("portfile.cmake", portfile), ("wengert.rb", formula)):
        expect(text.count("(") == text.count(")"), f"{name}: parentheses")
    if shutil.which("ruby"):
        expect(subprocess.run(["ruby", "-c", HERE / "wengert.rb"], capture_output=True).returncode == 0, "wengert.rb: ruby can't read it")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


sys.exit(main())
