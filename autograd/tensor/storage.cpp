#include <wengert/autograd/base/memory.h>
#include <wengert/autograd/tensor/storage.h>

namespace wengert {

constinit std::atomic<int64_t> internal::allocated_bytes{0};
constinit std::atomic<int64_t> internal::most_allocated_bytes{0};

void internal::count_allocated_by_threads(int64_t bytes) noexcept {
  const int64_t now = allocated_bytes.fetch_add(bytes, std::memory_order_relaxed) + bytes;
  int64_t most = most_allocated_bytes.load(std::memory_order_relaxed);
  while (now > most && !most_allocated_bytes.compare_exchange_weak(most, now, std::memory_order_relaxed)) {
  }
}

int64_t memory_allocated() { return internal::allocated_bytes.load(std::memory_order_relaxed); }
int64_t max_memory_allocated() { return internal::most_allocated_bytes.load(std::memory_order_relaxed); }
void empty_cache() { pool::free_kept_blocks(); }
void reset_peak_memory_stats() { internal::most_allocated_bytes.store(memory_allocated(), std::memory_order_relaxed); }

IntrusivePtr<Storage> Storage::borrow(void* data, size_t bytes, std::function<void(void*)> on_release) {
  auto storage = IntrusivePtr<Storage>::adopt(new (pool::allocate(sizeof(Storage))) Storage(data, bytes));
  storage->on_release_ = std::move(on_release);
  return storage;
}

void Storage::give_back() noexcept {
  if (on_release_) on_release_(data_);
  this->~Storage();
  pool::deallocate(this, sizeof(Storage));
}

}  // namespace wengert
