#include <wengert/autograd/base/cpu.h>
#include <wengert/ops/kernels/unary.h>

// As in simd.cpp.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_AVX3_DL | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "wengert/ops/kernels/unary.cpp"
#include <hwy/foreach_target.h>  // compiles all below once for each target
#include <hwy/highway.h>
// After highway.h, which it needs.
#include <wengert/ops/kernels/vector_math-inl.h>

#include <algorithm>
#include <numbers>

#ifndef WENGERT_UNARY_FUNCTIONS
#define WENGERT_UNARY_FUNCTIONS
namespace wengert::kernels::simd {
namespace {

// Those of one target.
struct Functions {
  void (*unary_of_float)(Unary, float*, const float*, int64_t, const float*);
  void (*unary_of_double)(Unary, double*, const double*, int64_t, const double*);
  void (*atan2_of_float)(float*, const float*, bool, const float*, bool, int64_t);
  void (*atan2_of_double)(double*, const double*, bool, const double*, bool, int64_t);
};

}  // namespace
}  // namespace wengert::kernels::simd
#endif

HWY_BEFORE_NAMESPACE();
namespace wengert::kernels::simd::HWY_NAMESPACE {
namespace {

// The first `count` elements of a vector, fewer than it has, with zeros behind them. They are read and written in a
// half, a quarter and so on of a vector, as simd.cpp's runs are.
template <class D, class T>
HWY_INLINE hn::Vec<D> load_first([[maybe_unused]] D d, [[maybe_unused]] const T* from, [[maybe_unused]] int64_t count) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (hn::MaxLanes(D()) > 1) {
    const hn::Half<D> half;
    const auto lanes = static_cast<int64_t>(hn::Lanes(half));
    if (count < lanes) return hn::ZeroExtendVector(d, load_first(half, from, count));
    return hn::Combine(d, load_first(half, from + lanes, count - lanes), hn::LoadU(half, from));
  }
#endif
  return hn::Zero(d);
}
template <class D, class T>
HWY_INLINE void store_first([[maybe_unused]] D d, [[maybe_unused]] hn::Vec<D> v, [[maybe_unused]] T* to,
                            [[maybe_unused]] int64_t count) {
#if HWY_TARGET != HWY_SCALAR
  if constexpr (hn::MaxLanes(D()) > 1) {
    const hn::Half<D> half;
    const auto lanes = static_cast<int64_t>(hn::Lanes(half));
    if (count < lanes) return store_first(half, hn::LowerHalf(half, v), to, count);
    hn::StoreU(hn::LowerHalf(half, v), half, to);
    store_first(half, hn::UpperHalf(half, v), to + lanes, count - lanes);
  }
#endif
}

// What is left over after whole vectors is filled up to one: an element has the same bits wherever it stands.
template <class T, class F>
HWY_INLINE void map(T* out, const T* x, int64_t count, const F& f) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) hn::StoreU(f(d, hn::LoadU(d, x + i)), d, out + i);
  if (i < count) store_first(d, f(d, load_first(d, x + i, count - i)), out + i, count - i);
}

// The same in doubles.
template <class F>
HWY_INLINE void map_in_doubles(double* out, const double* x, int64_t count, const F& f) {
  map(out, x, count, f);
}
template <class F>
HWY_INLINE void map_in_doubles(float* out, const float* x, int64_t count, const F& f) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<float, decltype(d)> of_float;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto step = [&](const float* from, float* to) HWY_ATTR {
    hn::StoreU(hn::DemoteTo(of_float, f(d, hn::PromoteTo(d, hn::LoadU(of_float, from)))), of_float, to);
  };
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes) step(x + i, out + i);
  if (i == count) return;
  HWY_ALIGN float last[hn::MaxLanes(hn::ScalableTag<float>())] = {};
  std::copy(x + i, x + count, last);
  step(last, last);
  std::copy(last, last + (count - i), out + i);
}

