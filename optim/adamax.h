#pragma once

#include <wengert/optim/optimizer.h>

#include <tuple>

namespace wengert::optim {

/// Hyperparameters of Adamax. Each has a getter, and a setter that returns the options.
class AdamaxOptions final : public OptimizerCloneableOptions<AdamaxOptions> {
 public:
  AdamaxOptions(double lr = 2e-3) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  const double& lr() const { return lr_; }  ///< learning rate, at least 0
  double& lr() { return lr_; }
  AdamaxOptions& lr(double lr) { return lr_ = lr, *this; }
  const std::tuple<double, double>& betas() const { return betas_; }  ///< decay of the two means, each in [0, 1)
  std::tuple<double, double>& betas() { return betas_; }
  AdamaxOptions& betas(std::tuple<double, double> betas) { return betas_ = betas, *this; }
  const double& eps() const { return eps_; }  ///< at least 0
  double& eps() { return eps_; }
  AdamaxOptions& eps(double eps) { return eps_ = eps, *this; }
  const double& weight_decay() const { return weight_decay_; }  ///< at least 0
  double& weight_decay() { return weight_decay_; }
  AdamaxOptions& weight_decay(double weight_decay) { return weight_decay_ = weight_decay, *this; }
  const bool& maximize() const { return maximize_; }  ///< climb rather than descend
  bool& maximize() { return maximize_; }
  AdamaxOptions& maximize(bool maximize) { return maximize_ = maximize, *this; }

  void check() const override;
  void fields(serialize::Fields& fields) override;
  bool operator==(const AdamaxOptions&) const = default;

 private:
  double lr_;
  std::tuple<double, double> betas_{0.9, 0.999};
  double eps_ = 1e-8;
  double weight_decay_ = 0;
  bool maximize_ = false;
};

/// What Adamax remembers of a parameter.
class AdamaxParamState final : public OptimizerCloneableParamState<AdamaxParamState> {
 public:
  const int64_t& step() const { return step_; }  ///< how many there were
  int64_t& step() { return step_; }
  AdamaxParamState& step(int64_t step) { return step_ = step, *this; }
  const Tensor& exp_avg() const { return exp_avg_; }  ///< mean of gradients
  Tensor& exp_avg() { return exp_avg_; }
  AdamaxParamState& exp_avg(Tensor exp_avg) { return exp_avg_ = std::move(exp_avg), *this; }
  const Tensor& exp_inf() const { return exp_inf_; }  ///< largest gradient, decaying
  Tensor& exp_inf() { return exp_inf_; }
  AdamaxParamState& exp_inf(Tensor exp_inf) { return exp_inf_ = std::move(exp_inf), *this; }

  void fields(serialize::Fields& fields) override;

 private:
  int64_t step_ = 0;
  Tensor exp_avg_;
  Tensor exp_inf_;
};

/// Adamax (Kingma and Ba, 2015, algorithm 2), as PyTorch computes it. For a parameter p with gradient g, in its t-th
/// step:
///
///     g <- g + weight_decay p
///     m <- beta1 m + (1 - beta1) g,     u <- max(beta2 u, |g| + eps)
///     p <- p - lr / (1 - beta1^t) m / u
class Adamax final : public Optimizer {
 public:
  /// Throws wengert::Error for hyperparameters outside their ranges.
  explicit Adamax(std::vector<OptimizerParamGroup> groups, AdamaxOptions defaults = {})
      : Optimizer(std::move(groups), std::make_unique<AdamaxOptions>(defaults)) {}
  explicit Adamax(std::vector<Tensor> params, AdamaxOptions defaults = {})
      : Adamax(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, defaults) {}

  Tensor step(LossClosure closure = nullptr) override;

 private:
  std::unique_ptr<OptimizerParamState> new_state() const override { return std::make_unique<AdamaxParamState>(); }
};

}  // namespace wengert::optim
