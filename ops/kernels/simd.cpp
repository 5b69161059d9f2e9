#include <wengert/autograd/base/cpu.h>
#include <wengert/ops/kernels/simd.h>

// SSSE3 and AVX3_DL would add code and hardly speed; vectors whose size is known at run time only (SVE, RVV) cannot be
// held in arrays.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "wengert/ops/kernels/simd.cpp"
#include <hwy/cache_control.h>
#include <hwy/foreach_target.h>  // compiles all below once for each target
#include <hwy/highway.h>
// After highway.h, which it needs.
#include <wengert/ops/kernels/vector_math-inl.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

HWY_BEFORE_NAMESPACE();
namespace wengert::kernels::simd::HWY_NAMESPACE {
namespace {

// Steps of `size`, half of it, and so on to 1, that together are [i, count): less than twice `size` elements.
template <size_t size, class T, class Body>
HWY_INLINE void halving_steps(int64_t i, int64_t count, const Body& body) {
  if (static_cast<size_t>(count - i) >= size) {
    body(hn::CappedTag<T, size>(), i);
    i += static_cast<int64_t>(size);
  }
  if constexpr (size > 1) halving_steps<size / 2, T>(i, count, body);
}

// Calls body(tag, i) for steps that together are [0, count): whole vectors, then ever smaller ones. (What one run
// writes so the next reads so: a processor hands on what was just written only where it is read in the same pieces.)
template <class T, class Body>
HWY_INLINE void steps(int64_t count, const Body& body) {
  const hn::ScalableTag<T> whole;
  const auto lanes = static_cast<int64_t>(hn::Lanes(whole));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) body(whole, i);
  if (i < count) halving_steps<std::max(hn::MaxLanes(hn::ScalableTag<T>()) / 2, size_t{1}), T>(i, count, body);
}

// `streamed`: whole vectors go past the caches; `to` must then lie at a line of the cache or whole vectors behind one.
template <bool streamed, class D, class T>
HWY_INLINE void put(hn::Vec<D> v, D d, T* to) {
  if constexpr (streamed && std::is_same_v<D, hn::ScalableTag<T>>) {
    hn::Stream(v, d, to);
  } else {
    hn::StoreU(v, d, to);
  }
}

template <bool streamed = false, class T, class F>
HWY_INLINE void map(T* out, const T* a, bool a_moves, const T* b, bool b_moves, int64_t count, const F& f) {
  if (a_moves && b_moves) {
    steps<T>(count, [&](auto d, int64_t i)
                        HWY_ATTR { put<streamed>(f(d, hn::LoadU(d, a + i), hn::LoadU(d, b + i)), d, out + i); });
  } else if (a_moves) {
    const T y = *b;
    steps<T>(count,
             [&](auto d, int64_t i) HWY_ATTR { put<streamed>(f(d, hn::LoadU(d, a + i), hn::Set(d, y)), d, out + i); });
  } else if (b_moves) {
    const T x = *a;
    steps<T>(count,
             [&](auto d, int64_t i) HWY_ATTR { put<streamed>(f(d, hn::Set(d, x), hn::LoadU(d, b + i)), d, out + i); });
  } else {
    const T x = *a, y = *b;
    steps<T>(count, [&](auto d, int64_t i) HWY_ATTR { put<streamed>(f(d, hn::Set(d, x), hn::Set(d, y)), d, out + i); });
  }
}

template <class T, bool streamed = false>
void binary_on(Binary op, T* out, const T* a, bool a_moves, const T* b, bool b_moves, int64_t count) {
  switch (op) {
    case Binary::kAdd:
      return map<streamed>(out, a, a_moves, b, b_moves, count,
                           [](auto, auto x, auto y) HWY_ATTR { return hn::Add(x, y); });
    case Binary::kSubtract:
      return map<streamed>(out, a, a_moves, b, b_moves, count,
                           [](auto, auto x, auto y) HWY_ATTR { return hn::Sub(x, y); });
    case Binary::kMultiply:
      return map<streamed>(out, a, a_moves, b, b_moves, count,
                           [](auto, auto x, auto y) HWY_ATTR { return hn::Mul(x, y); });
    case Binary::kDivide:
      return map<streamed>(out, a, a_moves, b, b_moves, count,
                           [](auto, auto x, auto y) HWY_ATTR { return hn::Div(x, y); });
  }
}

// Whether rows, `step` elements apart, all begin at lines of the cache.
template <class T>
HWY_INLINE bool begin_at_lines(const T* first, int64_t step) {
  return reinterpret_cast<uintptr_t>(first) % 64 == 0 && step * sizeof(T) % 64 == 0;
}

template <class T>
void binary_rows_on(Binary op, T* out, const T* a, bool a_moves, const T* b, bool b_moves, int64_t count,
                    const Rows& rows, bool streamed) {
  const auto one_row = streamed && begin_at_lines(out, rows.out_step) ? binary_on<T, true> : binary_on<T>;
  for (int64_t row = 0; row < rows.count; ++row) {
    one_row(op, out + row * rows.out_step, a + row * rows.a_step, a_moves, b + row * rows.b_step, b_moves, count);
  }
  if (streamed) hwy::FlushStream();  // so that other threads see what was written
}

template <class T>
void add_scaled_on(T* out, const T* a, bool a_moves, const T* b, bool b_moves, T factor, int64_t count) {
  map(out, a, a_moves, b, b_moves, count,
      [factor](auto d, auto x, auto y) HWY_ATTR { return hn::Add(x, hn::Mul(hn::Set(d, factor), y)); });
}

template <class T>
void multiply_scaled_on(T* out, const T* a, bool a_moves, const T* b, bool b_moves, T factor, int64_t count) {
  map(out, a, a_moves, b, b_moves, count,
      [factor](auto d, auto x, auto y) HWY_ATTR { return hn::Mul(hn::Mul(hn::Set(d, factor), x), y); });
}

template <class T>
void scale_difference_on(T* out, const T* a, bool a_moves, const T* b, bool b_moves, T factor, int64_t count) {
  map(out, a, a_moves, b, b_moves, count,
      [factor](auto d, auto x, auto y) HWY_ATTR { return hn::Mul(hn::Set(d, factor), hn::Sub(x, y)); });
}

template <class T, class F>
HWY_INLINE void map(T* out, const T* x, int64_t count, const F& f) {
  steps<T>(count, [&](auto d, int64_t i) HWY_ATTR { hn::StoreU(f(d, hn::LoadU(d, x + i)), d, out + i); });
}

#if HWY_TARGET != HWY_SCALAR
template <class T>
using Accumulator = double;
#else
template <class T>
using Accumulator = T;
#endif

// low, high += v, floats in double.
template <class D, class Sums>
HWY_INLINE void add_exactly(D d, hn::Vec<D> v, Sums& low, Sums& high) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (sizeof(hn::TFromD<D>) == 4) {
    const hn::Half<D> half;
    const hn::Repartition<double, D> exact;
    low = hn::Add(low, hn::PromoteTo(exact, hn::LowerHalf(half, v)));
    high = hn::Add(high, hn::PromoteTo(exact, hn::UpperHalf(half, v)));
    return;
  } else
#endif
  {
    (void)d, (void)high;
    low = hn::Add(low, v);
  }
}

