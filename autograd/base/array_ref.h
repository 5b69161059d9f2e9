#pragma once

#include <wengert/autograd/base/error.h>

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <iterator>
#include <ostream>
#include <string>
#include <vector>

namespace wengert {

/// A view of consecutive elements owned by somebody else, as libtorch's ArrayRef. It can be made from one
/// element, from a braced list, from a std::vector or from any container with data() and size(); like
/// every view it must not outlive what it was made from.
template <class T>
class ArrayRef {
 public:
  using value_type = T;
  using iterator = const T*;
  using const_iterator = const T*;
  using reverse_iterator = std::reverse_iterator<iterator>;

  constexpr ArrayRef() = default;
  constexpr ArrayRef(const T* data, size_t size) : data_(data), size_(size) {}
  template <class Pointer>  // so that {0, 0} is a list
  requires std::same_as<Pointer, T*> || std::same_as<Pointer, const T*>
  constexpr ArrayRef(Pointer begin, Pointer end) : ArrayRef(begin, static_cast<size_t>(end - begin)) {}
  template <size_t N>
  constexpr ArrayRef(const T (&array)[N]) : ArrayRef(array, N) {}      // NOLINT
  constexpr ArrayRef(const T& element) : data_(&element), size_(1) {}  // NOLINT: implicit as in libtorch
  constexpr ArrayRef(const std::initializer_list<T>& list) : ArrayRef(list.begin(), list.size()) {}  // NOLINT
  template <class Container>
  requires requires(const Container& c) {
    { c.data() } -> std::convertible_to<const T*>;
    { c.size() } -> std::convertible_to<size_t>;
  }
  constexpr ArrayRef(const Container& c) : data_(c.data()), size_(c.size()) {}  // NOLINT

  constexpr const T* data() const { return data_; }
  constexpr size_t size() const { return size_; }
  constexpr bool empty() const { return size_ == 0; }
  constexpr const T* begin() const { return data_; }
  constexpr const T* end() const { return data_ + size_; }
  constexpr const T* cbegin() const { return begin(); }
  constexpr const T* cend() const { return end(); }
  constexpr reverse_iterator rbegin() const { return reverse_iterator(end()); }
  constexpr reverse_iterator rend() const { return reverse_iterator(begin()); }
  constexpr const T& operator[](size_t i) const { return data_[i]; }
  /// Throws wengert::Error when there is no such element.
  constexpr const T& at(size_t i) const {
    if (i >= size_)
      throw Error("ArrayRef: invalid index Index = " + std::to_string(i) + "; Length = " + std::to_string(size_));
    return data_[i];
  }
  constexpr const T& front() const { return data_[0]; }
  constexpr const T& back() const { return data_[size_ - 1]; }

  /// All from `start`, or `count` of them.
  constexpr ArrayRef slice(size_t start) const { return slice(start, size_ - start); }
  constexpr ArrayRef slice(size_t start, size_t count) const { return {data_ + start, count}; }

  constexpr bool equals(ArrayRef other) const {
    if (size_ != other.size_) return false;
    for (size_t i = 0; i < size_; ++i) {  // short lists: faster than a call to compare their bytes
      if (!(data_[i] == other.data_[i])) return false;
    }
    return true;
  }
  std::vector<T> vec() const { return std::vector<T>(begin(), end()); }

  friend constexpr bool operator==(ArrayRef a, ArrayRef b) { return a.equals(b); }

 private:
  const T* data_ = nullptr;
  size_t size_ = 0;
};

template <class T>
bool operator==(const std::vector<T>& a, ArrayRef<T> b) {
  return ArrayRef<T>(a).equals(b);
}
template <class T>
bool operator==(ArrayRef<T> a, const std::vector<T>& b) {
  return a.equals(b);
}

using IntArrayRef = ArrayRef<int64_t>;

/// As in `[2, 3]`.
template <class T>
std::ostream& operator<<(std::ostream& out, ArrayRef<T> list) {
  const char* separator = "[";
  for (const T& element : list) {
    out << separator << element;
    separator = ", ";
  }
  return out << (list.empty() ? "[]" : "]");
}

}  // namespace wengert
