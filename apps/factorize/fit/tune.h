#pragma once

#include <factorize/fit/fit.h>

#include <functional>

namespace factorize {

/// One fit of a search.
struct Trial {
  FitOptions options;
  int64_t iterations = 0;  ///< made, all rungs together
  double measure = 0;      ///< on the validation: see Tuning::is_error
  double seconds = 0;      ///< since the search began, at the trial's end
  bool is_best = false;    ///< so far
};

struct Tuning {
  std::vector<Trial> trials;
  FitOptions best;       ///< with which the model is to be fitted to everything
  double measure = 0;    ///< of the best
  bool is_error = true;  ///< the measure is rmse, the smaller the better; else NDCG at 10, the larger the better
  bool interrupted = false;
};

/// Searches settings that the options leave open for those that do best on the validation, for about `budget` seconds.
///
/// Alternating least squares whose regularization follows from the data, of several ranks; with fixed penalties along
/// paths of falling l2, each beginning where the last ended (warm starts); and descent at several rates. What takes
/// many iterations is begun with few, and the better third goes on with three times as many (successive halving:
/// Jamieson and Talwalkar, Non-stochastic Best Arm Identification and Hyperparameter Optimization, 2016). At last, of
/// the best, the mean of several fits, if that is better.
///
/// penalties_may_follow: whether a fit may do without an l2, its penalties following from the data. An interrupt ends
/// the search with the best so far. show: called for each trial as it ends. share: with a validation.
Tuning tune(const Share& share, const FitOptions& options, bool penalties_may_follow, double budget,
            const std::function<void(const Trial&)>& show);

}  // namespace factorize
