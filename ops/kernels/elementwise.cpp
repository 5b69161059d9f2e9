#include <wengert/autograd/base/tracing.h>
#include <wengert/ops/kernels/elementwise.h>
#include <wengert/ops/kernels/parallel.h>

#include <cstddef>
#include <cstring>
#include <vector>

namespace wengert::kernels {

namespace {

template <size_t N>
void do_runs(const StridedLoop<N>& loop, const std::array<Operand, N>& operands, Run run) {
  if (loop.is_one_run() && loop.numel() <= kParallelGrain) {
    if (loop.numel() == 0) return;
    std::array<char*, N> at;
    for (size_t i = 0; i < N; ++i) at[i] = static_cast<char*>(operands[i].data);
    run(at.data(), loop.numel());
    return;
  }
  const auto call = [&](const int64_t* offsets, int64_t count) {
    std::array<char*, N> at;
    for (size_t i = 0; i < N; ++i) at[i] = static_cast<char*>(operands[i].data) + offsets[i] * operands[i].element_size;
    run(at.data(), count);
  };
  parallel_ranges(loop.numel(), [&](int64_t begin, int64_t end) { loop.run(begin, end, call); });
}

// --- Short inner runs ---
// A call for each of them would cost more than what it does. So several rows (inner runs) are done at once, as one run:
// operands that lie otherwise are copied side by side first, a row that comes again and again only once.

constexpr int64_t kShort = 128;      // elements
constexpr int64_t kVeryShort = 8;    // where the result's rows do not lie side by side
constexpr int64_t kWorthACall = 32;  // of what does the whole run at once
constexpr int64_t kPiece = 512;
constexpr int64_t kBeyond = 8;  // elements that may be written behind a piece

template <size_t N>
bool goes_by_pieces(const StridedLoop<N>& loop) {
  if (N == 2 && loop.inner_stride(1) == 0 && loop.inner_size() >= kWorthACall) return false;  // to be filled
  return loop.dims() > 1 && loop.inner_size() < (loop.is_side_by_side(0) ? kShort : kVeryShort);
}

// to[r * length + j] = from[r * row_stride + j * stride], for elements of a type of T's size.
template <class T>
void gather_rows(T* to, const T* from, int64_t rows, int64_t row_stride, int64_t length, int64_t stride) {
  if (stride == 0) {
    // In eights, the last ones beyond the row: what stands there is written later, or nothing's.
    for (int64_t r = 0; r < rows; ++r) {
      const T value = from[r * row_stride];
      for (T *at = to + r * length, *end = at + length; at < end; at += kBeyond) {
        for (int64_t k = 0; k < kBeyond; ++k) at[k] = value;
      }
    }
    return;
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < length; ++j) to[r * length + j] = from[r * row_stride + j * stride];
  }
}

// The other way round.
template <class T>
void scatter_rows(T* to, const T* from, int64_t rows, int64_t row_stride, int64_t length, int64_t stride) {
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < length; ++j) to[r * row_stride + j * stride] = from[r * length + j];
  }
}

// Calls f with a number of a type of so many bytes.
template <class F>
void with_size(int64_t element_size, const F& f) {
  if (element_size == 1) return f(uint8_t());
  if (element_size == 4) return f(uint32_t());
  f(uint64_t());
}

// Hands out an operand's rows side by side.
class SideBySide {
 public:
  // Strides along a row, and from one to the next, in elements.
  SideBySide(const Operand& operand, int64_t length, int64_t stride, int64_t row_stride)
      : data_(static_cast<char*>(operand.data)),
        element_size_(operand.element_size),
        length_(length),
        stride_(stride),
        row_stride_(row_stride) {}

  // `rows` of them, the first at this offset.
  char* rows(int64_t offset, int64_t rows) {
    char* first = data_ + offset * element_size_;
    if (lies_so(rows)) return first;
    if (row_stride_ == 0) {
      if (first == repeated_ && rows <= repeats_) return copies_.data();
      repeated_ = first, repeats_ = rows;
      if (stride_ == 1) return repeat(first, static_cast<size_t>(rows * length_ * element_size_));
    }
    with_size(element_size_, [&]<class T>(T) {
      gather_rows(reinterpret_cast<T*>(copies_.data()), reinterpret_cast<const T*>(first), rows, row_stride_, length_,
                  stride_);
    });
    return copies_.data();
  }

  // Where such rows may be written side by side; put() brings them to their places.
  char* place(int64_t offset, int64_t rows) { return lies_so(rows) ? data_ + offset * element_size_ : copies_.data(); }
  void put(int64_t offset, int64_t rows) {
    if (lies_so(rows)) return;
    with_size(element_size_, [&]<class T>(T) {
      scatter_rows(reinterpret_cast<T*>(data_) + offset, reinterpret_cast<const T*>(copies_.data()), rows, row_stride_,
                   length_, stride_);
    });
  }

