#include <factorize/fit/minimize.h>
#include <factorize/terminal/interrupt.h>
#include <factorize/terminal/progress.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>

namespace factorize {
namespace {

using wengert::NoGradGuard;
using wengert::Tensor;

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
    default: break;
  }
  // fit() itself sees when to stop; how small a change is nothing depends on the matrix.
  return std::make_unique<optim::LBFGS>(
      factors,
      optim::LBFGSOptions(lr).line_search_fn("strong_wolfe").max_iter(1).tolerance_grad(0).tolerance_change(0));
}

// The learning rate after each step, by a scheduler, if any.
struct Scheduling {
  std::function<void(double loss)> step = [](double) {};
  std::function<void(wengert::serialize::OutputArchive&)> save = [](auto&) {};
  std::function<void(const wengert::serialize::InputArchive&)> load = [](auto&) {};
};

template <class Scheduler>
Scheduling saved_with(std::function<void(double)> step, std::shared_ptr<Scheduler> scheduler) {
  return {std::move(step), [scheduler](auto& archive) { archive.write("schedule", *scheduler); },
          [scheduler](const auto& archive) { archive.read("schedule", *scheduler); }};
}

Scheduling make_schedule(const FitOptions& options, wengert::optim::Optimizer& optimizer) {
  namespace optim = wengert::optim;
  const int64_t steps = std::max<int64_t>(1, options.iterations);
  const auto each_step = [](std::shared_ptr<optim::LRScheduler> scheduler) {
    return saved_with([scheduler](double) { scheduler->step(); }, scheduler);
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
      return saved_with([scheduler](double loss) { scheduler->step(loss); }, scheduler);
    }
  }
  return {};
}

// The best parameters so far, by the loss or the validation.
struct Best {
  std::vector<Tensor> values;
  double measure = std::numeric_limits<double>::infinity();
  int64_t iteration = 0;