// The sum of term(tag, i): eight vectors at a time pairwise, and these of floats in double, which then costs little.
// Its last elements one by one.
template <class T, class Term>
HWY_INLINE T sum_of(int64_t count, const Term& term) {
  const hn::ScalableTag<T> d;
  const hn::ScalableTag<Accumulator<T>> exact;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  auto low = hn::Zero(exact), high = low;
  int64_t i = 0;
  for (; i + 8 * lanes <= count; i += 8 * lanes) {
    const auto s0 = hn::Add(term(d, i), term(d, i + lanes));
    const auto s1 = hn::Add(term(d, i + 2 * lanes), term(d, i + 3 * lanes));
    const auto s2 = hn::Add(term(d, i + 4 * lanes), term(d, i + 5 * lanes));
    const auto s3 = hn::Add(term(d, i + 6 * lanes), term(d, i + 7 * lanes));
    add_exactly(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), low, high);
  }
  if (i + lanes <= count) {
    auto rest = term(d, i);
    for (i += lanes; i + lanes <= count; i += lanes) rest = hn::Add(rest, term(d, i));
    add_exactly(d, rest, low, high);
  }
  Accumulator<T> total = 0;
  if (i > 0) total = hn::GetLane(hn::SumOfLanes(exact, hn::Add(low, high)));
  const hn::CappedTag<T, 1> one;
  for (; i < count; ++i) total += Accumulator<T>(hn::GetLane(term(one, i)));
  return static_cast<T>(total);
}

