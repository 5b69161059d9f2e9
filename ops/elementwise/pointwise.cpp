#include <wengert/ops/elementwise/functions.h>

#include <cmath>

// Functions of one tensor made of arithmetic and rounding. Each is one statement: its name in the graph, the
// function, and the VJP, for G = dL/dy.

namespace wengert {
namespace ops {
namespace {

// y = -x.   VJP:   dx = -G.
constexpr auto kNeg = from_nothing<Domain::kNumber>("NegBackward0", with_simd<Simd::kNegate>([](auto x) { return -x; }),
                                                    [](const Tensor& g) { return -g; });

void check_not_bool(const Tensor& x) {
  check(x.dtype() != kBool,
        "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the "
        "`~` or `logical_not()` operator instead.");
}

// y = |x|.   VJP:   dx = G sign(x).
constexpr auto kAbs = from_input<Domain::kNumber>(
    "AbsBackward0", [](auto x) { return std::abs(x); }, [](const Tensor& g, const Tensor& x) { return g * sign(x); });

// y = sqrt(x).   VJP:   dx = G / (2 y).
constexpr auto kSqrt =
    from_output<Domain::kReal>("SqrtBackward0", with_simd<Simd::kSqrt>([](auto x) { return std::sqrt(x); }),
                               one_pass([](const auto& g, const auto& y) { return g / (y * 2); }));

// y = 1 / sqrt(x).   VJP:   dx = -G y^3 / 2.
constexpr auto kRsqrt = from_output<Domain::kReal>(
    "RsqrtBackward0", [](auto x) { return decltype(x)(1) / std::sqrt(x); },
    one_pass([](const auto& g, const auto& y) { return g * (y * y * y) * number_for(y, -0.5); }));

// y = 1 / x.   VJP:   dx = -G y^2.
constexpr auto kReciprocal = from_output<Domain::kReal>(
    "ReciprocalBackward0", [](auto x) { return decltype(x)(1) / x; },
    one_pass([](const auto& g, const auto& y) { return -g * (y * y); }));

// Piecewise constant functions have a gradient of 0.
constexpr auto kNoGradient = [](const Tensor& g) { return zeros_like(g); };

// y = -1, 0 or 1.   VJP:   dx = 0.
constexpr auto kSign = from_nothing<Domain::kAny>(
    "SignBackward0",
    [](auto x) {
      if constexpr (std::is_same_v<decltype(x), bool>) {
        return x;
      } else {
        return static_cast<decltype(x)>(static_cast<decltype(x)>(x > 0) - static_cast<decltype(x)>(x < 0));
      }
    },
    kNoGradient);

// y = x, rounded; whole numbers stay as they are.   VJP:   dx = 0.
template <auto round>
constexpr auto rounding(const char* name) {
  return from_nothing<Domain::kNumber>(
      name,
      [](auto x) {
        if constexpr (std::is_floating_point_v<decltype(x)>) {
          return round(x);
        } else {
          return x;
        }
      },
      kNoGradient);
}
constexpr auto kFloor = rounding<[](auto x) { return std::floor(x); }>("FloorBackward0");
constexpr auto kCeil = rounding<[](auto x) { return std::ceil(x); }>("CeilBackward0");
constexpr auto kTrunc = rounding<[](auto x) { return std::trunc(x); }>("TruncBackward0");
// Halves go to the even neighbour.
constexpr auto kRound = rounding<[](auto x) { return std::nearbyint(x); }>("RoundBackward0");

// y = x - trunc(x).   VJP:   dx = G.
constexpr auto kFrac = from_nothing<Domain::kFloating>(
    "FracBackward0", [](auto x) { return x - std::trunc(x); }, [](const Tensor& g) { return g; });

}  // namespace
}  // namespace ops

using namespace ops;

Tensor neg(const Tensor& x) {
  check_not_bool(x);
  return unary(kNeg, x);
}
Tensor& neg_out(Tensor& out, const Tensor& x) {
  check_not_bool(x);
  return unary_out("neg", kNeg, out, x);
}
Tensor abs(const Tensor& x) { return unary(kAbs, x); }
Tensor sign(const Tensor& x) { return unary(kSign, x); }
Tensor square(const Tensor& x) { return pow(x, 2); }
Tensor sqrt(const Tensor& x) { return unary(kSqrt, x); }
Tensor rsqrt(const Tensor& x) { return unary(kRsqrt, x); }
Tensor reciprocal(const Tensor& x) { return unary(kReciprocal, x); }
Tensor floor(const Tensor& x) { return unary(kFloor, x); }
Tensor ceil(const Tensor& x) { return unary(kCeil, x); }
Tensor trunc(const Tensor& x) { return unary(kTrunc, x); }
Tensor round(const Tensor& x) { return unary(kRound, x); }
Tensor frac(const Tensor& x) { return unary(kFrac, x); }

Tensor& Tensor::neg_() const { return unary_in_place(kNeg, *this); }
Tensor& Tensor::abs_() const { return unary_in_place(kAbs, *this); }
Tensor& Tensor::sign_() const { return unary_in_place(kSign, *this); }
Tensor& Tensor::square_() const { return pow_(2); }
Tensor& Tensor::sqrt_() const { return unary_in_place(kSqrt, *this); }
Tensor& Tensor::rsqrt_() const { return unary_in_place(kRsqrt, *this); }
Tensor& Tensor::reciprocal_() const { return unary_in_place(kReciprocal, *this); }
Tensor& Tensor::floor_() const { return unary_in_place(kFloor, *this); }
Tensor& Tensor::ceil_() const { return unary_in_place(kCeil, *this); }
Tensor& Tensor::trunc_() const { return unary_in_place(kTrunc, *this); }
Tensor& Tensor::round_() const { return unary_in_place(kRound, *this); }
Tensor& Tensor::frac_() const { return unary_in_place(kFrac, *this); }

Tensor& abs_out(Tensor& out, const Tensor& x) { return unary_out("abs", kAbs, out, x); }
Tensor& sqrt_out(Tensor& out, const Tensor& x) { return unary_out("sqrt", kSqrt, out, x); }

}  // namespace wengert
