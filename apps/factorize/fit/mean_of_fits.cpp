#include <factorize/fit/mean_of_fits.h>
#include <factorize/terminal/interrupt.h>
#include <wengert/wengert.h>

namespace factorize {

using wengert::Tensor;

FitResult mean_of(const std::vector<FitResult>& fits, const Share& share) {
  const wengert::NoGradGuard no_grad;
  FitResult result = fits.front();
  const auto count = static_cast<double>(fits.size());
  if (fits.size() == 1) return result;
  std::vector<Tensor> C, F, penalties, variances;
  result.mean = result.expected_curvature = result.seconds = 0;
  result.iterations = result.used_rank = 0;
  Tensor row_bias, column_bias, penalty_of_bias;
  const auto add = [](Tensor& sum, const Tensor& x) { sum = sum.defined() ? sum + x : x; };
  for (const FitResult& each : fits) {
    const int64_t used = std::max<int64_t>(1, each.used_rank);
    C.push_back(each.C.narrow(1, 0, used));
    F.push_back(each.F.narrow(0, 0, used) / count);
    result.mean += each.mean / count;
    if (each.row_bias.defined()) {
      add(row_bias, each.row_bias / count);
      add(column_bias, each.column_bias / count);
    }
    // A row that has the same factors in all fits is penalized as in one.
    if (each.row_penalties.defined()) {
      add(penalty_of_bias, each.row_penalties.narrow(0, 0, 1) / count);
      penalties.push_back(each.row_penalties.narrow(0, 1, used) / count);
    }
    if (each.column_variances.defined()) variances.push_back(each.column_variances.narrow(0, 0, used) / count);
    result.expected_curvature += each.expected_curvature / count;
    result.iterations += each.iterations;
    result.used_rank += each.used_rank;
    result.seconds += each.seconds;
  }
  result.C = wengert::cat(C, 1);
  result.F = wengert::cat(F, 0);
  result.row_bias = row_bias;
  result.column_bias = column_bias;
  if (!penalties.empty()) {
    penalties.insert(penalties.begin(), penalty_of_bias);
    result.row_penalties = wengert::cat(penalties, 0);
  }
  result.column_variances = variances.empty() ? Tensor() : wengert::cat(variances, 0);
  result.best_iteration = result.iterations;
  if (result.feedback == Feedback::kExplicit) {
    result.squared_error = share.squared_error(result, share.of_rows);
    if (share.validation) result.validation_rmse = share.rmse(result, *share.validation);
  }
  return result;
}

FitResult fit_several(const Share& share, const FitOptions& options, const Running& running) {
  std::vector<FitResult> fits;
  const InterruptGuard interrupt;
  FitOptions one = options;
  for (int64_t i = 0; i < std::max<int64_t>(1, options.fits); ++i) {
    constexpr uint64_t kApart = 1000;  // a fit draws with seeds that follow its own
    one.seed = options.seed + static_cast<uint64_t>(i) * kApart;
    FitResult result = fit(share, one, running);
    const bool ends = result.stop == Stop::kInterrupted || share.processes().any(interrupt.interrupted());
    // What was cut off counts only where there is nothing else.
    if (!ends || fits.empty()) fits.push_back(std::move(result));
    if (ends) {
      FitResult mean = mean_of(fits, share);
      mean.stop = Stop::kInterrupted;
      return mean;
    }
  }
  return mean_of(fits, share);
}

}  // namespace factorize
