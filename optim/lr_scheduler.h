#pragma once

#include <wengert/optim/optimizer.h>

#include <map>
#include <string>

namespace wengert::optim {

// Schedules of learning rates, with the names and formulas of torch.optim.lr_scheduler. A scheduler sets the rates of
// the optimizer's groups when it is made (t = 0), and in each step() those for the next t; call it after
// optimizer.step(). Schedules that multiply the rate there is may be used beside each other. The optimizer must outlive
// its schedulers.

/// One number for all groups of an optimizer, or one each.
class PerGroup {
 public:
  PerGroup(double value) : values_{value}, for_all_(true) {}            // NOLINT: reads so
  PerGroup(std::vector<double> values) : values_(std::move(values)) {}  // NOLINT
  PerGroup(std::initializer_list<double> values) : values_(values) {}   // NOLINT
  /// One for each group. Throws where there are not as many. `name`: for the error.
  std::vector<double> of(const Optimizer& optimizer, const char* name) const;

 private:
  std::vector<double> values_;
  bool for_all_ = false;
};

class LRScheduler {
 public:
  explicit LRScheduler(Optimizer& optimizer);
  LRScheduler(const LRScheduler&) = delete;
  LRScheduler& operator=(const LRScheduler&) = delete;
  virtual ~LRScheduler() = default;

  /// On to the next t.
  virtual void step();
  /// Back to t = 0, from the rates that the groups had before any scheduler.
  virtual void restart();

  int64_t last_epoch() const { return last_epoch_; }                 ///< t
  std::vector<double> get_last_lr() const { return current_lrs(); }  ///< of each group
  Optimizer& optimizer() const { return optimizer_; }

  /// Where it is; what it was made with is not written. The rates that it set are in the optimizer's archive.
  void save(serialize::OutputArchive& archive) const;
  /// Goes on from there. Throws wengert::Error where the archive does not fit, and changes nothing then.
  void load(const serialize::InputArchive& archive);
  /// Names what changes from step to step (serialize/archive.h).
  virtual void fields(serialize::Fields& fields);

 protected:
  /// The rates for t = last_epoch(), from those there are.
  virtual std::vector<double> get_lrs() = 0;

  std::vector<double> current_lrs() const;
  void set_lrs(const std::vector<double>& lrs);
  /// The rates there are, times a number.
  std::vector<double> current_lrs_times(double factor) const;
  /// To be called at the end of constructors: the rates for t = 0.
  void begin();

  std::vector<double> base_lrs_;  ///< the rates before any scheduler
  int64_t last_epoch_ = -1;

 private:
  friend class SequentialLR;
  Optimizer& optimizer_;
};

/// Times gamma every step_size steps.
class StepLR final : public LRScheduler {
 public:
  StepLR(Optimizer& optimizer, int64_t step_size, double gamma = 0.1);

 private:
  std::vector<double> get_lrs() override;
  int64_t step_size_;
  double gamma_;
};

/// Times gamma at each milestone, as often as it is named.
class MultiStepLR final : public LRScheduler {
 public:
  MultiStepLR(Optimizer& optimizer, const std::vector<int64_t>& milestones, double gamma = 0.1);

 private:
  std::vector<double> get_lrs() override;
  std::map<int64_t, int> milestones_;
  double gamma_;
};

/// Times `factor`, in [0, 1], up to t = total_iters.
class ConstantLR final : public LRScheduler {
 public:
  explicit ConstantLR(Optimizer& optimizer, double factor = 1.0 / 3, int64_t total_iters = 5);

 private:
  std::vector<double> get_lrs() override;
  double factor_;
  int64_t total_iters_;
};

/// Times a number that goes from start_factor in (0, 1] to end_factor in [0, 1] in total_iters equal steps.
class LinearLR final : public LRScheduler {
 public:
  explicit LinearLR(Optimizer& optimizer, double start_factor = 1.0 / 3, double end_factor = 1,
                    int64_t total_iters = 5);

 private:
  std::vector<double> get_lrs() override;
  double start_factor_, end_factor_;
  int64_t total_iters_;
};

/// Times gamma in every step.
class ExponentialLR final : public LRScheduler {
 public:
  ExponentialLR(Optimizer& optimizer, double gamma);

 private:
  std::vector<double> get_lrs() override;
  double gamma_;
};

/// Times (1 - t / total_iters)^power, up to t = total_iters.
class PolynomialLR final : public LRScheduler {
 public:
  explicit PolynomialLR(Optimizer& optimizer, int64_t total_iters = 5, double power = 1);

 private:
  std::vector<double> get_lrs() override;
  int64_t total_iters_;
  double power_;
};

/// eta_min + (lr - eta_min) (1 + cos(pi t / T_max)) / 2 (Loshchilov and Hutter, 2017, without restarts).
class CosineAnnealingLR final : public LRScheduler {
 public:
  CosineAnnealingLR(Optimizer& optimizer, int64_t T_max, double eta_min = 0);

 private:
  std::vector<double> get_lrs() override;
  double T_max_, eta_min_;
};

/// The same, begun anew after T_0 steps, then T_0 T_mult, T_0 T_mult^2 and so on.
class CosineAnnealingWarmRestarts final : public LRScheduler {
 public:
  CosineAnnealingWarmRestarts(Optimizer& optimizer, int64_t T_0, int64_t T_mult = 1, double eta_min = 0);
  void step() override;
  void restart() override;
  void fields(serialize::Fields& fields) override;

