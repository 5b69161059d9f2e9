#pragma once

#include <factorize/fit/fit.h>

namespace factorize {

/// fit() by gradient descent.
FitResult fit_by_descent(const wengert::Tensor& matrix, const FitOptions& options, const Running& running);
FitResult fit_by_descent(const Share& share, const FitOptions& options, const Running& running);

}  // namespace factorize
