#pragma once

#include <wengert/ops/kernels/parallel.h>
#include <wengert/ops/kernels/simd.h>

#include <type_traits>

namespace wengert::kernels {

/// out[i * out_row + j] = in[i + j * in_column] for i < rows, j < columns: each matrix is contiguous along another
/// dimension. T: of 4 or 8 bytes.
template <class T>
void transpose(T* out, int64_t out_row, const T* in, int64_t in_column, int64_t rows, int64_t columns) {
  using Moved = std::conditional_t<sizeof(T) == 4, float, double>;  // only moved, whatever the bits mean
  constexpr int64_t kRows = 64;
  const bool streamed = rows * columns * int64_t{sizeof(T)} >= simd::kLargerThanCaches;
  parallel_rows((rows + kRows - 1) / kRows, kRows * columns, [&](int64_t begin, int64_t end) {
    begin *= kRows;
    simd::kernels<Moved>().transpose(reinterpret_cast<Moved*>(out + begin * out_row), out_row,
                                     reinterpret_cast<const Moved*>(in + begin), in_column,
                                     std::min(rows, end * kRows) - begin, columns, streamed);
  });
}

}  // namespace wengert::kernels
