#include <fmt/format.h>
#include <sched.h>
#include <unistd.h>
#include <wengert/autograd/base/error.h>
#include <wengert/ops/kernels/threads.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <string_view>
#include <thread>

namespace wengert {
namespace {

constinit std::atomic<int> current{0};  // 0: nobody has asked yet

// The first number of OMP_NUM_THREADS (a list for nested loops), or the number of processors.
int threads_at_first() {
  if (const char* const variable = std::getenv("OMP_NUM_THREADS")) {
    const std::string_view text(variable);
    int threads = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), threads);
    if (error == std::errc() && threads > 0 && (end == text.data() + text.size() || *end == ',')) return threads;
  }
  return kernels::processors();
}

}  // namespace

int kernels::processors() {
#ifdef __linux__
  // The first thread's, whoever asks. Of machines with more there are sets of other sizes.
  cpu_set_t allowed;
  if (sched_getaffinity(getpid(), sizeof allowed, &allowed) == 0) return std::max(1, CPU_COUNT(&allowed));
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

int get_num_threads() {
  if (!WENGERT_THREADS) return 1;
  int threads = current.load(std::memory_order_relaxed);
  if (threads == 0) {
    const int first = threads_at_first();
    threads = current.compare_exchange_strong(threads, first, std::memory_order_relaxed) ? first : threads;
  }
  return threads;
}

void set_num_threads(int threads) {
  if (threads <= 0) throw Error(fmt::format("Expected positive number of threads, but got {}", threads));
  current.store(threads, std::memory_order_relaxed);
}

}  // namespace wengert
