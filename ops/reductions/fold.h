#pragma once

#include <wengert/autograd/base/cpu.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/autograd/tensor/tensor.h>
#include <wengert/ops/kernels/elementwise.h>
#include <wengert/ops/kernels/parallel.h>
#include <wengert/ops/kernels/transpose.h>
#include <wengert/ops/reductions/reduction.h>

#include <algorithm>
#include <array>

namespace wengert::ops {

// What becomes of a tensor's elements along one dimension, one step after another, where the order does not matter:
// products, extremes, counts. Lines of elements that lie side by side go into as many results at once, so that
// compilers make vector code of it; a single long line into several partial results.

/// A tensor as x[outer][length][inner] in memory, to be folded along the middle; a copy where it has gaps.
class Lines {
 public:
  Lines(const Tensor& of, int64_t dim) : sizes_(of.sizes()), dim_(dim) {
    for (int64_t d = 0; d < of.dim(); ++d) order_.push_back(d);
    if (of.is_contiguous() || !is_non_overlapping_and_dense(of.sizes(), of.strides())) {
      x = of.contiguous();
    } else {
      std::stable_sort(order_.begin(), order_.end(), [&](int64_t a, int64_t b) { return of.stride(a) > of.stride(b); });
      x = of.permute(order_);
    }
    bool is_before = true;
    for (const int64_t d : order_) {
      if (d == dim) {
        is_before = false;
        length = of.size(d);
      } else {
        (is_before ? outer : inner) *= of.size(d);
      }
    }
  }

  /// A new tensor for a result of each line, in their order in memory.
  Tensor results(ScalarType dtype) const {
    Dims shape;
    for (const int64_t d : order_) {
      if (d != dim_) shape.push_back(sizes_[static_cast<size_t>(d)]);
    }
    return empty(shape, dtype);
  }
  /// The results in the tensor's order, without the dimension or with one of size 1 in its place.
  Tensor in_place(const Tensor& results, bool keepdim) const {
    Dims back, shape;
    for (int64_t d = 0; d < static_cast<int64_t>(sizes_.size()); ++d) {
      if (d != dim_) {
        int64_t at = 0;
        for (const int64_t other : order_) {
          if (other == d) break;
          at += other != dim_;
        }
        back.push_back(at);
        shape.push_back(sizes_[static_cast<size_t>(d)]);
      } else if (keepdim) {
        shape.push_back(1);
      }
    }
    const Tensor ordered = back.size() < 2 ? results : results.permute(back).contiguous();
    return keepdim && !sizes_.empty() ? ordered.view(shape).detach() : ordered.detach();
  }

  /// All elements as one line, in memory's order.
  static Lines of_all(const Tensor& x) {
    const bool is_dense = is_non_overlapping_and_dense(x.sizes(), x.strides());
    return {is_dense ? x.as_strided({x.numel()}, {1}) : x.reshape({-1}), 0};
  }

  Tensor x;
  int64_t outer = 1, length = 1, inner = 1;

 private:
  Dims sizes_, order_;
  int64_t dim_;
};

namespace fold_detail {

inline constexpr int64_t kMostColumns = 512;
// Partial results that registers hold.
template <class Result>
inline constexpr int64_t kLanes = 128 / static_cast<int64_t>(sizeof(Result));

// results[j] = step(results[j], x[r * stride + j]) for all rows.
template <class T, class Result, class Step>
[[gnu::always_inline]] inline void add_rows(Result* results, const T* x, int64_t rows, int64_t stride, int64_t columns,
                                            const Step& step) {
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = x + r * stride;
#pragma omp simd
    for (int64_t j = 0; j < columns; ++j) results[j] = step(results[j], row[j]);
  }
}
// to[l * kAtOnce + i] = x[i * length + l].
inline constexpr int64_t kAtOnce = 128;
template <class T>
void turn_round(T* to, const T* x, int64_t count, int64_t length) {
  constexpr int64_t kSquare = 8;
  if constexpr (sizeof(T) > 1) {
    if (length >= kSquare) return kernels::transpose(to, kAtOnce, x, length, length, count);
  }
  for (int64_t l = 0; l < length; ++l) {
    for (int64_t i = 0; i < count; ++i) to[l * kAtOnce + i] = x[i * length + l];
  }
}

// A line of single elements, at least kLanes<Result>: into so many partial results, which are then joined by halves.
template <class T, class Result, class Step, class Join>
[[gnu::always_inline]] inline Result fold_line(const T* x, int64_t length, Result start, const Step& step,
                                               const Join& join) {
  std::array<Result, kLanes<Result>> lanes;  // in registers
  lanes.fill(start);
  const int64_t whole = length / kLanes<Result> * kLanes<Result>;
  add_rows(lanes.data(), x, length / kLanes<Result>, kLanes<Result>, kLanes<Result>, step);
  for (int64_t i = whole; i < length; ++i) {
    Result& lane = lanes[static_cast<size_t>(i - whole)];
    lane = step(lane, x[i]);
  }
#pragma GCC unroll 8
  for (size_t half = kLanes<Result> / 2; half > 0; half /= 2) {
#pragma omp simd
    for (size_t j = 0; j < half; ++j) lanes[j] = join(lanes[j], lanes[half + j]);
  }
  return lanes[0];
}

template <class T, class Result, class Step>
void do_add_rows(Result* results, const T* x, int64_t rows, int64_t stride, int64_t columns, const Step& step) {
  cpu::vectorized([=] {
    if (columns == kLanes<Result>) {
      std::array<Result, kLanes<Result>> lanes;  // in registers
      std::copy_n(results, kLanes<Result>, lanes.begin());
      add_rows(lanes.data(), x, rows, stride, kLanes<Result>, step);
      std::copy_n(lanes.begin(), kLanes<Result>, results);
    } else {
      add_rows(results, x, rows, stride, columns, step);
    }
  });
}

}  // namespace fold_detail

