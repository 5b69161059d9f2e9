#pragma once

#include <wengert/optim/optimizer.h>

#include <tuple>

namespace wengert::optim {

/// Hyperparameters of RAdam. Each has a getter, and a setter that returns the options.
class RAdamOptions final : public OptimizerCloneableOptions<RAdamOptions> {
 public:
  RAdamOptions(double lr = 1e-3) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  const double& lr() const { return lr_; }  ///< learning rate, at least 0
  double& lr() { return lr_; }
  RAdamOptions& lr(double lr) { return lr_ = lr, *this; }
  const std::tuple<double, double>& betas() const { return betas_; }  ///< decay of the two means, each in [0, 1)
  std::tuple<double, double>& betas() { return betas_; }
  RAdamOptions& betas(std::tuple<double, double> betas) { return betas_ = betas, *this; }
  const double& eps() const { return eps_; }  ///< at least 0
  double& eps() { return eps_; }
  RAdamOptions& eps(double eps) { return eps_ = eps, *this; }
  const double& weight_decay() const { return weight_decay_; }  ///< at least 0
  double& weight_decay() { return weight_decay_; }
  RAdamOptions& weight_decay(double weight_decay) { return weight_decay_ = weight_decay, *this; }
  const bool& maximize() const { return maximize_; }  ///< climb rather than descend
  bool& maximize() { return maximize_; }
  RAdamOptions& maximize(bool maximize) { return maximize_ = maximize, *this; }

  void check() const override;
  void fields(serialize::Fields& fields) override;
  bool operator==(const RAdamOptions&) const = default;

 private:
  double lr_;
  std::tuple<double, double> betas_{0.9, 0.999};
  double eps_ = 1e-8;
  double weight_decay_ = 0;
  bool maximize_ = false;
};

/// What RAdam remembers of a parameter.
class RAdamParamState final : public OptimizerCloneableParamState<RAdamParamState> {
 public:
  const int64_t& step() const { return step_; }  ///< how many there were
  int64_t& step() { return step_; }
  RAdamParamState& step(int64_t step) { return step_ = step, *this; }
  const Tensor& exp_avg() const { return exp_avg_; }  ///< mean of gradients
  Tensor& exp_avg() { return exp_avg_; }
  RAdamParamState& exp_avg(Tensor exp_avg) { return exp_avg_ = std::move(exp_avg), *this; }
  const Tensor& exp_avg_sq() const { return exp_avg_sq_; }  ///< mean of their squares
  Tensor& exp_avg_sq() { return exp_avg_sq_; }
  RAdamParamState& exp_avg_sq(Tensor exp_avg_sq) { return exp_avg_sq_ = std::move(exp_avg_sq), *this; }

  void fields(serialize::Fields& fields) override;

 private:
  int64_t step_ = 0;
  Tensor exp_avg_;
  Tensor exp_avg_sq_;
};

/// RAdam (Liu et al., 2020, algorithm 2), as PyTorch computes it. For a parameter p with gradient g, in its t-th step:
///
///     g <- g + weight_decay p
///     m <- beta1 m + (1 - beta1) g,     v <- beta2 v + (1 - beta2) g^2
///     R =  2 / (1 - beta2) - 1,         r =  R - 2 t beta2^t / (1 - beta2^t)
///     p <- p - lr m / (1 - beta1^t) c sqrt(1 - beta2^t) / (sqrt(v) + eps)    if r > 5;   p <- p - lr m / (1 - beta1^t)
///     c =  sqrt((r - 4) (r - 2) R / ((R - 4) (R - 2) r))
class RAdam final : public Optimizer {
 public:
  /// Throws wengert::Error for hyperparameters outside their ranges.
  explicit RAdam(std::vector<OptimizerParamGroup> groups, RAdamOptions defaults = {})
      : Optimizer(std::move(groups), std::make_unique<RAdamOptions>(defaults)) {}
  explicit RAdam(std::vector<Tensor> params, RAdamOptions defaults = {})
      : RAdam(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, defaults) {}

  Tensor step(LossClosure closure = nullptr) override;

 private:
  std::unique_ptr<OptimizerParamState> new_state() const override { return std::make_unique<RAdamParamState>(); }
};

}  // namespace wengert::optim
