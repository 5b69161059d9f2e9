#pragma once

#include <factorize/fit/fit.h>

// What both ways to fit a whole matrix begin with.

namespace factorize {

/// Throws wengert::Error where there is no rank, or the matrix has no factors of it.
void check_rank(const wengert::Tensor& matrix, const FitOptions& options);

/// The mean to take off, of the matrix's dtype: (1, 1), (n, 1) or (1, m); undefined for none.
wengert::Tensor mean_to_take_off(const wengert::Tensor& matrix, Center center);

}  // namespace factorize
