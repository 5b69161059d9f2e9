#include <wengert/ops/elementwise/functions.h>

#include <cmath>
#include <numbers>

// Exponentials, logarithms, circular and hyperbolic functions, element by element; G = dL/dy.

namespace wengert {
namespace ops {
namespace {

// y = e^x.   VJP:   dx = G y.
constexpr auto kExp =
    from_output<Domain::kReal>("ExpBackward0", with_simd<Simd::kExp>([](auto x) { return std::exp(x); }),
                               [](const Tensor& g, const Tensor& y) { return g * y; });

// y = e^x - 1.   VJP:   dx = G (y + 1).
constexpr auto kExpm1 =
    from_output<Domain::kReal>("Expm1Backward0", with_simd<Simd::kExpm1>([](auto x) { return std::expm1(x); }),
                               one_pass([](const auto& g, const auto& y) { return g * (y + 1); }));

// y = ln x.   VJP:   dx = G / x.
constexpr auto kLog =
    from_input<Domain::kReal>("LogBackward0", with_simd<Simd::kLog>([](auto x) { return std::log(x); }),
                              [](const Tensor& g, const Tensor& x) { return g / x; });

// y = ln(1 + x).   VJP:   dx = G / (1 + x).
constexpr auto kLog1p =
    from_input<Domain::kReal>("Log1PBackward0", with_simd<Simd::kLog1p>([](auto x) { return std::log1p(x); }),
                              one_pass([](const auto& g, const auto& x) { return g / (x + 1); }));

// y = log_2 x.   VJP:   dx = G / (x ln 2).
constexpr auto kLog2 = from_input<Domain::kReal>(
    "Log2Backward0", with_simd<Simd::kLog2>([](auto x) { return std::log2(x); }),
    one_pass([](const auto& g, const auto& x) { return g / (x * number_for(x, std::numbers::ln2)); }));

// y = log_10 x.   VJP:   dx = G / (x ln 10).
constexpr auto kLog10 = from_input<Domain::kReal>(
    "Log10Backward0", with_simd<Simd::kLog10>([](auto x) { return std::log10(x); }),
    one_pass([](const auto& g, const auto& x) { return g / (x * number_for(x, std::numbers::ln10)); }));

// y = sin x.   VJP:   dx = G cos x.
constexpr auto kSin =
    from_input<Domain::kReal>("SinBackward0", with_simd<Simd::kSin>([](auto x) { return std::sin(x); }),
                              [](const Tensor& g, const Tensor& x) { return g * cos(x); });

// y = cos x.   VJP:   dx = -G sin x.
constexpr auto kCos =
    from_input<Domain::kReal>("CosBackward0", with_simd<Simd::kCos>([](auto x) { return std::cos(x); }),
                              [](const Tensor& g, const Tensor& x) { return g * -sin(x); });

// y = tan x.   VJP:   dx = G (1 + y^2).
constexpr auto kTan =
    from_output<Domain::kReal>("TanBackward0", with_simd<Simd::kTan>([](auto x) { return std::tan(x); }),
                               one_pass([](const auto& g, const auto& y) { return g * (1 + y * y); }));

// y = arcsin x.   VJP:   dx = G / sqrt(1 - x^2).
constexpr auto kAsin =
    from_input<Domain::kReal>("AsinBackward0", with_simd<Simd::kAsin>([](auto x) { return std::asin(x); }),
                              [](const Tensor& g, const Tensor& x) { return g * rsqrt(1 - x * x); });

// y = arccos x.   VJP:   dx = -G / sqrt(1 - x^2).
constexpr auto kAcos =
    from_input<Domain::kReal>("AcosBackward0", with_simd<Simd::kAcos>([](auto x) { return std::acos(x); }),
                              [](const Tensor& g, const Tensor& x) { return g * -rsqrt(1 - x * x); });

// y = arctan x.   VJP:   dx = G / (1 + x^2).
constexpr auto kAtan =
    from_input<Domain::kReal>("AtanBackward0", with_simd<Simd::kAtan>([](auto x) { return std::atan(x); }),
                              one_pass([](const auto& g, const auto& x) { return g / (1 + x * x); }));

// y = sinh x.   VJP:   dx = G cosh x.
constexpr auto kSinh =
    from_input<Domain::kReal>("SinhBackward0", with_simd<Simd::kSinh>([](auto x) { return std::sinh(x); }),
                              [](const Tensor& g, const Tensor& x) { return g * cosh(x); });

// y = cosh x.   VJP:   dx = G sinh x.
constexpr auto kCosh =
    from_input<Domain::kReal>("CoshBackward0", with_simd<Simd::kCosh>([](auto x) { return std::cosh(x); }),
                              [](const Tensor& g, const Tensor& x) { return g * sinh(x); });

// y = tanh x.   VJP:   dx = G (1 - y^2).
constexpr auto kTanh =
    from_output<Domain::kReal>("TanhBackward0", with_simd<Simd::kTanh>([](auto x) { return std::tanh(x); }),
                               one_pass([](const auto& g, const auto& y) { return g * (1 - y * y); }));

}  // namespace
}  // namespace ops

using namespace ops;

Tensor exp(const Tensor& x) { return unary(kExp, x); }
Tensor expm1(const Tensor& x) { return unary(kExpm1, x); }
Tensor log(const Tensor& x) { return unary(kLog, x); }
Tensor log1p(const Tensor& x) { return unary(kLog1p, x); }
Tensor log2(const Tensor& x) { return unary(kLog2, x); }
Tensor log10(const Tensor& x) { return unary(kLog10, x); }
Tensor sin(const Tensor& x) { return unary(kSin, x); }
Tensor cos(const Tensor& x) { return unary(kCos, x); }
Tensor tan(const Tensor& x) { return unary(kTan, x); }
Tensor asin(const Tensor& x) { return unary(kAsin, x); }
Tensor acos(const Tensor& x) { return unary(kAcos, x); }
Tensor atan(const Tensor& x) { return unary(kAtan, x); }
Tensor sinh(const Tensor& x) { return unary(kSinh, x); }
Tensor cosh(const Tensor& x) { return unary(kCosh, x); }
Tensor tanh(const Tensor& x) { return unary(kTanh, x); }

Tensor& Tensor::exp_() const { return unary_in_place(kExp, *this); }
Tensor& Tensor::expm1_() const { return unary_in_place(kExpm1, *this); }
Tensor& Tensor::log_() const { return unary_in_place(kLog, *this); }
Tensor& Tensor::log1p_() const { return unary_in_place(kLog1p, *this); }
Tensor& Tensor::log2_() const { return unary_in_place(kLog2, *this); }
Tensor& Tensor::log10_() const { return unary_in_place(kLog10, *this); }
Tensor& Tensor::sin_() const { return unary_in_place(kSin, *this); }
Tensor& Tensor::cos_() const { return unary_in_place(kCos, *this); }
Tensor& Tensor::tan_() const { return unary_in_place(kTan, *this); }
Tensor& Tensor::asin_() const { return unary_in_place(kAsin, *this); }
Tensor& Tensor::acos_() const { return unary_in_place(kAcos, *this); }
Tensor& Tensor::atan_() const { return unary_in_place(kAtan, *this); }
Tensor& Tensor::sinh_() const { return unary_in_place(kSinh, *this); }
Tensor& Tensor::cosh_() const { return unary_in_place(kCosh, *this); }
Tensor& Tensor::tanh_() const { return unary_in_place(kTanh, *this); }

Tensor& exp_out(Tensor& out, const Tensor& x) { return unary_out("exp", kExp, out, x); }
Tensor& log_out(Tensor& out, const Tensor& x) { return unary_out("log", kLog, out, x); }
Tensor& sin_out(Tensor& out, const Tensor& x) { return unary_out("sin", kSin, out, x); }
Tensor& cos_out(Tensor& out, const Tensor& x) { return unary_out("cos", kCos, out, x); }
Tensor& tanh_out(Tensor& out, const Tensor& x) { return unary_out("tanh", kTanh, out, x); }

}  // namespace wengert