 private:
  std::vector<double> get_lrs() override;
  int64_t T_0_, T_i_, T_cur_ = -1, T_mult_;
  double eta_min_;
};

/// The rates before any scheduler, times f(t).
class LambdaLR final : public LRScheduler {
 public:
  LambdaLR(Optimizer& optimizer, const std::function<double(int64_t t)>& f);
  /// A function for each group.
  LambdaLR(Optimizer& optimizer, std::vector<std::function<double(int64_t t)>> f);

 private:
  std::vector<double> get_lrs() override;
  std::vector<std::function<double(int64_t)>> f_;
};

/// Times f(t) in every step.
class MultiplicativeLR final : public LRScheduler {
 public:
  MultiplicativeLR(Optimizer& optimizer, const std::function<double(int64_t t)>& f);
  MultiplicativeLR(Optimizer& optimizer, std::vector<std::function<double(int64_t t)>> f);
  /// To t = 0, which leaves the rates as they are, as in PyTorch.
  void restart() override;

 private:
  std::vector<double> get_lrs() override;
  std::vector<std::function<double(int64_t)>> f_;
};

struct CyclicLROptions {
  double step_size_up = 2000;       ///< steps from the lowest rate to the highest
  double step_size_down = 0;        ///< and back; 0: as many
  std::string mode = "triangular";  ///< or "triangular2": half as high each time; "exp_range": gamma^t as high
  double gamma = 1;
  std::function<double(double)> scale_fn = nullptr;  ///< height in a cycle (1, 2, ...) or at a step, instead of mode
  std::string scale_mode = "cycle";                  ///< or "iterations"
  bool cycle_momentum = true;                        ///< move momentum, or beta1, the other way
  PerGroup base_momentum = 0.8;
  PerGroup max_momentum = 0.9;
};

/// Up and down between two rates (Smith, 2017).
class CyclicLR final : public LRScheduler {
 public:
  CyclicLR(Optimizer& optimizer, const PerGroup& base_lr, const PerGroup& max_lr, CyclicLROptions options = {});

 private:
  std::vector<double> get_lrs() override;
  CyclicLROptions options_;
  double total_size_, step_ratio_;
  std::vector<double> max_lrs_, base_momentums_, max_momentums_;
};

struct OneCycleLROptions {
  double pct_start = 0.3;               ///< part of the steps in which the rate rises
  std::string anneal_strategy = "cos";  ///< or "linear"
  bool cycle_momentum = true;           ///< move momentum, or beta1, the other way
  PerGroup base_momentum = 0.85;
  PerGroup max_momentum = 0.95;
  double div_factor = 25;         ///< highest rate / first
  double final_div_factor = 1e4;  ///< first rate / last
  bool three_phase = false;       ///< down to the first rate as fast as up, and then to the last
};

/// From a small rate up to max_lr, and down to one that is much smaller (Smith and Topin, 2018).
class OneCycleLR final : public LRScheduler {
 public:
  /// total_steps: how often step() may be called, and one.
  OneCycleLR(Optimizer& optimizer, const PerGroup& max_lr, int64_t total_steps, OneCycleLROptions options = {});

 private:
  struct Phase {
    double end;
    std::vector<double> first_lrs, last_lrs, first_momentums, last_momentums;
  };
  std::vector<double> get_lrs() override;
  int64_t total_steps_;
  OneCycleLROptions options_;
  std::vector<Phase> phases_;
};

/// One scheduler after another: the first up to t = milestones[0], the second from there, and so on.
class SequentialLR final : public LRScheduler {
 public:
  SequentialLR(Optimizer& optimizer, std::vector<std::shared_ptr<LRScheduler>> schedulers,
               std::vector<int64_t> milestones);
  void step() override;
  void fields(serialize::Fields& fields) override;

 private:
  std::vector<double> get_lrs() override { return current_lrs(); }
  std::vector<std::shared_ptr<LRScheduler>> schedulers_;
  std::vector<int64_t> milestones_;
};

/// Several schedulers that multiply, one after the other in every step.
class ChainedScheduler final : public LRScheduler {
 public:
  explicit ChainedScheduler(std::vector<std::shared_ptr<LRScheduler>> schedulers);
  void step() override;
  void fields(serialize::Fields& fields) override;

 private:
  std::vector<double> get_lrs() override { return current_lrs(); }
  std::vector<std::shared_ptr<LRScheduler>> schedulers_;
};

struct ReduceLROnPlateauOptions {
  std::string mode = "min";            ///< the metric is to fall; or "max"
  double factor = 0.1;                 ///< below 1
  int64_t patience = 10;               ///< steps without progress that are borne
  double threshold = 1e-4;             ///< less is no progress
  std::string threshold_mode = "rel";  ///< part of the best value; or "abs"
  int64_t cooldown = 0;                ///< steps after a change that do not count
  PerGroup min_lr = 0.0;
  double eps = 1e-8;  ///< smaller changes are not made
};

/// Times a factor where a metric has stopped making progress.
class ReduceLROnPlateau {
 public:
  explicit ReduceLROnPlateau(Optimizer& optimizer, ReduceLROnPlateauOptions options = {});
  /// metric: such as the loss on data that are not trained on.
  void step(double metric);
  std::vector<double> get_last_lr() const;
  int64_t last_epoch() const { return last_epoch_; }

  /// As LRScheduler's.
  void save(serialize::OutputArchive& archive) const;
  void load(const serialize::InputArchive& archive);
  void fields(serialize::Fields& fields);

 private:
  bool is_better(double metric) const;
  Optimizer& optimizer_;
  ReduceLROnPlateauOptions options_;
  std::vector<double> min_lrs_;
  double best_;
  int64_t last_epoch_ = 0, bad_epochs_ = 0, cooldown_left_ = 0;
};

}  // namespace wengert::optim
