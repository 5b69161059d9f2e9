#include <wengert/ops/elementwise/functions.h>

#include <cmath>
#include <numbers>

// The error function and the gamma function's family, element by element; G = dL/dy.

namespace wengert {
namespace ops {
namespace {

// y = 2/sqrt(pi) int_0^x e^(-t^2) dt.   VJP:   dx = G 2/sqrt(pi) e^(-x^2).
constexpr auto kErf = from_input<Domain::kReal>(
    "ErfBackward0", with_simd<Simd::kErf>([](auto x) { return std::erf(x); }),
    [](const Tensor& g, const Tensor& x) { return 2 * std::numbers::inv_sqrtpi * exp(-(x * x)) * g; });

// y = 1 - erf(x).   VJP:   dx = -G 2/sqrt(pi) e^(-x^2).
constexpr auto kErfc = from_input<Domain::kReal>(
    "ErfcBackward0", with_simd<Simd::kErfc>([](auto x) { return std::erfc(x); }),
    [](const Tensor& g, const Tensor& x) { return -2 * std::numbers::inv_sqrtpi * exp(-(x * x)) * g; });

// y = psi(x).   VJP:   dx = G psi'(x).
constexpr auto digamma_function(const char* name) {
  return from_input<Domain::kReal>(name, kernels::UnaryKernel<Simd::kDigamma>{},
                                   [](const Tensor& g, const Tensor& x) { return g * polygamma(1, x); });
}
constexpr auto kDigamma = digamma_function("DigammaBackward0");

// psi^(n)(x) = (-1)^(n+1) n! zeta(n + 1, x) for n >= 1 (Abramowitz and Stegun, 6.4.10).
// VJP:   dx = G psi^(n+1)(x).
auto polygamma_function(int64_t n) {
  const double order = static_cast<double>(n + 1), factor = (n % 2 == 0 ? -1 : 1) * std::tgamma(order);
  return from_input<Domain::kReal>("PolygammaBackward0", kernels::UnaryKernel<Simd::kPolygamma>{{order, factor}},
                                   [n](const Tensor& g, const Tensor& x) { return g * polygamma(n + 1, x); });
}

// y = ln |Gamma(x)|.   VJP:   dx = G psi(x).
constexpr auto kLgamma = from_input<Domain::kReal>(
    "LgammaBackward0",
    [](auto x) {
      int sign;  // lgamma_r leaves the global signgam alone, so threads may call it
      return static_cast<decltype(x)>(::lgamma_r(static_cast<double>(x), &sign));
    },
    [](const Tensor& g, const Tensor& x) { return g * digamma(x); });

}  // namespace
}  // namespace ops

using namespace ops;

Tensor erf(const Tensor& x) { return unary(kErf, x); }
Tensor erfc(const Tensor& x) { return unary(kErfc, x); }
Tensor lgamma(const Tensor& x) { return unary(kLgamma, x); }
Tensor digamma(const Tensor& x) { return unary(kDigamma, x); }
Tensor polygamma(int64_t n, const Tensor& x) {
  check(n >= 0, "polygamma(n, x) does not support negative n.");
  return n == 0 ? unary(digamma_function("PolygammaBackward0"), x) : unary(polygamma_function(n), x);
}

Tensor& Tensor::erf_() const { return unary_in_place(kErf, *this); }
Tensor& Tensor::erfc_() const { return unary_in_place(kErfc, *this); }
Tensor& Tensor::lgamma_() const { return unary_in_place(kLgamma, *this); }
Tensor& Tensor::digamma_() const { return unary_in_place(kDigamma, *this); }

}  // namespace wengert
