#pragma once

#include <factorize/fit.h>
#include <factorize/input/data.h>

#include <string>

namespace factorize {

/// What a fit came to, for the summary and metrics.json. Errors are in the matrix's units.
struct Metrics {
  double rmse = 0;                           ///< of what was fitted, the root of the mean squared error
  std::optional<double> relative_error;      ///< of whole matrices: |D - D_hat| / |D|, Frobenius norms; NaN for D = 0
  std::optional<double> explained_variance;  ///< 1 - squared error / sum (D - mean D)^2; NaN for a constant D
  std::optional<double> test_rmse;
  int64_t entries = 0, duplicates = 0, test_entries = 0;  ///< of matrices with holes
  double read_seconds = 0, seconds = 0;                   ///< of the program until now: reading, and all
};

struct Report {
  const Data& data;
  const FitOptions& options;
  const FitResult& result;
  const Metrics& metrics;
  std::string command;
};

/// The errors of a fit of a whole matrix.
Metrics metrics_of(const wengert::Tensor& matrix, const FitResult& result);

/// Makes a folder, if it is not there. Throws wengert::Error.
void make_folder(const std::string& folder);

/// Prints what came out, in a few lines.
void print_summary(const Report& report);

/// Writes the model into a folder, which is made if need be: factors.safetensors, C.npy, F.npy (and offset.npy,
/// row_bias.npy, column_bias.npy where there are any), the ids, metrics.json, loss.csv. Throws wengert::Error.
void write_results(const std::string& folder, const Report& report);

}  // namespace factorize