template <class T>
T sum_on(const T* x, int64_t count) {
  return sum_of<T>(count, [x](auto d, int64_t i) HWY_ATTR { return hn::LoadU(d, x + i); });
}

template <class T>
void sum_rows_on(T* out, int64_t out_step, const T* x, int64_t row_stride, int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; ++row) out[row * out_step] = sum_on(x + row * row_stride, columns);
}

template <class T>
T sum_of_squared_differences_on(const T* a, const T* b, int64_t count) {
  return sum_of<T>(count, [a, b](auto d, int64_t i) HWY_ATTR {
    const auto difference = hn::Sub(hn::LoadU(d, a + i), hn::LoadU(d, b + i));
    return hn::Mul(difference, difference);
  });
}

template <class T>
void add_rows_on(T* sums, const T* x, int64_t row_stride, int64_t rows, int64_t columns) {
  int64_t row = 0;
  for (; row + 4 <= rows; row += 4) {
    const T *r0 = x + row * row_stride, *r1 = r0 + row_stride, *r2 = r1 + row_stride, *r3 = r2 + row_stride;
    steps<T>(columns, [&](auto d, int64_t j) HWY_ATTR {
      const auto first = hn::Add(hn::LoadU(d, r0 + j), hn::LoadU(d, r1 + j));
      const auto second = hn::Add(hn::LoadU(d, r2 + j), hn::LoadU(d, r3 + j));
      hn::StoreU(hn::Add(hn::LoadU(d, sums + j), hn::Add(first, second)), d, sums + j);
    });
  }
  const T* r0 = x + row * row_stride;
  if (rows - row == 1) {
    binary_on(Binary::kAdd, sums, sums, true, r0, true, columns);
  } else if (row < rows) {
    const T *r1 = r0 + row_stride, *last = x + (rows - 1) * row_stride;
    steps<T>(columns, [&, three = rows - row == 3](auto d, int64_t j) HWY_ATTR {
      const auto two = hn::Add(hn::Add(hn::LoadU(d, sums + j), hn::LoadU(d, r0 + j)), hn::LoadU(d, r1 + j));
      hn::StoreU(three ? hn::Add(two, hn::LoadU(d, last + j)) : two, d, sums + j);
    });
  }
}

// The largest element, NaN if one is NaN.
template <class T>
T largest_of(const T* x, int64_t count) {
  T largest = -std::numeric_limits<T>::infinity();
  bool nan = false;
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  if (count >= lanes) {
    auto most = hn::Set(d, largest);
    auto ordered = hn::Eq(most, most);
    for (; i + lanes <= count; i += lanes) {
      const auto v = hn::LoadU(d, x + i);
      most = hn::Max(most, v);
      ordered = hn::And(ordered, hn::Eq(v, v));
    }
    nan = !hn::AllTrue(d, ordered);
    largest = hn::GetLane(hn::MaxOfLanes(d, most));
  }
  for (; i < count; ++i) {
    nan |= x[i] != x[i];
    largest = x[i] > largest ? x[i] : largest;
  }
  return nan ? std::numeric_limits<T>::quiet_NaN() : largest;
}

