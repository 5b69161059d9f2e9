#include <factorize/fit/units.h>
#include <wengert/wengert.h>

#include <cmath>

namespace factorize {

double unit_of(const wengert::Tensor& values, const FitOptions& options, const Processes& processes) {
  const bool has_scale = options.feedback == Feedback::kExplicit && options.loss != LossKind::kLogistic &&
                         options.loss != LossKind::kPoisson && options.scale == Scale::kAuto;
  return has_scale ? unit_of(processes.most(largest_of(values))) : 1;
}

double loss_unit(double unit, const FitOptions& options) {
  return options.loss == LossKind::kAbsolute ? unit : unit * unit;
}

FitOptions in_unit(const FitOptions& options, double unit) {
  FitOptions scaled = options;
  const double of_loss = loss_unit(unit, options);
  if (options.l2 && !options.l2_bias) scaled.l2_bias = options.l2;
  if (scaled.l2) *scaled.l2 *= unit / of_loss;
  if (scaled.l2_bias) *scaled.l2_bias *= unit * unit / of_loss;
  scaled.huber_delta /= unit;
  return scaled;
}

void leave_unit(FitResult& result, double unit, const FitOptions& options) {
  if (unit == 1) return;
  const wengert::NoGradGuard no_grad;
  const double of_loss = loss_unit(unit, options);
  result.C = result.C * std::sqrt(unit);
  result.F = result.F * std::sqrt(unit);
  for (wengert::Tensor* of_values : {&result.offset, &result.row_bias, &result.column_bias}) {
    if (of_values->defined()) *of_values = *of_values * unit;
  }
  if (result.row_penalties.defined()) {
    result.row_penalties = result.row_penalties * (of_loss / unit);
    result.row_penalties[0].div_(unit);
  }
  if (result.column_variances.defined()) result.column_variances = result.column_variances * unit;
  result.expected_curvature *= of_loss / (unit * unit);
  result.mean *= unit;
  result.scale *= unit;
  for (double& loss : result.losses) loss *= of_loss;
  result.squared_error *= unit * unit;
  if (result.noise) *result.noise *= of_loss;
  if (result.l2) *result.l2 *= of_loss / unit;
  if (result.validation_rmse) *result.validation_rmse *= unit;
  for (auto& [iterations, rmse] : result.validations) rmse *= unit;
}

}  // namespace factorize
