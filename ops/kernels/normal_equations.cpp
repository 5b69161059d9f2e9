#include <wengert/autograd/base/cpu.h>
#include <wengert/ops/kernels/normal_equations.h>
#include <wengert/ops/kernels/share_lines.h>

// As in simd.cpp.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "wengert/ops/kernels/normal_equations.cpp"
#include <hwy/foreach_target.h>  // compiles all below once for each target
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

HWY_BEFORE_NAMESPACE();
namespace wengert::kernels::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// A tile of sums in registers: kTileRows x 2 vectors.
constexpr int kTileRows = HWY_TARGET == HWY_AVX3 ? 8 : 6;
constexpr int64_t kAhead = 16;  // entries ahead of which features are asked for, which lie nowhere in order
constexpr int64_t kFeatureBytes = 16 << 10;  // of features that are copied side by side, to stay in the first cache

int64_t rounded_up(int64_t size, int64_t multiple) { return (size + multiple - 1) / multiple * multiple; }

template <class T>
constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(hn::ScalableTag<T>()));

// matrix += left' right at rows [row, row + kTileRows) and `vectors` vectors from `column` on.
template <int vectors, class T>
HWY_INLINE void add_tile(T* matrix, int64_t width, const T* left, const T* right, int64_t count, int64_t row,
                         int64_t column) {
  const hn::ScalableTag<T> d;
  hn::Vec<decltype(d)> sums[kTileRows][vectors];
  for (int r = 0; r < kTileRows; ++r) {
    for (int v = 0; v < vectors; ++v) sums[r][v] = hn::LoadU(d, matrix + (row + r) * width + column + v * kLanes<T>);
  }
  for (int64_t e = 0; e < count; ++e) {
    hn::Vec<decltype(d)> x[vectors];
    for (int v = 0; v < vectors; ++v) x[v] = hn::LoadU(d, right + e * width + column + v * kLanes<T>);
#pragma GCC unroll 8
    for (int r = 0; r < kTileRows; ++r) {
      const auto s = hn::Set(d, left[e * width + row + r]);
      for (int v = 0; v < vectors; ++v) sums[r][v] = hn::MulAdd(s, x[v], sums[r][v]);
    }
  }
  for (int r = 0; r < kTileRows; ++r) {
    for (int v = 0; v < vectors; ++v) hn::StoreU(sums[r][v], d, matrix + (row + r) * width + column + v * kLanes<T>);
  }
}

// Its upper triangle, in whole tiles.
template <class T>
HWY_INLINE void add_products(T* matrix, int64_t width, const T* left, const T* right, int64_t count, int64_t k) {
  for (int64_t row = 0; row < k; row += kTileRows) {
    int64_t column = row / kLanes<T> * kLanes<T>;
    for (; column + kLanes<T> < k; column += 2 * kLanes<T>) add_tile<2>(matrix, width, left, right, count, row, column);
    if (column < k) add_tile<1>(matrix, width, left, right, count, row, column);
  }
}

// [from the vector that holds element `from`, to `end`): y -= s x. What else that vector holds is of no use.
template <class T>
HWY_INLINE void subtract_scaled(T* y, const T* x, T s, int64_t from, int64_t end) {
  const hn::ScalableTag<T> d;
  const auto factor = hn::Set(d, s);
  for (int64_t c = from / kLanes<T> * kLanes<T>; c < end; c += kLanes<T>) {
    hn::StoreU(hn::NegMulAdd(factor, hn::LoadU(d, x + c), hn::LoadU(d, y + c)), d, y + c);
  }
}

// Takes several multiples of rows away at once: as above for x = rows [first, first + kPivots).
constexpr int64_t kPivots = 4;
template <class T>
HWY_INLINE void subtract_pivots(T* y, const T* rows, int64_t width, int64_t first, int64_t from, int64_t end) {
  const hn::ScalableTag<T> d;
  const T* x = rows + first * width;
  hn::Vec<decltype(d)> factors[kPivots];
  for (int64_t p = 0; p < kPivots; ++p) factors[p] = hn::Set(d, x[p * width + from]);
  for (int64_t c = from / kLanes<T> * kLanes<T>; c < end; c += kLanes<T>) {
    auto sum = hn::LoadU(d, y + c);
    for (int64_t p = 0; p < kPivots; ++p) sum = hn::NegMulAdd(factors[p], hn::LoadU(d, x + p * width + c), sum);
    hn::StoreU(sum, d, y + c);
  }
}

