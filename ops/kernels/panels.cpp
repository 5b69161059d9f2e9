#include <wengert/autograd/base/cpu.h>
#include <wengert/ops/kernels/panels.h>
#include <wengert/ops/kernels/simd.h>

// As in simd.cpp.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "wengert/ops/kernels/panels.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // compiles all below once for each target
#include <hwy/highway.h>

#include <algorithm>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace wengert::kernels::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// Two vectors of each row of a tile are summed in registers: 12 x 2 of the 32 that AVX-512 has, 6 x 2 of the 16 of
// others.
constexpr int kRows = HWY_TARGET == HWY_AVX3 ? 12 : 6;
template <class T>
constexpr int64_t kColumns = 2 * static_cast<int64_t>(hn::MaxLanes(hn::ScalableTag<T>()));

// Calls panel(rows, first) for panels that together are all rows; `rows` is a constant, and may be more than are left.
template <class Panel>
HWY_INLINE void row_panels(int64_t rows, const Panel& panel) {
  constexpr int kLess = kRows > 8 ? 8 : 4;
  int64_t i = 0;
  for (; rows - i > kLess; i += kRows) panel(std::integral_constant<int, kRows>(), i);
  const int64_t rest = rows - i;
  if constexpr (kLess == 8) {
    if (rest > 4) return panel(std::integral_constant<int, 8>(), i);
  }
  if (rest > 2) return panel(std::integral_constant<int, 4>(), i);
  if (rest > 1) return panel(std::integral_constant<int, 2>(), i);
  if (rest > 0) panel(std::integral_constant<int, 1>(), i);
}

// Copies `count` of `width` series side by side, the others as zeros: to[p * width + i] = x[i * apart + p * step].
template <class T>
void pack(T* to, int64_t width, const T* x, int64_t apart, int64_t step, int64_t count, int64_t k) {
  if (apart == 1) {
    for (int64_t p = 0; p < k; ++p) std::copy_n(x + p * step, count, to + p * width);
  } else if (step == 1) {
    kernels<T>().transpose(to, width, x, apart, k, count, false);
  } else {
    for (int64_t p = 0; p < k; ++p) {
      for (int64_t i = 0; i < count; ++i) to[p * width + i] = x[i * apart + p * step];
    }
  }
  if (count == width) return;
  for (int64_t p = 0; p < k; ++p) std::fill(to + p * width + count, to + (p + 1) * width, T(0));
}

template <class T>
void pack_rows_on(T* to, const T* a, int64_t row_stride, int64_t column_stride, int64_t rows, int64_t k) {
  row_panels(rows, [&](auto width, int64_t i) {
    pack(to + i * k, width, a + i * row_stride, row_stride, column_stride, std::min<int64_t>(width, rows - i), k);
  });
}

template <class T>
void pack_columns_on(T* to, const T* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t columns) {
  for (int64_t j = 0; j < columns; j += kColumns<T>) {
    pack(to + j * k, kColumns<T>, b + j * column_stride, column_stride, row_stride, std::min(kColumns<T>, columns - j),
         k);
  }
}

// One tile of C: a panel of A times a panel of B, whose rows lie b_row apart.
template <int rows, class T>
HWY_INLINE void tile(int64_t k, const T* a, const T* b, int64_t b_row, T* c, int64_t c_row, bool add) {
  const hn::ScalableTag<T> d;
  constexpr int64_t kLanes = kColumns<T> / 2, kAhead = 16;
  hn::Vec<decltype(d)> left[rows], right[rows];
#pragma GCC unroll 12
  for (int r = 0; r < rows; ++r) left[r] = right[r] = hn::Zero(d);
  for (int64_t p = 0; p < k; ++p, a += rows, b += b_row) {
    const auto x = hn::LoadU(d, b), y = hn::LoadU(d, b + kLanes);
    hwy::Prefetch(b + kAhead * b_row);  // where B was not packed the CPU does not guess what comes next
    hwy::Prefetch(b + kAhead * b_row + kLanes);
#pragma GCC unroll 12
    for (int r = 0; r < rows; ++r) {
      const auto s = hn::Set(d, a[r]);
      left[r] = hn::MulAdd(s, x, left[r]);
      right[r] = hn::MulAdd(s, y, right[r]);
    }
  }
  if (add) {
#pragma GCC unroll 12
    for (int r = 0; r < rows; ++r) {
      left[r] = hn::Add(left[r], hn::LoadU(d, c + r * c_row));
      right[r] = hn::Add(right[r], hn::LoadU(d, c + r * c_row + kLanes));
    }
  }
#pragma GCC unroll 12
  for (int r = 0; r < rows; ++r) {
    hn::StoreU(left[r], d, c + r * c_row);
    hn::StoreU(right[r], d, c + r * c_row + kLanes);
  }
}

