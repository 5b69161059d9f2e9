#pragma once

#include <cstdint>

namespace wengert::kernels {

/// A matrix in memory: element (i, j) lies at data[i * row_stride + j * column_stride].
template <class T>
struct Matrix {
  const T* data;
  int64_t row_stride;
  int64_t column_stride;

  /// Elements from the first to the last, both counted.
  int64_t extent(int64_t rows, int64_t columns) const {
    return rows == 0 || columns == 0 ? 0 : (rows - 1) * row_stride + (columns - 1) * column_stride + 1;
  }
};

/// C = A B, with A (n, k), B (k, m) at any strides and C (n, m) row-major without gaps. Small products go to loops over
/// the operands as they lie, or over a copy of B; large ones of float and double to packed panels (panels.h), cut by
/// their size alone, so that the result has the same bits on any number of threads.
template <class T>
void gemm(int64_t n, int64_t m, int64_t k, const Matrix<T>& a, const Matrix<T>& b, T* c);

}  // namespace wengert::kernels
