#include <factorize/fit.h>
#include <factorize/interrupt.h>
#include <factorize/progress.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>

namespace factorize {
namespace {

using wengert::NoGradGuard;
using wengert::Tensor;

void check_rank(const Tensor& matrix, int64_t rank) {
  const int64_t most = std::min(matrix.size(0), matrix.size(1));
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

// The largest singular value, by power iteration on Dᵀ D (Golub and Van Loan, Matrix Computations, section
// 8.2). It need not be exact: it sets the unit in which learning rates are given.
double largest_singular_value(const Tensor& D) {
  Tensor v = wengert::randn({D.size(1)}, D.dtype());
  double sigma = 0;
  for (int i = 0; i < 30; ++i) {
    const double norm = std::sqrt(v.square().sum().item<double>());
    if (norm == 0) return 0;
    const Tensor image = wengert::mv(D, v / norm);
    sigma = std::sqrt(image.square().sum().item<double>());
    v = wengert::mv(D.t(), image);
  }
  return sigma;
}

// Random factors whose largest singular value is about a third, for a matrix whose own is 1: small enough to
// fall into no wrong valley, large enough to leave the saddle at zero.
Tensor starting_factor(int64_t rows, int64_t columns, Init init, wengert::ScalarType dtype) {
  constexpr double kSize = 1.0 / 3;
  const auto long_side = static_cast<double>(std::max(rows, columns));
  const Tensor factor =
      init == Init::kNormal
          ? wengert::randn({rows, columns}, dtype) * (kSize / std::sqrt(long_side))
          // Of numbers with mean 1/2, the largest singular value is that of the constant matrix 1/2.
          : wengert::rand({rows, columns}, dtype) * (2 * kSize / std::sqrt(static_cast<double>(rows * columns)));
  return factor.requires_grad_();
}

std::unique_ptr<wengert::optim::Optimizer> make_optimizer(const FitOptions& options,
                                                          const std::vector<Tensor>& factors) {
  namespace optim = wengert::optim;
  const double lr = learning_rate(options);
  switch (options.optimizer) {
    case OptimizerKind::kSgd:
      return std::make_unique<optim::SGD>(factors, optim::SGDOptions(lr).momentum(options.momentum));
    case OptimizerKind::kAdam: return std::make_unique<optim::Adam>(factors, optim::AdamOptions(lr));
    case OptimizerKind::kAdamW: return std::make_unique<optim::AdamW>(factors, optim::AdamWOptions(lr).weight_decay(0));
    case OptimizerKind::kAdagrad: return std::make_unique<optim::Adagrad>(factors, optim::AdagradOptions(lr));
    case OptimizerKind::kRmsprop: return std::make_unique<optim::RMSprop>(factors, optim::RMSpropOptions(lr));
    case OptimizerKind::kAdadelta: return std::make_unique<optim::Adadelta>(factors, optim::AdadeltaOptions(lr));
    case OptimizerKind::kAdamax: return std::make_unique<optim::Adamax>(factors, optim::AdamaxOptions(lr));
    case OptimizerKind::kNadam: return std::make_unique<optim::NAdam>(factors, optim::NAdamOptions(lr));
    case OptimizerKind::kRadam: return std::make_unique<optim::RAdam>(factors, optim::RAdamOptions(lr));
    case OptimizerKind::kAsgd: return std::make_unique<optim::ASGD>(factors, optim::ASGDOptions(lr).lambd(0));
    case OptimizerKind::kRprop: return std::make_unique<optim::Rprop>(factors, optim::RpropOptions(lr));
    case OptimizerKind::kLbfgs: break;
  }
  // fit() itself sees when to stop; how small a change is nothing depends on the matrix.
  return std::make_unique<optim::LBFGS>(
      factors,
      optim::LBFGSOptions(lr).line_search_fn("strong_wolfe").max_iter(1).tolerance_grad(0).tolerance_change(0));
}

// The learning rate after each step. Holds the scheduler, if any.
std::function<void(double loss)> make_schedule(const FitOptions& options, wengert::optim::Optimizer& optimizer) {
  namespace optim = wengert::optim;
  const int64_t steps = std::max<int64_t>(1, options.iterations);
  const auto each_step = [](std::shared_ptr<optim::LRScheduler> scheduler) {
    return [scheduler = std::move(scheduler)](double) { scheduler->step(); };
  };
  switch (options.schedule) {
    case Schedule::kNone: break;
    case Schedule::kStep: return each_step(std::make_shared<optim::StepLR>(optimizer, std::max<int64_t>(1, steps / 3)));
    case Schedule::kExponential:
      return each_step(
          std::make_shared<optim::ExponentialLR>(optimizer, std::pow(1e-3, 1 / static_cast<double>(steps))));
    case Schedule::kLinear: return each_step(std::make_shared<optim::LinearLR>(optimizer, 1, 0, steps));
    case Schedule::kCosine: return each_step(std::make_shared<optim::CosineAnnealingLR>(optimizer, steps));
    case Schedule::kOneCycle: {
      optim::OneCycleLROptions cycle;
      cycle.cycle_momentum = false;
      return each_step(std::make_shared<optim::OneCycleLR>(optimizer, learning_rate(options), steps + 1, cycle));
    }
    case Schedule::kPlateau: {
      optim::ReduceLROnPlateauOptions plateau;
      plateau.factor = 0.25;
      plateau.patience = 50;
      const auto scheduler = std::make_shared<optim::ReduceLROnPlateau>(optimizer, plateau);
      return [scheduler](double loss) { scheduler->step(loss); };
    }
  }
  return [](double) {};
}

// The best factors so far, and the loss with them.
struct Best {
  Tensor C, F;
  double loss = std::numeric_limits<double>::infinity();
  int64_t iteration = 0;

  void offer(const Tensor& candidate_C, const Tensor& candidate_F, double candidate_loss, int64_t at) {
    if (!(candidate_loss < loss)) return;
    const NoGradGuard no_grad;
    C.copy_(candidate_C);
    F.copy_(candidate_F);
    loss = candidate_loss;
    iteration = at;
  }
};

constexpr double kSmallerRate = 0.25;  // where one is too large, times this

// The loss since the learning rate was set.
class Descent {
 public:
  void add(double loss) {
    rises_.push_back(best_.empty() ? 0 : rises_.back() + std::max(0.0, loss - last_));
    best_.push_back(best_.empty() ? loss : std::min(best_.back(), loss));
    last_ = loss;
  }
  /// Whether the last kToleranceWindow steps brought less than `tolerance` of the loss.
  bool has_stalled(double tolerance) const {
    if (tolerance == 0 || best_.size() <= kToleranceWindow) return false;
    const double before = best_[begin_of_window()];
    return before - best_.back() < tolerance * before;
  }
  /// Whether it rose in these steps by more than that: at a smaller rate it might fall.
  bool rises(double tolerance) const { return rises_.back() - rises_[begin_of_window()] > tolerance * best_.back(); }

 private:
  size_t begin_of_window() const { return best_.size() - 1 - kToleranceWindow; }

  std::vector<double> best_, rises_;  // the least loss so far, and the sum of all rises
  double last_ = 0;
};

void scale_learning_rate(wengert::optim::Optimizer& optimizer, double factor) {
  for (auto& group : optimizer.param_groups()) group.options().set_lr(group.options().get_lr() * factor);
}

}  // namespace

const std::vector<std::pair<std::string, OptimizerKind>>& optimizer_names() {
  static const std::vector<std::pair<std::string, OptimizerKind>> names{
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

namespace {

// fit() at one learning rate.
FitResult descend(const Tensor& matrix, const FitOptions& options, bool show_progress) {
  wengert::manual_seed(options.seed);
  FitResult result;
  result.lr = learning_rate(options);
  result.offset = mean_to_take_off(matrix, options.center);
  const Tensor centered = result.offset.defined() ? matrix - result.offset : matrix;
  if (options.scale == Scale::kAuto) {
    const double sigma = largest_singular_value(centered);
    if (sigma > 0) result.scale = sigma;
  }
  // D / s is about (C / sqrt(s)) (F / sqrt(s)). The squared error is s^2 times that of the scaled problem, the
  // penalty s times, so l2 / s weighs the same in the scaled one.
  const double s = result.scale, l2 = options.l2 / s;
  const Tensor D = (centered / s).to(options.dtype);
  const Init init = options.init.value_or(options.nonnegative ? Init::kUniform : Init::kNormal);
  const Tensor C = starting_factor(D.size(0), options.rank, init, options.dtype);
  const Tensor F = starting_factor(options.rank, D.size(1), init, options.dtype);
  if (options.nonnegative) {
    const NoGradGuard no_grad;
    C.relu_();
    F.relu_();
  }
  const auto loss_of = [&] {
    const Tensor error = (D - wengert::mm(C, F)).square().sum();
    return l2 == 0 ? error : error + l2 * (C.square().sum() + F.square().sum());
  };

  const auto optimizer = make_optimizer(options, {C, F});
  const auto schedule = make_schedule(options, *optimizer);
  Best best{C.detach().clone(), F.detach().clone()};
  Tensor loss;
  const auto differentiate = [&] {
    optimizer->zero_grad();
    loss = loss_of();
    loss.backward();
  };
  Descent descent;
  double loss_at_last_rate = std::numeric_limits<double>::infinity();  // when the rate was last made smaller
  const InterruptGuard interrupt;
  const auto start = std::chrono::steady_clock::now();
  {
    Progress progress(show_progress, options.iterations);
    differentiate();  // makes the gradients that later steps set to zero
    const wengert::Replay differentiate_again(differentiate);
    while (true) {
      const double value = loss.item<double>() * s * s;
      if (!std::isfinite(value)) {
        result.stop = Stop::kDiverged;
        break;
      }
      result.losses.push_back(value);
      best.offer(C, F, value, result.iterations);
      progress.update(result.iterations, value);
      if (interrupt.interrupted()) {
        result.stop = Stop::kInterrupted;
        break;
      }
      descent.add(value);
      if (descent.has_stalled(options.tolerance)) {
        // Converged, unless the loss only rises and falls: then a smaller rate tells, if the last one did.
        const bool last_rate_told = loss_at_last_rate - best.loss > options.tolerance * best.loss;
        if (options.schedule != Schedule::kNone || !descent.rises(options.tolerance) || !last_rate_told) {
          result.stop = Stop::kConverged;
          break;
        }
        loss_at_last_rate = best.loss;
        scale_learning_rate(*optimizer, kSmallerRate);
        descent = Descent();
        descent.add(value);
      }
      if (result.iterations == options.iterations) break;

      if (options.optimizer == OptimizerKind::kLbfgs) {
        optimizer->step([&] {
          differentiate_again();
          return loss;
        });
      } else {
        optimizer->step();
      }
      schedule(value);
      if (options.nonnegative) {
        const NoGradGuard no_grad;
        C.relu_();
        F.relu_();
      }
      ++result.iterations;
      differentiate_again();
    }
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.best_iteration = best.iteration;
  result.C = best.C * std::sqrt(s);
  result.F = best.F * std::sqrt(s);
  const Tensor approximation = wengert::mm(result.C.to(wengert::kDouble), result.F.to(wengert::kDouble));
  result.squared_error = (centered - approximation).square().sum().item<double>();
  return result;
}

}  // namespace

FitResult fit(const Tensor& matrix, const FitOptions& options, bool show_progress) {
  check_rank(matrix, options.rank);
  FitResult result = descend(matrix, options, show_progress);
  // Momentum may throw the factors of a small matrix far out, where the loss bends more.
  FitOptions slower = options;
  for (int tries = 0; result.stop == Stop::kDiverged && !options.lr && tries < 3; ++tries) {
    slower.lr = result.lr * kSmallerRate;
    result = descend(matrix, slower, show_progress);
  }
  return result;
}

}  // namespace factorize
