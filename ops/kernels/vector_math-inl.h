// Elementary functions of SIMD vectors of float or double, for Highway's targets: included once for each. Errors are
// within an ulp of libm's worst; tests/ops/vector_math_test.cpp holds them to that over the whole range.
//
// Formulas and coefficients of log, log1p, log2, log10, sin, cos, atan, asin and acos: Sun Microsystems' fdlibm, 1993
// (doubles), and Cygnus's conversion of it (floats). Those of erf and erfc, and of sin and cos of floats: interpolation
// at Chebyshev's points in 60 digits.

#if defined(WENGERT_VECTOR_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef WENGERT_VECTOR_MATH_INL_H_
#undef WENGERT_VECTOR_MATH_INL_H_
#else
#define WENGERT_VECTOR_MATH_INL_H_
#endif

#include <hwy/highway.h>
// After highway.h, which it needs.
#include <hwy/contrib/math/math-inl.h>

#include <cmath>
#include <limits>
#include <numbers>

HWY_BEFORE_NAMESPACE();
namespace wengert::kernels::simd::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class D>
using Bits = hn::RebindToUnsigned<D>;

template <class D>
inline constexpr bool kIsDouble = sizeof(hn::TFromD<D>) == 8;

// A constant, as a float or a double.
template <class D>
HWY_INLINE hn::Vec<D> number(D d, double x) {
  return hn::Set(d, static_cast<hn::TFromD<D>>(x));
}
template <class D>
HWY_INLINE hn::Vec<D> number(D d, double of_float, double of_double) {
  return number(d, kIsDouble<D> ? of_double : of_float);
}

// c0 + c1 x + c2 x^2 + ...
template <class D, class V>
HWY_INLINE V polynomial(D d, V, double c) {
  return number(d, c);
}
template <class D, class V, class... More>
HWY_INLINE V polynomial(D d, V x, double c, More... more) {
  return hn::MulAdd(polynomial(d, x, more...), x, number(d, c));
}

// x where it is NaN, else y.
template <class V>
HWY_INLINE V keep_nan(V x, V y) {
  return hn::IfThenElse(hn::Eq(x, x), y, x);
}

// --- Powers of e -------------------------------------------------------------------------------------------------

// Highway's Exp is right up to e^104 only, and not for NaN.
template <class D, class V>
HWY_INLINE V exp_of(D d, V x) {
  const V overflow = number(d, 88.72284, 709.782712893384);
  const V infinity = number(d, std::numeric_limits<double>::infinity());
  const V y = hn::Exp(d, hn::Min(x, overflow));
  return keep_nan(x, hn::IfThenElse(hn::Gt(x, overflow), infinity, y));
}

// 2^k, for whole k that a normal number's exponent can be.
template <class D, class V>
HWY_INLINE V power_of_two(D d, V k) {
  const Bits<D> bits;
  constexpr int kMantissa = kIsDouble<D> ? 52 : 23;
  const V shifted = hn::Add(k, number(d, 0x1.8p23, 0x1.8p52));  // k stands in the last bits
  const auto biased = hn::Add(hn::BitCast(bits, shifted), hn::Set(bits, kIsDouble<D> ? 1023 : 127));
  return hn::BitCast(d, hn::ShiftLeft<kMantissa>(biased));
}

// e^x - 1 = 2^k (e^r - 1) + (2^k - 1), where x = k ln 2 + r; e^r - 1 by Taylor's series.
template <class D, class V>
HWY_INLINE V expm1_of(D d, V x) {
  const V overflow = number(d, 88.72284, 709.782712893384), least = number(d, -20, -40);
  const V limited = hn::Max(hn::Min(x, overflow), least);
  const V k = hn::Round(hn::Mul(limited, number(d, 1.44269504088896338700)));
  const V high = hn::Sub(limited, hn::Mul(k, number(d, 6.9314575195e-01, 6.93147180369123816490e-01)));
  const V low = hn::Mul(k, number(d, 1.4286067653e-06, 1.90821492927058770002e-10));
  const V r = hn::Sub(high, low);
  const V lost = hn::Sub(hn::Sub(high, r), low);
  V q;
  if constexpr (kIsDouble<D>) {
    q = polynomial(d, r, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880, 1.0 / 3628800,
                   1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200);
  } else {
    q = polynomial(d, r, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320);
  }
  const V rest = hn::MulAdd(hn::Mul(r, r), hn::MulAdd(q, r, number(d, 0.5)), lost);
  const V p = hn::Add(r, rest);
  const V half = power_of_two(d, hn::Sub(k, number(d, 1)));  // 2^(k - 1), as 2^k may be too large
  const V sum = hn::MulAdd(p, half, hn::Sub(half, number(d, 0.5)));
  const V y = hn::IfThenElse(hn::Eq(k, hn::Zero(d)), p, hn::Add(sum, sum));
  const V infinity = number(d, std::numeric_limits<double>::infinity());
  return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, keep_nan(x, hn::IfThenElse(hn::Gt(x, overflow), infinity, y)));
}

