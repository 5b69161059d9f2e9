#pragma once

#include <factorize/fit/fit.h>

namespace factorize {

/// fit() by alternating least squares.
FitResult fit_by_als(const wengert::Tensor& matrix, const FitOptions& options, const Running& running);
FitResult fit_by_als(const Share& share, const FitOptions& options, const Running& running);

/// The model without factors, by alternating least squares, its penalties following from the data unless they are
/// given.
struct Biases {
  double mean = 0;
  wengert::Tensor rows, columns;       ///< of own rows and of needed columns; undefined where the options have none
  double l2_rows = 0, l2_columns = 0;  ///< their penalties
  double noise = 1;                    ///< variance that is left, or 1 for losses that have none
  double deviation = 1;                ///< how far values are from the model's, so
};
Biases fit_biases(const Share& share, const FitOptions& options);

}  // namespace factorize