// Of two operands, each a run or one number.
template <class T, class F>
HWY_INLINE void map_two(T* out, const T* a, bool a_moves, const T* b, bool b_moves, int64_t count, const F& f) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  HWY_ALIGN T of_a[hn::MaxLanes(hn::ScalableTag<T>())], of_b[hn::MaxLanes(hn::ScalableTag<T>())];
  const auto operand = [&](const T* from, bool moves, int64_t i, T* last) HWY_ATTR {
    if (!moves) return hn::Set(d, *from);
    if (i + lanes <= count) return hn::LoadU(d, from + i);
    std::fill(std::copy(from + i, from + count, last), last + lanes, T(0));
    return hn::Load(d, last);
  };
  for (int64_t i = 0; i < count; i += lanes) {
    const auto y = f(d, operand(a, a_moves, i, of_a), operand(b, b_moves, i, of_b));
    if (i + lanes <= count) {
      hn::StoreU(y, d, out + i);
    } else {
      hn::Store(y, d, of_a);
      std::copy(of_a, of_a + (count - i), out + i);
    }
  }
}

template <class T>
void atan2_on(T* out, const T* a, bool a_moves, const T* b, bool b_moves, int64_t count) {
  map_two(out, a, a_moves, b, b_moves, count, [](auto d, auto y, auto x) HWY_ATTR { return atan2_of(d, y, x); });
}

template <class D, class V>
HWY_INLINE V log_sigmoid_of(D d, V x) {
  const V small = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), x, hn::Zero(d));
  return keep_nan(x, hn::Sub(small, log1p_of(d, exp_of(d, hn::Neg(hn::Abs(x))))));
}

template <class D, class V>
HWY_INLINE V silu_of(D d, V x) {
  return hn::Div(x, hn::Add(number(d, 1), exp_of(d, hn::Neg(x))));
}

template <class D, class V>
HWY_INLINE V gelu_of(D d, V x) {
  const V distribution = hn::Add(number(d, 1), erf_of(d, hn::Mul(x, number(d, std::numbers::sqrt2 / 2))));
  return hn::Mul(hn::Mul(x, distribution), number(d, 0.5));
}

template <class D, class V>
HWY_INLINE V gelu_tanh_of(D d, V x) {
  const V cube = hn::Mul(hn::Mul(hn::Mul(number(d, 0.044715), x), x), x);
  const V u = hn::Mul(number(d, 0.79788456080286535588), hn::Add(x, cube));  // sqrt(2/pi)
  return hn::Mul(hn::Mul(x, hn::Add(number(d, 1), tanh_of(d, u))), number(d, 0.5));
}