// Solves A x = b for the rows (A | b), of A the upper triangle. Cholesky's factors A = U' U by rows (Golub and Van
// Loan, Matrix Computations, section 4.2), some pivots at a time, make U of it, and U'^-1 b of the last column.
template <class T>
HWY_INLINE void solve(T* rows, int64_t width, int64_t k, T* inverses, T* x) {
  const hn::ScalableTag<T> d;
  for (int64_t j = 0; j < k; ++j) inverses[j] = rows[j * width + j];
  for (int64_t first = 0; first < k; first += kPivots) {
    const int64_t end = std::min(k, first + kPivots);
    for (int64_t j = first; j < end; ++j) {
      T* row = rows + j * width;
      for (int64_t p = first; p < j; ++p) subtract_scaled(row, rows + p * width, rows[p * width + j], j, k + 1);
      const bool is_positive = row[j] > inverses[j] * std::numeric_limits<T>::epsilon() * static_cast<T>(k);
      inverses[j] = is_positive ? 1 / std::sqrt(row[j]) : 0;
      const auto inverse = hn::Set(d, inverses[j]);
      for (int64_t c = j / kLanes<T> * kLanes<T>; c <= k; c += kLanes<T>) {
        hn::StoreU(hn::Mul(inverse, hn::LoadU(d, row + c)), d, row + c);
      }
    }
    for (int64_t i = end; i < k; ++i) subtract_pivots(rows + i * width, rows, width, first, i, k + 1);
  }
  for (int64_t j = k; j-- > 0;) {
    const T* row = rows + j * width;
    T sum = row[k];
    for (int64_t c = j + 1; c < k; ++c) sum -= row[c] * x[c];
    x[j] = sum * inverses[j];
  }
}

// The same with x >= least, by turns for one unknown after another, from x = 0. `rows` are square.
template <class T>
HWY_INLINE void solve_bounded(T* rows, int64_t width, int64_t k, const T* least, T* x) {
  constexpr int kMostTurns = 30;
  constexpr T kSmall = T(1e-4);  // of a turn's largest change beside that of the first
  T *residual = rows + k * width, first_change = 0;
  for (int64_t l = 0; l < k; ++l) {
    residual[l] = rows[l * width + k];
    for (int64_t c = 0; c < l; ++c) rows[l * width + c] = rows[c * width + l];
    x[l] = 0;
  }
  for (int turn = 0; turn < kMostTurns; ++turn) {
    T change = 0;
    for (int64_t l = 0; l < k; ++l) {
      const T* row = rows + l * width;
      if (!(row[l] > 0)) continue;
      const T step = std::max(least[l], x[l] + residual[l] / row[l]) - x[l];
      if (step == 0) continue;
      x[l] += step;
      subtract_scaled(residual, row, step, 0, k);
      change = std::max(change, std::abs(step));
    }
    if (turn == 0) first_change = change;
    if (change <= kSmall * first_change) return;
  }
}

// to = x, and where scaled, times = s x.
template <bool scaled, class T>
HWY_INLINE void copy_scaled(T* to, T* times, const T* x, T s, int64_t k) {
  const hn::ScalableTag<T> d;
  int64_t c = 0;
  for (; c + kLanes<T> <= k; c += kLanes<T>) {
    const auto v = hn::LoadU(d, x + c);
    hn::StoreU(v, d, to + c);
    if constexpr (scaled) hn::StoreU(hn::Mul(v, hn::Set(d, s)), d, times + c);
  }
  for (; c < k; ++c) {
    to[c] = x[c];
    if constexpr (scaled) times[c] = s * x[c];
  }
}

