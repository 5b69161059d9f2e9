#include <wengert/ops/elementwise/functions.h>

#include <cmath>
#include <numbers>

// The error function and the gamma function's family, element by element; G = dL/dy.

namespace wengert {
namespace ops {
namespace {

// y = 2/sqrt(pi) int_0^x e^(-t^2) dt.   VJP:   dx = G 2/sqrt(pi) e^(-x^2).
constexpr auto kErf = from_input<Domain::kReal>(
    "ErfBackward0", [](auto x) { return std::erf(x); },
    [](const Tensor& g, const Tensor& x) { return 2 * std::numbers::inv_sqrtpi * exp(-(x * x)) * g; });

// y = 1 - erf(x).   VJP:   dx = -G 2/sqrt(pi) e^(-x^2).
constexpr auto kErfc = from_input<Domain::kReal>(
    "ErfcBackward0", [](auto x) { return std::erfc(x); },
    [](const Tensor& g, const Tensor& x) { return -2 * std::numbers::inv_sqrtpi * exp(-(x * x)) * g; });

// psi(x) = d/dx ln Gamma(x). Below 0 by reflection, psi(1 - x) - psi(x) = pi / tan(pi x); near 0 by recurrence,
// psi(x) = psi(x + 1) - 1/x; from 10 by the asymptotic series ln x - 1/(2x) - sum_k B_2k / (2k x^2k)
// (Abramowitz and Stegun, 6.3.5, 6.3.7, 6.3.18).
double digamma_of(double x) {
  if (x == 0) return std::copysign(std::numeric_limits<double>::infinity(), -x);
  if (x < 0) {
    if (x == std::floor(x)) return std::numeric_limits<double>::quiet_NaN();
    const double fraction = x - std::trunc(x);
    return digamma_of(1 - x) - std::numbers::pi / std::tan(std::numbers::pi * fraction);
  }
  double result = 0;
  while (x < 10) result -= 1 / x++;
  const double z = 1 / (x * x);
  // B_2k / 2k for k = 1 to 7.
  constexpr double kTerms[] = {1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760, 1.0 / 12};
  double series = 0;
  for (size_t k = std::size(kTerms); k-- > 0;) series = (series + kTerms[k]) * z;
  return result + std::log(x) - 0.5 / x - series;
}

// Hurwitz's zeta function sum_{k>=0} (q + k)^-s, s > 1, by the Euler-Maclaurin formula: ten terms, and then the
// integral and its corrections with Bernoulli numbers (Abramowitz and Stegun, 23.1.30). NaN for q <= 0 where
// q^-s is not real; +inf at the poles.
double zeta_of(double s, double q) {
  if (q <= 0) {
    if (q == std::floor(q)) return std::numeric_limits<double>::infinity();
    if (s != std::floor(s)) return std::numeric_limits<double>::quiet_NaN();
  }
  double sum = 0, a = q;
  for (int k = 0; k < 10 || a <= 9; ++k, ++a) sum += std::pow(a, -s);
  const double power = std::pow(a, -s);
  sum += power * a / (s - 1) + power / 2;
  // B_2k / (2k)! for k = 1 to 8.
  constexpr double kTerms[] = {1.0 / 12,          -1.0 / 720,
                               1.0 / 30240,       -1.0 / 1209600,
                               1.0 / 47900160,    -691.0 / 1307674368000,
                               1.0 / 74724249600, -3617.0 / 10670622842880000};
  double factor = s * power / a;
  for (size_t k = 0; k < std::size(kTerms); ++k) {
    sum += kTerms[k] * factor;
    const double twice = 2 * static_cast<double>(k);
    factor *= (s + twice + 1) * (s + twice + 2) / (a * a);
  }
  return sum;
}

// psi^(n)(x) = (-1)^(n+1) n! zeta(n + 1, x) for n >= 1 (Abramowitz and Stegun, 6.4.10).
// VJP:   dx = G psi^(n+1)(x).
auto polygamma_function(int64_t n) {
  return from_input<Domain::kReal>(
      "PolygammaBackward0",
      [n](auto x) {
        const auto order = static_cast<double>(n);
        const double value = n == 0 ? digamma_of(static_cast<double>(x))
                                    : std::tgamma(order + 1) * zeta_of(order + 1, static_cast<double>(x));
        return static_cast<decltype(x)>(n % 2 == 0 && n > 0 ? -value : value);
      },
      [n](const Tensor& g, const Tensor& x) { return g * polygamma(n + 1, x); });
}

// y = psi(x).   VJP:   dx = G psi'(x).
constexpr auto kDigamma = from_input<Domain::kReal>(
    "DigammaBackward0", [](auto x) { return static_cast<decltype(x)>(digamma_of(static_cast<double>(x))); },
    [](const Tensor& g, const Tensor& x) { return g * polygamma(1, x); });

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
  return unary(polygamma_function(n), x);
}

Tensor& Tensor::erf_() const { return unary_in_place(kErf, *this); }
Tensor& Tensor::erfc_() const { return unary_in_place(kErfc, *this); }
Tensor& Tensor::lgamma_() const { return unary_in_place(kLgamma, *this); }
Tensor& Tensor::digamma_() const { return unary_in_place(kDigamma, *this); }

}  // namespace wengert
