# What is installed, in which of Debian's packages, and how `cpack -G DEB` makes them (scripts/build-packages):
#
#     libwengert0       the shared libraries, and the source that a Trace quotes
#     libwengert-dev    headers, CMake's and pkg-config's files, printers for gdb
#     wengert-tools     factorize, its manual page, completions for bash, zsh and fish
#     python3-wengert   the Python module

option(WENGERT_DEBIAN "Install what Debian's packages want beside: copyright, changelog, a compressed manual page" OFF)

set(libraries wengert)
foreach(library npz distributed)
  if(TARGET wengert_${library})
    list(APPEND libraries wengert_${library})
  endif()
endforeach()
install(TARGETS ${libraries} EXPORT WengertTargets
  LIBRARY COMPONENT runtime NAMELINK_COMPONENT dev ARCHIVE COMPONENT dev)
# For Trace, to_text() and whoever reads: the formulas' source.
install(DIRECTORY autograd ops DESTINATION ${CMAKE_INSTALL_DATADIR}/wengert/source COMPONENT runtime
  FILES_MATCHING PATTERN "*.cpp" PATTERN "*.h")

install(FILES wengert.h torch.h distributed.h DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/wengert COMPONENT dev)
install(DIRECTORY autograd ops optim DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/wengert COMPONENT dev
  FILES_MATCHING PATTERN "*.h")
install(DIRECTORY "${WENGERT_FORMER_PATHS}/wengert" DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT dev)
# For those who debug: printers, which gdb loads by itself.
install(FILES autograd/tools/wengert_printers.py DESTINATION ${CMAKE_INSTALL_DATADIR}/wengert COMPONENT dev)
install(FILES autograd/tools/wengert_printers.py RENAME $<TARGET_FILE_NAME:wengert>-gdb.py COMPONENT dev
  DESTINATION ${CMAKE_INSTALL_DATADIR}/gdb/auto-load${CMAKE_INSTALL_FULL_LIBDIR})
install(DIRECTORY docs/tour docs/errors DESTINATION ${CMAKE_INSTALL_DOCDIR} COMPONENT dev)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/Wengert)
install(EXPORT WengertTargets NAMESPACE Wengert:: DESTINATION ${package_dir} COMPONENT dev)
configure_package_config_file(cmake/WengertConfig.cmake.in WengertConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(WengertConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/WengertConfig.cmake" "${CMAKE_CURRENT_BINARY_DIR}/WengertConfigVersion.cmake"
  cmake/FindCBLAS.cmake DESTINATION ${package_dir} COMPONENT dev)
# Wherever the tree is moved.
file(RELATIVE_PATH WENGERT_PC_TO_PREFIX "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" WENGERT_PC_TO_PREFIX "${WENGERT_PC_TO_PREFIX}")
# Users of a static library link what it was built with in any case.
set(built_with "${CBLAS_LIBRARY}" -lfmt -lstdc++ -lm -ldl -lpthread)
if(WENGERT_THREADS)
  list(APPEND built_with -ltbb)
endif()
list(JOIN built_with " " built_with)
if(BUILD_SHARED_LIBS)
  set(WENGERT_PC_PRIVATE "${built_with}")
else()
  set(WENGERT_PC_LIBS " ${built_with}")
endif()
configure_file(cmake/wengert.pc.in wengert.pc @ONLY)
install(FILES "${CMAKE_CURRENT_BINARY_DIR}/wengert.pc" DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)

if(TARGET factorize)
  install(TARGETS factorize COMPONENT tools)
  if(NOT CMAKE_CROSSCOMPILING)
    # From the program's own words.
    set(texts)
    foreach(text "manual:factorize.1" "completion bash:factorize.bash" "completion zsh:_factorize" "completion fish:factorize.fish")
      string(REPLACE ":" ";" text "${text}")
      list(GET text 0 command)
      list(GET text 1 file)
      separate_arguments(command)
      add_custom_command(OUTPUT ${file} COMMAND factorize ${command} > ${file} DEPENDS factorize VERBATIM)
      list(APPEND texts "${CMAKE_CURRENT_BINARY_DIR}/${file}")
    endforeach()
    add_custom_target(factorize_texts ALL DEPENDS ${texts})
    set(here "${CMAKE_CURRENT_BINARY_DIR}")
    if(WENGERT_DEBIAN)
      add_custom_command(OUTPUT factorize.1.gz COMMAND gzip -9nkf factorize.1 DEPENDS "${here}/factorize.1")
      add_custom_target(factorize_compressed_manual ALL DEPENDS "${here}/factorize.1.gz")
      set(suffix .gz)
    endif()
    install(FILES "${here}/factorize.1${suffix}" DESTINATION ${CMAKE_INSTALL_MANDIR}/man1 COMPONENT tools)
    install(FILES "${here}/factorize.bash" RENAME factorize DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions
      COMPONENT tools)
    install(FILES "${here}/_factorize" DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions COMPONENT tools)
    install(FILES "${here}/factorize.fish" DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d COMPONENT tools)
  endif()
endif()

if(TARGET wengert_python)
  set(WENGERT_PYTHON_DIR lib/python3/dist-packages CACHE STRING "Where the Python module is installed")
  install(TARGETS wengert_python LIBRARY DESTINATION ${WENGERT_PYTHON_DIR}/wengert COMPONENT python)
  install(DIRECTORY python/wengert DESTINATION ${WENGERT_PYTHON_DIR} COMPONENT python
    FILES_MATCHING PATTERN "*.py" PATTERN "*.pyi" PATTERN "py.typed" PATTERN "__pycache__" EXCLUDE)
endif()

# --- Debian's packages -------------------------------------------------------------------------------

set(CPACK_PACKAGE_NAME wengert)
set(CPACK_PACKAGE_CONTACT "Wengert authors <wengert@example.org>")
set(CPACK_DEBIAN_PACKAGE_HOMEPAGE "https://example.org/wengert")
set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_GROUPING IGNORE)
set(CPACK_COMPONENTS_ALL runtime dev tools python)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${CMAKE_BINARY_DIR}")
set(CPACK_DEBIAN_ENABLE_COMPONENT_DEPENDS ON)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)