// With t = e^|x| - 1:  sinh |x| = (2 t - t^2 / (t + 1)) / 2 = (t + t / (t + 1)) / 2.
template <class D, class V>
HWY_INLINE V sinh_of(D d, V x) {
  const V size = hn::Abs(x), one = number(d, 1), half = number(d, 0.5);
  const V t = expm1_of(d, size);
  const V quotient = hn::Div(t, hn::Add(t, one));
  const V small = hn::NegMulAdd(t, quotient, hn::Add(t, t));
  V y = hn::Mul(half, hn::IfThenElse(hn::Lt(size, one), small, hn::Add(t, quotient)));
  const auto large = hn::Gt(size, number(d, 80, 700));
  if (HWY_UNLIKELY(!hn::AllFalse(d, large))) {
    const V root = exp_of(d, hn::Mul(half, size));
    y = hn::IfThenElse(large, hn::Mul(hn::Mul(half, root), root), y);
  }
  return keep_nan(x, hn::CopySign(y, x));
}

// cosh x = 1 + t^2 / (2 (t + 1)), and where that is not small, (e + 1/e) / 2 with e = t + 1.
template <class D, class V>
HWY_INLINE V cosh_of(D d, V x) {
  const V size = hn::Abs(x), one = number(d, 1), half = number(d, 0.5);
  const V t = expm1_of(d, size), e = hn::Add(t, one);
  const V small = hn::Add(one, hn::Div(hn::Mul(t, t), hn::Add(e, e)));
  V y = hn::IfThenElse(hn::Lt(size, number(d, 0.3465736)), small, hn::MulAdd(half, e, hn::Div(half, e)));
  const auto large = hn::Gt(size, number(d, 80, 700));
  if (HWY_UNLIKELY(!hn::AllFalse(d, large))) {
    const V root = exp_of(d, hn::Mul(half, size));
    y = hn::IfThenElse(large, hn::Mul(hn::Mul(half, root), root), y);
  }
  return keep_nan(x, y);
}

template <class D, class V>
HWY_INLINE V tanh_of(D d, V x) {
  return keep_nan(x, hn::Tanh(d, x));
}

template <class D, class V>
HWY_INLINE V sigmoid_of(D d, V x) {
  const V one = number(d, 1);
  return hn::Div(one, hn::Add(one, exp_of(d, hn::Neg(x))));
}

// --- Logarithms --------------------------------------------------------------------------------------------------

// x = 2^k m with m from sqrt(1/2) to sqrt(2), for x > 0.
template <class D, class V>
HWY_INLINE void split_exponent(D d, V x, V& k, V& m) {
  const Bits<D> bits;
  using U = hn::TFromD<Bits<D>>;
  constexpr int kMantissa = kIsDouble<D> ? 52 : 23;
  constexpr U kRoot = kIsDouble<D> ? U(0x3fe6a09e667f3bcd) : U(0x3f3504f3);  // sqrt(1/2)
  constexpr U kOne = kIsDouble<D> ? U(0x3ff0000000000000) : U(0x3f800000);
  const auto denormal = hn::Lt(x, number(d, 0x1p-126, 0x1p-1022));
  const V normal = hn::IfThenElse(denormal, hn::Mul(x, number(d, 0x1p25, 0x1p54)), x);
  const auto shifted = hn::Add(hn::BitCast(bits, normal), hn::Set(bits, kOne - kRoot));
  // The exponent's bits, as a number: they stand in the last ones of 2^52.
  const V two_52 = number(d, 0x1p23, 0x1p52);
  const V biased = hn::BitCast(d, hn::Or(hn::ShiftRight<kMantissa>(shifted), hn::BitCast(bits, two_52)));
  const V bias = number(d, 0x1p23 + 127, 0x1p52 + 1023);
  k = hn::Sub(hn::Sub(biased, bias), hn::IfThenElseZero(denormal, number(d, 25, 54)));
  const auto mantissa = hn::And(shifted, hn::Set(bits, (U(1) << kMantissa) - 1));
  m = hn::BitCast(d, hn::Add(mantissa, hn::Set(bits, kRoot)));
}

// y with the values of a logarithm where x is not a positive number.
template <class D, class V>
HWY_INLINE V with_limits_of_log(D d, V x, V y) {
  const V infinity = number(d, std::numeric_limits<double>::infinity());
  const V nan = number(d, std::numeric_limits<double>::quiet_NaN());
  y = hn::IfThenElse(hn::Eq(x, infinity), x, y);
  y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity), y);
  y = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), nan, y);
  return keep_nan(x, y);
}

// ln(1 + f) = f - f^2/2 + s (f^2/2 + R(s^2)),   s = f / (2 + f): its parts s (f^2/2 + R) and f^2/2.
template <class D, class V>
HWY_INLINE void log_parts(D d, V f, V& part, V& half_square) {
  half_square = hn::Mul(number(d, 0.5), hn::Mul(f, f));
  const V s = hn::Div(f, hn::Add(number(d, 2), f));
  const V z = hn::Mul(s, s);
  V r;
  if constexpr (kIsDouble<D>) {
    r = polynomial(d, z, 6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
                   2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
                   1.479819860511658591e-01);
  } else {
    r = polynomial(d, z, 0xaaaaaap-24, 0xccce13p-25, 0x91e9eep-25, 0xf89e26p-26);
  }
  part = hn::Mul(s, hn::MulAdd(z, r, half_square));
}

