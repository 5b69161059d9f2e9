#pragma once

#include <cstdint>

// The inner loops of a large product C = A B, as Goto and van de Geijn arrange them (Anatomy of High-Performance Matrix
// Multiplication, ACM TOMS 34:3, 2008): blocks of A and B are copied into panels that are read in the order in which
// they lie. A panel of A holds some rows, a panel of B some columns; within either, all that belongs to one step along
// the inner dimension lies side by side. T is float or double.

namespace wengert::kernels::simd {

template <class T>
struct PanelKernels {
  int64_t panel_rows;     ///< of A, at most
  int64_t panel_columns;  ///< of B

  /// Copies rows of A (rows, k), element (i, p) at a[i * row_stride + p * column_stride], into panels. `to` holds
  /// round_up(rows, panel_rows) * k elements.
  void (*pack_rows)(T* to, const T* a, int64_t row_stride, int64_t column_stride, int64_t rows, int64_t k);
  /// Copies columns of B (k, columns) into panels. `to` holds round_up(columns, panel_columns) * k elements.
  void (*pack_columns)(T* to, const T* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t columns);
  /// C = A B, or C += A B. A is packed. B's panels begin b_panel apart and their rows lie b_row apart, which also
  /// suits columns that were not packed; whole panels of B are read. Element (i, j) of C lies at
  /// c[i * row_stride + j * column_stride], where one of the strides is 1.
  void (*multiply)(int64_t rows, int64_t columns, int64_t k, const T* a, const T* b, int64_t b_panel, int64_t b_row,
                   T* c, int64_t row_stride, int64_t column_stride, bool add);
};

/// The kernels for this CPU.
template <class T>
const PanelKernels<T>& panel_kernels();

}  // namespace wengert::kernels::simd
