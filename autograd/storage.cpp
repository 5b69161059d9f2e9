#include <wengert/autograd/memory.h>
#include <wengert/autograd/storage.h>

#include <new>

namespace wengert {
namespace {

constinit std::atomic<int64_t> allocated{0};
constinit std::atomic<int64_t> peak{0};

void count_allocated(int64_t bytes) {
  if (single_threaded()) {
    const int64_t now = allocated.load(std::memory_order_relaxed) + bytes;
    allocated.store(now, std::memory_order_relaxed);
    if (now > peak.load(std::memory_order_relaxed)) peak.store(now, std::memory_order_relaxed);
    return;
  }
  const int64_t now = allocated.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  int64_t most = peak.load(std::memory_order_relaxed);
  while (now > most && !peak.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
  }
}

}  // namespace

int64_t memory_allocated() { return allocated.load(std::memory_order_relaxed); }
int64_t max_memory_allocated() { return peak.load(std::memory_order_relaxed); }
void empty_cache() { pool::free_kept_blocks(); }
void reset_peak_memory_stats() { peak.store(memory_allocated(), std::memory_order_relaxed); }

IntrusivePtr<Storage> Storage::allocate(size_t bytes) {
  void* block = pool::allocate(sizeof(Storage) + bytes);
  count_allocated(static_cast<int64_t>(bytes));
  return IntrusivePtr<Storage>::adopt(new (block) Storage(static_cast<char*>(block) + sizeof(Storage), bytes));
}

IntrusivePtr<Storage> Storage::borrow(void* data, size_t bytes, std::function<void(void*)> on_release) {
  auto storage = IntrusivePtr<Storage>::adopt(new (pool::allocate(sizeof(Storage))) Storage(data, bytes));
  storage->on_release_ = std::move(on_release);
  return storage;
}

void Storage::destroy() noexcept {
  const size_t block_bytes = sizeof(Storage) + (owns_memory() ? bytes_ : 0);
  if (owns_memory()) count_allocated(-static_cast<int64_t>(bytes_));
  if (on_release_) on_release_(data_);
  this->~Storage();
  pool::deallocate(this, block_bytes);
}

}  // namespace wengert