 private:
  bool lies_so(int64_t rows) const { return stride_ == 1 && (row_stride_ == length_ || rows == 1); }

  // The row again and again, up to so many bytes.
  char* repeat(const char* row, size_t bytes) {
    size_t done = static_cast<size_t>(length_ * element_size_);
    std::memcpy(copies_.data(), row, done);
    for (; done < bytes; done *= 2) std::memcpy(copies_.data() + done, copies_.data(), std::min(done, bytes - done));
    return copies_.data();
  }

  char* data_;
  int64_t element_size_, length_, stride_, row_stride_;
  const char* repeated_ = nullptr;  // a row of which there are `repeats_` copies
  int64_t repeats_ = 0;
  alignas(64) std::array<char, (kPiece + kBeyond) * sizeof(uint64_t)> copies_;
};

template <size_t N>
void do_pieces(const StridedLoop<N>& loop, const std::array<Operand, N>& operands, Run side_by_side) {
  if (loop.numel() == 0) return;
  const int64_t length = loop.inner_size(), next = loop.size(1), most = kPiece / length;
  parallel_rows(loop.numel() / length, length, [&](int64_t begin, int64_t end) {
    const auto all = [&]<size_t... i>(std::index_sequence<i...>) {
      return std::array<SideBySide, N>{SideBySide(operands[i], length, loop.inner_stride(i), loop.strides(1)[i])...};
    };
    std::array<SideBySide, N> places = all(std::make_index_sequence<N>());
    for (int64_t row = begin; row < end;) {
      const int64_t rows = std::min({most, end - row, next - row % next});
      const std::array<int64_t, N> offsets = loop.offsets(row * length);
      std::array<char*, N> at;
      at[0] = places[0].place(offsets[0], rows);
      for (size_t i = 1; i < N; ++i) at[i] = places[i].rows(offsets[i], rows);
      side_by_side(at.data(), rows * length);
      places[0].put(offsets[0], rows);
      row += rows;
    }
  });
}

// --- Operands that lie the other way round ---
// Matrices of which one is contiguous along the rows and another along the columns: by tiles, for which operands that
// are not contiguous along the result's rows are brought so.

constexpr int64_t kTileRows = 16;
constexpr int64_t kTileColumns = 128;

template <size_t N>
bool goes_by_tiles(const StridedLoop<N>& loop) {
  if (loop.dims() < 2 || loop.inner_stride(0) != 1 || loop.inner_size() < kVeryShort) return false;
  for (size_t i = 1; i < N; ++i) {
    if (loop.inner_stride(i) > 1 && loop.strides(1)[i] == 1) return true;
  }
  return false;
}

// An operand of a tile, rows so many elements apart.
struct TileOperand {
  char* data;
  int64_t row_stride;
};

template <class T>
TileOperand tile_of(T* from, int64_t row_stride, int64_t rows, int64_t stride, int64_t columns, char* copies) {
  if (stride == 1) return {reinterpret_cast<char*>(from), row_stride};
  T* to = reinterpret_cast<T*>(copies);
  if constexpr (sizeof(T) > 1) {
    using Number = std::conditional_t<sizeof(T) == 4, float, double>;  // moved, whatever they are
    if (row_stride == 1) {
      simd::kernels<Number>().transpose(reinterpret_cast<Number*>(to), kTileColumns,
                                        reinterpret_cast<const Number*>(from), stride, rows, columns, false);
      return {copies, kTileColumns};
    }
  }
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t j = 0; j < columns; ++j) to[r * kTileColumns + j] = from[r * row_stride + j * stride];
  }
  return {copies, kTileColumns};
}

template <size_t N>
void do_tiles(const StridedLoop<N>& loop, const std::array<Operand, N>& operands, Run side_by_side) {
  if (loop.numel() == 0) return;
  const int64_t length = loop.inner_size(), next = loop.size(1);
  struct Copies {
    alignas(64) std::array<char, kTileRows * kTileColumns * sizeof(uint64_t)> bytes;
  };
  parallel_rows(loop.numel() / length, length, [&](int64_t begin, int64_t end) {
    std::array<Copies, N - 1> copies;
    for (int64_t row = begin; row < end;) {
      const int64_t rows = std::min({kTileRows, end - row, next - row % next});
      const std::array<int64_t, N> offsets = loop.offsets(row * length);
      for (int64_t column = 0; column < length; column += kTileColumns) {
        const int64_t columns = std::min(kTileColumns, length - column);
        std::array<TileOperand, N> tiles;
        tiles[0] = {static_cast<char*>(operands[0].data) + (offsets[0] + column) * operands[0].element_size,
                    loop.strides(1)[0]};
        for (size_t i = 1; i < N; ++i) {
          const int64_t stride = loop.inner_stride(i), at = offsets[i] + column * stride;
          with_size(operands[i].element_size, [&]<class T>(T) {
            tiles[i] = tile_of(static_cast<T*>(operands[i].data) + at, loop.strides(1)[i], rows, stride, columns,
                               copies[i - 1].bytes.data());
          });
        }
        for (int64_t r = 0; r < rows; ++r) {
          std::array<char*, N> at;
          for (size_t i = 0; i < N; ++i) at[i] = tiles[i].data + r * tiles[i].row_stride * operands[i].element_size;
          side_by_side(at.data(), columns);
        }
      }
      row += rows;
    }
  });
}

