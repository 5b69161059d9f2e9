#pragma once

#include <wengert/autograd/base/tracing.h>
#include <wengert/ops/kernels/parallel.h>
#include <wengert/ops/kernels/simd.h>
#include <wengert/ops/kernels/strided_loop.h>

#include <array>
#include <type_traits>
#include <vector>

namespace wengert::kernels {

// Sums of many floats lose digits when added one after another: the error grows with their number. These
// add in short blocks and the blocks' sums pairwise, those of floats in double, so that it grows with its logarithm
// (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 4.2). Blocks have fixed sizes, so a sum has
// the same bits whatever the number of threads.

/// What sums of many are taken up in: a float would stop growing at 2^24 ones.
template <class T>
using Accumulator = std::conditional_t<std::is_same_v<T, float>, double, T>;

/// Sums of fewer elements need no lanes.
inline constexpr int64_t kFew = 32;
/// Elements side by side, and rows, that are added without more ado.
inline constexpr int64_t kSumBlock = 8192;
inline constexpr int64_t kSumRows = 32;

/// Sum of x[0], x[stride], ..., `count` elements.
template <class T>
Accumulator<T> sum_run(const T* x, int64_t stride, int64_t count) {
  constexpr bool kSimd = std::is_floating_point_v<T>;
  constexpr int64_t kLanes = 16;
  const int64_t block = kSimd && stride == 1 ? kSumBlock : 512;
  if (count > block) {
    const int64_t half = (count / 2 + block - 1) / block * block;
    return sum_run(x, stride, half) + sum_run(x + half * stride, stride, count - half);
  }
  if constexpr (kSimd) {
    if (stride == 1) return simd::kernels<T>().sum(x, count);
  }
  T lanes[kLanes] = {};
  int64_t i = 0;
  if (stride == 1) {
    for (; i + kLanes <= count; i += kLanes) {
      for (int64_t j = 0; j < kLanes; ++j) lanes[j] += x[i + j];
    }
  } else {
    for (; i + kLanes <= count; i += kLanes) {
      for (int64_t j = 0; j < kLanes; ++j) lanes[j] += x[(i + j) * stride];
    }
  }
  for (int64_t j = 0; i + j < count; ++j) lanes[j] += x[(i + j) * stride];
  for (int64_t width = kLanes / 2; width > 0; width /= 2) {
    for (int64_t j = 0; j < width; ++j) lanes[j] += lanes[j + width];
  }
  return lanes[0];
}

/// Adds up sum_range(begin, end) for pieces of kParallelGrain that together are [0, size), on several threads.
template <class T, class SumRange>
Accumulator<T> sum_pieces(int64_t size, const SumRange& sum_range) {
  if (size <= kParallelGrain) return sum_range(0, size);
  constexpr int64_t kOnStack = 4096;
  const int64_t pieces = (size + kParallelGrain - 1) / kParallelGrain;
  std::array<Accumulator<T>, kOnStack> few;
  std::vector<Accumulator<T>> many(pieces > kOnStack ? static_cast<size_t>(pieces) : 0);
  Accumulator<T>* partial = many.empty() ? few.data() : many.data();
  parallel_ranges(size, [&](int64_t begin, int64_t end) { partial[begin / kParallelGrain] = sum_range(begin, end); });
  return sum_run(partial, 1, pieces);
}

/// Sum of (a - b)^2 over contiguous runs.
template <class T>
Accumulator<T> sum_of_squared_differences(const T* a, const T* b, int64_t size) {
  return sum_pieces<T>(size, [&](int64_t begin, int64_t end) {
    std::array<Accumulator<T>, kParallelGrain / kSumBlock> sums{};
    for (int64_t i = begin; i < end; i += kSumBlock) {
      sums[static_cast<size_t>((i - begin) / kSumBlock)] =
          simd::kernels<T>().sum_of_squared_differences(a + i, b + i, std::min(kSumBlock, end - i));
    }
    return sum_run(sums.data(), 1, static_cast<int64_t>(sums.size()));
  });
}

/// Sum of all elements that a loop over {x} visits.
template <class T>
Accumulator<T> sum_all(const StridedLoop<1>& loop, const T* x) {
  const auto sum_range = [&](int64_t begin, int64_t end) {
    Accumulator<T> total = 0;
    loop.run(begin, end,
             [&](const int64_t* at, int64_t count) { total += sum_run(x + at[0], loop.inner_stride(0), count); });
    return total;
  };
  return sum_pieces<T>(loop.numel(), sum_range);
}

/// *out = sum_all(x).
template <class T>
void sum_all_into(const StridedLoop<1>& loop, T* out, const T* x) {
  *out = static_cast<T>(sum_all(loop, x));
  if (tracing::listener == nullptr) [[likely]]
    return;
  if constexpr (std::is_floating_point_v<T>) {
    if (loop.is_one_run() && loop.inner_stride(0) == 1) {
      tracing::listener->sum(
          {loop.numel(), std::is_same_v<T, double>, tracing::reads(x, loop.numel()), tracing::writes(out, 1)});
      return;
    }
  }
  tracing::listener->other({tracing::writes(out, 1), tracing::reads(x, loop.extent(0))}, [loop](char* const* at) {
    *reinterpret_cast<T*>(at[0]) = static_cast<T>(sum_all(loop, reinterpret_cast<const T*>(at[1])));
  });
}

/// Rows of sums are kept for so many columns at a time.
inline constexpr int64_t kSumColumns = 1024;

/// sums[j] = the sum of x[r * row_stride + j] over the rows, of up to kSumColumns columns: first 32 rows at a time.
template <class T>
void add_up_rows(Accumulator<T>* sums, const T* x, int64_t row_stride, int64_t rows, int64_t columns) {
  T block[kSumColumns];
  for (int64_t first = 0; first < rows; first += kSumRows) {
    std::fill_n(block, columns, T(0));
    const int64_t count = std::min(kSumRows, rows - first);
    const T* from = x + first * row_stride;
    if constexpr (std::is_floating_point_v<T>) {
      simd::kernels<T>().add_rows(block, from, row_stride, count, columns);
    } else {
      for (int64_t row = 0; row < count; ++row) {
        for (int64_t j = 0; j < columns; ++j) block[j] += from[row * row_stride + j];
      }
    }
    for (int64_t j = 0; j < columns; ++j) sums[j] += block[j];
  }
}

/// The same of a few columns without gaps: several rows are taken as one that is wider.
template <class T>
void add_up_narrow_rows(Accumulator<T>* sums, const T* x, int64_t rows, int64_t columns) {
  constexpr int64_t kWide = 64;
  const int64_t together = kWide / columns, wide = together * columns, whole = rows / together;
  std::array<Accumulator<T>, kWide> of_all{};
  add_up_rows(of_all.data(), x, wide, whole, wide);
  for (int64_t i = 0; i < wide; ++i) sums[i % columns] += of_all[static_cast<size_t>(i)];
  for (int64_t i = whole * wide; i < rows * columns; ++i) sums[i % columns] += x[i];
}

/// out[j] = the sum of column j of a matrix that is high and narrow: stretches of rows are shared out.
template <class T>
void sum_high_columns(T* out, const T* x, int64_t row_stride, int64_t rows, int64_t columns) {
  constexpr int64_t kMostTasks = 16, kNarrow = 16;
  const int64_t each = std::max(kParallelGrain / columns, (rows + kMostTasks - 1) / kMostTasks);
  const int64_t tasks = (rows + each - 1) / each;
  std::array<Accumulator<T>, kMostTasks * kSumColumns> sums;
  std::fill_n(sums.data(), tasks * columns, Accumulator<T>(0));
  parallel_tasks(tasks, [&](int64_t task) {
    const int64_t first = task * each, count = std::min(each, rows - first);
    Accumulator<T>* to = sums.data() + task * columns;
    if (columns <= kNarrow && row_stride == columns) {
      add_up_narrow_rows(to, x + first * row_stride, count, columns);
    } else {
      add_up_rows(to, x + first * row_stride, row_stride, count, columns);
    }
  });
  for (int64_t j = 0; j < columns; ++j) out[j] = static_cast<T>(sum_run(sums.data() + j, columns, tasks));
}

/// For every position that `kept` visits, over {out, x}: out = sum of the x that `reduced`, over {x}, visits
/// from there.
template <class T>
void sum_dims(const StridedLoop<2>& kept, const StridedLoop<1>& reduced, T* out, const T* x) {
  // Where the kept dimension lies closest in memory, sum whole rows of outputs at once: each step down the
  // reduced dimension adds a contiguous row to the row of sums.
  const bool by_rows =
      kept.inner_stride(0) == 1 && kept.inner_stride(1) == 1 && kept.inner_size() > 1 && reduced.inner_stride(0) != 1;
  const bool is_high = kept.numel() > 0 && kept.numel() <= kSumColumns && kept.is_one_run() && reduced.is_one_run() &&
                       (reduced.numel() * kept.numel() > 2 * kParallelGrain || reduced.numel() > 64 * kept.numel());
  if (by_rows && is_high) {
    return sum_high_columns(out, x, reduced.inner_stride(0), reduced.numel(), kept.numel());
  }
  const int64_t outputs_a_task =
      std::max<int64_t>(by_rows ? kSumColumns : 1, kParallelGrain / std::max<int64_t>(1, reduced.numel()));
  const int64_t tasks = (kept.numel() + outputs_a_task - 1) / outputs_a_task;
  parallel_tasks(tasks, [&](int64_t task) {
    const int64_t begin = task * outputs_a_task, end = std::min(kept.numel(), begin + outputs_a_task);
    kept.run(begin, end, [&](const int64_t* at, int64_t count) {
      if (!by_rows && reduced.is_one_run() && reduced.numel() < kFew) {
        const int64_t length = reduced.numel(), stride = reduced.inner_stride(0);
        for (int64_t i = 0; i < count; ++i) {
          const T* from = x + at[1] + i * kept.inner_stride(1);
          Accumulator<T> even = 0, odd = 0;
          int64_t j = 0;
          for (; j + 2 <= length; j += 2) even += from[j * stride], odd += from[(j + 1) * stride];
          if (j < length) even += from[j * stride];
          out[at[0] + i * kept.inner_stride(0)] = static_cast<T>(even + odd);
        }
        return;
      }
      if constexpr (std::is_floating_point_v<T>) {
        if (!by_rows && reduced.is_one_run() && reduced.inner_stride(0) == 1 && reduced.numel() <= kSumBlock) {
          return simd::kernels<T>().sum_rows(out + at[0], kept.inner_stride(0), x + at[1], kept.inner_stride(1), count,
                                             reduced.numel());
        }
        if (by_rows && reduced.is_one_run() && reduced.numel() <= kSumRows) {
          std::fill_n(out + at[0], count, T(0));
          for (int64_t c = 0; c < count; c += kSumColumns) {
            simd::kernels<T>().add_rows(out + at[0] + c, x + at[1] + c, reduced.inner_stride(0), reduced.numel(),
                                        std::min(kSumColumns, count - c));
          }
          return;
        }
      }
      if (!by_rows) {
        for (int64_t i = 0; i < count; ++i) {
          const T* from = x + at[1] + i * kept.inner_stride(1);
          Accumulator<T> total = 0;
          reduced.run([&](const int64_t* r, int64_t n) { total += sum_run(from + r[0], reduced.inner_stride(0), n); });
          out[at[0] + i * kept.inner_stride(0)] = static_cast<T>(total);
        }
        return;
      }
      Accumulator<T> sums[kSumColumns];
      for (int64_t c = 0; c < count; c += kSumColumns) {
        const int64_t columns = std::min(kSumColumns, count - c);
        std::fill_n(sums, columns, Accumulator<T>(0));
        reduced.run([&](const int64_t* r, int64_t n) {
          add_up_rows(sums, x + at[1] + c + r[0], reduced.inner_stride(0), n, columns);
        });
        for (int64_t j = 0; j < columns; ++j) out[at[0] + c + j] = static_cast<T>(sums[j]);
      }
    });
  });
}

}  // namespace wengert::kernels
