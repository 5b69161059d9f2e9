#include <factorize/als.h>
#include <factorize/bpr.h>
#include <factorize/descent.h>
#include <factorize/entry_losses.h>
#include <factorize/whole.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <algorithm>

namespace factorize {

using wengert::Tensor;

void check_rank(const Tensor& matrix, const FitOptions& options) {
  if (!options.rank) throw wengert::Error("a whole matrix needs --rank");
  const int64_t rank = *options.rank, most = std::min(matrix.size(0), matrix.size(1));
  if (rank < 1 || rank > most) {
    throw wengert::Error(fmt::format("--rank {} is impossible for a {} x {} matrix: expected 1 to {}", rank,
                                     matrix.size(0), matrix.size(1), most));
  }
}

Tensor mean_to_take_off(const Tensor& matrix, Center center) {
  switch (center) {
    case Center::kNone: return {};
    case Center::kGlobal: return matrix.mean({0, 1}, true);
    case Center::kRows: return matrix.mean(1, true);
    case Center::kColumns: return matrix.mean(0, true);
  }
  return {};
}

const std::vector<std::pair<std::string, OptimizerKind>>& optimizer_names() {
  static const std::vector<std::pair<std::string, OptimizerKind>> names{
      {"auto", OptimizerKind::kAuto},       {"als", OptimizerKind::kAls},
      {"sgd", OptimizerKind::kSgd},         {"adam", OptimizerKind::kAdam},
      {"adamw", OptimizerKind::kAdamW},     {"adagrad", OptimizerKind::kAdagrad},
      {"rmsprop", OptimizerKind::kRmsprop}, {"adadelta", OptimizerKind::kAdadelta},
      {"adamax", OptimizerKind::kAdamax},   {"nadam", OptimizerKind::kNadam},
      {"radam", OptimizerKind::kRadam},     {"asgd", OptimizerKind::kAsgd},
      {"rprop", OptimizerKind::kRprop},     {"lbfgs", OptimizerKind::kLbfgs}};
  return names;
}

const std::vector<std::pair<std::string, Schedule>>& schedule_names() {
  static const std::vector<std::pair<std::string, Schedule>> names{
      {"none", Schedule::kNone},      {"step", Schedule::kStep},     {"exponential", Schedule::kExponential},
      {"linear", Schedule::kLinear},  {"cosine", Schedule::kCosine}, {"one-cycle", Schedule::kOneCycle},
      {"plateau", Schedule::kPlateau}};
  return names;
}

double learning_rate(const FitOptions& options) {
  if (options.lr) return *options.lr;
  switch (options.optimizer) {
    case OptimizerKind::kAuto:
    case OptimizerKind::kAls:
    case OptimizerKind::kSgd:
    case OptimizerKind::kAsgd: break;
    case OptimizerKind::kRmsprop: return 0.001;
    case OptimizerKind::kAdagrad: return 0.1;
    case OptimizerKind::kAdadelta:
    case OptimizerKind::kLbfgs: return 1;
    default: return 0.01;
  }
  // With the largest singular values of D, C and F at 1, the loss bends by at most 2 (1 + 1) along any
  // direction, and descent with momentum b is stable up to a rate of 2 (1 + b) / 4.
  return options.scale == Scale::kAuto ? 0.2 : 0.001;
}

const std::vector<std::pair<std::string, LossKind>>& loss_names() {
  static const std::vector<std::pair<std::string, LossKind>> names{{"squared", LossKind::kSquared},
                                                                   {"absolute", LossKind::kAbsolute},
                                                                   {"huber", LossKind::kHuber},
                                                                   {"logistic", LossKind::kLogistic},
                                                                   {"poisson", LossKind::kPoisson}};
  return names;
}

int64_t default_rank(int64_t rows, int64_t columns) {
  constexpr int64_t kUsual = 14;
  return std::min({kUsual, rows, columns});
}

namespace {

// With the optimizer that is meant.
FitOptions decided(FitOptions options) {
  if (options.optimizer == OptimizerKind::kAuto) {
    const bool is_descent = options.feedback != Feedback::kAls &&
                            (options.lr || options.schedule != Schedule::kNone || options.scale == Scale::kNone);
    options.optimizer = is_descent ? OptimizerKind::kSgd : OptimizerKind::kAls;
  }
  return options;
}

}  // namespace

FitResult fit(const Tensor& matrix, const FitOptions& options, const Running& running) {
  check_rank(matrix, options);
  const FitOptions chosen = decided(options);
  return chosen.optimizer == OptimizerKind::kAls ? fit_by_als(matrix, chosen, running)
                                                 : fit_by_descent(matrix, chosen, running);
}

FitResult fit(const Entries& entries, const Entries* validation, const FitOptions& options, const Running& running) {
  const FitOptions chosen = decided(options);
  check_values(entries, options.loss);
  if (options.feedback == Feedback::kBpr) return fit_by_bpr(entries, options, running);
  return chosen.optimizer == OptimizerKind::kAls ? fit_by_als(entries, validation, chosen, running)
                                                 : fit_by_descent(entries, validation, chosen, running);
}

double squared_error(const FitResult& model, const Entries& entries) {
  const wengert::NoGradGuard no_grad;
  Tensor predicted = wengert::sampled_mm(model.C, model.F, entries.pattern) + model.mean;
  if (model.row_bias.defined()) {
    const Tensor rows = wengert::stack({model.row_bias, wengert::ones_like(model.row_bias)}, 1),
                 columns = wengert::stack({wengert::ones_like(model.column_bias), model.column_bias}, 1);
    predicted = predicted + wengert::sampled_mm(rows, columns.t(), entries.pattern);
  }
  const Tensor squares = (entries.values - inverse_link(predicted, model.loss)).square();
  return entries.weighted(squares).sum().item<double>() + entries.squares_within;
}

}  // namespace factorize