  void offer(const std::vector<Parameter>& parameters, double candidate, int64_t at) {
    if (!(candidate < measure)) return;
    const NoGradGuard no_grad;
    for (size_t i = 0; i < parameters.size(); ++i) values[i].copy_(parameters[i].own);
    measure = candidate;
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

  void save(wengert::serialize::OutputArchive& archive) const {
    archive.write("best", tensor_of(best_));
    archive.write("rises", tensor_of(rises_));
    archive.write("last", last_);
  }
  void load(const wengert::serialize::InputArchive& archive) {
    best_ = numbers_in(archive, "best");
    rises_ = numbers_in(archive, "rises");
    archive.read("last", last_);
  }

 private:
  size_t begin_of_window() const { return best_.size() - 1 - kToleranceWindow; }

  std::vector<double> best_, rises_;  // the least loss so far, and the sum of all rises
  double last_ = 0;
};

void scale_learning_rate(wengert::optim::Optimizer& optimizer, double factor) {
  for (auto& group : optimizer.param_groups()) group.options().set_lr(group.options().get_lr() * factor);
}

void keep_nonnegative(const Objective& objective) {
  const NoGradGuard no_grad;
  for (const auto& [own, dim, is_nonnegative] : objective.parameters) {
    if (is_nonnegative) own.relu_();
  }
}

// Computes the loss, and the gradients of a process's own parameters, which are undefined before.
Tensor differentiate(const Objective& objective) {
  if (objective.backward) return objective.backward();
  Tensor loss = objective.loss();
  loss.backward();
  return loss;
}

// Each process has all of the parameters, and so makes all of each step: what a step of L-BFGS needs, which follows
// from products of whole gradients. wholes: of the objective's parameters.
Objective on_wholes(const Objective& objective, const Wholes& wholes) {
  const std::vector<Tensor> leaves = wholes.leaves();
  Objective all = objective;
  for (size_t i = 0; i < leaves.size(); ++i) {
    all.parameters[i].own = leaves[i];
    all.parameters[i].dim.reset();
  }
  all.loss = nullptr;
  all.add_others = nullptr;
  all.can_be_replayed = false;
  all.backward = [&objective, &wholes, leaves] {
    const std::vector<Parameter>& parameters = objective.parameters;
    {
      const NoGradGuard no_grad;
      for (size_t i = 0; i < leaves.size(); ++i) {
        parameters[i].own.copy_(wholes.own(i, leaves[i]));
        parameters[i].own.mutable_grad() = Tensor();
      }
    }
    const double own = differentiate(objective).item<double>();
    const double loss = objective.add_others ? objective.add_others(own) : own;
    for (size_t i = 0; i < leaves.size(); ++i) leaves[i].mutable_grad() = wholes.whole(i, parameters[i].own.grad());
    return wengert::full({}, loss, wengert::kDouble);
  };
  return all;
}

FitResult minimize_parts(const Objective& objective, const FitOptions& options, const Running& running) {
  constexpr int64_t kStepsOfValidation = 20;
  FitResult result;
  result.optimizer = options.optimizer;
  result.lr = learning_rate(options);
  const double tolerance = options.tolerance.value_or(1e-5);
  const std::vector<Parameter>& parameters = objective.parameters;
  const Wholes wholes(*running.processes, parameters);
  std::vector<Tensor> own;
  Best best;
  for (const Parameter& parameter : parameters) {
    own.push_back(parameter.own);
    best.values.push_back(parameter.own.detach().clone());
  }
  const auto optimizer = make_optimizer(options, own);
  const auto schedule = make_schedule(options, *optimizer);
  Tensor loss;
  const auto differentiate_own = [&] {
    optimizer->zero_grad();
    loss = differentiate(objective);
  };
  const auto interrupted = [&](const InterruptGuard& guard) { return running.processes->any(guard.interrupted()); };
  Descent descent;
  double least_loss = std::numeric_limits<double>::infinity();
  double loss_at_last_rate = least_loss;  // when the rate was last made smaller
  // What is saved is of whole parameters, so that any number of processes can go on from it.
  const auto save = [&](wengert::serialize::OutputArchive& archive) {
    archive.write("lr", result.lr);
    const auto of_wholes = make_optimizer(options, wholes.are_blocks() ? wholes.leaves() : own);
    hand_over(*optimizer, *of_wholes, [&](size_t i, const Tensor& x) { return wholes.whole(i, x); });
    archive.write("optimizer", *of_wholes);
    schedule.save(archive);
    for (size_t i = 0; i < parameters.size(); ++i) {
      archive.write(fmt::format("parameters.{}", i), wholes.whole(i, own[i]));
      archive.write(fmt::format("best.values.{}", i), wholes.whole(i, best.values[i]));
    }
    archive.write("best.measure", best.measure);
    archive.write("best.iteration", best.iteration);
    archive.write("descent", descent);
    archive.write("least_loss", least_loss);
    archive.write("loss_at_last_rate", loss_at_last_rate);
    archive.write("iterations", result.iterations);
    archive.write("losses", tensor_of(result.losses));
  };
  if (const auto* resumed = running.resumed()) {
    const NoGradGuard no_grad;
    const auto of_wholes = make_optimizer(options, wholes.leaves());
    resumed->read("optimizer", *of_wholes);
    hand_over(*of_wholes, *optimizer, [&](size_t i, const Tensor& x) { return wholes.own(i, x); });
    schedule.load(*resumed);
    for (size_t i = 0; i < parameters.size(); ++i) {
      for (const auto& [name, to] : {std::pair("parameters", own[i]), std::pair("best.values", best.values[i])}) {
        Tensor value;
        resumed->read(fmt::format("{}.{}", name, i), value);
        to.copy_(wholes.own(i, value));
      }
    }
    resumed->read("best.measure", best.measure);
    resumed->read("best.iteration", best.iteration);
    resumed->read("descent", descent);
    resumed->read("least_loss", least_loss);
    resumed->read("loss_at_last_rate", loss_at_last_rate);
    resumed->read("iterations", result.iterations);
    result.losses = numbers_in(*resumed, "losses");
  }
  const InterruptGuard interrupt;
  const auto start = std::chrono::steady_clock::now();
  {
    Progress progress(running.show_progress, options.iterations, running.loss_unit, running.on_iteration);
    differentiate_own();  // makes the gradients that later steps set to zero
    std::optional<const wengert::Replay> replay;
    if (objective.can_be_replayed) replay.emplace(differentiate_own);
    if (replay) (*replay)();  // as in the steps that follow, to the last digit: where a run goes on, too
    double loss_of_all = 0;
    const auto add_others = [&] {
      const double own = loss.item<double>();
      loss_of_all = objective.add_others ? objective.add_others(own) : own;
    };
    const auto differentiate_again = [&] {
      replay ? (*replay)() : differentiate_own();
      add_others();
    };
    add_others();
    while (true) {
      const double value = loss_of_all * objective.unit;
      if (!std::isfinite(value)) {
        result.stop = Stop::kDiverged;
        break;
      }
      result.losses.push_back(value);
      least_loss = std::min(least_loss, value);
      if (!objective.validation) {
        best.offer(parameters, value, result.iterations);
      } else if (result.iterations % kStepsOfValidation == 0) {
        result.validations.emplace_back(result.iterations, objective.validation());
        best.offer(parameters, result.validations.back().second, result.iterations);
        if (result.iterations - best.iteration >= options.patience * 100) {
          result.stop = Stop::kValidation;
          break;
        }
      }
      progress.update(result.iterations, value);
      if (interrupted(interrupt)) {
        result.stop = Stop::kInterrupted;
        break;
      }
      descent.add(value);
      if (descent.has_stalled(tolerance)) {
        // Converged, unless the loss only rises and falls: then a smaller rate tells, if the last one did.
        const bool last_rate_told = loss_at_last_rate - least_loss > tolerance * least_loss;
        if (options.schedule != Schedule::kNone || !descent.rises(tolerance) || !last_rate_told) {
          result.stop = Stop::kConverged;
          break;
        }
        loss_at_last_rate = least_loss;
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
      schedule.step(value);
      keep_nonnegative(objective);
      ++result.iterations;
      running.save(interrupted(interrupt), save);
      differentiate_again();
    }
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.best_iteration = best.iteration;
  if (objective.validation && std::isfinite(best.measure)) result.validation_rmse = best.measure;
  const NoGradGuard no_grad;
  for (size_t i = 0; i < own.size(); ++i) own[i].copy_(best.values[i]);
  return result;
}

}  // namespace

FitResult minimize(const Objective& objective, const FitOptions& options, const Running& running) {
  keep_nonnegative(objective);
  if (options.optimizer != OptimizerKind::kLbfgs || !running.processes->are_several()) {
    return minimize_parts(objective, options, running);
  }
  const Wholes wholes(*running.processes, objective.parameters);
  const Objective all = on_wholes(objective, wholes);
  FitResult result = minimize_parts(all, options, running);
  const NoGradGuard no_grad;
  for (size_t i = 0; i < all.parameters.size(); ++i) {
    objective.parameters[i].own.copy_(wholes.own(i, all.parameters[i].own));
  }
  return result;
}

FitResult with_smaller_rates(const FitOptions& options, const Running& running,
                             const std::function<FitResult(const FitOptions&)>& fit) {
  FitOptions slower = options;
  if (running.resumed() != nullptr) {
    double lr = 0;
    running.resumed()->read("lr", lr);
    slower.lr = lr;
  }
  FitResult result = fit(slower);
  for (int tries = 0; result.stop == Stop::kDiverged && !options.lr && tries < 3; ++tries) {
    slower.lr = result.lr * kSmallerRate;
    result = fit(slower);
  }
  return result;
}

}  // namespace factorize
