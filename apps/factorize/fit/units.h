#pragma once

#include <factorize/fit/fit.h>

namespace factorize {

/// The unit of a fit, see unit_of(values): 1 where the loss has a scale of its own. values: those of each process.
double unit_of(const wengert::Tensor& values, const FitOptions& options, const Processes& processes);

/// A loss of values in that unit, times this, is the loss of the values.
double loss_unit(double unit, const FitOptions& options);

/// What weighs the same beside values in that unit.
FitOptions in_unit(const FitOptions& options, double unit);

/// From values in that unit to the values.
void leave_unit(FitResult& result, double unit, const FitOptions& options);

}  // namespace factorize
