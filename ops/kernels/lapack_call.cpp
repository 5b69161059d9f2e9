#include <wengert/ops/kernels/lapack_call.h>

// OpenBLAS's own functions. Other libraries do not have them; the symbols are then null.
extern "C" void openblas_set_num_threads(int) __attribute__((weak));
extern "C" int openblas_get_parallel() __attribute__((weak));

namespace wengert::kernels {
namespace {

constinit std::mutex turns;

// Other libraries than OpenBLAS keep no buffers between calls, or guard them. OpenBLAS says 0 where it was built
// without threads, and then without locks too.
bool takes_turns() {
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
  return openblas_get_parallel != nullptr && openblas_get_parallel() == 0;
}

}  // namespace

LapackCall::LapackCall() {
  static const bool one_at_a_time = takes_turns();
  if (one_at_a_time) turn_ = std::unique_lock(turns);
}

}  // namespace wengert::kernels