// (NaN is told by Not(Eq(v, v)): on x86 Highway's Ne(v, v) is false of it.)
template <class T>
int64_t position_of_extreme_on(const T* x, int64_t count, bool largest) {
  // First what it is, then where.
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t vectors = count / lanes * lanes;
  T extreme = x[0];
  bool nan = false;
  if (vectors > 0) {
    auto best = hn::LoadU(d, x);
    auto ordered = hn::Eq(best, best);
    for (int64_t i = 0; i < vectors; i += lanes) {
      const auto v = hn::LoadU(d, x + i);
      best = largest ? hn::Max(best, v) : hn::Min(best, v);
      ordered = hn::And(ordered, hn::Eq(v, v));
    }
    nan = !hn::AllTrue(d, ordered);
    extreme = hn::GetLane(largest ? hn::MaxOfLanes(d, best) : hn::MinOfLanes(d, best));
  }
  for (int64_t i = vectors; i < count; ++i) {
    nan |= x[i] != x[i];
    if (largest ? x[i] > extreme : x[i] < extreme) extreme = x[i];
  }
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto v = hn::LoadU(d, x + i);
    if (!hn::AllFalse(d, nan ? hn::Not(hn::Eq(v, v)) : hn::Eq(v, hn::Set(d, extreme)))) break;
  }
  for (; i < count - 1; ++i) {
    if (nan ? x[i] != x[i] : x[i] == extreme) break;
  }
  return i;
}

// Four rows and columns of floats, two of doubles. (Without vectors there is nothing to interleave.)
#if HWY_TARGET != HWY_SCALAR
template <class T, class D>
HWY_INLINE void transpose_corner(D d, T* out, int64_t out_row, const T* in, int64_t in_column) {
  const auto r0 = hn::LoadU(d, in), r1 = hn::LoadU(d, in + in_column);
  if constexpr (sizeof(T) == 8) {
    hn::StoreU(hn::InterleaveLower(d, r0, r1), d, out);
    hn::StoreU(hn::InterleaveUpper(d, r0, r1), d, out + out_row);
  } else {
    const auto r2 = hn::LoadU(d, in + 2 * in_column), r3 = hn::LoadU(d, in + 3 * in_column);
    const auto low = hn::InterleaveLower(d, r0, r1), low_right = hn::InterleaveLower(d, r2, r3);
    const auto high = hn::InterleaveUpper(d, r0, r1), high_right = hn::InterleaveUpper(d, r2, r3);
    hn::StoreU(hn::ConcatLowerLower(d, low_right, low), d, out);
    hn::StoreU(hn::ConcatUpperUpper(d, low_right, low), d, out + out_row);
    hn::StoreU(hn::ConcatLowerLower(d, high_right, high), d, out + 2 * out_row);
    hn::StoreU(hn::ConcatUpperUpper(d, high_right, high), d, out + 3 * out_row);
  }
}
#endif

// out[r * out_row + c] = in[r + c * in_column] for r < rows, c < columns, in squares of a line of the cache.
template <class T>
HWY_INLINE void transpose_lines(T* out, int64_t out_row, const T* in, int64_t in_column, int64_t rows,
                                int64_t columns) {
  constexpr int64_t kLine = 64 / sizeof(T);
  for (int64_t i = 0; i < rows; i += kLine) {
    for (int64_t j = 0; j < columns; j += kLine) {
      const T* from = in + i + j * in_column;
      T* to = out + i * out_row + j;
      const int64_t height = std::min(kLine, rows - i), width = std::min(kLine, columns - j);
      int64_t done = 0;
#if HWY_TARGET != HWY_SCALAR
      if (height == kLine) {
        constexpr int64_t kCorner = 16 / sizeof(T);
        const hn::CappedTag<T, kCorner> d;
        for (; done + kCorner <= width; done += kCorner) {
          for (int64_t r = 0; r < kLine; r += kCorner) {
            transpose_corner(d, to + r * out_row + done, out_row, from + r + done * in_column, in_column);
          }
        }
      }
#endif
      for (int64_t r = 0; r < height; ++r) {
        for (int64_t c = done; c < width; ++c) to[r * out_row + c] = from[r + c * in_column];
      }
    }
  }
}