template <class D, class V>
HWY_INLINE V ln2_high(D d) {
  return number(d, 6.9313812256e-01, 6.93147180369123816490e-01);
}
template <class D, class V>
HWY_INLINE V ln2_low(D d) {
  return number(d, 9.0580006145e-06, 1.90821492927058770002e-10);
}

template <class D, class V>
HWY_INLINE V log_of(D d, V x) {
  V k, m, part, half_square;
  split_exponent(d, x, k, m);
  const V f = hn::Sub(m, number(d, 1));
  log_parts(d, f, part, half_square);
  const V low = hn::Sub(hn::MulAdd(k, ln2_low<D, V>(d), part), half_square);
  return with_limits_of_log(d, x, hn::MulAdd(k, ln2_high<D, V>(d), hn::Add(low, f)));
}

// Of u = 1 + x, with what the sum has lost.
template <class D, class V>
HWY_INLINE V log1p_of(D d, V x) {
  const V one = number(d, 1), u = hn::Add(one, x);
  V k, m, part, half_square;
  split_exponent(d, u, k, m);
  const auto near_one = hn::Eq(k, hn::Zero(d));
  const V lost = hn::IfThenElse(hn::Gt(x, one), hn::Sub(one, hn::Sub(u, x)), hn::Sub(x, hn::Sub(u, one)));
  const V correction = hn::IfThenZeroElse(near_one, hn::Div(lost, u));
  const V f = hn::IfThenElse(near_one, x, hn::Sub(m, one));
  log_parts(d, f, part, half_square);
  const V low = hn::Sub(hn::Add(hn::MulAdd(k, ln2_low<D, V>(d), correction), part), half_square);
  const V y = hn::MulAdd(k, ln2_high<D, V>(d), hn::Add(low, f));
  return hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, with_limits_of_log(d, u, y));
}

// A number with its last bits cleared: the product of two such is exact.
template <class D, class V>
HWY_INLINE V with_few_bits(D d, V x) {
  const Bits<D> bits;
  using U = hn::TFromD<Bits<D>>;
  const U kept = kIsDouble<D> ? U(0xffffffff00000000) : U(0xfffff000);
  return hn::BitCast(d, hn::And(hn::BitCast(bits, x), hn::Set(bits, kept)));
}

// k log_b 2 + ln(m) / ln b, where 1 / ln b = high + low, and log_b 2 = k_high + k_low.
template <class D, class V>
HWY_INLINE V log_to_base(D d, V x, V high, V low, V k_high, V k_low) {
  V k, m, part, half_square;
  split_exponent(d, x, k, m);
  const V f = hn::Sub(m, number(d, 1));
  log_parts(d, f, part, half_square);
  const V of_high = with_few_bits(d, hn::Sub(f, half_square));
  const V of_low = hn::Add(hn::Sub(hn::Sub(f, of_high), half_square), part);
  const V value = hn::Mul(of_high, high);
  const V rest = hn::MulAdd(k, k_low, hn::MulAdd(hn::Add(of_low, of_high), low, hn::Mul(of_low, high)));
  const V whole = hn::Mul(k, k_high), sum = hn::Add(whole, value);
  return with_limits_of_log(d, x, hn::Add(hn::Add(rest, hn::Add(hn::Sub(whole, sum), value)), sum));
}
template <class D, class V>
HWY_INLINE V log2_of(D d, V x) {
  return log_to_base(d, x, number(d, 1.4428710938e+00, 1.44269504072144627571e+00),
                     number(d, -1.7605285393e-04, 1.67517131648865118353e-10), number(d, 1), hn::Zero(d));
}
template <class D, class V>
HWY_INLINE V log10_of(D d, V x) {
  return log_to_base(d, x, number(d, 4.3432617188e-01, 4.34294481878168880939e-01),
                     number(d, -3.1689971365e-05, 2.50829467116452752298e-11),
                     number(d, 3.0102920532e-01, 3.01029995663611771306e-01),
                     number(d, 7.9034151668e-07, 3.69423907715893078616e-13));
}

// --- Circular functions --------------------------------------------------------------------------------------------

// x = n pi/2 + r + low, for |x| up to this: pi/2 is taken in parts whose product with n is exact.
template <class D>
inline constexpr double kLargestAngle = kIsDouble<D> ? 0x1p20 : 0x1p12;

// The sum a - b, and what it lost added to `lost`.
template <class V>
HWY_INLINE V subtract_exactly(V a, V b, V& lost) {
  const V sum = hn::Sub(a, b), back = hn::Sub(sum, a);
  lost = hn::Add(lost, hn::Sub(hn::Sub(a, hn::Sub(sum, back)), hn::Add(b, back)));
  return sum;
}

