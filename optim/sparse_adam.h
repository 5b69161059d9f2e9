#pragma once

#include <wengert/optim/optimizer.h>

#include <tuple>

namespace wengert::optim {

/// Hyperparameters of SparseAdam. Each has a getter, and a setter that returns the options.
class SparseAdamOptions final : public OptimizerCloneableOptions<SparseAdamOptions> {
 public:
  SparseAdamOptions(double lr = 1e-3) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  const double& lr() const { return lr_; }  ///< learning rate, at least 0
  double& lr() { return lr_; }
  SparseAdamOptions& lr(double lr) { return lr_ = lr, *this; }
  const std::tuple<double, double>& betas() const { return betas_; }  ///< decay of the two means, each in [0, 1)
  std::tuple<double, double>& betas() { return betas_; }
  SparseAdamOptions& betas(std::tuple<double, double> betas) { return betas_ = betas, *this; }
  const double& eps() const { return eps_; }  ///< above 0
  double& eps() { return eps_; }
  SparseAdamOptions& eps(double eps) { return eps_ = eps, *this; }
  const bool& maximize() const { return maximize_; }  ///< climb rather than descend
  bool& maximize() { return maximize_; }
  SparseAdamOptions& maximize(bool maximize) { return maximize_ = maximize, *this; }

  void check() const override;
  void fields(serialize::Fields& fields) override;
  bool operator==(const SparseAdamOptions&) const = default;

 private:
  double lr_;
  std::tuple<double, double> betas_{0.9, 0.999};
  double eps_ = 1e-8;
  bool maximize_ = false;
};

/// What SparseAdam remembers of a parameter.
class SparseAdamParamState final : public OptimizerCloneableParamState<SparseAdamParamState> {
 public:
  const int64_t& step() const { return step_; }  ///< how many there were
  int64_t& step() { return step_; }
  SparseAdamParamState& step(int64_t step) { return step_ = step, *this; }
  const Tensor& exp_avg() const { return exp_avg_; }  ///< mean of gradients
  Tensor& exp_avg() { return exp_avg_; }
  SparseAdamParamState& exp_avg(Tensor exp_avg) { return exp_avg_ = std::move(exp_avg), *this; }
  const Tensor& exp_avg_sq() const { return exp_avg_sq_; }  ///< mean of their squares
  Tensor& exp_avg_sq() { return exp_avg_sq_; }
  SparseAdamParamState& exp_avg_sq(Tensor exp_avg_sq) { return exp_avg_sq_ = std::move(exp_avg_sq), *this; }

  void fields(serialize::Fields& fields) override;

 private:
  int64_t step_ = 0;
  Tensor exp_avg_;
  Tensor exp_avg_sq_;
};

/// Adam for sparse gradients, as PyTorch computes it: the rows that a gradient has are updated, and their means; the
/// others are left alone. For a row p with gradient g, in the t-th step of the parameter:
///
///     m <- m + (1 - beta1) (g - m),     v <- v + (1 - beta2) (g^2 - v)
///     p <- p - lr sqrt(1 - beta2^t) / (1 - beta1^t) m / (sqrt(v) + eps)
class SparseAdam final : public Optimizer {
 public:
  /// Throws wengert::Error for hyperparameters outside their ranges.
  explicit SparseAdam(std::vector<OptimizerParamGroup> groups, SparseAdamOptions defaults = {})
      : Optimizer(std::move(groups), std::make_unique<SparseAdamOptions>(defaults)) {}
  explicit SparseAdam(std::vector<Tensor> params, SparseAdamOptions defaults = {})
      : SparseAdam(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, defaults) {}

  Tensor step(LossClosure closure = nullptr) override;

 private:
  std::unique_ptr<OptimizerParamState> new_state() const override { return std::make_unique<SparseAdamParamState>(); }
};

}  // namespace wengert::optim
