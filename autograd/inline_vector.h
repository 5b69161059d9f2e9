#pragma once

#include <wengert/autograd/array_ref.h>

#include <memory>
#include <utility>

namespace wengert {

/// A vector whose first N elements lie inside it, so that the short lists a graph is made of (a shape, a
/// Node's edges, the gradients handed to it) cost no allocation. Longer lists move to the heap.
template <class T, size_t N>
class InlineVector {
 public:
  using value_type = T;

  InlineVector() noexcept : data_(inline_data()) {}
  explicit InlineVector(size_t size) : InlineVector() { resize(size); }
  InlineVector(size_t size, const T& value) : InlineVector() { assign(size, value); }
  InlineVector(std::initializer_list<T> list) : InlineVector() { append(list.begin(), list.end()); }
  InlineVector(ArrayRef<T> list) : InlineVector() { append(list.begin(), list.end()); }  // NOLINT: a view's copy
  InlineVector(const InlineVector& other) : InlineVector() { append(other.begin(), other.end()); }
  InlineVector(InlineVector&& other) noexcept : InlineVector() { take(other); }
  InlineVector& operator=(const InlineVector& other) {
    if (this != &other) {
      clear();
      append(other.begin(), other.end());
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
  T* data() { return data_; }
  const T* data() const { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  T& back() { return data_[size_ - 1]; }
  const T& back() const { return data_[size_ - 1]; }

  void push_back(T value) {
    if (size_ == capacity_) grow(2 * capacity_);
    std::construct_at(data_ + size_++, std::move(value));
  }
  void pop_back() { std::destroy_at(data_ + --size_); }
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
    if (size > capacity_) grow(size);
    while (size_ > size) pop_back();
    while (size_ < size) std::construct_at(data_ + size_++);
  }
  void assign(size_t size, const T& value) {
    clear();
    if (size > capacity_) grow(size);
    while (size_ < size) std::construct_at(data_ + size_++, value);
  }
  void clear() {
    std::destroy_n(data_, size_);
    size_ = 0;
  }

  operator ArrayRef<T>() const { return {data_, size_}; }  // NOLINT: reads like the list itself
  friend bool operator==(const InlineVector& a, const InlineVector& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end());
  }

 private:
  T* inline_data() { return reinterpret_cast<T*>(inline_); }

  void append(const T* first, const T* last) {
    const auto count = static_cast<size_t>(last - first);
    if (size_ + count > capacity_) grow(size_ + count);
    std::uninitialized_copy(first, last, data_ + size_);
    size_ += static_cast<uint32_t>(count);
  }
  void grow(size_t capacity) {
    T* data = std::allocator<T>().allocate(capacity);
    std::uninitialized_move_n(data_, size_, data);
    std::destroy_n(data_, size_);
    free_heap();
    data_ = data;
    capacity_ = static_cast<uint32_t>(capacity);
  }
  void free_heap() {
    if (data_ != inline_data()) std::allocator<T>().deallocate(data_, capacity_);
  }
  void destroy() {
    std::destroy_n(data_, size_);
    free_heap();
    data_ = inline_data();
    size_ = 0;
    capacity_ = N;
  }
  /// Takes another's elements; this one is empty and inline.
  void take(InlineVector& other) noexcept {
    if (other.data_ == other.inline_data()) {
      std::uninitialized_move_n(other.data_, other.size_, data_);
      size_ = other.size_;
      other.clear();
    } else {
      data_ = std::exchange(other.data_, other.inline_data());
      size_ = std::exchange(other.size_, 0);
      capacity_ = std::exchange(other.capacity_, static_cast<uint32_t>(N));
    }
  }

  T* data_;
  uint32_t size_ = 0;
  uint32_t capacity_ = N;
  alignas(T) unsigned char inline_[N * sizeof(T)];
};

}  // namespace wengert