template <class T>
void unary_on(Unary op, T* out, const T* x, int64_t count, const T* parameters) {
#define WENGERT_UNARY(name, function) \
  case Unary::name: return map(out, x, count, [](auto d, auto v) HWY_ATTR { return function(d, v); })
  switch (op) {
    case Unary::kSquare: return map(out, x, count, [](auto, auto v) HWY_ATTR { return hn::Mul(v, v); });
    case Unary::kNegate: return map(out, x, count, [](auto, auto v) HWY_ATTR { return hn::Neg(v); });
    case Unary::kSqrt: return map(out, x, count, [](auto, auto v) HWY_ATTR { return hn::Sqrt(v); });
    case Unary::kRelu:  // NaN stays
      return map(out, x, count,
                 [](auto d, auto v) HWY_ATTR { return hn::IfThenElse(hn::Lt(v, hn::Zero(d)), hn::Zero(d), v); });
      WENGERT_UNARY(kExp, exp_of);
      WENGERT_UNARY(kExpm1, expm1_of);
      WENGERT_UNARY(kLog, log_of);
      WENGERT_UNARY(kLog1p, log1p_of);
      WENGERT_UNARY(kLog2, log2_of);
      WENGERT_UNARY(kLog10, log10_of);
      WENGERT_UNARY(kSin, sin_of);
      WENGERT_UNARY(kCos, cos_of);
      WENGERT_UNARY(kTan, tan_of);
      WENGERT_UNARY(kAsin, asin_of);
      WENGERT_UNARY(kAcos, acos_of);
      WENGERT_UNARY(kAtan, atan_of);
      WENGERT_UNARY(kSinh, sinh_of);
      WENGERT_UNARY(kCosh, cosh_of);
      WENGERT_UNARY(kTanh, tanh_of);
      WENGERT_UNARY(kErf, erf_of);
      WENGERT_UNARY(kErfc, erfc_of);
      WENGERT_UNARY(kSigmoid, sigmoid_of);
      WENGERT_UNARY(kLogSigmoid, log_sigmoid_of);
      WENGERT_UNARY(kSilu, silu_of);
      WENGERT_UNARY(kGelu, gelu_of);
      WENGERT_UNARY(kGeluTanh, gelu_tanh_of);
    case Unary::kSoftplus: {
      const T beta = parameters[0], threshold = parameters[1];
      return map(out, x, count, [beta, threshold](auto d, auto v) HWY_ATTR {
        const auto scaled = hn::Mul(v, hn::Set(d, beta));
        const auto y = hn::Div(log1p_of(d, exp_of(d, scaled)), hn::Set(d, beta));
        return hn::IfThenElse(hn::Gt(scaled, hn::Set(d, threshold)), v, y);
      });
    }
    case Unary::kDigamma:
      return map_in_doubles(out, x, count, [](auto d, auto v) HWY_ATTR { return digamma_of(d, v); });
    case Unary::kPolygamma: {
      const auto s = static_cast<int64_t>(parameters[0]);
      const auto factor = static_cast<double>(parameters[1]);
      return map_in_doubles(out, x, count, [s, factor](auto d, auto v) HWY_ATTR {
        return hn::Mul(hn::Set(d, factor), zeta_of(d, v, s));
      });
    }
    case Unary::kElu: {
      const T above = parameters[0], below = parameters[1], input = parameters[2];
      return map(out, x, count, [above, below, input](auto d, auto v) HWY_ATTR {
        const auto y = hn::Mul(hn::Set(d, below), expm1_of(d, hn::Mul(v, hn::Set(d, input))));
        return hn::IfThenElse(hn::Gt(v, hn::Zero(d)), hn::Mul(v, hn::Set(d, above)), y);
      });
    }
  }
#undef WENGERT_UNARY
}

}  // namespace

Functions functions() { return {unary_on<float>, unary_on<double>, atan2_on<float>, atan2_on<double>}; }

}  // namespace wengert::kernels::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace wengert::kernels::simd {
namespace {

Functions choose() {
  [[maybe_unused]] const cpu::Target target = cpu::choose_target();
#if HWY_TARGETS & HWY_AVX3
  if (target == cpu::Target::kAvx512) return N_AVX3::functions();
#endif
#if HWY_TARGETS & HWY_AVX2
  if (target <= cpu::Target::kAvx2) return N_AVX2::functions();
#endif
#if HWY_TARGETS & HWY_SSE4
  if (target <= cpu::Target::kSse4) return N_SSE4::functions();
#endif
  return HWY_STATIC_DISPATCH(functions)();
}

const Functions& chosen() {
  static const Functions once = choose();
  return once;
}

}  // namespace

template <>
void unary(Unary op, float* out, const float* x, int64_t count, const float* parameters) {
  chosen().unary_of_float(op, out, x, count, parameters);
}
template <>
void unary(Unary op, double* out, const double* x, int64_t count, const double* parameters) {
  chosen().unary_of_double(op, out, x, count, parameters);
}

template <>
void atan2(float* out, const float* a, bool a_moves, const float* b, bool b_moves, int64_t count) {
  chosen().atan2_of_float(out, a, a_moves, b, b_moves, count);
}
template <>
void atan2(double* out, const double* a, bool a_moves, const double* b, bool b_moves, int64_t count) {
  chosen().atan2_of_double(out, a, a_moves, b, b_moves, count);
}

}  // namespace wengert::kernels::simd
#endif