template <class D, class V>
HWY_INLINE void reduce_angle(D d, V x, V& n, V& r, V& low) {
  n = hn::Round(hn::Mul(x, number(d, 6.36619772367581382433e-01)));
  const V first = hn::Sub(x, hn::Mul(n, number(d, 0x1.92p+0, 1.57079632673412561417e+00)));
  V lost = hn::Zero(d);
  const V second = subtract_exactly(first, hn::Mul(n, number(d, 0x1.fb4p-12, 6.07710050630396597660e-11)), lost);
  const V third = subtract_exactly(second, hn::Mul(n, number(d, 0x1.444p-24, 2.02226624871116645580e-21)), lost);
  lost = hn::NegMulAdd(n, number(d, 0x1.68c234c4cp-39, 8.47842766036889956997e-32), lost);
  r = hn::Add(third, lost);
  low = hn::Add(hn::Sub(third, r), lost);
}

// sin(r + low) for |r| up to pi/4: r, and what is to be added to it.
template <class D, class V>
HWY_INLINE V rest_of_sin(D d, V r, V low) {
  const V z = hn::Mul(r, r), cube = hn::Mul(z, r);
  V s, first;
  if constexpr (kIsDouble<D>) {
    s = polynomial(d, z, 8.33333333332248946124e-03, -1.98412698298579493134e-04, 2.75573137070700676789e-06,
                   -2.50507602534068634195e-08, 1.58969099521155010221e-10);
    first = number(d, -1.66666666666666324348e-01);
  } else {
    s = polynomial(d, z, 0.008332736559, -0.000195853732);
    first = number(d, -0.166666646);
  }
  // -((z (low/2 - cube s) - low) - cube first)
  const V inner = hn::NegMulAdd(cube, s, hn::Mul(number(d, 0.5), low));
  return hn::MulAdd(cube, first, hn::NegMulAdd(z, inner, low));
}

// cos(r + low): `high`, and what is to be added to it.
template <class D, class V>
HWY_INLINE V rest_of_cos(D d, V r, V low, V& high) {
  const V z = hn::Mul(r, r), half = hn::Mul(number(d, 0.5), z), one = number(d, 1);
  V c;
  if constexpr (kIsDouble<D>) {
    c = polynomial(d, z, 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05,
                   -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11);
  } else {
    c = polynomial(d, z, 0.0416666646, -0.00138882913, 2.454541867e-5);
  }
  high = hn::Sub(one, half);
  const V lost = hn::Sub(hn::Sub(one, high), half);
  return hn::Add(lost, hn::NegMulAdd(r, low, hn::Mul(z, hn::Mul(z, c))));
}

// Whether n is odd, and whether n / 2, rounded down, is.
template <class D, class V>
HWY_INLINE auto last_bits(D d, V n) {
  const Bits<D> bits;
  return hn::BitCast(bits, hn::Add(n, number(d, 0x1.8p23, 0x1.8p52)));
}
template <class D, class B>
HWY_INLINE auto has_bit(D d, B bits_of_n, int bit) {
  const Bits<D> bits;
  using U = hn::TFromD<Bits<D>>;
  const auto mask = hn::Set(bits, U(1) << bit);
  return hn::RebindMask(d, hn::Eq(hn::And(bits_of_n, mask), mask));
}

// The elements of y where x is too large an angle, or none, by libm.
template <class D, class V, class F>
HWY_INLINE V with_large_angles(D d, V x, V y, const F& of_libm) {
  const auto small = hn::Le(hn::Abs(x), number(d, kLargestAngle<D>));
  if (HWY_LIKELY(hn::AllTrue(d, small))) return y;
  using T = hn::TFromD<D>;
  HWY_ALIGN T angles[hn::MaxLanes(D())], values[hn::MaxLanes(D())];
  hn::Store(x, d, angles);
  hn::Store(y, d, values);
  for (size_t i = 0; i < hn::Lanes(d); ++i) {
    if (!(std::abs(angles[i]) <= static_cast<T>(kLargestAngle<D>))) values[i] = of_libm(angles[i]);
  }
  return hn::Load(d, values);
}

// sin(x + quarters pi/2).
template <int quarters, class D, class V>
HWY_INLINE V sin_or_cos(D d, V x) {
  V n, r, low, cos_high;
  reduce_angle(d, x, n, r, low);
  const V cos_rest = rest_of_cos(d, r, low, cos_high), sin_rest = rest_of_sin(d, r, low);
  const auto bits = hn::Add(last_bits(d, n), hn::Set(Bits<D>(), quarters));
  const V y = hn::IfThenElse(has_bit(d, bits, 0), hn::Add(cos_high, cos_rest), hn::Add(r, sin_rest));
  return hn::IfThenElse(has_bit(d, bits, 1), hn::Neg(y), y);
}
template <class D, class V>
HWY_INLINE V sin_of(D d, V x) {
  const V y = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, sin_or_cos<0>(d, x));
  return with_large_angles(d, x, y, [](auto v) { return std::sin(v); });
}
template <class D, class V>
HWY_INLINE V cos_of(D d, V x) {
  return with_large_angles(d, x, sin_or_cos<1>(d, x), [](auto v) { return std::cos(v); });
}