template <size_t N>
[[gnu::noinline, gnu::cold]] void record(const StridedLoop<N>& loop, const std::array<Operand, N>& operands, Run run) {
  tracing::ElementwiseWork work{N, loop.numel(), loop.is_one_run(), {}, {}, run, {}};
  for (size_t i = 0; i < N; ++i) {
    const int64_t size = operands[i].element_size;
    work.steps[i] = loop.inner_stride(i) * size;
    work.operands[i] = {operands[i].data, static_cast<size_t>(loop.extent(i) * size), i == 0 || operands[i].written};
  }
  if (!loop.is_one_run()) {
    const auto* function = static_cast<const std::byte*>(run.object());
    work.whole = [loop, run, operands,
                  copy = std::vector<std::byte>(function, function + run.object_bytes())](char* const* at) {
      std::array<Operand, N> moved = operands;
      for (size_t i = 0; i < N; ++i) moved[i].data = at[i];
      do_runs(loop, moved, run.on_copy(copy.data()));
    };
  }
  tracing::listener->elementwise(work);
}

}  // namespace

template <size_t N>
void for_each_run(const StridedLoop<N>& loop, const std::array<Operand, N>& operands, Run run,
                  std::optional<Run> side_by_side) {
  if constexpr (N > 1) {
    if (side_by_side && goes_by_tiles(loop)) {
      do_tiles(loop, operands, *side_by_side);
    } else if (side_by_side && goes_by_pieces(loop)) {
      do_pieces(loop, operands, *side_by_side);
    } else {
      do_runs(loop, operands, run);
    }
  } else {
    do_runs(loop, operands, run);
  }
  if (tracing::listener != nullptr) [[unlikely]]
    record(loop, operands, run);
}

template <class T>
bool binary_in_rows(simd::Binary op, const StridedLoop<3>& loop, T* out, const T* a, const T* b) {
  const int64_t a_inner = loop.inner_stride(1), b_inner = loop.inner_stride(2);
  const bool rows_are_plain = loop.inner_stride(0) == 1 && (a_inner | b_inner | 1) == 1 &&
                              (loop.is_one_run() || loop.inner_size() >= kWorthACall);
  const bool large = loop.numel() * int64_t{sizeof(T)} >= simd::kLargerThanCaches;
  if (!rows_are_plain || loop.dims() > 2 || (loop.is_one_run() && !large) || tracing::listener != nullptr) return false;
  if (loop.numel() == 0) return true;

  const bool streamed = large && out != a && out != b;
  const auto rows_from = [&](const std::array<int64_t, 3>& at, int64_t length, const simd::Rows& rows) {
    simd::kernels<T>().binary_rows(op, out + at[0], a + at[1], a_inner == 1, b + at[2], b_inner == 1, length, rows,
                                   streamed);
  };
  if (loop.is_one_run()) {
    parallel_ranges(loop.numel(), [&](int64_t begin, int64_t end) {
      rows_from({begin, begin * a_inner, begin * b_inner}, end - begin, {1, 0, 0, 0});
    });
  } else {
    const std::array<int64_t, 3>& step = loop.strides(1);
    const int64_t length = loop.inner_size();
    parallel_rows(loop.numel() / length, length, [&](int64_t begin, int64_t end) {
      rows_from({begin * step[0], begin * step[1], begin * step[2]}, length, {end - begin, step[0], step[1], step[2]});
    });
  }
  return true;
}

template bool binary_in_rows(simd::Binary, const StridedLoop<3>&, float*, const float*, const float*);
template bool binary_in_rows(simd::Binary, const StridedLoop<3>&, double*, const double*, const double*);

template void for_each_run<1>(const StridedLoop<1>&, const std::array<Operand, 1>&, Run, std::optional<Run>);
template void for_each_run<2>(const StridedLoop<2>&, const std::array<Operand, 2>&, Run, std::optional<Run>);
template void for_each_run<3>(const StridedLoop<3>&, const std::array<Operand, 3>&, Run, std::optional<Run>);
template void for_each_run<4>(const StridedLoop<4>&, const std::array<Operand, 4>&, Run, std::optional<Run>);
template void for_each_run<5>(const StridedLoop<5>&, const std::array<Operand, 5>&, Run, std::optional<Run>);
template void for_each_run<6>(const StridedLoop<6>&, const std::array<Operand, 6>&, Run, std::optional<Run>);

}  // namespace wengert::kernels
