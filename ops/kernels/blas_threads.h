#pragma once

namespace wengert::kernels {

/// Has the BLAS use the calling thread alone, where it can be told so (OpenBLAS). Work is spread over threads
/// above it, cut by size, so that results do not depend on the number of threads. Cheap after the first call.
void keep_blas_serial();

}  // namespace wengert::kernels
