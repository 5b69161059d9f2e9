#pragma once

#include <wengert/autograd/base/array_ref.h>
#include <wengert/autograd/base/intrusive_ptr.h>
#include <wengert/autograd/base/pool.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <type_traits>
#include <utility>

namespace wengert {

/// Whether a T may be moved by copying its bytes and forgetting where it was.
template <class T>
inline constexpr bool is_relocatable = std::is_trivially_copyable_v<T>;
template <class T>
inline constexpr bool is_relocatable<IntrusivePtr<T>> = true;

/// A vector whose first N elements lie inside it, so that the short lists a graph is made of (a shape, a
/// Node's edges, the gradients handed to it) cost no allocation. Longer lists move to the pool.
template <class T, size_t N>
class InlineVector {
 public:
  using value_type = T;

  InlineVector() noexcept {}  // NOLINT: elements are made when they are needed
  explicit InlineVector(size_t size) { resize(size); }
  InlineVector(size_t size, const T& value) { assign(size, value); }
  /// Of these elements, moved: a braced list copies them.
  template <class... Elements>
  static InlineVector of(Elements&&... elements) {
    InlineVector list;
    (list.push_back(std::forward<Elements>(elements)), ...);
    return list;
  }
  /// With room for `size` elements that are still to be written.
  static InlineVector uninitialized(size_t size) requires std::is_trivially_copyable_v<T> {
    InlineVector list;
    if (size > N) [[unlikely]]
      list.grow(size);
    list.size_ = static_cast<uint32_t>(size);
    return list;
  }
  InlineVector(std::initializer_list<T> list) { append(list.begin(), list.end()); }
  InlineVector(ArrayRef<T> list) { append(list.begin(), list.end()); }  // NOLINT: a view's copy
  InlineVector(const InlineVector& other) { copy(other); }
  InlineVector(InlineVector&& other) noexcept { take(other); }
  InlineVector& operator=(const InlineVector& other) {
    if (this != &other) {
      clear();
      copy(other);
    }
    return *this;
  }
  InlineVector& operator=(InlineVector&& other) noexcept {
    if (this != &other) {
      destroy();
      take(other);
    }
    return *this;
  }
  ~InlineVector() { destroy(); }

  size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  T* data() { return is_inline() ? reinterpret_cast<T*>(inline_) : block_; }
  const T* data() const { return is_inline() ? reinterpret_cast<const T*>(inline_) : block_; }
  T* begin() { return data(); }
  T* end() { return data() + size_; }
  const T* begin() const { return data(); }
  const T* end() const { return data() + size_; }
  T& operator[](size_t i) { return data()[i]; }
  const T& operator[](size_t i) const { return data()[i]; }
  T& back() { return data()[size_ - 1]; }
  const T& back() const { return data()[size_ - 1]; }

  void push_back(const T& value) { push_back(T(value)); }
  [[gnu::always_inline]] void push_back(T&& value) {
    if (size_ == capacity_) [[unlikely]] {
      T kept(std::move(value));  // which may be one of the elements
      grow(size_t{capacity_} + 1);
      std::construct_at(data() + size_++, std::move(kept));
    } else {
      std::construct_at(data() + size_++, std::move(value));
    }
  }
  void pop_back() { std::destroy_at(data() + --size_); }
  void insert(size_t at, T value) {
    push_back(std::move(value));
    std::rotate(begin() + at, end() - 1, end());
  }
  void erase(size_t at) {
    std::move(begin() + at + 1, end(), begin() + at);
    pop_back();
  }
  /// New elements are value-initialized.
  void resize(size_t size) {
    if (size > capacity_) [[unlikely]]
      grow(size);
    while (size_ > size) pop_back();
    T* elements = data();
    for (; size_ < size; ++size_) std::construct_at(elements + size_);
  }
  void assign(size_t size, const T& value) {
    clear();
    if (size > capacity_) grow(size);
    while (size_ < size) std::construct_at(data() + size_++, value);
  }
  void clear() {
    std::destroy_n(data(), size_);
    size_ = 0;
  }

  operator ArrayRef<T>() const { return {data(), size_}; }  // NOLINT: reads like the list itself
  friend bool operator==(const InlineVector& a, const InlineVector& b) { return ArrayRef<T>(a) == ArrayRef<T>(b); }

 private:
  static_assert(alignof(T) <= pool::kAlignment && N * sizeof(T) >= sizeof(T*));

  bool is_inline() const { return __builtin_expect(capacity_ == N, true); }

  void append(const T* first, const T* last) {
    const auto count = static_cast<size_t>(last - first);
    if (size_ + count > capacity_) [[unlikely]]
      grow(size_ + count);
    T* to = data() + size_;
    for (; first != last; ++first, ++to) std::construct_at(to, *first);  // few: faster than a call to copy them
    size_ += static_cast<uint32_t>(count);
  }
  /// Another's elements; this one has none.
  void copy(const InlineVector& other) { append(other.begin(), other.end()); }
  /// Takes another's elements; this one has none, and no block.
  void take(InlineVector& other) noexcept {
    size_ = std::exchange(other.size_, 0);
    if (!other.is_inline()) [[unlikely]] {
      block_ = other.block_;
      capacity_ = std::exchange(other.capacity_, static_cast<uint32_t>(N));
    } else if constexpr (is_relocatable<T>) {
      // One by one: reading bytes in larger pieces than they have just been written in makes a CPU wait.
      const auto move_one = [&](size_t i) {
        std::memcpy(inline_ + i * sizeof(T), other.inline_ + i * sizeof(T), sizeof(T));
      };
      if (size_ > 0) move_one(0);
      for (size_t i = 1; i < size_; ++i) move_one(i);
    } else {
      T* from = reinterpret_cast<T*>(other.inline_);
      std::uninitialized_move_n(from, size_, reinterpret_cast<T*>(inline_));
      std::destroy_n(from, size_);
    }
  }
  [[gnu::noinline]] void grow(size_t capacity) {
    capacity = std::max<size_t>(capacity, size_t{2} * capacity_);  // so that growing one by one copies little
    T* block = static_cast<T*>(pool::allocate(capacity * sizeof(T)));
    std::uninitialized_move_n(data(), size_, block);
    const uint32_t size = size_;
    destroy();
    block_ = block;
    size_ = size;
    capacity_ = static_cast<uint32_t>(capacity);
  }
  void destroy() {
    std::destroy_n(data(), size_);
    if (!is_inline()) pool::deallocate(block_, capacity_ * sizeof(T));
    size_ = 0;
    capacity_ = N;
  }

  uint32_t size_ = 0;
  uint32_t capacity_ = N;
  union {
    alignas(T) unsigned char inline_[N * sizeof(T)];
    T* block_;
  };
};

template <class T, size_t N>
inline constexpr bool is_relocatable<InlineVector<T, N>> = is_relocatable<T>;

}  // namespace wengert
