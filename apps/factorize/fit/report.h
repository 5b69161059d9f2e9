#pragma once

#include <factorize/fit/fit.h>
#include <factorize/fit/tune.h>
#include <factorize/input/data.h>

#include <string>

namespace factorize {

/// What a fit came to, for the summary and metrics.json. Errors are in the matrix's units.
struct Metrics {
  double rmse = 0;                           ///< of what was fitted, the root of the mean squared error
  std::optional<double> relative_error;      ///< of whole matrices: |D - D_hat| / |D|, Frobenius norms
  std::optional<double> explained_variance;  ///< 1 - squared error / sum (D - mean D)^2; of a constant D 1 or 0
  std::optional<double> test_rmse;
  int64_t entries = 0, duplicates = 0, test_entries = 0;  ///< of matrices with holes
  double read_seconds = 0, seconds = 0;                   ///< of the program until now: reading, and all
};

struct Report {
  const Data& data;
  const FitOptions& options;
  const FitResult& result;
  const Metrics& metrics;
  const Entries *fitted, *validated;  ///< null: none
  std::string about;                  ///< what was read, in words
  std::string command;
};

/// The errors of a fit of a whole matrix.
Metrics metrics_of(const wengert::Tensor& matrix, const FitResult& result);

/// Makes a folder, if it is not there. Throws wengert::Error.
void make_folder(const std::string& folder);

/// Prints what came out, in a few lines.
void print_summary(const Report& report);

/// Writes the model into a folder, which is made if need be, with metrics.json and loss.csv beside it: see
/// save_model(). Throws wengert::Error.
void write_results(const std::string& folder, const Report& report);

/// Writes the entries that the model is tested on as holdout.csv: row, column, value.
void write_holdout(const std::string& folder, const Data& data);

/// Writes a page on a fit: see ReportPage. known: entries of the matrix, on which its errors are shown; tuning: null if
/// there was none.
void write_page(const std::string& file, const Report& report, const Entries& known, const Tuning* tuning);

/// A line on a trial of a search.
std::string description(const Trial& trial, bool is_error);

/// Writes the trials as tune.csv.
void write_trials(const std::string& folder, const Tuning& tuning);

}  // namespace factorize
