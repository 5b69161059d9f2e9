#pragma once

#include <wengert/autograd/base/intrusive_ptr.h>
#include <wengert/autograd/base/pool.h>
#include <wengert/autograd/base/profiling.h>

#include <atomic>
#include <functional>
#include <new>

namespace wengert {

namespace internal {
// What memory_allocated() and max_memory_allocated() return.
extern constinit std::atomic<int64_t> allocated_bytes;
extern constinit std::atomic<int64_t> most_allocated_bytes;
void count_allocated_by_threads(int64_t bytes) noexcept;

inline void count_allocated(int64_t bytes) noexcept {
  if (!single_threaded()) [[unlikely]]
    return count_allocated_by_threads(bytes);
  const int64_t now = allocated_bytes.load(std::memory_order_relaxed) + bytes;
  allocated_bytes.store(now, std::memory_order_relaxed);
  if (bytes > 0 && now > most_allocated_bytes.load(std::memory_order_relaxed)) [[unlikely]]
    most_allocated_bytes.store(now, std::memory_order_relaxed);
}
}  // namespace internal

/// A block of memory that tensors share, with the count of in-place changes made to it. Every view of a
/// tensor and every detached alias has the same Storage, and so sees the same version.
///
/// Memory that the library allocates lies in the same block as the Storage itself, behind it.
class alignas(pool::kAlignment) Storage {
 public:
  /// New memory of `bytes` bytes, contents undefined.
  static IntrusivePtr<Storage> allocate(size_t bytes) {
    void* block = pool::allocate(sizeof(Storage) + bytes);
    internal::count_allocated(static_cast<int64_t>(bytes));
    auto* storage = new (block) Storage(static_cast<char*>(block) + sizeof(Storage), bytes);
    profiling::allocated(*storage);
    return IntrusivePtr<Storage>::adopt(storage);
  }
  /// Memory owned elsewhere. `on_release` (may be empty) is called with it when the last tensor lets go.
  static IntrusivePtr<Storage> borrow(void* data, size_t bytes, std::function<void(void*)> on_release);

  void retain() noexcept { owners_.retain(); }
  void release() noexcept {
    if (owners_.release()) destroy();
  }

  void* data() const { return data_; }
  size_t nbytes() const { return bytes_; }
  /// False of memory that was borrowed.
  bool owns_memory() const { return data_ == reinterpret_cast<const char*>(this) + sizeof(Storage); }
  /// True when one tensor alone refers to this memory.
  bool unique() const { return owners_.owners() == 1; }

  uint32_t version() const { return version_.load(std::memory_order_relaxed); }
  void set_version(uint32_t version) { version_.store(version, std::memory_order_relaxed); }
  /// What the profile that heard of its allocation has noted; 0 without one.
  uint32_t profile_note() const { return profile_note_; }
  void set_profile_note(uint32_t note) { profile_note_ = note; }

  void bump_version() {
    if (single_threaded()) [[likely]] {
      set_version(version() + 1);
    } else {
      version_.fetch_add(1, std::memory_order_relaxed);
    }
  }

 private:
  Storage(void* data, size_t bytes) : bytes_(bytes), data_(data) {}
  void destroy() noexcept {
    if (!owns_memory()) [[unlikely]]
      return give_back();
    profiling::freed(*this);
    const size_t bytes = bytes_;
    internal::count_allocated(-static_cast<int64_t>(bytes));
    pool::deallocate(this, sizeof(Storage) + bytes);  // it owns nothing else: on_release_ is empty
  }
  void give_back() noexcept;

  ReferenceCount owners_;
  std::atomic<uint32_t> version_{0};
  uint32_t profile_note_ = 0;
  size_t bytes_;
  void* data_;
  std::function<void(void*)> on_release_;
};

}  // namespace wengert
