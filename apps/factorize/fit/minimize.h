#pragma once

#include <factorize/fit/fit.h>
#include <factorize/fit/wholes.h>

#include <functional>
#include <vector>

namespace factorize {

/// What descent is to make small.
struct Objective {
  std::vector<Parameter> parameters;
  std::function<wengert::Tensor()> loss;
  double unit = 1;  ///< the loss in the matrix's units, over loss()
  bool can_be_replayed = true;
  std::function<double()> validation;  ///< an error that is to tell when to stop; may be empty
  /// Of several processes: adds what the others have to the gradients, after each backward, and to the loss, which is
  /// returned; may be empty.
  std::function<double(double loss)> add_others;
  std::function<wengert::Tensor()> backward;  ///< in the place of loss and its backward; may be empty
};

/// Descends by the optimizer, the schedule and the rules that options name, and leaves the best values in the
/// parameters. What it finds of the model is not in the result.
FitResult minimize(const Objective& objective, const FitOptions& options, const Running& running);

/// A fit by minimize(). At a quarter of a default rate again where that diverges: momentum may throw the factors of a
/// small matrix far out, where the loss bends more.
FitResult with_smaller_rates(const FitOptions& options, const Running& running,
                             const std::function<FitResult(const FitOptions&)>& fit);

}  // namespace factorize
