# Finds libtorch as Debian packages it, and makes the target LibTorch::LibTorch. Its own TorchConfig.cmake wants
# protobuf's and other headers that its users do not need.

find_library(LIBTORCH_TORCH torch)
find_library(LIBTORCH_CPU torch_cpu)
find_library(LIBTORCH_C10 c10)
find_path(LIBTORCH_INCLUDE_DIR ATen/ATen.h)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(LibTorch
  REQUIRED_VARS LIBTORCH_TORCH LIBTORCH_CPU LIBTORCH_C10 LIBTORCH_INCLUDE_DIR)
mark_as_advanced(LIBTORCH_TORCH LIBTORCH_CPU LIBTORCH_C10 LIBTORCH_INCLUDE_DIR)

if(LibTorch_FOUND AND NOT TARGET LibTorch::LibTorch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  set_target_properties(LibTorch::LibTorch PROPERTIES
    INTERFACE_LINK_LIBRARIES "${LIBTORCH_TORCH};${LIBTORCH_CPU};${LIBTORCH_C10}"
    INTERFACE_SYSTEM_INCLUDE_DIRECTORIES "${LIBTORCH_INCLUDE_DIR};${LIBTORCH_INCLUDE_DIR}/torch/csrc/api/include"
    INTERFACE_INCLUDE_DIRECTORIES "${LIBTORCH_INCLUDE_DIR};${LIBTORCH_INCLUDE_DIR}/torch/csrc/api/include")
endif()