# debian_package(COMPONENT NAME SECTION SUMMARY DESCRIPTION [DEPENDENCIES])
function(debian_package component name section summary description)
  string(TOUPPER ${component} upper)
  set(CPACK_DEBIAN_${upper}_PACKAGE_NAME ${name} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_SECTION ${section} PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_DESCRIPTION "${summary}\n${description}" PARENT_SCOPE)
  set(CPACK_DEBIAN_${upper}_PACKAGE_DEPENDS "${ARGN}" PARENT_SCOPE)
  foreach(file copyright changelog)
    configure_file(cmake/debian/${file}.in "debian/${name}/${file}" @ONLY)
  endforeach()
  set(folder "${CMAKE_CURRENT_BINARY_DIR}/debian/${name}")
  execute_process(COMMAND gzip -9nf "${folder}/changelog")
  if(WENGERT_DEBIAN)
    install(FILES "${folder}/copyright" "${folder}/changelog.gz" DESTINATION ${CMAKE_INSTALL_DATADIR}/doc/${name} COMPONENT ${component})
  endif()
endfunction()

set(what "Wengert records operations on arrays of numbers as they are done, and walks
the graph backwards for gradients, with libtorch's names.")
debian_package(runtime libwengert0 libs "automatic differentiation with libtorch's API - shared library" "${what}\nThis package has the shared libraries.")
debian_package(dev libwengert-dev libdevel "automatic differentiation with libtorch's API - development files"
  "${what}\nThis package has the headers, and what CMake and pkg-config read." "libwengert0 (= ${PROJECT_VERSION})")
debian_package(tools wengert-tools math "factorization of matrices and ratings"
  "factorize approximates a matrix, whole or with holes, by a product of two
thin ones: ratings, tables, arrays."
  "libwengert0 (= ${PROJECT_VERSION})")
debian_package(python python3-wengert python "automatic differentiation with PyTorch's API - Python module" "${what}\nThis package has the Python module."
  "libwengert0 (= ${PROJECT_VERSION}), python3 (>= 3.11), python3 (<< 3.12), python3-numpy")
# What other packages that link these libraries are to depend on; and that ldconfig is to look again.
set(shlibs "")
foreach(library IN LISTS libraries)
  string(APPEND shlibs "lib${library} 0 libwengert0 (>= ${PROJECT_VERSION})\n")
endforeach()
set(control "${CMAKE_CURRENT_BINARY_DIR}/debian")
file(WRITE "${control}/shlibs" "${shlibs}")
file(WRITE "${control}/triggers" "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_RUNTIME_PACKAGE_CONTROL_EXTRA "${control}/shlibs" "${control}/triggers")
include(CPack)
