#include <hwy/cache_control.h>
#include <oneapi/tbb/global_control.h>
#include <oneapi/tbb/task_arena.h>
#include <wengert/ops/kernels/parallel.h>
#include <wengert/ops/kernels/threads.h>

#include <array>
#include <atomic>
#include <bit>
#include <cstddef>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>

namespace wengert::kernels::detail {
namespace {

thread_local bool this_thread_in_task = false;

/// One call of share_tasks. It lives as long as somebody may look at it: a helper can come when all is done.
class Shared {
 public:
  Shared(int64_t count, int helpers, const void* task, void (*call)(const void*, int64_t))
      : count_(count), task_(task), call_(call), unfinished_(count), holders_(helpers + 1) {}

  /// The caller's part: takes tasks from the front, then waits for those that helpers have begun.
  void take_part() {
    this_thread_in_task = true;
    int64_t done = 0;
    for (; take(); ++done) call_(task_, done);
    this_thread_in_task = false;
    if (finish(done)) return;
    for (int spins = 0; spins < kSpins; ++spins) {
      if (finished_.load(std::memory_order_acquire) != 0) return;
      hwy::Pause();
    }
    finished_.wait(0, std::memory_order_acquire);
  }

  /// A helper's part: takes tasks from the back, so that in call after call each thread sees much the same memory.
  void help() {
    this_thread_in_task = true;
    int64_t done = 0;
    for (; take(); ++done) call_(task_, count_ - 1 - from_back_.fetch_add(1, std::memory_order_relaxed));
    this_thread_in_task = false;
    if (done > 0 && finish(done)) {
      finished_.store(1, std::memory_order_release);
      finished_.notify_one();
    }
  }

  /// True for the last one.
  bool let_go() { return holders_.fetch_sub(1, std::memory_order_acq_rel) == 1; }

 private:
  static constexpr int kSpins = 200;

  bool take() { return taken_.fetch_add(1, std::memory_order_relaxed) < count_; }
  bool finish(int64_t done) { return unfinished_.fetch_sub(done, std::memory_order_acq_rel) == done; }

  const int64_t count_;
  const void* const task_;
  void (*const call_)(const void*, int64_t);
  std::atomic<int64_t> taken_{0};
  std::atomic<int64_t> from_back_{0};
  std::atomic<int64_t> unfinished_;
  std::atomic<int> finished_{0};
  std::atomic<int> holders_;
};

/// Where calls of share_tasks are kept: some 64 places, and as many more where that many calls still wait for helpers.
/// None is ever freed, so that a helper which has not come when the program ends lets go of nothing.
class Places {
 public:
  template <class... Args>
  Shared* take(Args... args) {
    for (uint64_t free = free_.load(std::memory_order_relaxed); free != 0;) {
      const int at = std::countr_zero(free);
      if (free_.compare_exchange_weak(free, free & ~(uint64_t{1} << at), std::memory_order_acquire)) {
        return new (bytes_[static_cast<size_t>(at)].data()) Shared(args...);
      }
    }
    return more().take(args...);
  }

  void let_go(Shared* shared) {
    if (!shared->let_go()) return;
    Places* all = this;
    while (!all->holds(shared)) all = all->more_.load(std::memory_order_acquire);
    const auto at = (reinterpret_cast<std::byte*>(shared) - all->bytes_[0].data()) / std::ssize(bytes_[0]);
    all->free_.fetch_or(uint64_t{1} << at, std::memory_order_release);
  }

 private:
  bool holds(const Shared* shared) const {
    const auto* const begin = bytes_[0].data();
    return !std::less<>()(reinterpret_cast<const std::byte*>(shared), begin) &&
           std::less<>()(reinterpret_cast<const std::byte*>(shared), begin + sizeof(bytes_));
  }

  Places& more() {
    if (!more_.load(std::memory_order_acquire)) {
      auto mine = std::make_unique<Places>();
      Places* none = nullptr;
      if (more_.compare_exchange_strong(none, mine.get(), std::memory_order_acq_rel)) static_cast<void>(mine.release());
    }
    return *more_.load(std::memory_order_acquire);
  }

  alignas(64) std::array<std::array<std::byte, 64>, 64> bytes_{};
  std::atomic<uint64_t> free_{~uint64_t{0}};
  std::atomic<Places*> more_{nullptr};
};

static_assert(sizeof(Shared) <= 64 && std::is_trivially_destructible_v<Shared>);
constinit Places places;

/// What TBB is handed. The pointer is read and written as an atomic, so that whoever reads it sees what it points to: a
/// sanitizer that does not look into TBB could not know.
class Help {
 public:
  explicit Help(Shared* shared) { set(shared); }
  Help(const Help& other) { set(other.get()); }
  Help& operator=(const Help&) = delete;
  ~Help() = default;

  void operator()() const {
    Shared* const shared = get();
    shared->help();
    places.let_go(shared);
  }

 private:
  Shared* get() const { return std::atomic_ref(shared_).load(std::memory_order_acquire); }
  void set(Shared* shared) { std::atomic_ref(shared_).store(shared, std::memory_order_release); }

  mutable Shared* shared_;  // not initialized, which would be a write that is no atomic
};

/// The helpers of all threads of the program: one less than get_num_threads(), started when first needed.
class Helpers {
 public:
  explicit Helpers(int count) : count_(count), arena_(count, 0) {}
  int count() const { return count_; }
  void call(Shared* shared) { arena_.enqueue(Help(shared)); }

 private:
  int count_;
  tbb::task_arena arena_;
};

/// Has TBB allow so many threads, where that is more than there are processors. The least of several limits counts, so
/// there is one, and it only grows.
void allow(int threads) {
  static int limit = processors();
  static auto& control = *new std::unique_ptr<tbb::global_control>;  // never destroyed, as below
  if (threads <= limit) return;
  limit = threads;
  control.reset();
  control = std::make_unique<tbb::global_control>(tbb::global_control::max_allowed_parallelism, threads);
}

/// Those for the number of threads that is set now. A change leaves the earlier ones to the calls that have them.
std::shared_ptr<Helpers> helpers() {
  static std::mutex mutex;
  // Never destroyed: threads of the program may still run when static objects are.
  static auto& current = *new std::shared_ptr<Helpers>;
  const int wanted = get_num_threads() - 1;
  const std::lock_guard lock(mutex);
  if (!current || current->count() != wanted) {
    allow(wanted + 1);
    current = std::make_shared<Helpers>(wanted);
  }
  return current;
}

}  // namespace

bool in_task() { return this_thread_in_task; }

void share_tasks(int64_t count, int wanted, const void* task, void (*call)(const void* task, int64_t i)) {
  Shared* const shared = places.take(count, wanted, task, call);
  {
    const std::shared_ptr<Helpers> team = helpers();
    for (int i = 0; i < wanted; ++i) team->call(shared);
  }
  shared->take_part();
  places.let_go(shared);
}

}  // namespace wengert::kernels::detail