// a b - p, where p is a b, rounded.
template <class D, class V>
HWY_INLINE V lost_in_product(D d, V a, V b, V p) {
#if HWY_NATIVE_FMA
  (void)d;
  return hn::MulSub(a, b, p);
#else
  const V split = number(d, 4097, 134217729);
  const auto halves = [&](V x, V& high, V& low) HWY_ATTR {
    const V c = hn::Mul(split, x);
    high = hn::Sub(c, hn::Sub(c, x));
    low = hn::Sub(x, high);
  };
  V a_high, a_low, b_high, b_low;
  halves(a, a_high, a_low);
  halves(b, b_high, b_low);
  const V first = hn::Sub(hn::Mul(a_high, b_high), p);
  return hn::Add(hn::Add(hn::Add(first, hn::Mul(a_high, b_low)), hn::Mul(a_low, b_high)), hn::Mul(a_low, b_low));
#endif
}

// sin / cos, or -cos / sin, each with what its sum has lost.
template <class D, class V>
HWY_INLINE V tan_of(D d, V x) {
  V n, r, low, cos_first;
  reduce_angle(d, x, n, r, low);
  const V cos_rest = rest_of_cos(d, r, low, cos_first), sin_rest = rest_of_sin(d, r, low);
  const V sin_high = hn::Add(r, sin_rest), sin_low = hn::Sub(sin_rest, hn::Sub(sin_high, r));
  const V cos_high = hn::Add(cos_first, cos_rest), cos_low = hn::Sub(cos_rest, hn::Sub(cos_high, cos_first));
  const auto odd = has_bit(d, last_bits(d, n), 0);
  const V above = hn::IfThenElse(odd, hn::Neg(cos_high), sin_high);
  const V above_low = hn::IfThenElse(odd, hn::Neg(cos_low), sin_low);
  const V below = hn::IfThenElse(odd, sin_high, cos_high), below_low = hn::IfThenElse(odd, sin_low, cos_low);
  const V q = hn::Div(above, below), p = hn::Mul(q, below);
  const V rest =
      hn::Add(hn::Sub(hn::Sub(above, p), lost_in_product(d, q, below, p)), hn::NegMulAdd(q, below_low, above_low));
  const V y = hn::Add(q, hn::Div(rest, below));
  return with_large_angles(d, x, hn::IfThenElse(hn::Eq(x, hn::Zero(d)), x, y), [](auto v) { return std::tan(v); });
}

// --- Their inverses ------------------------------------------------------------------------------------------------

// (arcsin x - x) / x, of z = x^2, |x| up to 1/2.
template <class D, class V>
HWY_INLINE V rest_of_asin(D d, V z) {
  const V one = number(d, 1);
  if constexpr (kIsDouble<D>) {
    const V p = polynomial(d, z, 1.66666666666666657415e-01, -3.25565818622400915405e-01, 2.01212532134862925881e-01,
                           -4.00555345006794114027e-02, 7.91534994289814532176e-04, 3.47933107596021167570e-05);
    const V q = polynomial(d, z, 1.0, -2.40339491173441421878e+00, 2.02094576023350569471e+00,
                           -6.88283971605453293030e-01, 7.70381505559019352791e-02);
    return hn::Div(hn::Mul(z, p), q);
  } else {
    const V p = polynomial(d, z, 1.6666586697e-01, -4.2743422091e-02, -8.6563630030e-03);
    return hn::Div(hn::Mul(z, p), hn::MulAdd(z, number(d, -7.0662963390e-01), one));
  }
}

template <class D, class V>
HWY_INLINE V half_pi_high(D d) {
  return number(d, 1.5707962513e+00, 1.57079632679489655800e+00);
}
template <class D, class V>
HWY_INLINE V half_pi_low(D d) {
  return number(d, 7.5497894159e-08, 6.12323399573676603587e-17);
}

// arcsin x = pi/2 - 2 arcsin(sqrt((1 - x) / 2)) from 1/2.
template <class D, class V>
HWY_INLINE V asin_of(D d, V x) {
  const V size = hn::Abs(x), one = number(d, 1), half = number(d, 0.5);
  const auto small = hn::Lt(size, half);
  const V z = hn::IfThenElse(small, hn::Mul(x, x), hn::Mul(half, hn::Sub(one, size)));
  const V rest = rest_of_asin(d, z);
  const V near_zero = hn::MulAdd(size, rest, size);
  const V s = hn::Sqrt(z), f = with_few_bits(d, s);
  const V c = hn::Div(hn::NegMulAdd(f, f, z), hn::Add(s, f));
  const V quarter = hn::Mul(half, half_pi_high<D, V>(d));
  const V p = hn::Sub(hn::Mul(hn::Add(s, s), rest), hn::Sub(half_pi_low<D, V>(d), hn::Add(c, c)));
  const V near_one = hn::Sub(quarter, hn::Sub(p, hn::Sub(quarter, hn::Add(f, f))));
  const V at_one = hn::Add(half_pi_high<D, V>(d), half_pi_low<D, V>(d));
  const V y = hn::IfThenElse(small, near_zero, hn::IfThenElse(hn::Eq(size, one), at_one, near_one));
  return keep_nan(x, hn::CopySign(y, x));
}

