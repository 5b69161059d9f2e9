#include <factorize/fit/als.h>
#include <factorize/fit/bpr.h>
#include <factorize/fit/descent.h>
#include <factorize/fit/units.h>
#include <factorize/fit/whole.h>
#include <factorize/model/entry_losses.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <algorithm>

namespace factorize {

using wengert::Tensor;

void check_rank(int64_t rows, int64_t columns, const FitOptions& options) {
  if (!options.rank) throw wengert::Error("a whole matrix needs --rank");
  const int64_t rank = *options.rank, most = std::min(rows, columns);
  if (rank < 1 || rank > most) {
    throw wengert::Error(
        fmt::format("--rank {} is impossible for a {} x {} matrix: expected 1 to {}", rank, rows, columns, most));
  }
}

RowBlocks::RowBlocks(const Tensor& own, const Running& running)
    : processes(*running.processes),
      own(own),
      rows(processes.sum(own.size(0))),
      first(processes.sum_before(own.size(0))) {}

Tensor mean_to_take_off(const RowBlocks& matrix, Center center) {
  const Tensor& own = matrix.own;
  const bool are_several = matrix.processes.are_several();
  switch (center) {
    case Center::kNone: return {};
    case Center::kGlobal:
      return are_several ? matrix.processes.sum(own.sum({0, 1}, true)) / (matrix.rows * own.size(1))
                         : own.mean({0, 1}, true);
    case Center::kRows: return own.mean(1, true);
    case Center::kColumns:
      return are_several ? matrix.processes.sum(own.sum(0, true)) / matrix.rows : own.mean(0, true);
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

// What the options say of the model.
void describe(FitResult& result, const FitOptions& options) {
  result.loss = options.loss;
  result.huber_delta = options.huber_delta;
  result.feedback = options.feedback;
  result.alpha = options.alpha;
  result.nonnegative = options.nonnegative;
  result.penalties_by_count = options.l2_by_count;
}

}  // namespace

std::string_view name_of(Stop stop) {
  switch (stop) {
    case Stop::kConverged: return "converged";
    case Stop::kIterations: return "iterations";
    case Stop::kInterrupted: return "interrupted";
    case Stop::kDiverged: return "diverged";
    case Stop::kValidation: return "validation";
  }
  return "";
}

FitResult fit(const Tensor& matrix, const FitOptions& options, const Running& running) {
  const RowBlocks blocks(matrix, running);
  check_rank(blocks.rows, matrix.size(1), options);
  const FitOptions chosen = decided(options);
  const double unit = unit_of(matrix, chosen, blocks.processes);
  const FitOptions scaled = in_unit(chosen, unit);
  const Tensor values = unit == 1 ? matrix : matrix / unit;
  const Running in_its_unit = running.with_loss_unit(loss_unit(unit, chosen));
  FitResult result = chosen.optimizer == OptimizerKind::kAls ? fit_by_als(values, scaled, in_its_unit)
                                                             : fit_by_descent(values, scaled, in_its_unit);
  result.row_penalties = wengert::full({result.rank() + 1}, scaled.l2.value_or(0), result.C.options());
  leave_unit(result, unit, chosen);
  describe(result, chosen);
  return result;
}

FitResult fit(const Entries& entries, const Entries* validation, const FitOptions& options, const Running& running) {
  return fit(Share(entries, validation == nullptr ? std::nullopt : std::optional(*validation)), options, running);
}

FitResult fit(const Share& share, const FitOptions& options, const Running& running) {
  const FitOptions chosen = decided(options);
  check_values(share.of_rows, options.loss);
  if (options.feedback == Feedback::kBpr) {
    FitResult result = fit_by_bpr(share, options, running);
    describe(result, options);
    return result;
  }
  const double unit = unit_of(share.of_rows.values, chosen, share.processes());
  const FitOptions scaled = in_unit(chosen, unit);
  const Share values = share.in_unit(unit);
  const Running in_its_unit =
      running.with_loss_unit(loss_unit(unit, chosen)).with_start(unit == 1 ? running.start : nullptr);
  FitResult result = chosen.optimizer == OptimizerKind::kAls ? fit_by_als(values, scaled, in_its_unit)
                                                             : fit_by_descent(values, scaled, in_its_unit);
  leave_unit(result, unit, chosen);
  describe(result, chosen);
  return result;
}

}  // namespace factorize
