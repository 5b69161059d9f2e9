# Finds a BLAS with the C interface, and makes the target CBLAS::CBLAS.
# Any will do: choose with BLA_VENDOR (see CMake's FindBLAS), or name the files with CBLAS_LIBRARY and
# CBLAS_INCLUDE_DIR.

if(NOT CBLAS_LIBRARY)
  find_package(BLAS QUIET)
  include(CheckFunctionExists)
  set(CMAKE_REQUIRED_LIBRARIES ${BLAS_LIBRARIES})
  check_function_exists(cblas_sgemm CBLAS_IN_BLAS)
  unset(CMAKE_REQUIRED_LIBRARIES)
  if(CBLAS_IN_BLAS)
    set(CBLAS_LIBRARY "${BLAS_LIBRARIES}" CACHE STRING "BLAS with the C interface")
  else()
    find_library(CBLAS_LIBRARY NAMES openblas blis cblas DOC "BLAS with the C interface")
  endif()
endif()
find_path(CBLAS_INCLUDE_DIR cblas.h PATH_SUFFIXES openblas blis)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CBLAS REQUIRED_VARS CBLAS_LIBRARY CBLAS_INCLUDE_DIR)
mark_as_advanced(CBLAS_LIBRARY CBLAS_INCLUDE_DIR)

if(CBLAS_FOUND AND NOT TARGET CBLAS::CBLAS)
  add_library(CBLAS::CBLAS INTERFACE IMPORTED)
  set_target_properties(CBLAS::CBLAS PROPERTIES
    INTERFACE_LINK_LIBRARIES "${CBLAS_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${CBLAS_INCLUDE_DIR}")
endif()
