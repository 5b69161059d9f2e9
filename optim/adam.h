#pragma once

#include <wengert/optim/optimizer.h>

#include <tuple>

namespace wengert::optim {

/// Hyperparameters of Adam. Each has a getter, and a setter that returns the options.
class AdamOptions final : public OptimizerCloneableOptions<AdamOptions> {
 public:
  AdamOptions(double lr = 1e-3) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  const double& lr() const { return lr_; }  ///< learning rate, at least 0
  double& lr() { return lr_; }
  AdamOptions& lr(double lr) { return lr_ = lr, *this; }
  const std::tuple<double, double>& betas() const { return betas_; }  ///< decay of the two means, each in [0, 1)
  std::tuple<double, double>& betas() { return betas_; }
  AdamOptions& betas(std::tuple<double, double> betas) { return betas_ = betas, *this; }
  const double& eps() const { return eps_; }  ///< at least 0
  double& eps() { return eps_; }
  AdamOptions& eps(double eps) { return eps_ = eps, *this; }
  const double& weight_decay() const { return weight_decay_; }  ///< at least 0
  double& weight_decay() { return weight_decay_; }
  AdamOptions& weight_decay(double weight_decay) { return weight_decay_ = weight_decay, *this; }
  const bool& amsgrad() const { return amsgrad_; }  ///< divide by the largest mean square so far
  bool& amsgrad() { return amsgrad_; }
  AdamOptions& amsgrad(bool amsgrad) { return amsgrad_ = amsgrad, *this; }
  const bool& maximize() const { return maximize_; }  ///< climb rather than descend
  bool& maximize() { return maximize_; }
  AdamOptions& maximize(bool maximize) { return maximize_ = maximize, *this; }

  void check() const override;
  void fields(serialize::Fields& fields) override;
  bool operator==(const AdamOptions&) const = default;

 private:
  double lr_;
  std::tuple<double, double> betas_{0.9, 0.999};
  double eps_ = 1e-8;
  double weight_decay_ = 0;
  bool amsgrad_ = false;
  bool maximize_ = false;
};

/// What Adam remembers of a parameter.
class AdamParamState final : public OptimizerCloneableParamState<AdamParamState> {
 public:
  const int64_t& step() const { return step_; }  ///< how many there were
  int64_t& step() { return step_; }
  AdamParamState& step(int64_t step) { return step_ = step, *this; }
  const Tensor& exp_avg() const { return exp_avg_; }  ///< mean of gradients
  Tensor& exp_avg() { return exp_avg_; }
  AdamParamState& exp_avg(Tensor exp_avg) { return exp_avg_ = std::move(exp_avg), *this; }
  const Tensor& exp_avg_sq() const { return exp_avg_sq_; }  ///< mean of their squares
  Tensor& exp_avg_sq() { return exp_avg_sq_; }
  AdamParamState& exp_avg_sq(Tensor exp_avg_sq) { return exp_avg_sq_ = std::move(exp_avg_sq), *this; }
  const Tensor& max_exp_avg_sq() const { return max_exp_avg_sq_; }  ///< the largest of these; with amsgrad
  Tensor& max_exp_avg_sq() { return max_exp_avg_sq_; }
  AdamParamState& max_exp_avg_sq(Tensor max_exp_avg_sq) { return max_exp_avg_sq_ = std::move(max_exp_avg_sq), *this; }

  void fields(serialize::Fields& fields) override;

 private:
  int64_t step_ = 0;
  Tensor exp_avg_;
  Tensor exp_avg_sq_;
  Tensor max_exp_avg_sq_;
};

/// Adam (Kingma and Ba, 2015, algorithm 1; amsgrad: Reddi, Kale and Kumar, 2018), as PyTorch computes it. For a
/// parameter p with gradient g, in its t-th step:
///
///     g <- g + weight_decay p
///     m <- beta1 m + (1 - beta1) g,     v <- beta2 v + (1 - beta2) g^2
///     p <- p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)
class Adam final : public Optimizer {
 public:
  /// Throws wengert::Error for hyperparameters outside their ranges.
  explicit Adam(std::vector<OptimizerParamGroup> groups, AdamOptions defaults = {})
      : Optimizer(std::move(groups), std::make_unique<AdamOptions>(defaults)) {}
  explicit Adam(std::vector<Tensor> params, AdamOptions defaults = {})
      : Adam(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, defaults) {}

  Tensor step(LossClosure closure = nullptr) override;

 private:
  std::unique_ptr<OptimizerParamState> new_state() const override { return std::make_unique<AdamParamState>(); }
};

}  // namespace wengert::optim