template <class T>
void multiply_on(int64_t rows, int64_t columns, int64_t k, const T* a, const T* b, int64_t b_panel, int64_t b_row, T* c,
                 int64_t row_stride, int64_t column_stride, bool add) {
  for (int64_t j = 0; j < columns; j += kColumns<T>, b += b_panel) {
    const int64_t width = std::min(kColumns<T>, columns - j);
    row_panels(rows, [&](auto tile_rows, int64_t i) HWY_ATTR {
      const int64_t height = std::min<int64_t>(tile_rows, rows - i);
      T* to = c + i * row_stride + j * column_stride;
      if (column_stride == 1 && width == kColumns<T> && height == tile_rows) {
        tile<tile_rows>(k, a + i * k, b, b_row, to, row_stride, add);
        return;
      }
      // What hangs over the edge, or lies the other way round, is computed aside.
      alignas(64) T whole[kRows * kColumns<T>];
      tile<tile_rows>(k, a + i * k, b, b_row, whole, kColumns<T>, false);
      const auto put = [&](int64_t r, int64_t s) {
        T& element = to[r * row_stride + s * column_stride];
        element = add ? element + whole[r * kColumns<T> + s] : whole[r * kColumns<T> + s];
      };
      if (column_stride == 1) {
        for (int64_t r = 0; r < height; ++r) {
          for (int64_t s = 0; s < width; ++s) put(r, s);
        }
      } else {
        for (int64_t s = 0; s < width; ++s) {
          for (int64_t r = 0; r < height; ++r) put(r, s);
        }
      }
    });
  }
}

template <class T>
constexpr PanelKernels<T> table{kRows, kColumns<T>, pack_rows_on<T>, pack_columns_on<T>, multiply_on<T>};

}  // namespace

const PanelKernels<float>* float_panel_kernels() { return &table<float>; }
const PanelKernels<double>* double_panel_kernels() { return &table<double>; }

}  // namespace wengert::kernels::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace wengert::kernels::simd {
namespace {

struct Chosen {
  const PanelKernels<float>* of_float;
  const PanelKernels<double>* of_double;
};

Chosen choose() {
  [[maybe_unused]] const cpu::Target target = cpu::choose_target();
#if HWY_TARGETS & HWY_AVX3
  if (target == cpu::Target::kAvx512) return {N_AVX3::float_panel_kernels(), N_AVX3::double_panel_kernels()};
#endif
#if HWY_TARGETS & HWY_AVX2
  if (target <= cpu::Target::kAvx2) return {N_AVX2::float_panel_kernels(), N_AVX2::double_panel_kernels()};
#endif
#if HWY_TARGETS & HWY_SSE4
  if (target <= cpu::Target::kSse4) return {N_SSE4::float_panel_kernels(), N_SSE4::double_panel_kernels()};
#endif
  return {HWY_STATIC_DISPATCH(float_panel_kernels)(), HWY_STATIC_DISPATCH(double_panel_kernels)()};
}

const Chosen& chosen() {
  static const Chosen once = choose();
  return once;
}

}  // namespace

template <>
const PanelKernels<float>& panel_kernels() {
  return *chosen().of_float;
}

template <>
const PanelKernels<double>& panel_kernels() {
  return *chosen().of_double;
}

}  // namespace wengert::kernels::simd
#endif