// The columns of `in` lie far apart, so the CPU does not guess which comes next: it is told. And each square is put
// together in the nearest cache first, so that memory sees whole lines, four side by side.
template <class T>
void transpose_on(T* out, int64_t out_row, const T* in, int64_t in_column, int64_t rows, int64_t columns,
                  bool streamed) {
  constexpr int64_t kSquare = 256 / sizeof(T);
  constexpr int64_t kAhead = 16;  // columns
  const hn::ScalableTag<T> whole;
  const auto lanes = static_cast<int64_t>(hn::Lanes(whole));
  streamed = streamed && begin_at_lines(out, out_row);
  alignas(64) T square[kSquare * kSquare];
  for (int64_t i = 0; i < rows; i += kSquare) {
    for (int64_t j = 0; j < columns; j += kSquare) {
      const T* from = in + i + j * in_column;
      T* to = out + i * out_row + j;
      if (rows - i < kSquare || columns - j < kSquare) {
        transpose_lines(to, out_row, from, in_column, std::min(kSquare, rows - i), std::min(kSquare, columns - j));
        continue;
      }
      constexpr int64_t kLine = 64 / sizeof(T);
      for (int64_t c = 0; c < kSquare; c += kLine) {
        if (j + c + kAhead + kLine <= columns) {
          for (int64_t ahead = c + kAhead; ahead < c + kAhead + kLine; ++ahead) {
            for (int64_t r = 0; r < kSquare; r += kLine) hwy::Prefetch(from + r + ahead * in_column);
          }
        }
        transpose_lines(square + c, kSquare, from + c * in_column, in_column, kSquare, kLine);
      }
      for (int64_t r = 0; r < kSquare; ++r) {
        for (int64_t c = 0; c < kSquare; c += lanes) {
          const auto v = hn::Load(whole, square + r * kSquare + c);
          streamed ? put<true>(v, whole, to + r * out_row + c) : put<false>(v, whole, to + r * out_row + c);
        }
      }
    }
  }
  if (streamed) hwy::FlushStream();
}

bool all_within(const int64_t* x, int64_t count, int64_t limit) {
  const hn::ScalableTag<int64_t> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto last = hn::Set(d, limit - 1);
  auto outside = hn::Zero(d);  // by its sign
  int64_t i = 0, rest = 0;
  for (; i + lanes <= count; i += lanes) {
    const auto v = hn::LoadU(d, x + i);
    outside = hn::Or(outside, hn::Or(v, hn::Sub(last, v)));
  }
  for (; i < count; ++i) rest |= x[i] | (limit - 1 - x[i]);
  return rest >= 0 && hn::AllFalse(d, hn::Lt(outside, hn::Zero(d)));
}

template <class T>
void softmax_on(T* out, const T* x, int64_t count, bool logarithm) {
  const T largest = largest_of(x, count);
  T total = 0;
  const hn::ScalableTag<T> whole;
  auto sums = hn::Zero(whole);
  const auto lanes = static_cast<int64_t>(hn::Lanes(whole));
  // The exponentials are needed later only when they are the result.
  const auto exponential = [&](auto d, int64_t i) HWY_ATTR {
    const auto e = exp_of(d, hn::Sub(hn::LoadU(d, x + i), hn::Set(d, largest)));
    if (!logarithm) hn::StoreU(e, d, out + i);
    return e;
  };
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) sums = hn::Add(sums, exponential(whole, i));
  const hn::CappedTag<T, 1> one;
  for (; i < count; ++i) total += hn::GetLane(exponential(one, i));
  total += hn::GetLane(hn::SumOfLanes(whole, sums));
  if (logarithm) {
    const T shift = std::log(total);
    map(out, x, count, [largest, shift](auto d, auto v) HWY_ATTR {
      return hn::Sub(hn::Sub(v, hn::Set(d, largest)), hn::Set(d, shift));
    });
  } else {
    map(out, out, count, [total](auto d, auto v) HWY_ATTR { return hn::Div(v, hn::Set(d, total)); });
  }
}

