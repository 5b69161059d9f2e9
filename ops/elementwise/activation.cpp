#include <wengert/ops/elementwise/functions.h>
#include <wengert/ops/elementwise/within.h>

#include <cmath>
#include <numbers>

// The nonlinearities of neural networks, element by element; G = dL/dy.

namespace wengert {
namespace ops {
namespace {

// y = max(x, 0), NaN for NaN.   VJP:   dx = G where y > 0 (or NaN), else 0.
constexpr auto kRelu = from_output<Domain::kNumber>(
    "ReluBackward0", with_simd<Simd::kRelu>([](auto x) { return x < 0 ? decltype(x)(0) : x; }),
    one_pass([](const auto& g, const auto& y) { return where(y <= 0, 0, g); }));

// y = 1 / (1 + e^-x).   VJP:   dx = G y (1 - y).
constexpr auto kSigmoid = from_output<Domain::kReal>(
    "SigmoidBackward0",
    with_simd<Simd::kSigmoid>([](auto x) { return decltype(x)(1) / (decltype(x)(1) + std::exp(-x)); }),
    one_pass([](const auto& g, const auto& y) { return g * ((1 - y) * y); }));

// y = ln sigmoid(x) = min(x, 0) - ln(1 + e^-|x|).   VJP:   dx = G sigmoid(-x).
constexpr auto kLogSigmoid =
    from_input<Domain::kFloating>("LogSigmoidBackward0", with_simd<Simd::kLogSigmoid>([](auto x) {
                                    return std::min(x, decltype(x)(0)) - std::log1p(std::exp(-std::abs(x)));
                                  }),
                                  [](const Tensor& g, const Tensor& x) { return g * sigmoid(-x); });

// y = x sigmoid(x).   VJP, with s = sigmoid(x):   dx = G s (1 + x (1 - s)).
constexpr auto kSilu = from_input<Domain::kFloating>(
    "SiluBackward0", with_simd<Simd::kSilu>([](auto x) { return x / (decltype(x)(1) + std::exp(-x)); }),
    [](const Tensor& g, const Tensor& x) {
      const Tensor s = sigmoid(x);
      return g * (s * (1 + x * (1 - s)));
    });

struct LeakyGradient {
  double slope;
  template <class T>
  T operator()(const T& g, const T& x) const {
    return where(x > 0, g, g * number_for(g, slope));
  }
};

// y = x where x > 0, else a x.   VJP:   dx = G or a G.
auto leaky_relu_function(double slope) {
  return from_input<Domain::kFloating>(
      "LeakyReluBackward0", [slope](auto x) { return x > 0 ? x : x * static_cast<decltype(x)>(slope); },
      one_pass(LeakyGradient{slope}));
}

// y = s x where x > 0, else s a (e^(r x) - 1).   VJP:   dx = s G, or s a r e^(r x) G.
auto elu_function(double alpha, double scale, double input_scale) {
  return from_input<Domain::kFloating>(
      "EluBackward0",
      with_simd<Simd::kElu>(
          [=](auto x) {
            using T = decltype(x);
            return x > 0 ? x * static_cast<T>(scale)
                         : static_cast<T>(alpha * scale) * std::expm1(x * static_cast<T>(input_scale));
          },
          {scale, alpha * scale, input_scale}),
      [=](const Tensor& g, const Tensor& x) {
        return where(x > 0, g * scale, g * (alpha * scale * input_scale) * exp(x * input_scale));
      });
}

// y = ln(1 + e^(b x)) / b, and x where b x is so large that it makes no difference.
// VJP:   dx = G sigmoid(b x), and G there.
auto softplus_function(double beta, double threshold) {
  return from_input<Domain::kFloating>(
      "SoftplusBackward0",
      with_simd<Simd::kSoftplus>(
          [=](auto x) {
            using T = decltype(x);
            const T scaled = x * static_cast<T>(beta);
            return scaled > static_cast<T>(threshold) ? x : std::log1p(std::exp(scaled)) / static_cast<T>(beta);
          },
          {beta, threshold}),
      [=](const Tensor& g, const Tensor& x) {
        const Tensor scaled = x * beta;
        return where(scaled > threshold, g, g * sigmoid(scaled));
      });
}

struct InsideGradient {
  Scalar low, high;
  template <class T>
  T operator()(const T& g, const T& x) const {
    return where(x <= number_for(x, low), 0, where(x >= number_for(x, high), 0, g));
  }
};

// y = x limited to [low, high].   VJP:   dx = G strictly inside, else 0.
auto hardtanh_function(Scalar low, Scalar high) {
  return from_input<Domain::kNumber>("HardtanhBackward0", Within(low, high), one_pass(InsideGradient{low, high}));
}

// y = x Phi(x), with Phi the standard normal distribution function.
// VJP:   dx = G (Phi(x) + x phi(x)),   phi(x) = e^(-x^2/2) / sqrt(2 pi).
constexpr auto kGelu = from_input<Domain::kFloating>(
    "GeluBackward0", with_simd<Simd::kGelu>([](auto x) {
      using T = decltype(x);
      return x * (T(1) + std::erf(x * static_cast<T>(std::numbers::sqrt2 / 2))) / T(2);
    }),
    [](const Tensor& g, const Tensor& x) {
      const Tensor distribution = (1 + erf(x * (std::numbers::sqrt2 / 2))) / 2;
      const Tensor density = exp(x * x * -0.5) * (std::numbers::inv_sqrtpi / std::numbers::sqrt2);
      return g * (distribution + x * density);
    });

// y = x (1 + tanh u) / 2,   u = sqrt(2/pi) (x + 0.044715 x^3).   (Hendrycks and Gimpel, arXiv:1606.08415.)
// VJP:   dx = G ((1 + tanh u) / 2 + x (1 - tanh^2 u) u' / 2).
constexpr double kGeluScale = 0.79788456080286535588;  // sqrt(2/pi)
constexpr auto kGeluTanh =
    from_input<Domain::kFloating>("GeluBackward0", with_simd<Simd::kGeluTanh>([](auto x) {
                                    using T = decltype(x);
                                    const T u = static_cast<T>(kGeluScale) * (x + static_cast<T>(0.044715) * x * x * x);
                                    return x * (T(1) + std::tanh(u)) / T(2);
                                  }),
                                  [](const Tensor& g, const Tensor& x) {
                                    const Tensor tanh_u = tanh(kGeluScale * (x + 0.044715 * x * x * x));
                                    const Tensor slope = kGeluScale * (1 + 3 * 0.044715 * x * x);
                                    return g * ((1 + tanh_u) / 2 + x * (1 - tanh_u * tanh_u) * slope / 2);
                                  });

}  // namespace
}  // namespace ops

using namespace ops;

Tensor relu(const Tensor& x) {
  check(x.dtype() != kBool, "Boolean inputs not supported for relu");
  return unary(kRelu, x);
}
Tensor sigmoid(const Tensor& x) { return unary(kSigmoid, x); }
Tensor log_sigmoid(const Tensor& x) { return unary(kLogSigmoid, x); }
Tensor silu(const Tensor& x) { return unary(kSilu, x); }
Tensor leaky_relu(const Tensor& x, Scalar negative_slope) {
  return unary(leaky_relu_function(negative_slope.toDouble()), x);
}
Tensor elu(const Tensor& x, Scalar alpha, Scalar scale, Scalar input_scale) {
  return unary(elu_function(alpha.toDouble(), scale.toDouble(), input_scale.toDouble()), x);
}
Tensor softplus(const Tensor& x, Scalar beta, Scalar threshold) {
  return unary(softplus_function(beta.toDouble(), threshold.toDouble()), x);
}
Tensor hardtanh(const Tensor& x, Scalar low, Scalar high) { return unary(hardtanh_function(low, high), x); }
Tensor softsign(const Tensor& x) { return x / (abs(x) + 1); }
Tensor gelu(const Tensor& x, std::string_view approximate) {
  check(approximate == "none" || approximate == "tanh", "approximate argument must be either none or tanh.");
  return approximate == "none" ? unary(kGelu, x) : unary(kGeluTanh, x);
}

Tensor& leaky_relu_(const Tensor& x, Scalar negative_slope) {
  return unary_in_place(leaky_relu_function(negative_slope.toDouble()), x);
}
Tensor& elu_(const Tensor& x, Scalar alpha, Scalar scale, Scalar input_scale) {
  return unary_in_place(elu_function(alpha.toDouble(), scale.toDouble(), input_scale.toDouble()), x);
}
Tensor& hardtanh_(const Tensor& x, Scalar low, Scalar high) { return unary_in_place(hardtanh_function(low, high), x); }
Tensor& silu_(const Tensor& x) { return unary_in_place(kSilu, x); }

Tensor& Tensor::relu_() const { return unary_in_place(kRelu, *this); }
Tensor& Tensor::sigmoid_() const { return unary_in_place(kSigmoid, *this); }

Tensor& sigmoid_out(Tensor& out, const Tensor& x) { return unary_out("sigmoid", kSigmoid, out, x); }

}  // namespace wengert
