#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <string>
#include <utility>
#include <vector>

namespace factorize {

enum class OptimizerKind {
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
  int64_t rank = 0;
  int64_t iterations = 10000;
  std::optional<double> lr;  ///< for the scaled matrix; see learning_rate()
  OptimizerKind optimizer = OptimizerKind::kSgd;
  Schedule schedule = Schedule::kNone;
  double momentum = 0.9;
  uint64_t seed = 0;
  std::optional<Init> init;
  wengert::ScalarType dtype = wengert::kFloat;
  double tolerance = 1e-5;  ///< least relative fall of the loss over kToleranceWindow iterations
  bool nonnegative = false;
  double l2 = 0;
  Center center = Center::kNone;
  Scale scale = Scale::kAuto;
};

inline constexpr size_t kToleranceWindow = 200;

enum class Stop { kConverged, kIterations, kInterrupted, kDiverged };

struct FitResult {
  wengert::Tensor C;       ///< (n, k), in the matrix's units: D is about C F + offset
  wengert::Tensor F;       ///< (k, m)
  wengert::Tensor offset;  ///< the mean taken off: (1, 1), (n, 1) or (1, m); undefined without centering
  Stop stop = Stop::kIterations;
  int64_t iterations = 0;      ///< steps made
  int64_t best_iteration = 0;  ///< the number of steps after which C and F were reached
  double scale = 1;            ///< what the matrix was divided by
  double lr = 0;               ///< the learning rate at first
  std::vector<double> losses;  ///< before each step and after the last, in the matrix's units
  double squared_error = 0;    ///< sum (D - C F - offset)^2
  double seconds = 0;          ///< of training
};

/// The learning rate that the options give, or the default for their optimizer and scale. Where the loss stops being
/// finite at a default, fit() begins again at a quarter of it.
double learning_rate(const FitOptions& options);

/// Factorizes `matrix` (n, m), of Double, by gradient descent on
///
///     sum (D - C F)^2 + l2 (|C|^2 + |F|^2),    D = matrix - offset.
///
/// Where the loss falls by less than the tolerance but rises in between, as Adam's does near the end, the learning rate
/// is made four times smaller, and again as long as that helps; a schedule does without that.
///
/// The best factors seen are kept, also when the user interrupts or the loss stops being finite.
/// show_progress: keep a progress line on a terminal. Throws wengert::Error when the rank is impossible.
FitResult fit(const wengert::Tensor& matrix, const FitOptions& options, bool show_progress);

}  // namespace factorize