template <class T, class Index>
void solve_range(const NormalEquations<T, Index>& equations, int64_t begin, int64_t end) {
  const int64_t k = equations.k, width = rounded_up(k + 1, kLanes<T>) + std::max<int64_t>(kLanes<T>, kTileRows);
  const int64_t of_matrix = (k + kTileRows) * width;
  const int64_t at_once = std::max<int64_t>(8, kFeatureBytes / (width * static_cast<int64_t>(sizeof(T)))),
                of_features = at_once * width;
  std::vector<T> memory(static_cast<size_t>(of_matrix + 2 * of_features + k));
  T *matrix = memory.data(), *right = matrix + of_matrix, *weighted = right + of_features;
  T* inverses = weighted + of_features;
  const T* left = equations.weights == nullptr ? right : weighted;
  const int64_t known = equations.starts == nullptr ? 0 : equations.starts[end];
  const auto add_entries = [&](int64_t first, int64_t last) HWY_ATTR {
    for (int64_t e = first; e < last; e += at_once) {
      const int64_t count = std::min(at_once, last - e);
      for (int64_t p = 0; p < count; ++p) {
        // Beyond the line's end, too: what follows is the next one's.
        if (const int64_t ahead = e + p + kAhead; ahead < known) {
          __builtin_prefetch(equations.features[equations.places[ahead]]);
          if (equations.weights != nullptr && equations.at != nullptr) {
            __builtin_prefetch(equations.weights + equations.at[ahead]);
          }
        }
        const T* feature = equations.features[equations.places[e + p]];
        if (equations.weights == nullptr) {
          copy_scaled<false>(right + p * width, right, feature, T(1), k);
        } else {
          const int64_t at = equations.at == nullptr ? e + p : static_cast<int64_t>(equations.at[e + p]);
          copy_scaled<true>(right + p * width, weighted + p * width, feature, equations.weights[at], k);
        }
      }
      add_products(matrix, width, left, right, count, k);
    }
  };
  for (int64_t i = begin; i < end; ++i) {
    for (int64_t l = 0; l < k; ++l)
      std::fill(matrix + l * width + l / kLanes<T> * kLanes<T>, matrix + (l + 1) * width, T(0));
    if (equations.base != nullptr) {
      for (int64_t l = 0; l < k; ++l) std::copy_n(equations.base + l * k, k, matrix + l * width);
    }
    if (equations.starts != nullptr) add_entries(equations.starts[i], equations.starts[i + 1]);
    for (int64_t l = 0; l < k; ++l) {
      equations.diagonal[i * k + l] = matrix[l * width + l] += equations.ridge[i][l];
      matrix[l * width + k] = equations.right[i][l];
    }
    T* solution = equations.solution + i * k;
    if (equations.least.data == nullptr) {
      solve(matrix, width, k, inverses, solution);
    } else {
      solve_bounded(matrix, width, k, equations.least[i], solution);
    }
  }
}

}  // namespace

void solve_on(const NormalEquations<float, int32_t>& all, int64_t begin, int64_t end) { solve_range(all, begin, end); }
void solve_on(const NormalEquations<float, int64_t>& all, int64_t begin, int64_t end) { solve_range(all, begin, end); }
void solve_on(const NormalEquations<double, int32_t>& all, int64_t begin, int64_t end) { solve_range(all, begin, end); }
void solve_on(const NormalEquations<double, int64_t>& all, int64_t begin, int64_t end) { solve_range(all, begin, end); }

}  // namespace wengert::kernels::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace wengert::kernels {
namespace {

template <class T, class Index>
void solve_here(const NormalEquations<T, Index>& equations, int64_t begin, int64_t end) {
  using namespace simd;
  [[maybe_unused]] static const cpu::Target target = cpu::choose_target();
#if HWY_TARGETS & HWY_AVX3
  if (target == cpu::Target::kAvx512) return N_AVX3::solve_on(equations, begin, end);
#endif
#if HWY_TARGETS & HWY_AVX2
  if (target <= cpu::Target::kAvx2) return N_AVX2::solve_on(equations, begin, end);
#endif
#if HWY_TARGETS & HWY_SSE4
  if (target <= cpu::Target::kSse4) return N_SSE4::solve_on(equations, begin, end);
#endif
  HWY_STATIC_DISPATCH(solve_on)(equations, begin, end);
}

}  // namespace

template <class T, class Index>
void solve_lines(const NormalEquations<T, Index>& equations) {
  const auto solve = [&](int64_t begin, int64_t end) { solve_here(equations, begin, end); };
  const int64_t k = equations.k;
  if (equations.starts == nullptr) return parallel_rows(equations.lines, k * k * (k / 6 + 1), solve);
  share_lines(equations.starts, equations.lines, k * (k + 4) / 4, solve);
}

template void solve_lines(const NormalEquations<float, int32_t>&);
template void solve_lines(const NormalEquations<float, int64_t>&);
template void solve_lines(const NormalEquations<double, int32_t>&);
template void solve_lines(const NormalEquations<double, int64_t>&);

}  // namespace wengert::kernels
#endif
