#pragma once

#include <wengert/optim/optimizer.h>

#include <tuple>

namespace wengert::optim {

/// Hyperparameters of NAdam. Each has a getter, and a setter that returns the options.
class NAdamOptions final : public OptimizerCloneableOptions<NAdamOptions> {
 public:
  NAdamOptions(double lr = 2e-3) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  const double& lr() const { return lr_; }  ///< learning rate, at least 0
  double& lr() { return lr_; }
  NAdamOptions& lr(double lr) { return lr_ = lr, *this; }
  const std::tuple<double, double>& betas() const { return betas_; }  ///< decay of the two means, each in [0, 1)
  std::tuple<double, double>& betas() { return betas_; }
  NAdamOptions& betas(std::tuple<double, double> betas) { return betas_ = betas, *this; }
  const double& eps() const { return eps_; }  ///< at least 0
  double& eps() { return eps_; }
  NAdamOptions& eps(double eps) { return eps_ = eps, *this; }
  const double& weight_decay() const { return weight_decay_; }  ///< at least 0
  double& weight_decay() { return weight_decay_; }
  NAdamOptions& weight_decay(double weight_decay) { return weight_decay_ = weight_decay, *this; }
  const double& momentum_decay() const { return momentum_decay_; }  ///< at least 0
  double& momentum_decay() { return momentum_decay_; }
  NAdamOptions& momentum_decay(double momentum_decay) { return momentum_decay_ = momentum_decay, *this; }
  const bool& maximize() const { return maximize_; }  ///< climb rather than descend
  bool& maximize() { return maximize_; }
  NAdamOptions& maximize(bool maximize) { return maximize_ = maximize, *this; }

  void check() const override;
  void fields(serialize::Fields& fields) override;
  bool operator==(const NAdamOptions&) const = default;

 private:
  double lr_;
  std::tuple<double, double> betas_{0.9, 0.999};
  double eps_ = 1e-8;
  double weight_decay_ = 0;
  double momentum_decay_ = 4e-3;
  bool maximize_ = false;
};

/// What NAdam remembers of a parameter.
class NAdamParamState final : public OptimizerCloneableParamState<NAdamParamState> {
 public:
  const int64_t& step() const { return step_; }  ///< how many there were
  int64_t& step() { return step_; }
  NAdamParamState& step(int64_t step) { return step_ = step, *this; }
  const double& mu_product() const { return mu_product_; }  ///< of all momenta so far
  double& mu_product() { return mu_product_; }
  NAdamParamState& mu_product(double mu_product) { return mu_product_ = mu_product, *this; }
  const Tensor& exp_avg() const { return exp_avg_; }  ///< mean of gradients
  Tensor& exp_avg() { return exp_avg_; }
  NAdamParamState& exp_avg(Tensor exp_avg) { return exp_avg_ = std::move(exp_avg), *this; }
  const Tensor& exp_avg_sq() const { return exp_avg_sq_; }  ///< mean of their squares
  Tensor& exp_avg_sq() { return exp_avg_sq_; }
  NAdamParamState& exp_avg_sq(Tensor exp_avg_sq) { return exp_avg_sq_ = std::move(exp_avg_sq), *this; }

  void fields(serialize::Fields& fields) override;

 private:
  int64_t step_ = 0;
  double mu_product_ = 1;
  Tensor exp_avg_;
  Tensor exp_avg_sq_;
};

/// NAdam (Dozat, 2016), as PyTorch computes it. For a parameter p with gradient g, in its t-th step:
///
///     g <- g + weight_decay p
///     mu_t = beta1 (1 - 0.96^(t momentum_decay) / 2),     M_t = mu_1 mu_2 ... mu_t
///     m <- beta1 m + (1 - beta1) g,     v <- beta2 v + (1 - beta2) g^2
///     p <- p - lr (mu_(t+1) m / (1 - M_t mu_t mu_(t+1)) + (1 - mu_t) g / (1 - M_t)) / (sqrt(v / (1 - beta2^t)) + eps)
///
/// In the product beside m PyTorch has mu_t twice, where the paper has it once.
class NAdam final : public Optimizer {
 public:
  /// Throws wengert::Error for hyperparameters outside their ranges.
  explicit NAdam(std::vector<OptimizerParamGroup> groups, NAdamOptions defaults = {})
      : Optimizer(std::move(groups), std::make_unique<NAdamOptions>(defaults)) {}
  explicit NAdam(std::vector<Tensor> params, NAdamOptions defaults = {})
      : NAdam(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, defaults) {}

  Tensor step(LossClosure closure = nullptr) override;

 private:
  std::unique_ptr<OptimizerParamState> new_state() const override { return std::make_unique<NAdamParamState>(); }
};

}  // namespace wengert::optim