template <class T>
void softmax_columns_on(T* out, const T* x, int64_t rows, int64_t row_stride, int64_t columns, bool logarithm) {
  T largest[kSoftmaxColumns], total[kSoftmaxColumns];
  for (int64_t j = 0; j < columns; ++j) {
    largest[j] = -std::numeric_limits<T>::infinity();
    total[j] = 0;
  }
  for (int64_t i = 0; i < rows; ++i) {
    const T* row = x + i * row_stride;
    steps<T>(columns, [&](auto d, int64_t j) HWY_ATTR {
      const auto most = hn::LoadU(d, largest + j), v = hn::LoadU(d, row + j);
      hn::StoreU(hn::IfThenElse(hn::Or(hn::Gt(v, most), hn::Not(hn::Eq(v, v))), v, most), d, largest + j);
    });
  }
  for (int64_t i = 0; i < rows; ++i) {
    const T* row = x + i * row_stride;
    T* to = out + i * row_stride;
    steps<T>(columns, [&](auto d, int64_t j) HWY_ATTR {
      const auto e = exp_of(d, hn::Sub(hn::LoadU(d, row + j), hn::LoadU(d, largest + j)));
      if (!logarithm) hn::StoreU(e, d, to + j);
      hn::StoreU(hn::Add(hn::LoadU(d, total + j), e), d, total + j);
    });
  }
  if (logarithm) {
    for (int64_t j = 0; j < columns; ++j) largest[j] += std::log(total[j]);
  }
  for (int64_t i = 0; i < rows; ++i) {
    T* to = out + i * row_stride;
    if (logarithm) {
      binary_on(Binary::kSubtract, to, x + i * row_stride, true, largest, true, columns);
    } else {
      binary_on(Binary::kDivide, to, to, true, total, true, columns);
    }
  }
}

// --- Small products -----------------------------------------------------------------------------------------------

// A vector in memory, or its first elements only.
template <class D>
struct Whole {
  D d;
  HWY_INLINE hn::Vec<D> load(const hn::TFromD<D>* from) const { return hn::LoadU(d, from); }
  HWY_INLINE void store(hn::Vec<D> v, hn::TFromD<D>* to) const { hn::StoreU(v, d, to); }
};
template <class D>
struct Part {
  D d;
  hn::Mask<D> mask;
  Part(D d, int64_t count) : d(d), mask(hn::FirstN(d, static_cast<size_t>(count))) {}
  HWY_INLINE hn::Vec<D> load(const hn::TFromD<D>* from) const { return hn::MaskedLoad(mask, d, from); }
  HWY_INLINE void store(hn::Vec<D> v, hn::TFromD<D>* to) const { hn::BlendedStore(v, mask, d, to); }
};
// Whether a part of a vector can be read and written where what follows is not ours.
constexpr bool kHasParts = HWY_TARGET == HWY_AVX3 || HWY_TARGET == HWY_AVX2;

// Calls body(vectors, i) with a Whole or a Part, for steps that together are [0, count); two vectors at a time where
// registers are many.
template <class T, class Body>
HWY_INLINE void vector_steps(int64_t count, const Body& body) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  if constexpr (HWY_TARGET == HWY_AVX3) {
    for (; i + 2 * lanes <= count; i += 2 * lanes) body(Whole<decltype(d)>{d}, std::integral_constant<int, 2>(), i);
  }
  constexpr std::integral_constant<int, 1> single;
  for (; i + lanes <= count; i += lanes) body(Whole<decltype(d)>{d}, single, i);
  const int64_t rest = count - i;
  if (rest == 0) return;
  if constexpr (!kHasParts) {
    const hn::CappedTag<T, 1> one;
    for (; i < count; ++i) body(Whole<decltype(one)>{one}, single, i);
  } else if (const hn::CappedTag<T, 4> four; rest <= 4) {
    body(Part<decltype(four)>(four, rest), single, i);
  } else if (const hn::CappedTag<T, 8> eight; rest <= 8) {
    body(Part<decltype(eight)>(eight, rest), single, i);
  } else {
    body(Part<decltype(d)>(d, rest), single, i);
  }
}

