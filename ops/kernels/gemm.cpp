#include <wengert/autograd/base/pool.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/ops/kernels/gemm.h>
#include <wengert/ops/kernels/panels.h>
#include <wengert/ops/kernels/parallel.h>
#include <wengert/ops/kernels/simd.h>

#include <algorithm>

namespace wengert::kernels {
namespace {

// Memory for packed panels. Aligned, and taken from this thread's pool: a step's products ask for the same again.
template <class T>
class Panels {
 public:
  explicit Panels(int64_t count) : bytes_(static_cast<size_t>(count) * sizeof(T)), data_(pool::allocate(bytes_)) {}
  ~Panels() { pool::deallocate(data_, bytes_); }
  Panels(const Panels&) = delete;
  Panels& operator=(const Panels&) = delete;
  T* data() const { return static_cast<T*>(data_); }

 private:
  size_t bytes_;
  void* data_;
};

int64_t round_up(int64_t size, int64_t multiple) { return (size + multiple - 1) / multiple * multiple; }

// Panels do not pay up to so many multiplications where B's rows are contiguous, or can be made so; where a matrix of
// at most kInFirstCache elements is read again and again; and up to kTinyProduct however they lie.
constexpr int64_t kSmallProduct = 1 << 17;
constexpr int64_t kInFirstCache = 1 << 12;
constexpr int64_t kTinyProduct = 1 << 8;

// Rows from which a product's sums along them are taken in vectors, and the elements of C up to which they are.
constexpr int64_t kLongRow = 32;
constexpr int64_t kFewDots = 1 << 10;

template <class T>
void multiply_rows(int64_t n, int64_t m, int64_t k, const Matrix<T>& a, const T* b, int64_t b_row, T* c) {
  parallel_rows(n, m * k, [&](int64_t i, int64_t end) {
    simd::kernels<T>().multiply_rows(end - i, m, k, a.data + i * a.row_stride, a.row_stride, a.column_stride, b, b_row,
                                     c + i * m);
  });
}

template <class T>
void multiply_one_by_one(int64_t n, int64_t m, int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c) {
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < m; ++j) {
      const T *x = a.data + i * a.row_stride, *y = b.data + j * b.column_stride;
      T sum = 0;
      for (int64_t p = 0; p < k; ++p, x += a.column_stride, y += b.row_stride) sum += *x * *y;
      *c++ = sum;
    }
  }
}

// Whether the product was small enough to be done here.
template <class T>
bool small_gemm(int64_t n, int64_t m, int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c) {
  const int64_t work = n * m * k;
  // A vector with gaps is put together first; a matrix times a vector is the same the other way round.
  if (m == 1 && k > 1 && b.row_stride != 1) {
    const Panels<T> vector(k);
    for (int64_t p = 0; p < k; ++p) vector.data()[p] = b.data[p * b.row_stride];
    return small_gemm<T>(n, m, k, a, {vector.data(), 1, 1}, c);
  }
  if (m == 1 && n > 1 && a.row_stride == 1 && k > 1) {
    return small_gemm<T>(1, n, k, {b.data, 1, b.row_stride}, {a.data, a.column_stride, 1}, c);
  }
  if (b.row_stride == 1 && a.column_stride == 1 && k >= kLongRow && (n * m <= kFewDots || m == 1)) {
    parallel_rows(n, m * k, [&](int64_t i, int64_t end) {
      simd::kernels<T>().multiply_dots(end - i, m, k, a.data + i * a.row_stride, a.row_stride, b.data, b.column_stride,
                                       c + i * m);
    });
    return true;
  }
  const bool b_in_cache = k * m <= kInFirstCache;
  if (b.column_stride == 1) {
    if (work > kSmallProduct && !b_in_cache && (n > 32 || m > 64)) return false;
    multiply_rows(n, m, k, a, b.data, b.row_stride, c);
    return true;
  }
  if (work <= kTinyProduct) {
    multiply_one_by_one(n, m, k, a, b, c);
    return true;
  }
  if (b.row_stride != 1 || !(b_in_cache || work <= kSmallProduct)) return false;
  const Panels<T> rows(k * m);
  simd::kernels<T>().transpose(rows.data(), m, b.data, b.column_stride, k, m, false);
  multiply_rows<T>(n, m, k, a, rows.data(), m, c);
  return true;
}

