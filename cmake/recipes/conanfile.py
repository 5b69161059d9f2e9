"""Conan 2: `conan create cmake/recipes` from the tree."""

import os
import re

from conan import ConanFile
from conan.tools.build import check_min_cppstd
from conan.tools.cmake import CMake, CMakeDeps, CMakeToolchain, cmake_layout
from conan.tools.files import copy, load


class WengertConan(ConanFile):
    name = "wengert"
    description = "Reverse-mode automatic differentiation with libtorch's autograd API"
    license = "MIT"
    topics = ("automatic-differentiation", "autograd", "matrix-factorization")
    package_type = "library"
    settings = "os", "arch", "compiler", "build_type"
    options = {"shared": [True, False], "fPIC": [True, False]}
    default_options = {"shared": True, "fPIC": True}

    @property
    def _root(self):
        return os.path.join(self.recipe_folder, "..", "..")

    def set_version(self):
        self.version = re.search(r"project\(Wengert VERSION ([0-9.]+)", load(self, os.path.join(self._root, "CMakeLists.txt"))).group(1)

    def export_sources(self):
        for pattern in ("CMakeLists.txt", "LICENSE", "*.h", "autograd/*", "ops/*", "optim/*", "cmake/*", "docs/tour/*", "docs/errors/*"):
            copy(self, pattern, self._root, self.export_sources_folder)

    def requirements(self):
        self.requires("fmt/9.1.0")
        self.requires("highway/1.0.3")
        self.requires("nlohmann_json/3.11.2")
        self.requires("onetbb/2021.10.0")
        self.requires("openblas/0.3.20")

    def validate(self):
        check_min_cppstd(self, 20)

    def layout(self):
        cmake_layout(self)

    def generate(self):
        CMakeDeps(self).generate()
        toolchain = CMakeToolchain(self)
        for option in ("BUILD_APPS", "BUILD_TESTS", "BUILD_EXAMPLES"):
            toolchain.variables[f"WENGERT_{option}"] = False
        toolchain.variables["WENGERT_BLAS"] = "openblas"
        toolchain.generate()

    def build(self):
        cmake = CMake(self)
        cmake.configure()
        cmake.build()

    def package(self):
        CMake(self).install()
        copy(self, "LICENSE", self.source_folder, os.path.join(self.package_folder, "licenses"))

    def package_info(self):
        self.cpp_info.set_property("cmake_file_name", "Wengert")
        self.cpp_info.set_property("cmake_target_name", "Wengert::wengert")
        self.cpp_info.set_property("pkg_config_name", "wengert")
        self.cpp_info.libs = ["wengert"]
