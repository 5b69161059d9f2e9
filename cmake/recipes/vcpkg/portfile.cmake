# An overlay port: `vcpkg install wengert --overlay-ports=cmake/recipes/vcpkg` from the tree, whose source it takes.
get_filename_component(SOURCE_PATH "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

vcpkg_cmake_configure(
  SOURCE_PATH "${SOURCE_PATH}"
  OPTIONS
    -DWENGERT_BUILD_APPS=OFF
    -DWENGERT_BUILD_TESTS=OFF
    -DWENGERT_BUILD_EXAMPLES=OFF
    -DWENGERT_INSTALL=ON
    -DWENGERT_BLAS=openblas)
vcpkg_cmake_install()
vcpkg_cmake_config_fixup(PACKAGE_NAME Wengert CONFIG_PATH lib/cmake/Wengert)
vcpkg_fixup_pkgconfig()
file(REMOVE_RECURSE "${CURRENT_PACKAGES_DIR}/debug/include" "${CURRENT_PACKAGES_DIR}/debug/share")
vcpkg_install_copyright(FILE_LIST "${SOURCE_PATH}/LICENSE")