int64_t pieces_of(int64_t size, int64_t most) { return (size + most - 1) / most; }

// The rows and columns of the blocks that C is cut into, by the product's sizes alone. A block of A (rows, kDepth) is
// to stay in the second cache, a panel of B (kDepth, a few) in the first, and where there is enough to do there are to
// be several times as many blocks as threads.
struct Blocks {
  int64_t rows, columns;
};
constexpr int64_t kDepth = 256;

Blocks cut(int64_t n, int64_t m, int64_t k, int64_t panel_rows, int64_t panel_columns) {
  constexpr int64_t kWanted = 32;
  constexpr int64_t kEnough = 1 << 23;  // multiplications in a block, some 0.2 ms
  int64_t down = pieces_of(n, 16 * panel_rows), across = pieces_of(m, 1024);
  const auto rows = [&] { return round_up(pieces_of(n, down), panel_rows); };
  const auto columns = [&] { return round_up(pieces_of(m, across), panel_columns); };
  while (down * across < kWanted && rows() * columns() * k > kEnough) {
    if (columns() < 8 * panel_columns && rows() >= 4 * panel_rows) {
      down *= 2;
    } else if (columns() >= 2 * panel_columns) {
      across *= 2;
    } else {
      break;
    }
  }
  return {rows(), columns()};
}

// C = A B. Element (i, j) of C lies at c[i * c_row + j * c_column]; one of the strides is 1.
template <class T>
void packed_gemm(int64_t n, int64_t m, int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c, int64_t c_row,
                 int64_t c_column) {
  const auto& kernels = simd::panel_kernels<T>();
  const int64_t panel = kernels.panel_columns;
  const Blocks block = cut(n, m, k, kernels.panel_rows, panel);
  const int64_t down = pieces_of(n, block.rows), across = pieces_of(m, block.columns);
  // Rows of B that are read a few times only are read where they lie.
  const bool b_as_it_lies = b.column_stride == 1 && n <= 4 * kernels.panel_rows;
  parallel_tasks(down * across, [&](int64_t task) {
    const int64_t i = task / across * block.rows, j = task % across * block.columns;
    const int64_t rows = std::min(block.rows, n - i), columns = std::min(block.columns, m - j);
    const int64_t packed_from = b_as_it_lies ? columns / panel * panel : 0;
    const int64_t depth = std::min(k, kDepth);
    const Panels<T> of_a(round_up(rows, kernels.panel_rows) * depth);
    const Panels<T> of_b(std::max<int64_t>(1, round_up(columns - packed_from, panel) * depth));
    for (int64_t p = 0; p < k; p += kDepth) {
      const int64_t steps = std::min(kDepth, k - p);
      const T* from = b.data + p * b.row_stride + j * b.column_stride;
      T* to = c + i * c_row + j * c_column;
      kernels.pack_rows(of_a.data(), a.data + i * a.row_stride + p * a.column_stride, a.row_stride, a.column_stride,
                        rows, steps);
      kernels.multiply(rows, packed_from, steps, of_a.data(), from, panel, b.row_stride, to, c_row, c_column, p > 0);
      kernels.pack_columns(of_b.data(), from + packed_from * b.column_stride, b.row_stride, b.column_stride, steps,
                           columns - packed_from);
      kernels.multiply(rows, columns - packed_from, steps, of_a.data(), of_b.data(), panel * steps, panel,
                       to + packed_from * c_column, c_row, c_column, p > 0);
    }
  });
}