template <class D, class V>
HWY_INLINE V acos_of(D d, V x) {
  const V size = hn::Abs(x), one = number(d, 1), half = number(d, 0.5);
  const auto small = hn::Lt(size, half);
  const V z = hn::IfThenElse(small, hn::Mul(x, x), hn::Mul(half, hn::Sub(one, size)));
  const V rest = rest_of_asin(d, z);
  const V pi_high = half_pi_high<D, V>(d), pi_low = half_pi_low<D, V>(d);
  const V near_zero = hn::Sub(pi_high, hn::Sub(x, hn::NegMulAdd(x, rest, pi_low)));
  const V s = hn::Sqrt(z), f = with_few_bits(d, s);
  const V lost = hn::Div(hn::NegMulAdd(f, f, z), hn::Add(s, f));
  const V c = hn::IfThenElse(hn::Eq(s, hn::Zero(d)), hn::Zero(d), lost);
  const V above = hn::Add(f, hn::MulAdd(rest, s, c));
  const V below = hn::Sub(pi_high, hn::Add(s, hn::MulSub(rest, s, pi_low)));
  const V far = hn::IfThenElse(hn::Lt(x, hn::Zero(d)), below, above);
  return keep_nan(x, hn::IfThenElse(small, near_zero, hn::Add(far, far)));
}

// arctan(y / x) = arctan c + arctan((y - c x) / (x + c y)), for c = 0, 1/2, 1, 3/2 and infinity; y and x at least 0.
// The value is high - low.
template <class D, class V>
HWY_INLINE void atan_of_quotient(D d, V y, V x, V& high, V& low) {
  V above = y, below = x, arctan_low = hn::Zero(d);
  high = hn::Zero(d);
  const auto from = [&](double least, V n, V m, V arctan, V rest_of_arctan) HWY_ATTR {
    const auto holds = hn::Ge(y, hn::Mul(number(d, least), x));
    above = hn::IfThenElse(holds, n, above);
    below = hn::IfThenElse(holds, m, below);
    high = hn::IfThenElse(holds, arctan, high);
    arctan_low = hn::IfThenElse(holds, rest_of_arctan, arctan_low);
  };
  from(7.0 / 16, hn::Sub(hn::Add(y, y), x), hn::Add(hn::Add(x, x), y),
       number(d, 4.6364760399e-01, 4.63647609000806093515e-01),
       number(d, 5.0121582440e-09, 2.26987774529616870924e-17));
  from(11.0 / 16, hn::Sub(y, x), hn::Add(y, x), number(d, 7.8539812565e-01, 7.85398163397448278999e-01),
       number(d, 3.7748947079e-08, 3.06161699786838301793e-17));
  const V more = number(d, 1.5);
  from(19.0 / 16, hn::NegMulAdd(more, x, y), hn::MulAdd(more, y, x),
       number(d, 9.8279368877e-01, 9.82793723247329054082e-01),
       number(d, 3.4473217170e-08, 1.39033110312309984516e-17));
  from(39.0 / 16, hn::Neg(x), y, half_pi_high<D, V>(d), half_pi_low<D, V>(d));
  const V t = hn::Div(above, below), z = hn::Mul(t, t);
  V s;
  if constexpr (kIsDouble<D>) {
    s = polynomial(d, z, 3.33333333333329318027e-01, -1.99999999998764832476e-01, 1.42857142725034663711e-01,
                   -1.11111104054623557880e-01, 9.09088713343650656196e-02, -7.69187620504482999495e-02,
                   6.66107313738753120669e-02, -5.83357013379057348645e-02, 4.97687799461593236017e-02,
                   -3.65315727442169155270e-02, 1.62858201153657823623e-02);
  } else {
    s = polynomial(d, z, 3.3333328366e-01, -1.9999158382e-01, 1.4253635705e-01, -1.0648017377e-01, 6.1687607318e-02);
  }
  low = hn::Sub(hn::Sub(hn::Mul(t, hn::Mul(z, s)), arctan_low), t);
}

template <class D, class V>
HWY_INLINE V atan_of(D d, V x) {
  V high, low;
  atan_of_quotient(d, hn::Abs(x), number(d, 1), high, low);
  return keep_nan(x, hn::CopySign(hn::Sub(high, low), x));
}

