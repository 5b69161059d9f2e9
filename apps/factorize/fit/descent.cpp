#include <factorize/fit/als.h>
#include <factorize/fit/descent.h>
#include <factorize/fit/whole.h>
#include <factorize/model/entry_losses.h>
#include <factorize/terminal/interrupt.h>
#include <factorize/terminal/progress.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>

namespace factorize {
namespace {

using wengert::NoGradGuard;
using wengert::Tensor;

// The largest singular value of a matrix, by power iteration on Dᵀ D (Golub and Van Loan, Matrix Computations, section
// 8.2). It need not be exact: it sets the unit in which learning rates are given.
// image: D v; back: D' u; columns: of D.
double largest_singular_value(int64_t columns, const wengert::TensorOptions& options,
                              const std::function<Tensor(const Tensor&)>& image,
                              const std::function<Tensor(const Tensor&)>& back) {
  Tensor v = wengert::randn({columns, 1}, options);
  double sigma = 0;
  for (int i = 0; i < 30; ++i) {
    const double norm = std::sqrt(v.square().sum().item<double>());
    if (norm == 0) return 0;
    const Tensor u = image(v / norm);
    sigma = std::sqrt(u.square().sum().item<double>());
    v = back(u);
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

// What descent is to make small.
struct Objective {
  std::vector<Tensor> parameters;
  std::vector<Tensor> nonnegative;  // those that are to stay so
  std::function<Tensor()> loss;
  double unit = 1;  // the loss in the matrix's units, over loss()
  bool can_be_replayed = true;
  std::function<double()> validation;  // an error that is to tell when to stop; may be empty
};

// The best parameters so far, by the loss or the validation.
struct Best {
  std::vector<Tensor> values;
  double measure = std::numeric_limits<double>::infinity();
  int64_t iteration = 0;

  void offer(const std::vector<Tensor>& parameters, double candidate, int64_t at) {
    if (!(candidate < measure)) return;
    const NoGradGuard no_grad;
    for (size_t i = 0; i < parameters.size(); ++i) values[i].copy_(parameters[i]);
    measure = candidate;
    iteration = at;
  }
  void save(wengert::serialize::OutputArchive& archive) const {
    for (size_t i = 0; i < values.size(); ++i) archive.write(fmt::format("values.{}", i), values[i]);
    archive.write("measure", measure);
    archive.write("iteration", iteration);
  }
  void load(const wengert::serialize::InputArchive& archive) {
    for (size_t i = 0; i < values.size(); ++i) archive.read(fmt::format("values.{}", i), values[i]);
    archive.read("measure", measure);
    archive.read("iteration", iteration);
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
  for (const Tensor& parameter : objective.nonnegative) parameter.relu_();
}

// Leaves the best values in the parameters.
FitResult descend(const Objective& objective, const FitOptions& options, const Running& running) {
  constexpr int64_t kStepsOfValidation = 20;
  FitResult result;
  result.optimizer = options.optimizer;
  result.lr = learning_rate(options);
  const double tolerance = options.tolerance.value_or(1e-5);
  const auto optimizer = make_optimizer(options, objective.parameters);
  const auto schedule = make_schedule(options, *optimizer);
  Best best;
  for (const Tensor& parameter : objective.parameters) best.values.push_back(parameter.detach().clone());
  Tensor loss;
  const auto differentiate = [&] {
    optimizer->zero_grad();
    loss = objective.loss();
    loss.backward();
  };
  Descent descent;
  double least_loss = std::numeric_limits<double>::infinity();
  double loss_at_last_rate = least_loss;  // when the rate was last made smaller
  const auto save = [&](wengert::serialize::OutputArchive& archive) {
    archive.write("lr", result.lr);
    archive.write("optimizer", *optimizer);
    schedule.save(archive);
    for (size_t i = 0; i < objective.parameters.size(); ++i) {
      archive.write(fmt::format("parameters.{}", i), objective.parameters[i]);
    }
    archive.write("best", best);
    archive.write("descent", descent);
    archive.write("least_loss", least_loss);
    archive.write("loss_at_last_rate", loss_at_last_rate);
    archive.write("iterations", result.iterations);
    archive.write("losses", tensor_of(result.losses));
  };
  if (const auto* resumed = running.resumed()) {
    const NoGradGuard no_grad;
    resumed->read("optimizer", *optimizer);
    schedule.load(*resumed);
    for (size_t i = 0; i < objective.parameters.size(); ++i) {
      Tensor value;
      resumed->read(fmt::format("parameters.{}", i), value);
      objective.parameters[i].copy_(value);
    }
    resumed->read("best", best);
    resumed->read("descent", descent);
    resumed->read("least_loss", least_loss);
    resumed->read("loss_at_last_rate", loss_at_last_rate);
    resumed->read("iterations", result.iterations);
    result.losses = numbers_in(*resumed, "losses");
  }
  const InterruptGuard interrupt;
  const auto start = std::chrono::steady_clock::now();
  {
    Progress progress(running.show_progress, options.iterations, running.loss_unit);
    differentiate();  // makes the gradients that later steps set to zero
    std::optional<const wengert::Replay> replay;
    if (objective.can_be_replayed) replay.emplace(differentiate);
    if (replay) (*replay)();  // as in the steps that follow, to the last digit: where a run goes on, too
    const auto differentiate_again = [&] { replay ? (*replay)() : differentiate(); };
    while (true) {
      const double value = loss.item<double>() * objective.unit;
      if (!std::isfinite(value)) {
        result.stop = Stop::kDiverged;
        break;
      }
      result.losses.push_back(value);
      least_loss = std::min(least_loss, value);
      if (!objective.validation) {
        best.offer(objective.parameters, value, result.iterations);
      } else if (result.iterations % kStepsOfValidation == 0) {
        result.validations.emplace_back(result.iterations, objective.validation());
        best.offer(objective.parameters, result.validations.back().second, result.iterations);
        if (result.iterations - best.iteration >= options.patience * 100) {
          result.stop = Stop::kValidation;
          break;
        }
      }
      progress.update(result.iterations, value);
      if (interrupt.interrupted()) {
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
      running.save(interrupt.interrupted(), save);
      differentiate_again();
    }
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.best_iteration = best.iteration;
  if (objective.validation && std::isfinite(best.measure)) result.validation_rmse = best.measure;
  const NoGradGuard no_grad;
  for (size_t i = 0; i < best.values.size(); ++i) objective.parameters[i].copy_(best.values[i]);
  return result;
}

// At a quarter of a default rate again where that diverges: momentum may throw the factors of a small matrix far out,
// where the loss bends more.
template <class Fit>
FitResult with_smaller_rates(const FitOptions& options, const Running& running, const Fit& fit) {
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

FitResult descend_on_matrix(const Tensor& matrix, const FitOptions& options, const Running& running) {
  wengert::manual_seed(options.seed);
  const Tensor offset = mean_to_take_off(matrix, options.center);
  const Tensor centered = offset.defined() ? matrix - offset : matrix;
  double s = 1;
  if (options.scale == Scale::kAuto) {
    const double sigma = largest_singular_value(
        centered.size(1), centered.options(), [&](const Tensor& v) { return wengert::mm(centered, v); },
        [&](const Tensor& u) { return wengert::mm(centered.t(), u); });
    if (sigma > 0) s = sigma;
  }
  // D / s is about (C / sqrt(s)) (F / sqrt(s)). The squared error is s^2 times that of the scaled problem, the
  // penalty s times, so l2 / s weighs the same in the scaled one.
  const double l2 = options.l2.value_or(0) / s;
  const Tensor D = (centered / s).to(options.dtype);
  const Init init = options.init.value_or(options.nonnegative ? Init::kUniform : Init::kNormal);
  const Tensor C = starting_factor(D.size(0), *options.rank, init, options.dtype);
  const Tensor F = starting_factor(*options.rank, D.size(1), init, options.dtype);
  Objective objective;
  objective.parameters = {C, F};
  if (options.nonnegative) objective.nonnegative = {C, F};
  keep_nonnegative(objective);
  objective.unit = s * s;
  objective.loss = [&] {
    const Tensor error = (D - wengert::mm(C, F)).square().sum();
    return l2 == 0 ? error : error + l2 * (C.square().sum() + F.square().sum());
  };
  FitResult result = descend(objective, options, running);
  const NoGradGuard no_grad;
  result.offset = offset;
  result.scale = s;
  result.C = C.detach() * std::sqrt(s);
  result.F = F.detach() * std::sqrt(s);
  const Tensor approximation = wengert::mm(result.C.to(matrix.dtype()), result.F.to(matrix.dtype()));
  result.squared_error = (centered - approximation).square().sum().item<double>();
  result.count = static_cast<double>(matrix.numel());
  return result;
}

// Sums of the entries' losses where the model is mean + s (C F + kappa (b_i + c_j)): the same unit as for whole
// matrices, and kappa such that a bias, which counts in all entries of its line, does not make the loss bend more than
// a factor.
FitResult descend_on_entries(const Entries& entries, const Entries* validation, const FitOptions& options,
                             const Running& running) {
  wengert::manual_seed(options.seed);
  const wengert::SparsePattern& pattern = entries.pattern;
  const auto dtype = entries.values.options();
  const Biases biases = fit_biases(entries, options);
  const bool has_biases = biases.rows.defined();
  const int64_t n = pattern.rows(), m = pattern.columns();
  const int64_t k = options.rank.value_or(default_rank(n, m));
  const Tensor ones = wengert::ones_like(entries.values);
  const double mean = biases.mean;
  double s = 1;
  if (options.scale == Scale::kAuto) {
    const wengert::SparseMatrix residuals(pattern, entries.values - inverse_link(mean, options.loss));
    const double sigma = largest_singular_value(
        m, dtype, [&](const Tensor& v) { return residuals.mm(v); },
        [&](const Tensor& u) { return residuals.t().mm(u); });
    if (sigma > 0) s = sigma;
  }
  const wengert::SparseMatrix known(pattern, ones);
  const Tensor in_rows = known.sum(1), in_columns = known.sum(0);
  const double most = std::max(in_rows.max().item<double>(), in_columns.max().item<double>());
  const double kappa = 1 / std::sqrt(most);

  const Init init = options.init.value_or(options.nonnegative ? Init::kUniform : Init::kNormal);
  const Tensor C = starting_factor(n, k, init, dtype.dtype()), F = starting_factor(k, m, init, dtype.dtype());
  const auto starting_bias = [&](const Tensor& bias, int64_t lines) {
    return (has_biases ? bias.unsqueeze(1) / (s * kappa) : wengert::zeros({lines, 1}, dtype)).requires_grad_();
  };
  const Tensor row_bias = starting_bias(biases.rows, n), column_bias = starting_bias(biases.columns, m);
  const Tensor kappas_of_rows = wengert::full({n, 1}, kappa, dtype),
               kappas_of_columns = wengert::full({m, 1}, kappa, dtype);
  // By default as of factors whose elements have a standard deviation of kSize times the root of the noise's.
  constexpr double kSize = 0.28;
  const double l2 = options.l2.value_or(biases.noise / (kSize * kSize * biases.deviation)) / s;
  const double l2_rows = biases.l2_rows * kappa * kappa, l2_columns = biases.l2_columns * kappa * kappa;
  const Tensor row_share = options.l2_by_count ? in_rows.unsqueeze(1) : wengert::ones({n, 1}, dtype),
               column_share = options.l2_by_count ? in_columns.unsqueeze(1) : wengert::ones({m, 1}, dtype);

  Objective objective;
  objective.parameters = {C, F};
  if (has_biases) objective.parameters.insert(objective.parameters.end(), {row_bias, column_bias});
  if (options.nonnegative) objective.nonnegative = {C, F};
  keep_nonnegative(objective);
  objective.unit = s * s;
  objective.can_be_replayed = false;  // sparse products are not
  objective.loss = [&] {
    Tensor x;
    if (has_biases) {
      x = wengert::sampled_mm(wengert::cat({row_bias, C, kappas_of_rows}, 1),
                              wengert::cat({kappas_of_columns, F.t(), column_bias}, 1).t(), pattern);
    } else {
      x = wengert::sampled_mm(C, F, pattern);
    }
    const Tensor each = losses_of(entries.values, x * s + mean, options.loss, options.huber_delta);
    Tensor loss = entries.weighted(each).sum() / (s * s);
    if (l2 != 0) loss = loss + l2 * ((row_share * C.square()).sum() + (column_share * F.t().square()).sum());
    if (has_biases) {
      loss = loss + l2_rows * (row_share * row_bias.square()).sum() +
             l2_columns * (column_share * column_bias.square()).sum();
    }
    return loss;
  };
  const auto put_model = [&](FitResult& result) {
    const NoGradGuard no_grad;
    result.loss = options.loss;
    result.mean = mean;
    result.C = C.detach() * std::sqrt(s);
    result.F = F.detach() * std::sqrt(s);
    if (!has_biases) return;
    result.row_bias = row_bias.detach().squeeze(1) * (s * kappa);
    result.column_bias = column_bias.detach().squeeze(1) * (s * kappa);
  };
  if (validation != nullptr) {
    objective.validation = [&] {
      FitResult now;
      put_model(now);
      return std::sqrt(squared_error(now, *validation) / validation->count);
    };
  }
  FitResult result = descend(objective, options, running);
  put_model(result);
  result.scale = s;
  result.used_rank = k;
  result.l2 = l2 * s;
  result.row_penalties = wengert::full({k + 1}, l2 * s, dtype);
  result.row_penalties[0] = biases.l2_rows;
  result.squared_error = squared_error(result, entries);
  result.count = entries.count;
  return result;
}

}  // namespace

FitResult fit_by_descent(const Tensor& matrix, const FitOptions& options, const Running& running) {
  return with_smaller_rates(options, running,
                            [&](const FitOptions& tried) { return descend_on_matrix(matrix, tried, running); });
}

FitResult fit_by_descent(const Entries& entries, const Entries* validation, const FitOptions& options,
                         const Running& running) {
  return with_smaller_rates(options, running, [&](const FitOptions& tried) {
    return descend_on_entries(entries, validation, tried, running);
  });
}

}  // namespace factorize