// Some rows of C, and as many columns as the vectors have lanes: each element of B is loaded once for all the rows.
// With few rows, sums of every fourth term are taken apart, so that no addition has to wait for the last.
template <int rows, int vectors, class Vectors, class T>
HWY_INLINE void multiply_tile(const Vectors& v, int64_t k, const T* a, int64_t a_row, int64_t a_column, const T* b,
                              int64_t b_row, T* c, int64_t c_row) {
  using D = decltype(v.d);
  constexpr int kApart = rows * vectors <= 2 ? 4 : rows * vectors <= 4 ? 2 : 1;
  const auto lanes = static_cast<int64_t>(hn::Lanes(v.d));
  hn::Vec<D> sums[kApart][rows][vectors];
#pragma GCC unroll 4
  for (int s = 0; s < kApart; ++s) {
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 2
      for (int u = 0; u < vectors; ++u) sums[s][r][u] = hn::Zero(v.d);
    }
  }
  const auto add = [&](int s, int64_t p) HWY_ATTR {
    hn::Vec<D> y[vectors];
#pragma GCC unroll 2
    for (int u = 0; u < vectors; ++u) y[u] = v.load(b + p * b_row + u * lanes);
    const T* x = a + p * a_column;
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const auto factor = hn::Set(v.d, x[r * a_row]);
#pragma GCC unroll 2
      for (int u = 0; u < vectors; ++u) sums[s][r][u] = hn::MulAdd(factor, y[u], sums[s][r][u]);
    }
  };
  int64_t p = 0;
  for (; p + kApart <= k; p += kApart) {
#pragma GCC unroll 4
    for (int s = 0; s < kApart; ++s) add(s, p + s);
  }
  for (; p < k; ++p) add(0, p);
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 2
    for (int u = 0; u < vectors; ++u) {
      auto sum = sums[0][r][u];
#pragma GCC unroll 4
      for (int s = 1; s < kApart; ++s) sum = hn::Add(sum, sums[s][r][u]);
      v.store(sum, c + r * c_row + u * lanes);
    }
  }
}

// tile(rows, i) for tiles of `most`, or 8, 4, 2 and 1 rows that together are n.
template <int most, class Tile>
HWY_INLINE void row_tiles(int64_t n, const Tile& tile) {
  int64_t i = 0;
  for (; i + most <= n; i += most) tile(std::integral_constant<int, most>(), i);
  if constexpr (most > 4) {
    if (i + 4 <= n) tile(std::integral_constant<int, 4>(), i), i += 4;
  }
  if constexpr (most > 2) {
    if (i + 2 <= n) tile(std::integral_constant<int, 2>(), i), i += 2;
  }
  if constexpr (most > 1) {
    if (i < n) tile(std::integral_constant<int, 1>(), i);
  }
}

template <class T>
void multiply_rows_on(int64_t n, int64_t m, int64_t k, const T* a, int64_t a_row, int64_t a_column, const T* b,
                      int64_t b_row, T* c) {
  row_tiles<8>(n, [&](auto rows, int64_t i) HWY_ATTR {
    vector_steps<T>(m, [&](const auto& v, auto vectors, int64_t j) HWY_ATTR {
      multiply_tile<rows, vectors>(v, k, a + i * a_row, a_row, a_column, b + j, b_row, c + i * m + j, m);
    });
  });
}

// Some rows and columns of C, each element a sum of products in several lanes.
template <int rows, int columns, class T>
HWY_INLINE void dots_tile(int64_t k, const T* a, int64_t a_row, const T* b, int64_t b_column, T* c, int64_t c_row) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  hn::Vec<decltype(d)> sums[rows][columns];
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int s = 0; s < columns; ++s) sums[r][s] = hn::Zero(d);
  }
  const auto add = [&](const auto& v, int64_t p) HWY_ATTR {
    hn::Vec<decltype(d)> y[columns];
#pragma GCC unroll 4
    for (int s = 0; s < columns; ++s) y[s] = v.load(b + s * b_column + p);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const auto x = v.load(a + r * a_row + p);
#pragma GCC unroll 4
      for (int s = 0; s < columns; ++s) sums[r][s] = hn::MulAdd(x, y[s], sums[r][s]);
    }
  };
  int64_t p = 0;
  for (; p + lanes <= k; p += lanes) add(Whole<decltype(d)>{d}, p);
  if constexpr (kHasParts) {
    if (p < k) add(Part<decltype(d)>(d, k - p), p);
  }
