#include <wengert/ops/kernels/blas_threads.h>

#include <mutex>

// Other BLAS libraries do not have the function; the symbol is then null.
extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace wengert::kernels {

void keep_blas_serial() {
  static std::once_flag once;
  std::call_once(once, [] {
    if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
  });
}

}  // namespace wengert::kernels
