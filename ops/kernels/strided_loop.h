#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace wengert::kernels {

// Elementwise operations visit N operands of one shape, each with strides of its own (0 where it is
// broadcast). Most of them are really one- or two-dimensional: a contiguous array of any shape is one run of
// elements. StridedLoop drops dimensions of size 1, puts the one with the smallest strides innermost, and
// joins neighbours that can be walked with one stride, so that an inner loop sees the longest run there is.

/// The order in which to visit the elements of N strided operands. Operand 0 is the one written.
template <size_t N>
class StridedLoop {
 public:
  /// sizes: of all operands; strides: of each, in its elements. At most 64 dimensions.
  StridedLoop(std::span<const int64_t> sizes, const std::array<std::span<const int64_t>, N>& strides) {
    for (size_t d = sizes.size(); d-- > 0;) {
      if (sizes[d] == 1) continue;
      numel_ *= sizes[d];
      insert(sizes[d], d, strides);
    }
    join_neighbours();
  }

  /// One run of `numel` elements, with these strides.
  StridedLoop(int64_t numel, const std::array<int64_t, N>& strides) : dims_(1), numel_(numel) {
    sizes_[0] = numel;
    strides_[0] = strides;
  }

  int64_t numel() const { return numel_; }
  bool is_one_run() const { return dims_ <= 1; }
  /// Dimensions that are left, and the strides of all operands along one of them; 0 is the inner run.
  size_t dims() const { return dims_; }
  const std::array<int64_t, N>& strides(size_t d) const { return strides_[d]; }
  int64_t size(size_t d) const { return sizes_[d]; }
  /// Length of a full inner run.
  int64_t inner_size() const { return dims_ == 0 ? 1 : sizes_[0]; }
  /// Stride of operand i along the inner run.
  int64_t inner_stride(size_t i) const { return dims_ == 0 ? 1 : strides_[0][i]; }

  /// Elements of operand i from the first to the last that is visited, both counted.
  int64_t extent(size_t i) const {
    if (numel_ == 0) return 0;
    int64_t last = 0;
    for (size_t d = 0; d < dims_; ++d) last += (sizes_[d] - 1) * strides_[d][i];
    return last + 1;
  }

  /// Whether operand i is visited in memory's order, without gaps.
  bool is_side_by_side(size_t i) const {
    int64_t stride = 1;
    for (size_t d = 0; d < dims_; ++d) {
      if (strides_[d][i] != stride) return false;
      stride *= sizes_[d];
    }
    return true;
  }

  /// Where each operand's element number `at` of the visiting order lies.
  std::array<int64_t, N> offsets(int64_t at) const {
    std::array<int64_t, N> offsets{};
    for (size_t d = 0; d < dims_; ++d) {
      const int64_t index = at % sizes_[d];
      at /= sizes_[d];
      for (size_t i = 0; i < N; ++i) offsets[i] += index * strides_[d][i];
    }
    return offsets;
  }

  /// Calls inner(offsets, count) for runs that cover the elements [begin, end) of the visiting order;
  /// offsets[i] is where the run starts in operand i.
  template <class Inner>
  void run(int64_t begin, int64_t end, Inner&& inner) const {
    if (begin >= end) return;
    std::array<int64_t, N> offsets{};
    if (dims_ <= 1) {
      for (size_t i = 0; i < N; ++i) offsets[i] = begin * inner_stride(i);
      inner(offsets.data(), end - begin);
      return;
    }
    if (dims_ == 2) {
      run_rows(begin, end, inner);
      return;
    }
    std::array<int64_t, kMaxDims> index;
    int64_t rest = begin;
    for (size_t d = 0; d < dims_; ++d) {
      index[d] = rest % sizes_[d];
      rest /= sizes_[d];
      for (size_t i = 0; i < N; ++i) offsets[i] += index[d] * strides_[d][i];
    }
    for (int64_t at = begin; at < end;) {
      const int64_t count = std::min(sizes_[0] - index[0], end - at);
      inner(offsets.data(), count);
      at += count;
      if (at >= end) break;
      // On to the next run: back to the start of this one, then count up the outer indices.
      for (size_t i = 0; i < N; ++i) offsets[i] -= index[0] * strides_[0][i];
      index[0] = 0;
      for (size_t d = 1; d < dims_; ++d) {
        for (size_t i = 0; i < N; ++i) offsets[i] += strides_[d][i];
        if (++index[d] < sizes_[d]) break;
        for (size_t i = 0; i < N; ++i) offsets[i] -= sizes_[d] * strides_[d][i];
        index[d] = 0;
      }
    }
  }

  template <class Inner>
  void run(Inner&& inner) const {
    run(0, numel_, inner);
  }

 private:
  static constexpr size_t kMaxDims = 64;

  // run() for two dimensions, which are most that are not one.
  template <class Inner>
  void run_rows(int64_t begin, int64_t end, Inner&& inner) const {
    const std::array<int64_t, N> next = strides_[1];
    const int64_t row = begin / sizes_[0], length = sizes_[0];
    std::array<int64_t, N> offsets;
    for (size_t i = 0; i < N; ++i) offsets[i] = row * next[i];
    int64_t at = begin;
    if (const int64_t first = begin % length; first > 0) {
      const int64_t count = std::min(length - first, end - at);
      std::array<int64_t, N> from;
      for (size_t i = 0; i < N; ++i) from[i] = offsets[i] + first * strides_[0][i];
      inner(from.data(), count);
      at += count;
      for (size_t i = 0; i < N; ++i) offsets[i] += next[i];
    }
    for (; at < end; at += length) {
      inner(offsets.data(), std::min(length, end - at));
      for (size_t i = 0; i < N; ++i) offsets[i] += next[i];
    }
  }

  // Dimensions arrive from the last to the first; this one goes further in past those that the written
  // operand walks in larger steps. Operands that are broadcast along one of the two have no say.
  void insert(int64_t size, size_t dim, const std::array<std::span<const int64_t>, N>& strides) {
    size_t at = dims_++;
    for (; at > 0; --at) {
      const auto further_in = [&] {
        for (size_t i = 0; i < N; ++i) {
          const int64_t mine = strides[i][dim], other = strides_[at - 1][i];
          if (mine != 0 && other != 0 && mine != other) return mine < other;
        }
        return false;
      };
      if (!further_in()) break;
      sizes_[at] = sizes_[at - 1];
      strides_[at] = strides_[at - 1];
    }
    sizes_[at] = size;
    for (size_t i = 0; i < N; ++i) strides_[at][i] = strides[i][dim];
  }

  void join_neighbours() {
    if (dims_ < 2) return;
    size_t last = 0;
    for (size_t d = 1; d < dims_; ++d) {
      bool joins = true;
      for (size_t i = 0; i < N; ++i) joins &= strides_[d][i] == sizes_[last] * strides_[last][i];
      if (joins) {
        sizes_[last] *= sizes_[d];
      } else {
        ++last;
        sizes_[last] = sizes_[d];
        strides_[last] = strides_[d];
      }
    }
    dims_ = last + 1;
  }

  size_t dims_ = 0;
  int64_t numel_ = 1;
  std::array<int64_t, kMaxDims> sizes_;  // innermost first
  std::array<std::array<int64_t, N>, kMaxDims> strides_;
};

}  // namespace wengert::kernels