#pragma GCC unroll 8
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int s = 0; s < columns; ++s) {
      T sum = hn::GetLane(hn::SumOfLanes(d, sums[r][s]));
      if constexpr (!kHasParts) {
        for (int64_t q = p; q < k; ++q) sum += a[r * a_row + q] * b[s * b_column + q];
      }
      c[r * c_row + s] = sum;
    }
  }
}

template <class T>
void multiply_dots_on(int64_t n, int64_t m, int64_t k, const T* a, int64_t a_row, const T* b, int64_t b_column, T* c) {
  if (m == 1) {
    return row_tiles<8>(
        n, [&](auto rows, int64_t i) HWY_ATTR { dots_tile<rows, 1>(k, a + i * a_row, a_row, b, b_column, c + i, 1); });
  }
  row_tiles<HWY_TARGET == HWY_AVX3 ? 4 : 2>(m, [&](auto columns, int64_t j) HWY_ATTR {
    row_tiles<4>(n, [&](auto rows, int64_t i) HWY_ATTR {
      dots_tile<rows, columns>(k, a + i * a_row, a_row, b + j * b_column, b_column, c + i * m + j, m);
    });
  });
}

template <class T>
constexpr Kernels<T> table{
    binary_on<T>,           binary_rows_on<T>,
    add_scaled_on<T>,       multiply_scaled_on<T>,
    scale_difference_on<T>, sum_on<T>,
    sum_rows_on<T>,         sum_of_squared_differences_on<T>,
    add_rows_on<T>,         position_of_extreme_on<T>,
    transpose_on<T>,        softmax_on<T>,
    softmax_columns_on<T>,  multiply_rows_on<T>,
    multiply_dots_on<T>,
};

}  // namespace

const Kernels<float>* float_kernels() { return &table<float>; }
const Kernels<double>* double_kernels() { return &table<double>; }
bool (*all_within_kernel())(const int64_t*, int64_t, int64_t) { return all_within; }

}  // namespace wengert::kernels::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace wengert::kernels::simd {
namespace {

struct Chosen {
  const Kernels<float>* of_float;
  const Kernels<double>* of_double;
  bool (*all_within)(const int64_t*, int64_t, int64_t);
};

Chosen choose() {
  [[maybe_unused]] const cpu::Target target = cpu::choose_target();
#if HWY_TARGETS & HWY_AVX3
  if (target == cpu::Target::kAvx512)
    return {N_AVX3::float_kernels(), N_AVX3::double_kernels(), N_AVX3::all_within_kernel()};
#endif
#if HWY_TARGETS & HWY_AVX2
  if (target <= cpu::Target::kAvx2)
    return {N_AVX2::float_kernels(), N_AVX2::double_kernels(), N_AVX2::all_within_kernel()};
#endif
#if HWY_TARGETS & HWY_SSE4
  if (target <= cpu::Target::kSse4)
    return {N_SSE4::float_kernels(), N_SSE4::double_kernels(), N_SSE4::all_within_kernel()};
#endif
  return {HWY_STATIC_DISPATCH(float_kernels)(), HWY_STATIC_DISPATCH(double_kernels)(),
          HWY_STATIC_DISPATCH(all_within_kernel)()};
}

const Chosen& chosen() {
  static const Chosen once = choose();
  return once;
}

}  // namespace

bool all_within(const int64_t* x, int64_t count, int64_t limit) { return chosen().all_within(x, count, limit); }

template <>
const Kernels<float>& kernels() {
  return *chosen().of_float;
}

template <>
const Kernels<double>& kernels() {
  return *chosen().of_double;
}

}  // namespace wengert::kernels::simd
#endif
