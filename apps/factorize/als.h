#pragma once

#include <factorize/fit.h>

namespace factorize {

/// fit() by alternating least squares.
FitResult fit_by_als(const wengert::Tensor& matrix, const FitOptions& options, bool show_progress);
FitResult fit_by_als(const Entries& entries, const Entries* validation, const FitOptions& options,
                     bool show_progress);

}  // namespace factorize