/// write(i, result) for each result, in the order of lines.results(): step(step(start, x0), x1) ...,
/// where partial results are put together by join. T: the type of x's elements; step and join are without branches.
template <class T, class Result, class Step, class Join, class Write>
void fold(const Lines& lines, Result start, const Step& step, const Join& join, const Write& write) {
  using namespace fold_detail;
  const T* x = lines.x.data_ptr<T>();
  const int64_t length = lines.length, inner = lines.inner;
  if (lines.outer * inner == 0) return;
  if (inner == 1 && length >= kLanes<Result>) {
    kernels::parallel_rows(lines.outer, length, [&](int64_t begin, int64_t end) {
      cpu::vectorized([=] {
        for (int64_t row = begin; row < end; ++row) write(row, fold_line(x + row * length, length, start, step, join));
      });
    });
    return;
  }
  // Short lines of single elements: so many at once, turned round, one element of all after another.
  if (inner == 1) {
    kernels::parallel_rows(lines.outer, length, [&](int64_t begin, int64_t end) {
      std::array<T, kAtOnce * kLanes<Result>> turned;
      std::array<Result, kAtOnce> results;
      for (int64_t row = begin; row < end; row += kAtOnce) {
        const int64_t count = std::min(kAtOnce, end - row);
        turn_round(turned.data(), x + row * length, count, length);
        std::fill_n(results.begin(), count, start);
        do_add_rows(results.data(), turned.data(), length, kAtOnce, count, step);
        for (int64_t i = 0; i < count; ++i) write(row + i, results[static_cast<size_t>(i)]);
      }
    });
    return;
  }
  // Narrow lines: several, as one that is wider.
  const int64_t together = inner < kLanes<Result> && length >= kLanes<Result> / inner ? kLanes<Result> / inner : 1;
  const int64_t width = together * inner, rows = length / together;
  kernels::parallel_rows(lines.outer, length * inner, [&](int64_t begin, int64_t end) {
    std::array<Result, kMostColumns> results;
    for (int64_t o = begin; o < end; ++o) {
      const T* line = x + o * length * inner;
      for (int64_t first = 0; first < width; first += kMostColumns) {
        const int64_t columns = std::min(kMostColumns, width - first);
        std::fill_n(results.begin(), columns, start);
        do_add_rows(results.data(), line + first, rows, width, columns, step);
        if (together == 1) {
          for (int64_t j = 0; j < columns; ++j) write(o * inner + first + j, results[static_cast<size_t>(j)]);
          continue;
        }
        do_add_rows(results.data(), line + rows * width, length - rows * together, inner, inner, step);
        for (int64_t left = together; left > 1;) {
          const int64_t half = (left + 1) / 2;
          for (int64_t j = 0; j < (left - half) * inner; ++j) {
            Result& result = results[static_cast<size_t>(j)];
            result = join(result, results[static_cast<size_t>(half * inner + j)]);
          }
          left = half;
        }
        for (int64_t j = 0; j < inner; ++j) write(o * inner + j, results[static_cast<size_t>(j)]);
      }
    }
  });
}

}  // namespace wengert::ops
