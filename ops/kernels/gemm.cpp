#include <cblas.h>
#include <wengert/ops/kernels/blas_threads.h>
#include <wengert/ops/kernels/gemm.h>
#include <wengert/ops/kernels/parallel.h>
#include <wengert/ops/kernels/recorder.h>
#include <wengert/ops/kernels/simd.h>

#include <type_traits>

namespace wengert::kernels {
namespace {

// Below about so many multiplications our own kernels beat the BLAS, which copies operands into blocks first: by far
// where B's rows are contiguous, for which there is a SIMD kernel, and else for a few hundred.
constexpr int64_t kSmallProduct = 1 << 17;
constexpr int64_t kTinyProduct = 1 << 8;

template <class T>
bool is_small(int64_t n, int64_t m, int64_t k, const Matrix<T>& b) {
  return n * m * k <= (b.column_stride == 1 ? kSmallProduct : kTinyProduct);
}

template <class T>
void small_gemm(int64_t n, int64_t m, int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c) {
  if (b.column_stride == 1) {
    simd::kernels<T>().multiply_rows(n, m, k, a.data, a.row_stride, a.column_stride, b.data, b.row_stride, c);
    return;
  }
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < m; ++j) {
      const T *x = a.data + i * a.row_stride, *y = b.data + j * b.column_stride;
      T sum = 0;
      for (int64_t p = 0; p < k; ++p, x += a.column_stride, y += b.row_stride) sum += *x * *y;
      *c++ = sum;
    }
  }
}

struct BlasOperand {
  CBLAS_TRANSPOSE transpose;
  int leading_dimension;
};

template <class T>
BlasOperand blas_operand(const Matrix<T>& x, int64_t rows, int64_t columns) {
  if (x.column_stride == 1 && (x.row_stride >= columns || rows == 1)) {
    return {CblasNoTrans, static_cast<int>(std::max<int64_t>({1, x.row_stride, columns}))};
  }
  return {CblasTrans, static_cast<int>(std::max<int64_t>({1, x.column_stride, rows}))};
}

template <class T>
void blas_gemm(int64_t n, int64_t m, int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c, int64_t ldc) {
  const BlasCall blas;
  const BlasOperand x = blas_operand(a, n, k), y = blas_operand(b, k, m);
  const auto call = [&](auto* function) {
    function(CblasRowMajor, x.transpose, y.transpose, static_cast<int>(n), static_cast<int>(m), static_cast<int>(k),
             T(1), a.data, x.leading_dimension, b.data, y.leading_dimension, T(0), c, static_cast<int>(ldc));
  };
  if constexpr (std::is_same_v<T, float>) {
    call(cblas_sgemm);
  } else {
    call(cblas_dgemm);
  }
}

template <class T>
void large_gemm(int64_t n, int64_t m, int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c) {
  // About 2^24 multiplications a strip, a millisecond of work, so that threads share evenly; but no more than 16, as
  // each has the BLAS copy the other matrix into blocks again.
  const bool by_rows = n >= m;
  const int64_t length = by_rows ? n : m;
  const int64_t wanted = std::clamp<int64_t>(n * m * k >> 24, 1, 16);
  const int64_t strips = std::clamp<int64_t>(length / 64, 1, wanted);
  const auto begin_of = [=](int64_t strip) {  // at multiples of 16, which kernels like
    return strip == strips ? length : length * strip / strips / 16 * 16;
  };
  parallel_tasks(strips, [&](int64_t strip) {
    const int64_t begin = begin_of(strip), count = begin_of(strip + 1) - begin;
    if (by_rows) {
      blas_gemm(count, m, k, {a.data + begin * a.row_stride, a.row_stride, a.column_stride}, b, c + begin * m, m);
    } else {
      blas_gemm(n, count, k, a, {b.data + begin * b.column_stride, b.row_stride, b.column_stride}, c + begin, m);
    }
  });
}

template <class T>
void multiply(int64_t n, int64_t m, int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c) {
  is_small(n, m, k, b) ? small_gemm(n, m, k, a, b, c) : large_gemm(n, m, k, a, b, c);
}

// Whole numbers, for which there is no BLAS.
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
  recorder->other({writes(c, n * m), reads(a.data, a.extent(n, k)), reads(b.data, b.extent(k, m))},
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
  if (recorder != nullptr) [[unlikely]]
    record(n, m, k, a, b, c);
}

template void gemm(int64_t, int64_t, int64_t, const Matrix<float>&, const Matrix<float>&, float*);
template void gemm(int64_t, int64_t, int64_t, const Matrix<double>&, const Matrix<double>&, double*);
template void gemm(int64_t, int64_t, int64_t, const Matrix<int64_t>&, const Matrix<int64_t>&, int64_t*);

}  // namespace wengert::kernels