// The angle of (x, y), from -pi to pi; on the left of x = 0 it is pi - arctan(y / |x|).
template <class D, class V>
HWY_INLINE V atan2_of(D d, V y, V x) {
  const V one = number(d, 1), infinity = number(d, std::numeric_limits<double>::infinity());
  V up = hn::Abs(y), along = hn::Abs(x);
  const V larger = hn::Max(up, along);
  // Neither sums nor products are to be too large or too small for a number.
  const auto large = hn::Gt(larger, number(d, 0x1p100, 0x1p1000)), small = hn::Lt(larger, number(d, 0x1p-60, 0x1p-900));
  const V scale =
      hn::IfThenElse(large, number(d, 0x1p-60, 0x1p-200), hn::IfThenElse(small, number(d, 0x1p80, 0x1p160), one));
  up = hn::Mul(up, scale), along = hn::Mul(along, scale);
  const auto both_infinite = hn::And(hn::Eq(up, infinity), hn::Eq(along, infinity));
  up = hn::IfThenElse(both_infinite, one, up);
  along = hn::IfThenElse(hn::Or(both_infinite, hn::Eq(larger, hn::Zero(d))), one, along);
  V high, low;
  atan_of_quotient(d, up, along, high, low);
  const auto left = hn::Lt(hn::CopySign(one, x), hn::Zero(d));
  const V pi_high = hn::Add(half_pi_high<D, V>(d), half_pi_high<D, V>(d));
  const V pi_low = hn::Add(half_pi_low<D, V>(d), half_pi_low<D, V>(d));
  // pi_high - high is exact, or as good.
  const V angle = hn::IfThenElse(left, hn::Add(hn::Sub(pi_high, high), hn::Add(low, pi_low)), hn::Sub(high, low));
  return hn::IfThenElse(hn::Eq(x, x), keep_nan(y, hn::CopySign(angle, y)), x);
}

// --- The error function ----------------------------------------------------------------------------------------------

// erf(x) / x - 1 of z = x^2, |x| up to 1.
template <class D, class V>
HWY_INLINE V rest_of_erf(D d, V z) {
  if constexpr (kIsDouble<D>) {
    return polynomial(d, z, 0.128379167095512574, -0.376126389031837481, 0.112837916709548787, -0.0268661706450767932,
                      0.00522397762481801447, -0.00085483269808337899, 0.000120553311116427109,
                      -0.000014925595266831181, 1.64610004841213602e-6, -1.63503127010546184e-7, 1.46597752740469545e-8,
                      -1.13728488567899247e-9, 5.95717614774611496e-11);
  } else {
    return polynomial(d, z, 0.1283791658, -0.3761262667, 0.1128359472, -0.02685421201, 0.005189087423, -0.0008016864287,
                      7.875875063e-5);
  }
}

// erfc(x) for x from 1:  e^(-x^2) P(t) / x,   t = (x - c) / (x + c).
template <class D, class V>
HWY_INLINE V erfc_beyond_one(D d, V size) {
  const V x = hn::Min(size, number(d, 10.5, 28)), c = number(d, 2, 3);
  const V t = hn::Div(hn::Sub(x, c), hn::Add(x, c));
  V p;
  if constexpr (kIsDouble<D>) {
    p = polynomial(d, t, 0.537003453544169853, 0.0953062269592280298, -0.146583048032891827, 0.139880547601768067,
                   -0.0954697503065534408, 0.0463502633313555794, -0.0140198256288488143, 0.000910822689070511443,
                   0.00124287620793463685, -0.000412543819767228755, -0.0000846087061775014081,
                   0.0000689805084973219279, 6.46676954326583668e-6, -0.0000111150739579678276, -1.00075012778589359e-6,
                   1.90413360036320175e-6, 3.03925100019610908e-7, -3.69330776971723513e-7, -7.54255038587918247e-8,
                   9.026770815615771e-8, -1.53120122149507227e-8);
  } else {
    p = polynomial(d, t, 0.5107913526, 0.1672110049, -0.203844262, 0.1215152456, -0.0289786744, -0.007518779982,
                   0.004821700257, 0.001099366254, -0.000918363481);
  }
  const V square = hn::Mul(x, x), lost = lost_in_product(d, x, x, square);
  return hn::Div(hn::Mul(hn::Exp(d, hn::Neg(square)), hn::NegMulAdd(lost, p, p)), x);
}

template <class D, class V>
HWY_INLINE V erf_of(D d, V x) {
  const V size = hn::Abs(x), one = number(d, 1);
  const auto small = hn::Lt(size, one);
  V y = hn::MulAdd(size, rest_of_erf(d, hn::Mul(x, x)), size);
  if (!hn::AllTrue(d, small)) y = hn::IfThenElse(small, y, hn::Sub(one, erfc_beyond_one(d, size)));
  return keep_nan(x, hn::CopySign(y, x));
}

template <class D, class V>
HWY_INLINE V erfc_of(D d, V x) {
  const V size = hn::Abs(x), one = number(d, 1);
  const auto small = hn::Lt(size, one);
  const V rest = hn::Mul(x, rest_of_erf(d, hn::Mul(x, x)));
  // Near 1 what is taken off is nearly all: half is taken off first.
  const V half = number(d, 0.5);
  V y = hn::IfThenElse(hn::Lt(x, number(d, 0.25)), hn::Sub(one, hn::Add(x, rest)),
                       hn::Sub(half, hn::Add(hn::Sub(x, half), rest)));
  if (!hn::AllTrue(d, small)) {
    const V far = erfc_beyond_one(d, hn::Max(size, one));
    y = hn::IfThenElse(small, y, hn::IfThenElse(hn::Lt(x, hn::Zero(d)), hn::Sub(number(d, 2), far), far));
  }
  return keep_nan(x, y);
}

