#include <factorize/model/entry_losses.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <cmath>

namespace factorize {

using wengert::Tensor;

double inverse_link(double x, LossKind loss) {
  return loss == LossKind::kLogistic ? 1 / (1 + std::exp(-x)) : loss == LossKind::kPoisson ? std::exp(x) : x;
}

Tensor inverse_link(const Tensor& x, LossKind loss) {
  return loss == LossKind::kLogistic ? x.sigmoid() : loss == LossKind::kPoisson ? x.exp() : x;
}

double starting_mean(double mean, LossKind loss) {
  constexpr double kLeast = 1e-3;
  if (loss == LossKind::kLogistic) {
    const double part = std::clamp(mean, kLeast, 1 - kLeast);
    return std::log(part / (1 - part));
  }
  return loss == LossKind::kPoisson ? std::log(std::max(mean, kLeast)) : mean;
}

Tensor losses_of(const Tensor& target, const Tensor& x, LossKind loss, double huber_delta) {
  switch (loss) {
    case LossKind::kSquared: break;
    case LossKind::kAbsolute: return (target - x).abs();
    case LossKind::kHuber: {
      const Tensor size = (target - x).abs();
      return wengert::where(size <= huber_delta, size.square(), 2 * huber_delta * size - huber_delta * huber_delta);
    }
    case LossKind::kLogistic: return wengert::softplus(x) - target * x;
    case LossKind::kPoisson: return x.exp() - target * x;
  }
  return (target - x).square();
}

Tensor curvatures_of(const Tensor& target, const Tensor& x, LossKind loss, double huber_delta, double width) {
  const wengert::NoGradGuard no_grad;
  switch (loss) {
    case LossKind::kSquared: break;
    // Those of the parabolas that touch the loss from above (iteratively reweighted least squares).
    case LossKind::kAbsolute: {
      const Tensor size = (target - x).abs();
      return 0.5 / size.clamp_min(std::max(1e-3 * size.mean().item<double>() + 1e-30, width));
    }
    case LossKind::kHuber: return (huber_delta / (target - x).abs().clamp_min(1e-30)).clamp_max(1);
    case LossKind::kLogistic: return wengert::full_like(target, 1.0 / 8);
    case LossKind::kPoisson: return wengert::maximum(x.exp(), target) / 2;
  }
  return wengert::ones_like(target);
}

void check_values(const Entries& entries, LossKind loss) {
  const double low = entries.values.min().item<double>(), high = entries.values.max().item<double>();
  if (loss == LossKind::kLogistic && (low < 0 || high > 1)) {
    throw wengert::Error(fmt::format("--loss logistic: values are from {:g} to {:g}; expected 0 to 1", low, high));
  }
  if (loss == LossKind::kPoisson && low < 0) {
    throw wengert::Error(fmt::format("--loss poisson: there is a value of {:g}; expected counts", low));
  }
}

}  // namespace factorize
