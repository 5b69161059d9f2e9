#pragma once

#include <factorize/fit/fit.h>

namespace factorize {

/// The mean of several fits' predictions, as one model: their factors side by side, those of the columns divided by how
/// many there are. What each makes of noise differs, and falls out in part.
FitResult mean_of(const std::vector<FitResult>& fits, const Share& share);

/// fit() from options.fits seeds, and their mean. An interrupt ends with those that are done.
FitResult fit_several(const Share& share, const FitOptions& options, const Running& running);

}  // namespace factorize
