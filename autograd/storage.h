#pragma once

#include <wengert/autograd/intrusive_ptr.h>
#include <wengert/autograd/pool.h>

#include <atomic>
#include <functional>

namespace wengert {

/// A block of memory that tensors share, with the count of in-place changes made to it. Every view of a
/// tensor and every detached alias has the same Storage, and so sees the same version.
///
/// Memory that the library allocates lies in the same block as the Storage itself, behind it.
class alignas(pool::kAlignment) Storage {
 public:
  /// New memory of `bytes` bytes, contents undefined.
  static IntrusivePtr<Storage> allocate(size_t bytes);
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
  void bump_version() {
    if (single_threaded()) {
      set_version(version() + 1);
    } else {
      version_.fetch_add(1, std::memory_order_relaxed);
    }
  }

 private:
  Storage(void* data, size_t bytes) : bytes_(bytes), data_(data) {}
  void destroy() noexcept;

  ReferenceCount owners_;
  std::atomic<uint32_t> version_{0};
  size_t bytes_;
  void* data_;
  std::function<void(void*)> on_release_;
};

}  // namespace wengert
