# Finds a BLAS with the C interface, and LAPACK, and makes the target CBLAS::CBLAS of both.
# Any will do: choose with BLA_VENDOR (see CMake's FindBLAS), or name the files with CBLAS_LIBRARY, CBLAS_INCLUDE_DIR
# and CBLAS_LAPACK_LIBRARY. OpenBLAS holds LAPACK itself.
include(CheckFunctionExists)

if(NOT CBLAS_LIBRARY)
  find_package(BLAS QUIET)
  set(CMAKE_REQUIRED_LIBRARIES ${BLAS_LIBRARIES})
  check_function_exists(cblas_sgemm CBLAS_IN_BLAS)
  unset(CMAKE_REQUIRED_LIBRARIES)
  if(CBLAS_IN_BLAS)
    set(CBLAS_LIBRARY "${BLAS_LIBRARIES}" CACHE STRING "BLAS with the C interface")
  else()
    find_library(CBLAS_LIBRARY NAMES openblas blis cblas DOC "BLAS with the C interface")
  endif()
endif()
if(CBLAS_LIBRARY AND NOT DEFINED CBLAS_LAPACK_LIBRARY)
  set(CMAKE_REQUIRED_LIBRARIES ${CBLAS_LIBRARY})
  check_function_exists(dgesdd_ CBLAS_HOLDS_LAPACK)
  unset(CMAKE_REQUIRED_LIBRARIES)
  if(CBLAS_HOLDS_LAPACK)
    set(CBLAS_LAPACK_LIBRARY "" CACHE STRING "LAPACK, where the BLAS does not hold it")
  else()
    find_package(LAPACK REQUIRED)
    set(CBLAS_LAPACK_LIBRARY "${LAPACK_LIBRARIES}" CACHE STRING "LAPACK, where the BLAS does not hold it")
  endif()
endif()
find_path(CBLAS_INCLUDE_DIR cblas.h PATH_SUFFIXES openblas-serial openblas blis)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CBLAS REQUIRED_VARS CBLAS_LIBRARY CBLAS_INCLUDE_DIR)
mark_as_advanced(CBLAS_LIBRARY CBLAS_INCLUDE_DIR CBLAS_LAPACK_LIBRARY)

if(CBLAS_FOUND AND NOT TARGET CBLAS::CBLAS)
  add_library(CBLAS::CBLAS INTERFACE IMPORTED)
  set_target_properties(CBLAS::CBLAS PROPERTIES
    INTERFACE_LINK_LIBRARIES "${CBLAS_LAPACK_LIBRARY};${CBLAS_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${CBLAS_INCLUDE_DIR}")
endif()
