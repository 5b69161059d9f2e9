#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>

#if __has_include(<sys/single_threaded.h>)
#include <sys/single_threaded.h>
#endif

namespace wengert {

/// Whether this process has no second thread, and so needs no locked instructions, which cost some twenty cycles each.
inline bool single_threaded() noexcept {
#if __has_include(<sys/single_threaded.h>)
  return __libc_single_threaded;
#else
  return false;
#endif
}

/// A count of owners that lives inside the counted object. Starts at one owner.
class ReferenceCount {
 public:
  void retain() noexcept {
    if (single_threaded()) [[likely]] {
      count_.store(count_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    } else {
      count_.fetch_add(1, std::memory_order_relaxed);
    }
  }

  /// Gives up one ownership; true when it was the last, and the object must go.
  bool release() noexcept {
    // The only owner needs no atomic read-modify-write: nobody else is left who could retain.
    const uint32_t owners = count_.load(std::memory_order_acquire);
    if (owners == 1) return true;
    if (single_threaded()) [[likely]] {
      count_.store(owners - 1, std::memory_order_relaxed);
      return false;
    }
    return count_.fetch_sub(1, std::memory_order_acq_rel) == 1;
  }

  uint32_t owners() const noexcept { return count_.load(std::memory_order_acquire); }

 private:
  std::atomic<uint32_t> count_{1};
};

/// Shared ownership of a T that counts its own owners: T has retain(), and release(), which destroys it
/// when the last owner lets go. One pointer wide.
template <class T>
class IntrusivePtr {
 public:
  IntrusivePtr() = default;
  IntrusivePtr(std::nullptr_t) {}  // NOLINT: implicit like std::shared_ptr's
  explicit IntrusivePtr(T* object) : object_(object) {
    if (object_) object_->retain();
  }
  IntrusivePtr(const IntrusivePtr& other) : IntrusivePtr(other.object_) {}
  IntrusivePtr(IntrusivePtr&& other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  template <class U>
  requires std::convertible_to<U*, T*> IntrusivePtr(const IntrusivePtr<U>& other)
      : IntrusivePtr(other.get()) {}  // NOLINT
  template <class U>
  requires std::convertible_to<U*, T*> IntrusivePtr(IntrusivePtr<U>&& other)
  noexcept : object_(other.detach()) {}                 // NOLINT
  IntrusivePtr& operator=(const IntrusivePtr& other) {  // NOLINT: the copy makes it safe for itself
    IntrusivePtr(other).swap(*this);
    return *this;
  }
  IntrusivePtr& operator=(IntrusivePtr&& other) noexcept {
    IntrusivePtr(std::move(other)).swap(*this);
    return *this;
  }
  ~IntrusivePtr() {
    if (object_) object_->release();
  }

  /// Takes over an ownership that the caller holds: of a new object, or one given up by detach().
  static IntrusivePtr adopt(T* object) {
    IntrusivePtr pointer;
    pointer.object_ = object;
    return pointer;
  }
  /// Gives the ownership to the caller.
  T* detach() noexcept { return std::exchange(object_, nullptr); }

  T* get() const { return object_; }
  T& operator*() const { return *object_; }
  T* operator->() const { return object_; }
  explicit operator bool() const { return object_ != nullptr; }
  void reset() { IntrusivePtr().swap(*this); }
  void swap(IntrusivePtr& other) noexcept { std::swap(object_, other.object_); }

  /// For code written for libtorch, which hands out std::shared_ptr: it shares this same ownership.
  operator std::shared_ptr<T>() const {  // NOLINT
    if (!object_) return nullptr;
    return std::shared_ptr<T>(object_, [keep = *this](T*) mutable { keep.reset(); });
  }

  friend bool operator==(const IntrusivePtr& a, const IntrusivePtr& b) { return a.object_ == b.object_; }
  friend bool operator==(const IntrusivePtr& a, std::nullptr_t) { return a.object_ == nullptr; }

 private:
  T* object_ = nullptr;
};

template <class T, class... Args>
IntrusivePtr<T> make_intrusive(Args&&... args) {
  return IntrusivePtr<T>::adopt(new T(std::forward<Args>(args)...));
}

}  // namespace wengert