// Either C = A B, or its transpose Cᵀ = Bᵀ Aᵀ where C is so narrow that a panel of columns would be half empty.
template <class T>
void oriented_gemm(int64_t n, int64_t m, int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c) {
  if (m < simd::panel_kernels<T>().panel_columns && n > m) {
    packed_gemm<T>(m, n, k, {b.data, b.column_stride, b.row_stride}, {a.data, a.column_stride, a.row_stride}, c, 1, m);
  } else {
    packed_gemm(n, m, k, a, b, c, m, 1);
  }
}

template <class T>
void gemm_in_one_piece(int64_t n, int64_t m, int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c) {
  if (!small_gemm(n, m, k, a, b, c)) oriented_gemm(n, m, k, a, b, c);
}

// Sums along a long inner dimension are taken in pieces, which are added pairwise: so the rounding error does not grow
// with it, and a small C has work for several threads.
template <class T>
void multiply(int64_t n, int64_t m, int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c) {
  constexpr int64_t kPiece = 1 << 14;
  const int64_t pieces = pieces_of(k, kPiece);
  if (pieces <= 1) return gemm_in_one_piece(n, m, k, a, b, c);
  const Panels<T> partial(pieces * n * m);
  parallel_tasks(pieces, [&](int64_t piece) {
    const int64_t p = piece * kPiece;
    gemm_in_one_piece<T>(n, m, std::min(kPiece, k - p), {a.data + p * a.column_stride, a.row_stride, a.column_stride},
                         {b.data + p * b.row_stride, b.row_stride, b.column_stride}, partial.data() + piece * n * m);
  });
  for (int64_t apart = 1; apart < pieces; apart *= 2) {
    for (int64_t piece = 0; piece + apart < pieces; piece += 2 * apart) {
      T* to = partial.data() + piece * n * m;
      simd::kernels<T>().binary(simd::Binary::kAdd, to, to, true, to + apart * n * m, true, n * m);
    }
  }
  std::copy_n(partial.data(), n * m, c);
}

// Whole numbers.
void multiply(int64_t n, int64_t m, int64_t k, const Matrix<int64_t>& a, const Matrix<int64_t>& b, int64_t* c) {
  for (int64_t i = 0; i < n; ++i) {
    int64_t* row = c + i * m;
    std::fill_n(row, m, 0);
    for (int64_t p = 0; p < k; ++p) {
      const int64_t x = a.data[i * a.row_stride + p * a.column_stride];
      const int64_t* y = b.data + p * b.row_stride;
      for (int64_t j = 0; j < m; ++j) row[j] += x * y[j * b.column_stride];
    }
  }
}

template <class T>
[[gnu::noinline, gnu::cold]] void record(int64_t n, int64_t m, int64_t k, Matrix<T> a, Matrix<T> b, T* c) {
  tracing::listener->other(
      {tracing::writes(c, n * m), tracing::reads(a.data, a.extent(n, k)), tracing::reads(b.data, b.extent(k, m))},
      [=](char* const* at) mutable {
        a.data = reinterpret_cast<const T*>(at[1]);
        b.data = reinterpret_cast<const T*>(at[2]);
        multiply(n, m, k, a, b, reinterpret_cast<T*>(at[0]));
      });
}

}  // namespace

template <class T>
void gemm(int64_t n, int64_t m, int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c) {
  multiply(n, m, k, a, b, c);
  if (tracing::listener != nullptr) [[unlikely]]
    record(n, m, k, a, b, c);
}

template void gemm(int64_t, int64_t, int64_t, const Matrix<float>&, const Matrix<float>&, float*);
template void gemm(int64_t, int64_t, int64_t, const Matrix<double>&, const Matrix<double>&, double*);
template void gemm(int64_t, int64_t, int64_t, const Matrix<int64_t>&, const Matrix<int64_t>&, int64_t*);

}  // namespace wengert::kernels