// --- The gamma function's family, of doubles
// ---------------------------------------------------------------------------

// Where x is 0, -1, -2, ...
template <class D, class V>
HWY_INLINE auto is_pole(D d, V x) {
  return hn::And(hn::Le(x, hn::Zero(d)), hn::Eq(x, hn::Floor(x)));
}

// psi(x) = d/dx ln Gamma(x). Below 0 by reflection, psi(1 - x) - psi(x) = pi / tan(pi x); below 10 by recurrence,
// psi(x) = psi(x + 10) - sum_{k<10} 1 / (x + k), the sum as one quotient; else by the asymptotic series
// ln x - 1/(2x) - sum_k B_2k / (2k x^2k)   (Abramowitz and Stegun, 6.3.5, 6.3.7, 6.3.18).
template <class D, class V>
HWY_INLINE V digamma_of(D d, V x) {
  const V one = number(d, 1), zero = hn::Zero(d);
  const auto negative = hn::Lt(x, zero);
  const V y = hn::IfThenElse(negative, hn::Sub(one, x), x);
  const auto small = hn::Lt(y, number(d, 10));
  V above = one, below = y;
  for (int k = 1; k < 10; ++k) {
    const V next = hn::Add(y, number(d, k));
    above = hn::MulAdd(above, next, below);
    below = hn::Mul(below, next);
  }
  const V large = hn::IfThenElse(small, hn::Add(y, number(d, 10)), y), inverse = hn::Div(one, large);
  const V z = hn::Mul(inverse, inverse);
  // B_2k / 2k for k = 1 to 7.
  const V series =
      hn::Mul(z, polynomial(d, z, 1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12));
  V value = hn::Sub(hn::Sub(log_of(d, large), hn::Mul(number(d, 0.5), inverse)), series);
  value = hn::Sub(value, hn::IfThenElseZero(small, hn::Div(above, below)));
  if (HWY_UNLIKELY(!hn::AllFalse(d, negative))) {
    const V pi = number(d, std::numbers::pi), fraction = hn::Sub(x, hn::Trunc(x));
    const V reflected = hn::Sub(value, hn::Div(pi, tan_of(d, hn::Mul(pi, fraction))));
    const V nan = number(d, std::numeric_limits<double>::quiet_NaN());
    value = hn::IfThenElse(negative, hn::IfThenElse(is_pole(d, x), nan, reflected), value);
  }
  return keep_nan(x, value);
}

// x^s, for s = 1, 2, ...
template <class D, class V>
HWY_INLINE V whole_power(D d, V x, int64_t s) {
  V power = number(d, 1);
  for (;; x = hn::Mul(x, x)) {
    if (s % 2 != 0) power = hn::Mul(power, x);
    if ((s /= 2) == 0) return power;
  }
}

// Hurwitz's zeta function sum_{k>=0} (x + k)^-s, s = 2, 3, ..., by the Euler-Maclaurin formula: ten terms, or as many
// as it takes to pass 9, and then the integral and its corrections with Bernoulli numbers (Abramowitz and
// Stegun, 23.1.30). +inf at the poles.
template <class D, class V>
HWY_INLINE V zeta_of(D d, V x, int64_t s) {
  const V one = number(d, 1), nine = number(d, 9), order = number(d, static_cast<double>(s));
  const auto pole = is_pole(d, x);
  const auto inverse_power = [&](V a) HWY_ATTR { return hn::Div(one, whole_power(d, a, s)); };
  V a = hn::IfThenElse(pole, one, x), sum = hn::Zero(d);
  for (int k = 0; k < 10; ++k, a = hn::Add(a, one)) sum = hn::Add(sum, inverse_power(a));
  for (auto before = hn::Le(a, nine); !hn::AllFalse(d, before); before = hn::Le(a, nine)) {
    sum = hn::Add(sum, hn::IfThenElseZero(before, inverse_power(a)));
    a = hn::Add(a, hn::IfThenElseZero(before, one));
  }
  const V power = inverse_power(a), inverse = hn::Div(one, a), square = hn::Mul(inverse, inverse);
  sum = hn::Add(sum, hn::Add(hn::Div(hn::Mul(power, a), hn::Sub(order, one)), hn::Mul(power, number(d, 0.5))));
  // B_2k / (2k)! for k = 1 to 8.
  constexpr double kTerms[] = {1.0 / 12,          -1.0 / 720,
                               1.0 / 30240,       -1.0 / 1209600,
                               1.0 / 47900160,    -691.0 / 1307674368000,
                               1.0 / 74724249600, -3617.0 / 10670622842880000};
  V factor = hn::Mul(hn::Mul(order, power), inverse);
  for (int k = 0; k < 8; ++k) {
    sum = hn::MulAdd(number(d, kTerms[k]), factor, sum);
    const double n = static_cast<double>(s) + 2 * k;
    factor = hn::Mul(factor, hn::Mul(number(d, (n + 1) * (n + 2)), square));
  }
  return hn::IfThenElse(pole, number(d, std::numeric_limits<double>::infinity()), sum);
}

}  // namespace
}  // namespace wengert::kernels::simd::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
