"""Builds the wheel that `pip install .` installs, with the system's CMake and pybind11 and nothing from a network (PEP 517, 427).

The project's settings are in pyproject.toml, its version in CMakeLists.txt.
"""

import base64
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
# Where it is compiled; a tree that is there already saves the time.
BUILD = pathlib.Path(os.environ.get("WENGERT_BUILD_DIR", ROOT / "build" / "wheel")).resolve()


def _version():
    return re.search(r"project\(Wengert VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)


def _tag():
    python = "cp%d%d" % sys.version_info[:2]
    platform = re.sub(r"[-.]", "_", sysconfig.get_platform())
    return f"{python}-{python}-{platform}"


def _metadata():
    lines = [
        "Metadata-Version: 2.1",
        "Name: wengert",
        f"Version: {_version()}",
        "Summary: Reverse-mode automatic differentiation with PyTorch's names, in two megabytes",
        "Requires-Python: >=3.9",
        "Requires-Dist: numpy",
        "Description-Content-Type: text/markdown",
        "",
        (ROOT / "README.md").read_text(),
    ]
    return "\n".join(lines)


def _build():
    """Compiles the library and the module; returns the files of the package by their names in it."""
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    options = {"WENGERT_PYTHON": "ON", "Python_EXECUTABLE": sys.executable}
    if not (BUILD / "CMakeCache.txt").exists():
        options |= {"CMAKE_BUILD_TYPE": "Release", "WENGERT_BUILD_TESTS": "OFF", "WENGERT_BUILD_EXAMPLES": "OFF"}
    subprocess.run(["cmake", "-S", ROOT, "-B", BUILD, *generator] + [f"-D{name}={value}" for name, value in options.items()], check=True)
    jobs = str(len(os.sched_getaffinity(0)))
    subprocess.run(["cmake", "--build", BUILD, "--target", "wengert_python", "--parallel", jobs], check=True)
    package = ROOT / "python" / "wengert"
    files = {f"wengert/{file.relative_to(package)}": file for file in sorted(package.rglob("*")) if file.suffix in {".py", ".pyi", ".typed"}}
    (module,) = (BUILD / "python" / "wengert").glob("_C*.so")
    files[f"wengert/{module.name}"] = module
    (library,) = [file for file in BUILD.glob("libwengert.so.?") if file.is_symlink()]
    files[f"wengert/{library.name}"] = library
    return files


def _stripped(file):
    """A file's bytes; of a library without what only debuggers read."""
    if ".so" not in file.name or not shutil.which("strip"):
        return file.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder) / "stripped"
        subprocess.run(["strip", "--strip-unneeded", "-o", copy, file.resolve()], check=True)
        return copy.read_bytes()


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = f"wengert-{_version()}-{_tag()}.whl"
    info = f"wengert-{_version()}.dist-info"
    contents = {member: _stripped(file) for member, file in _build().items()}
    contents[f"{info}/METADATA"] = _metadata().encode()
    contents[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: wengert\nRoot-Is-Purelib: false\nTag: {_tag()}\n".encode()
    record = []
    with zipfile.ZipFile(pathlib.Path(wheel_directory) / name, "w", zipfile.ZIP_DEFLATED) as wheel:
        for member, content in contents.items():
            wheel.writestr(member, content)
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{member},sha256={digest},{len(content)}\n")
        wheel.writestr(f"{info}/RECORD", "".join(record) + f"{info}/RECORD,,\n")
    return name


def build_sdist(sdist_directory, config_settings=None):
    """What git knows of."""
    name = f"wengert-{_version()}"
    archive = pathlib.Path(sdist_directory) / f"{name}.tar.gz"
    subprocess.run(["git", "archive", "--format=tar.gz", f"--prefix={name}/", "-o", archive, "HEAD"], cwd=ROOT, check=True)
    return archive.name
