#pragma once

#include <cstdint>

// The loops that most of the time goes into, in SIMD. One binary holds them for several instruction sets, and the
// first use chooses those of this CPU (Google Highway's dynamic dispatch). T is float or double. Runs are contiguous;
// `moves` says of an operand whether it goes along or is one number for the whole run. An output may be one of the
// inputs, but must not overlap one otherwise.

namespace wengert::kernels::simd {

enum class Binary : uint8_t { kAdd, kSubtract, kMultiply, kDivide };

inline constexpr int64_t kSoftmaxColumns = 256;

/// Results of so many bytes are not found in the caches when they are read.
inline constexpr int64_t kLargerThanCaches = int64_t{16} << 20;

/// Rows to be computed one after another, and how far each operand's lie apart, in elements.
struct Rows {
  int64_t count;
  int64_t out_step, a_step, b_step;
};

template <class T>
struct Kernels {
  /// out = a op b; in one row, or in several. `streamed`: past the caches, which spares memory being read first only to
  /// be overwritten, for results too large for them. (Done if `out` and its rows begin at lines of the cache.)
  void (*binary)(Binary op, T* out, const T* a, bool a_moves, const T* b, bool b_moves, int64_t count);
  void (*binary_rows)(Binary op, T* out, const T* a, bool a_moves, const T* b, bool b_moves, int64_t count,
                      const Rows& rows, bool streamed);
  /// out = a + factor b.
  void (*add_scaled)(T* out, const T* a, bool a_moves, const T* b, bool b_moves, T factor, int64_t count);
  /// out = factor a b.
  void (*multiply_scaled)(T* out, const T* a, bool a_moves, const T* b, bool b_moves, T factor, int64_t count);
  /// out = factor (a - b).
  void (*scale_difference)(T* out, const T* a, bool a_moves, const T* b, bool b_moves, T factor, int64_t count);

  /// The sum of x, added in several lanes. For runs of a few thousand: rounding errors grow with their length.
  T (*sum)(const T* x, int64_t count);
  /// out[i * out_step] = the sum of the row x[i * row_stride ...], likewise.
  void (*sum_rows)(T* out, int64_t out_step, const T* x, int64_t row_stride, int64_t rows, int64_t columns);
  /// The sum of (a - b)^2, likewise.
  T (*sum_of_squared_differences)(const T* a, const T* b, int64_t count);
  /// sums[j] += the sum over i < rows of x[i * row_stride + j], for j < columns.
  void (*add_rows)(T* sums, const T* x, int64_t row_stride, int64_t rows, int64_t columns);

  /// Where the largest element stands, or the smallest: the first of equal ones, and the first NaN if there is one.
  int64_t (*position_of_extreme)(const T* x, int64_t count, bool largest);

  /// out[i * out_row + j] = in[i + j * in_column] for i < rows, j < columns. Read and written in blocks, of which each
  /// line of the cache that is touched is used whole. `streamed`: past the caches, for results too large for them.
  void (*transpose)(T* out, int64_t out_row, const T* in, int64_t in_column, int64_t rows, int64_t columns,
                    bool streamed);

  /// out_i = e^(x_i) / sum_j e^(x_j), or its logarithm.
  void (*softmax)(T* out, const T* x, int64_t count, bool logarithm);
  /// The same for each column of a matrix, whose elements lie `row_stride` apart. At most kSoftmaxColumns columns.
  void (*softmax_columns)(T* out, const T* x, int64_t rows, int64_t row_stride, int64_t columns, bool logarithm);

  /// C = A B, for C (n, m) without gaps, where A, B or both are small; of B (k, m) the rows are contiguous.
  void (*multiply_rows)(int64_t n, int64_t m, int64_t k, const T* a, int64_t a_row, int64_t a_column, const T* b,
                        int64_t b_row, T* c);
  /// The same where A's rows and B's columns are contiguous, and long.
  void (*multiply_dots)(int64_t n, int64_t m, int64_t k, const T* a, int64_t a_row, const T* b, int64_t b_column, T* c);
};

/// The kernels for this CPU.
template <class T>
const Kernels<T>& kernels();

/// Whether all are at least 0 and less than `limit`.
bool all_within(const int64_t* x, int64_t count, int64_t limit);

}  // namespace wengert::kernels::simd
