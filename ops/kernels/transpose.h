#pragma once

#include <wengert/ops/kernels/parallel.h>

#include <algorithm>
#include <cstdint>

namespace wengert::kernels {

/// out[i * out_row + j] = in[i + j * in_column] for i < rows, j < columns: each matrix is contiguous along another
/// dimension. Read and written in blocks, of which each line of the cache that is touched is used whole.
template <class T>
void transpose(T* out, int64_t out_row, const T* in, int64_t in_column, int64_t rows, int64_t columns) {
  constexpr int64_t kBlock = std::max<int64_t>(8, 64 / static_cast<int64_t>(sizeof(T)));
  parallel_rows((rows + kBlock - 1) / kBlock, kBlock * columns, [&](int64_t begin, int64_t end) {
    T block[kBlock][kBlock];
    for (int64_t i = begin * kBlock; i < std::min(rows, end * kBlock); i += kBlock) {
      const int64_t height = std::min(kBlock, rows - i);
      for (int64_t j = 0; j < columns; j += kBlock) {
        const int64_t width = std::min(kBlock, columns - j);
        for (int64_t c = 0; c < width; ++c) {
          const T* from = in + i + (j + c) * in_column;
          for (int64_t r = 0; r < height; ++r) block[r][c] = from[r];
        }
        for (int64_t r = 0; r < height; ++r) std::copy_n(block[r], width, out + (i + r) * out_row + j);
      }
    }
  });
}

}  // namespace wengert::kernels
