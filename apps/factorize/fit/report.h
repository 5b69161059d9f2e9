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

  /// What a process had to do, where there are several.
  struct OfProcess {
    std::string host;
    int64_t bytes_sent = 0;  ///< to others
    double seconds = 0;      ///< of training, without those that it waited for others
  };
  std::vector<OfProcess> processes;
};

/// What each process had to do in so many seconds of training, before which it had waited so long.
std::vector<Metrics::OfProcess> work_of_each(const Processes& processes, double seconds, double waited_before);

struct Report {
  const Data& data;
  const FitOptions& options;
  const FitResult& result;
  const Metrics& metrics;
  const Share* share;  ///< null: of a whole matrix
  std::string about;   ///< what was read, in words
  std::string command;
};

/// The errors of a fit of a whole matrix, of which each process has a block of rows.
Metrics metrics_of(const Processes& processes, const wengert::Tensor& own, const FitResult& result);

/// Makes a folder, if it is not there. Throws wengert::Error.
void make_folder(const std::string& folder);

/// Prints what came out, in a few lines.
void print_summary(const Report& report);

/// Writes the model into a folder, which is made if need be, with metrics.json and loss.csv beside it: see
/// save_model(). Throws wengert::Error.
void write_results(const std::string& folder, const Report& report, const Processes& processes);

/// Writes the entries that the model is tested on as holdout.csv: row, column, value.
void write_holdout(const std::string& folder, const Data& data, const Processes& processes);

/// Writes a page on a fit: see ReportPage. Of several processes the first writes it, with errors of some of the entries
/// where they are many. tuning: null if there was none.
void write_page(const std::string& file, const Report& report, const Processes& processes, const Tuning* tuning);

/// A line on a trial of a search.
std::string description(const Trial& trial, bool is_error);

/// Writes the trials as tune.csv.
void write_trials(const std::string& folder, const Tuning& tuning);

}  // namespace factorize
