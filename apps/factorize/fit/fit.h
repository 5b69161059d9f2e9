#pragma once

#include <factorize/fit/checkpoint.h>
#include <factorize/model/entries.h>
#include <factorize/model/model.h>
#include <factorize/model/share.h>
#include <wengert/autograd/tensor/tensor.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace factorize {

enum class OptimizerKind {
  kAuto,  ///< als, but sgd where a learning rate or a schedule is given
  kAls,
  kSgd,
  kAdam,
  kAdamW,
  kAdagrad,
  kRmsprop,
  kAdadelta,
  kAdamax,
  kNadam,
  kRadam,
  kAsgd,
  kRprop,
  kLbfgs
};
/// What becomes of the learning rate over the iterations that are allowed.
enum class Schedule { kNone, kStep, kExponential, kLinear, kCosine, kOneCycle, kPlateau };
enum class Init { kNormal, kUniform };
enum class Center { kNone, kGlobal, kRows, kColumns };
enum class Scale { kAuto, kNone };

/// What they are called on the command line and in files.
const std::vector<std::pair<std::string, OptimizerKind>>& optimizer_names();
const std::vector<std::pair<std::string, Schedule>>& schedule_names();

struct FitOptions {
  std::optional<int64_t> rank;  ///< needed for whole matrices; of entries, default_rank()
  int64_t iterations = 10000;   ///< gradient steps, or sweeps of als, at most
  OptimizerKind optimizer = OptimizerKind::kAuto;
  bool nonnegative = false;
  std::optional<double> l2;  ///< none: 0; for entries what follows from the data
  uint64_t seed = 0;
  wengert::ScalarType dtype = wengert::kFloat;
  /// Least relative fall of the loss: over kToleranceWindow gradient steps, or in a sweep of als. None: 1e-5; of als
  /// 1e-6, and of entries 0.01, or 0.001 of the absolute loss.
  std::optional<double> tolerance;

  // Of gradient descent.
  std::optional<double> lr;  ///< for the scaled matrix; see learning_rate()
  Schedule schedule = Schedule::kNone;
  double momentum = 0.9;
  std::optional<Init> init;
  Scale scale = Scale::kAuto;

  Center center = Center::kNone;  ///< of whole matrices

  // Of entries.
  bool biases = true;
  std::optional<double> l2_bias;  ///< as l2
  bool l2_by_count = false;       ///< l2 times the number of entries in the row or column
  LossKind loss = LossKind::kSquared;
  double huber_delta = 1;
  Feedback feedback = Feedback::kExplicit;
  double alpha = 1;      ///< of Feedback::kAls
  int64_t fits = 1;      ///< from different seeds, whose mean is taken: see fit_several()
  int64_t patience = 5;  ///< sweeps, or hundreds of gradient steps, without a better validation
};

inline constexpr size_t kToleranceWindow = 200;

enum class Stop { kConverged, kIterations, kInterrupted, kDiverged, kValidation };
/// As metrics.json has it.
std::string_view name_of(Stop stop);

struct FitResult : Model {
  Stop stop = Stop::kIterations;
  OptimizerKind optimizer = OptimizerKind::kAls;  ///< the one used
  int64_t iterations = 0;                         ///< steps made, or sweeps
  int64_t best_iteration = 0;                     ///< the number of steps after which C and F were reached
  double scale = 1;                               ///< what the matrix was divided by
  double lr = 0;                                  ///< the learning rate at first; 0 where there is none
  std::vector<double> losses;                     ///< before each step and after the last, in the matrix's units
  double squared_error = 0;                       ///< of what was fitted, sum (D - C F - offset)^2, weighted
  double count = 0;                               ///< of what was fitted: elements, or the sum of the weights
  double seconds = 0;                             ///< of training

  // Of entries.
  std::optional<double> noise;  ///< variance that the model leaves to chance
  std::optional<double> l2;     ///< what followed from the data, the mean over the factors that are used
  std::optional<double> validation_rmse;
  std::vector<std::pair<int64_t, double>> validations;  ///< iterations made, and the rmse on the validation after them
  int64_t used_rank = 0;                                ///< factors that are not nothing
  bool factors_help = true;                             ///< whether C F explains a hundredth of what the biases leave
};

/// The learning rate that the options give, or the default for their optimizer and scale. Where the loss stops being
/// finite at a default, fit() begins again at a quarter of it.
double learning_rate(const FitOptions& options);

/// The rank for entries where none is given.
int64_t default_rank(int64_t rows, int64_t columns);

/// Factorizes `matrix` (n, m), floating-point, by alternating least squares or gradient descent on
///
///     sum (D - C F)^2 + l2 (|C|^2 + |F|^2),    D = matrix - offset.
///
/// Where gradient descent's loss falls by less than the tolerance but rises in between, as Adam's does near the end,
/// the learning rate is made four times smaller, and again as long as that helps; a schedule does without that.
///
/// The best factors seen are kept, also when the user interrupts or the loss stops being finite.
/// Throws wengert::Error when the rank is impossible.
FitResult fit(const wengert::Tensor& matrix, const FitOptions& options, const Running& running);

/// Factorizes what is known of a matrix: minimizes, over the entries D_ij of weight w_ij,
///
///     sum w_ij loss(D_ij, mean + b_i + c_j + C_i F_j) + l2 (|C|^2 + |F|^2) + l2_bias (|b|^2 + |c|^2)
///
/// Without an l2, als takes the factors for random numbers, and finds the variances of each, and the noise, from the
/// data (variational Bayes with a factorized posterior: Ilin and Raiko, Practical Approaches to Principal Component
/// Analysis in the Presence of Missing Values, JMLR 11, 2010): factors that the data do not bear out become 0.
///
/// validation: other entries, which tell when to stop, and which factors were best; may be null.
FitResult fit(const Entries& entries, const Entries* validation, const FitOptions& options, const Running& running);

/// The same of a share: each of several processes gets its own part of the model.
FitResult fit(const Share& share, const FitOptions& options, const Running& running);

}  // namespace factorize
