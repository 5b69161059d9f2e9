#include <fmt/format.h>
#include <omp.h>
#include <wengert/autograd/error.h>
#include <wengert/ops/kernels/threads.h>

#include <atomic>

namespace wengert {
namespace {
constinit std::atomic<int> requested{0};  // 0: not set, use what OpenMP would
}

int get_num_threads() {
  const int threads = requested.load(std::memory_order_relaxed);
  return threads > 0 ? threads : omp_get_max_threads();
}

void set_num_threads(int threads) {
  if (threads <= 0) throw Error(fmt::format("Expected positive number of threads, but got {}", threads));
  requested.store(threads, std::memory_order_relaxed);
}

}  // namespace wengert
