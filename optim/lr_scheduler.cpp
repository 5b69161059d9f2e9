#include <wengert/autograd/base/check.h>
#include <wengert/autograd/serialize/archive.h>
#include <wengert/optim/lr_scheduler.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

namespace wengert::optim {
namespace {

using std::numbers::pi;

double as_double(int64_t t) { return static_cast<double>(t); }

// The learning rate of each group.
std::vector<double> rates_of(const Optimizer& optimizer) {
  std::vector<double> lrs;
  for (const OptimizerParamGroup& group : optimizer.param_groups()) lrs.push_back(group.options().get_lr());
  return lrs;
}

// The bounds of momentums, where they are moved.
std::vector<double> momentums(const PerGroup& values, const Optimizer& optimizer, const char* name) {
  for (const OptimizerParamGroup& group : optimizer.param_groups()) {
    check(group.shared_options()->momentum_or_beta1() != nullptr,
          "optimizer must support momentum with `cycle_momentum` option enabled");
  }
  return values.of(optimizer, name);
}

void set_momentum(OptimizerParamGroup& group, double momentum) { *group.options().momentum_or_beta1() = momentum; }

std::vector<std::function<double(int64_t)>> one_for_each_group(const std::function<double(int64_t)>& f,
                                                               const Optimizer& optimizer) {
  return std::vector<std::function<double(int64_t)>>(optimizer.param_groups().size(), f);
}

// Schedulers within another one: "schedulers.0", "schedulers.1", ...
void fields_of_all(serialize::Fields& fields, const std::vector<std::shared_ptr<LRScheduler>>& schedulers) {
  for (size_t i = 0; i < schedulers.size(); ++i) fields.of("schedulers." + std::to_string(i), *schedulers[i]);
}

void check_functions(size_t functions, const Optimizer& optimizer) {
  check(functions == optimizer.param_groups().size(), "Expected {} lr_lambdas, but got {}",
        optimizer.param_groups().size(), functions);
}

}  // namespace

std::vector<double> PerGroup::of(const Optimizer& optimizer, const char* name) const {
  const size_t groups = optimizer.param_groups().size();
  if (for_all_) return std::vector<double>(groups, values_[0]);
  check(values_.size() == groups, "expected {} values for {}, got {}", groups, name, values_.size());
  return values_;
}

LRScheduler::LRScheduler(Optimizer& optimizer) : optimizer_(optimizer) {
  for (OptimizerParamGroup& group : optimizer.param_groups()) {
    if (!group.initial_lr()) group.initial_lr() = group.options().get_lr();
    base_lrs_.push_back(*group.initial_lr());
  }
}

void LRScheduler::step() {
  ++last_epoch_;
  set_lrs(get_lrs());
}

void LRScheduler::restart() {
  last_epoch_ = 0;
  set_lrs(base_lrs_);
  set_lrs(get_lrs());
}

void LRScheduler::save(serialize::OutputArchive& archive) const { serialize::save_fields(archive, *this); }
void LRScheduler::load(const serialize::InputArchive& archive) { serialize::load_fields(archive, *this); }

void LRScheduler::fields(serialize::Fields& fields) { fields("last_epoch", last_epoch_); }

void LRScheduler::begin() {
  last_epoch_ = 0;
  set_lrs(get_lrs());
}

std::vector<double> LRScheduler::current_lrs() const { return rates_of(optimizer_); }

void LRScheduler::set_lrs(const std::vector<double>& lrs) {
  std::vector<OptimizerParamGroup>& groups = optimizer_.param_groups();
  check(lrs.size() == groups.size(),
        "the optimizer had {} parameter groups when its scheduler was made, and has {} now", lrs.size(), groups.size());
  for (size_t i = 0; i < lrs.size(); ++i) groups[i].options().set_lr(lrs[i]);
}

std::vector<double> LRScheduler::current_lrs_times(double factor) const {
  std::vector<double> lrs = current_lrs();
  for (double& lr : lrs) lr *= factor;
  return lrs;
}

StepLR::StepLR(Optimizer& optimizer, int64_t step_size, double gamma)
    : LRScheduler(optimizer), step_size_(step_size), gamma_(gamma) {
  check(step_size > 0, "Expected positive integer step_size, but got {}", step_size);
  begin();
}
std::vector<double> StepLR::get_lrs() {
  return current_lrs_times(last_epoch_ == 0 || last_epoch_ % step_size_ != 0 ? 1 : gamma_);
}

MultiStepLR::MultiStepLR(Optimizer& optimizer, const std::vector<int64_t>& milestones, double gamma)
    : LRScheduler(optimizer), gamma_(gamma) {
  for (const int64_t milestone : milestones) ++milestones_[milestone];
  begin();
}
std::vector<double> MultiStepLR::get_lrs() {
  const auto milestone = milestones_.find(last_epoch_);
  return current_lrs_times(milestone == milestones_.end() ? 1 : std::pow(gamma_, milestone->second));
}

ConstantLR::ConstantLR(Optimizer& optimizer, double factor, int64_t total_iters)
    : LRScheduler(optimizer), factor_(factor), total_iters_(total_iters) {
  check(0 <= factor && factor <= 1, "Constant multiplicative factor expected to be between 0 and 1.");
  begin();
}
std::vector<double> ConstantLR::get_lrs() {
  if (last_epoch_ == 0) return current_lrs_times(factor_);
  return current_lrs_times(last_epoch_ == total_iters_ ? 1 / factor_ : 1);
}

LinearLR::LinearLR(Optimizer& optimizer, double start_factor, double end_factor, int64_t total_iters)
    : LRScheduler(optimizer), start_factor_(start_factor), end_factor_(end_factor), total_iters_(total_iters) {
  check(0 < start_factor && start_factor <= 1,
        "Starting multiplicative factor expected to be greater than 0 and less or equal to 1.");
  check(0 <= end_factor && end_factor <= 1, "Ending multiplicative factor expected to be between 0 and 1.");
  begin();
}
std::vector<double> LinearLR::get_lrs() {
  if (last_epoch_ == 0) return current_lrs_times(start_factor_);
  if (last_epoch_ > total_iters_) return current_lrs();
  const double rise = end_factor_ - start_factor_;
  return current_lrs_times(1 + rise / (as_double(total_iters_) * start_factor_ + as_double(last_epoch_ - 1) * rise));
}

ExponentialLR::ExponentialLR(Optimizer& optimizer, double gamma) : LRScheduler(optimizer), gamma_(gamma) { begin(); }
std::vector<double> ExponentialLR::get_lrs() { return current_lrs_times(last_epoch_ == 0 ? 1 : gamma_); }

PolynomialLR::PolynomialLR(Optimizer& optimizer, int64_t total_iters, double power)
    : LRScheduler(optimizer), total_iters_(total_iters), power_(power) {
  begin();
}
std::vector<double> PolynomialLR::get_lrs() {
  if (last_epoch_ == 0 || last_epoch_ > total_iters_) return current_lrs();
  const double total = as_double(total_iters_);
  const double left = 1 - as_double(last_epoch_) / total, left_before = 1 - as_double(last_epoch_ - 1) / total;
  return current_lrs_times(std::pow(left / left_before, power_));
}

CosineAnnealingLR::CosineAnnealingLR(Optimizer& optimizer, int64_t T_max, double eta_min)
    : LRScheduler(optimizer), T_max_(as_double(T_max)), eta_min_(eta_min) {
  check(T_max > 0, "Expected positive integer T_max, but got {}", T_max);
  begin();
}
std::vector<double> CosineAnnealingLR::get_lrs() {
  std::vector<double> lrs = current_lrs();
  if (last_epoch_ == 0) return lrs;
  const double t = as_double(last_epoch_);
  // From the lowest rate no factor leads up.
  const bool was_lowest = std::fmod(t - 1 - T_max_, 2 * T_max_) == 0;
  for (size_t i = 0; i < lrs.size(); ++i) {
    if (was_lowest) {
      lrs[i] += (base_lrs_[i] - eta_min_) * (1 - std::cos(pi / T_max_)) / 2;
    } else {
      lrs[i] = (1 + std::cos(pi * t / T_max_)) / (1 + std::cos(pi * (t - 1) / T_max_)) * (lrs[i] - eta_min_) + eta_min_;
    }
  }
  return lrs;
}

CosineAnnealingWarmRestarts::CosineAnnealingWarmRestarts(Optimizer& optimizer, int64_t T_0, int64_t T_mult,
                                                         double eta_min)
    : LRScheduler(optimizer), T_0_(T_0), T_i_(T_0), T_mult_(T_mult), eta_min_(eta_min) {
  check(T_0 > 0, "Expected positive integer T_0, but got {}", T_0);
  check(T_mult >= 1, "Expected integer T_mult >= 1, but got {}", T_mult);
  T_cur_ = 0;
  begin();
}
void CosineAnnealingWarmRestarts::step() {
  if (++T_cur_ >= T_i_) {
    T_cur_ -= T_i_;
    T_i_ *= T_mult_;
  }
  LRScheduler::step();
}
void CosineAnnealingWarmRestarts::fields(serialize::Fields& fields) {
  LRScheduler::fields(fields);
  fields("T_cur", T_cur_)("T_i", T_i_);
}

void CosineAnnealingWarmRestarts::restart() {
  T_cur_ = 0;
  T_i_ = T_0_;
  LRScheduler::restart();
}
std::vector<double> CosineAnnealingWarmRestarts::get_lrs() {
  std::vector<double> lrs = base_lrs_;
  for (double& lr : lrs) {
    lr = eta_min_ + (lr - eta_min_) * (1 + std::cos(pi * as_double(T_cur_) / as_double(T_i_))) / 2;
  }
  return lrs;
}

LambdaLR::LambdaLR(Optimizer& optimizer, const std::function<double(int64_t)>& f)
    : LambdaLR(optimizer, one_for_each_group(f, optimizer)) {}
LambdaLR::LambdaLR(Optimizer& optimizer, std::vector<std::function<double(int64_t)>> f)
    : LRScheduler(optimizer), f_(std::move(f)) {
  check_functions(f_.size(), optimizer);
  begin();
}
std::vector<double> LambdaLR::get_lrs() {
  std::vector<double> lrs = base_lrs_;
  for (size_t i = 0; i < lrs.size(); ++i) lrs[i] *= f_[i](last_epoch_);
  return lrs;
}

MultiplicativeLR::MultiplicativeLR(Optimizer& optimizer, const std::function<double(int64_t)>& f)
    : MultiplicativeLR(optimizer, one_for_each_group(f, optimizer)) {}
MultiplicativeLR::MultiplicativeLR(Optimizer& optimizer, std::vector<std::function<double(int64_t)>> f)
    : LRScheduler(optimizer), f_(std::move(f)) {
  check_functions(f_.size(), optimizer);
  begin();
}
void MultiplicativeLR::restart() { last_epoch_ = 0; }
std::vector<double> MultiplicativeLR::get_lrs() {
  std::vector<double> lrs = current_lrs();
  if (last_epoch_ == 0) return lrs;
  for (size_t i = 0; i < lrs.size(); ++i) lrs[i] *= f_[i](last_epoch_);
  return lrs;
}

CyclicLR::CyclicLR(Optimizer& optimizer, const PerGroup& base_lr, const PerGroup& max_lr, CyclicLROptions options)
    : LRScheduler(optimizer), options_(std::move(options)), max_lrs_(max_lr.of(optimizer, "max_lr")) {
  base_lrs_ = base_lr.of(optimizer, "base_lr");
  const double up = options_.step_size_up, down = options_.step_size_down > 0 ? options_.step_size_down : up;
  total_size_ = up + down;
  step_ratio_ = up / total_size_;
  if (!options_.scale_fn) {
    const bool known = options_.mode == "triangular" || options_.mode == "triangular2" || options_.mode == "exp_range";
    check(known, "mode is invalid and scale_fn is None");
    options_.scale_mode = options_.mode == "exp_range" ? "iterations" : "cycle";
    options_.scale_fn = [mode = options_.mode, gamma = options_.gamma](double x) {
      if (mode == "triangular") return 1.0;
      return mode == "triangular2" ? std::pow(2, 1 - x) : std::pow(gamma, x);
    };
  }
  if (options_.cycle_momentum) {
    base_momentums_ = momentums(options_.base_momentum, optimizer, "base_momentum");
    max_momentums_ = momentums(options_.max_momentum, optimizer, "max_momentum");
  }
  begin();
}
std::vector<double> CyclicLR::get_lrs() {
  const double turns = as_double(last_epoch_) / total_size_, cycle = std::floor(1 + turns), x = 1 + turns - cycle;
  const double slope = x <= step_ratio_ ? x / step_ratio_ : (x - 1) / (step_ratio_ - 1);
  const double height = slope * options_.scale_fn(options_.scale_mode == "cycle" ? cycle : as_double(last_epoch_));
  std::vector<double> lrs = base_lrs_;
  for (size_t i = 0; i < lrs.size(); ++i) {
    lrs[i] += (max_lrs_[i] - base_lrs_[i]) * height;
    if (!options_.cycle_momentum) continue;
    set_momentum(optimizer().param_groups()[i], max_momentums_[i] - (max_momentums_[i] - base_momentums_[i]) * height);
  }
  return lrs;
}

OneCycleLR::OneCycleLR(Optimizer& optimizer, const PerGroup& max_lr, int64_t total_steps, OneCycleLROptions options)
    : LRScheduler(optimizer), total_steps_(total_steps), options_(std::move(options)) {
  check(total_steps > 0, "Expected positive integer total_steps, but got {}", total_steps);
  check(0 <= options_.pct_start && options_.pct_start <= 1, "Expected float between 0 and 1 pct_start, but got {}",
        options_.pct_start);
  check(options_.anneal_strategy == "cos" || options_.anneal_strategy == "linear",
        "anneal_strategy must by one of 'cos' or 'linear', instead got {}", options_.anneal_strategy);
  const std::vector<double> top = max_lr.of(optimizer, "max_lr");
  std::vector<double> bottom;
  for (size_t i = 0; i < top.size(); ++i) {
    base_lrs_[i] = top[i] / options_.div_factor;
    optimizer.param_groups()[i].initial_lr() = base_lrs_[i];
    bottom.push_back(base_lrs_[i] / options_.final_div_factor);
  }
  std::vector<double> low, high;
  if (options_.cycle_momentum) {
    low = momentums(options_.base_momentum, optimizer, "base_momentum");
    high = momentums(options_.max_momentum, optimizer, "max_momentum");
  }
  const double rise = options_.pct_start * as_double(total_steps), last = as_double(total_steps - 1);
  phases_.push_back({rise - 1, base_lrs_, top, high, low});
  if (options_.three_phase) {
    phases_.push_back({2 * rise - 2, top, base_lrs_, low, high});
    phases_.push_back({last, base_lrs_, bottom, high, high});
  } else {
    phases_.push_back({last, top, bottom, low, high});
  }
  begin();
}
std::vector<double> OneCycleLR::get_lrs() {
  check(last_epoch_ <= total_steps_, "Tried to step {} times. The specified number of total steps is {}",
        last_epoch_ + 1, total_steps_);
  const double t = as_double(last_epoch_);
  size_t at = 0;
  while (at + 1 < phases_.size() && t > phases_[at].end) ++at;
  const Phase& phase = phases_[at];
  const double start = at == 0 ? 0 : phases_[at - 1].end, part = (t - start) / (phase.end - start);
  const auto between = [&](double first, double last) {
    if (options_.anneal_strategy == "linear") return (last - first) * part + first;
    return last + (first - last) / 2 * (std::cos(pi * part) + 1);
  };
  std::vector<double> lrs;
  for (size_t i = 0; i < phase.first_lrs.size(); ++i) {
    lrs.push_back(between(phase.first_lrs[i], phase.last_lrs[i]));
    if (!options_.cycle_momentum) continue;
    set_momentum(optimizer().param_groups()[i], between(phase.first_momentums[i], phase.last_momentums[i]));
  }
  return lrs;
}

SequentialLR::SequentialLR(Optimizer& optimizer, std::vector<std::shared_ptr<LRScheduler>> schedulers,
                           std::vector<int64_t> milestones)
    : LRScheduler(optimizer), schedulers_(std::move(schedulers)), milestones_(std::move(milestones)) {
  for (const auto& scheduler : schedulers_) {
    check(&scheduler->optimizer() == &optimizer,
          "Sequential Schedulers expects all schedulers to belong to the same optimizer");
  }
  check(
      milestones_.size() + 1 == schedulers_.size(),
      "Sequential Schedulers expects number of schedulers provided to be one more than the number of milestone points, "
      "but got number of schedulers {} and the number of milestones to be equal to {}",
      schedulers_.size(), milestones_.size());
  // Each of them has changed the rates when it was made.
  set_lrs(base_lrs_);
  schedulers_[0]->begin();
  last_epoch_ = 0;
}
void SequentialLR::fields(serialize::Fields& fields) {
  LRScheduler::fields(fields);
  fields_of_all(fields, schedulers_);
}

void SequentialLR::step() {
  ++last_epoch_;
  const auto passed = std::upper_bound(milestones_.begin(), milestones_.end(), last_epoch_) - milestones_.begin();
  LRScheduler& scheduler = *schedulers_[static_cast<size_t>(passed)];
  if (passed > 0 && milestones_[static_cast<size_t>(passed - 1)] == last_epoch_) {
    scheduler.restart();
  } else {
    scheduler.step();
  }
}

ChainedScheduler::ChainedScheduler(std::vector<std::shared_ptr<LRScheduler>> schedulers)
    : LRScheduler(schedulers.at(0)->optimizer()), schedulers_(std::move(schedulers)) {
  for (const auto& scheduler : schedulers_) {
    check(&scheduler->optimizer() == &optimizer(),
          "ChainedScheduler expects all schedulers to belong to the same optimizer");
  }
  last_epoch_ = 0;
}
void ChainedScheduler::fields(serialize::Fields& fields) {
  LRScheduler::fields(fields);
  fields_of_all(fields, schedulers_);
}

void ChainedScheduler::step() {
  ++last_epoch_;
  for (const auto& scheduler : schedulers_) scheduler->step();
}

ReduceLROnPlateau::ReduceLROnPlateau(Optimizer& optimizer, ReduceLROnPlateauOptions options)
    : optimizer_(optimizer), options_(std::move(options)), min_lrs_(options_.min_lr.of(optimizer, "min_lr")) {
  check(options_.factor < 1, "Factor should be < 1.0.");
  check(options_.mode == "min" || options_.mode == "max", "mode {} is unknown!", options_.mode);
  check(options_.threshold_mode == "rel" || options_.threshold_mode == "abs", "threshold mode {} is unknown!",
        options_.threshold_mode);
  best_ = options_.mode == "min" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
}
void ReduceLROnPlateau::save(serialize::OutputArchive& archive) const { serialize::save_fields(archive, *this); }
void ReduceLROnPlateau::load(const serialize::InputArchive& archive) { serialize::load_fields(archive, *this); }

void ReduceLROnPlateau::fields(serialize::Fields& fields) {
  fields("last_epoch", last_epoch_)("best", best_)("num_bad_epochs", bad_epochs_)("cooldown_counter", cooldown_left_);
}

bool ReduceLROnPlateau::is_better(double metric) const {
  const bool relative = options_.threshold_mode == "rel";
  if (options_.mode == "min") {
    return metric < (relative ? best_ * (1 - options_.threshold) : best_ - options_.threshold);
  }
  return metric > (relative ? best_ * (1 + options_.threshold) : best_ + options_.threshold);
}
void ReduceLROnPlateau::step(double metric) {
  ++last_epoch_;
  if (is_better(metric)) {
    best_ = metric;
    bad_epochs_ = 0;
  } else {
    ++bad_epochs_;
  }
  if (cooldown_left_ > 0) {
    --cooldown_left_;
    bad_epochs_ = 0;
  }
  if (bad_epochs_ <= options_.patience) return;
  for (size_t i = 0; i < min_lrs_.size(); ++i) {
    OptimizerOptions& group = optimizer_.param_groups()[i].options();
    const double lr = std::max(group.get_lr() * options_.factor, min_lrs_[i]);
    if (group.get_lr() - lr > options_.eps) group.set_lr(lr);
  }
  cooldown_left_ = options_.cooldown;
  bad_epochs_ = 0;
}
std::vector<double> ReduceLROnPlateau::get_last_lr() const { return rates_of(optimizer_); }

}  // namespace wengert::optim
