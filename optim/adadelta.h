#pragma once

#include <wengert/optim/optimizer.h>

namespace wengert::optim {

/// Hyperparameters of Adadelta. Each has a getter, and a setter that returns the options.
class AdadeltaOptions final : public OptimizerCloneableOptions<AdadeltaOptions> {
 public:
  AdadeltaOptions(double lr = 1.0) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  const double& lr() const { return lr_; }  ///< learning rate, at least 0
  double& lr() { return lr_; }
  AdadeltaOptions& lr(double lr) { return lr_ = lr, *this; }
  const double& rho() const { return rho_; }  ///< decay of the means, in [0, 1]
  double& rho() { return rho_; }
  AdadeltaOptions& rho(double rho) { return rho_ = rho, *this; }
  const double& eps() const { return eps_; }  ///< at least 0
  double& eps() { return eps_; }
  AdadeltaOptions& eps(double eps) { return eps_ = eps, *this; }
  const double& weight_decay() const { return weight_decay_; }  ///< at least 0
  double& weight_decay() { return weight_decay_; }
  AdadeltaOptions& weight_decay(double weight_decay) { return weight_decay_ = weight_decay, *this; }
  const bool& maximize() const { return maximize_; }  ///< climb rather than descend
  bool& maximize() { return maximize_; }
  AdadeltaOptions& maximize(bool maximize) { return maximize_ = maximize, *this; }

  void check() const override;
  void fields(serialize::Fields& fields) override;
  bool operator==(const AdadeltaOptions&) const = default;

 private:
  double lr_;
  double rho_ = 0.9;
  double eps_ = 1e-6;
  double weight_decay_ = 0;
  bool maximize_ = false;
};

/// What Adadelta remembers of a parameter.
class AdadeltaParamState final : public OptimizerCloneableParamState<AdadeltaParamState> {
 public:
  const int64_t& step() const { return step_; }  ///< how many there were
  int64_t& step() { return step_; }
  AdadeltaParamState& step(int64_t step) { return step_ = step, *this; }
  const Tensor& square_avg() const { return square_avg_; }  ///< mean of squared gradients
  Tensor& square_avg() { return square_avg_; }
  AdadeltaParamState& square_avg(Tensor square_avg) { return square_avg_ = std::move(square_avg), *this; }
  const Tensor& acc_delta() const { return acc_delta_; }  ///< mean of squared changes
  Tensor& acc_delta() { return acc_delta_; }
  AdadeltaParamState& acc_delta(Tensor acc_delta) { return acc_delta_ = std::move(acc_delta), *this; }

  void fields(serialize::Fields& fields) override;

 private:
  int64_t step_ = 0;
  Tensor square_avg_;
  Tensor acc_delta_;
};

/// Adadelta (Zeiler, 2012), as PyTorch computes it. For a parameter p with gradient g:
///
///     g <- g + weight_decay p
///     v <- rho v + (1 - rho) g^2
///     d =  sqrt(u + eps) / sqrt(v + eps) g
///     u <- rho u + (1 - rho) d^2
///     p <- p - lr d
class Adadelta final : public Optimizer {
 public:
  /// Throws wengert::Error for hyperparameters outside their ranges.
  explicit Adadelta(std::vector<OptimizerParamGroup> groups, AdadeltaOptions defaults = {})
      : Optimizer(std::move(groups), std::make_unique<AdadeltaOptions>(defaults)) {}
  explicit Adadelta(std::vector<Tensor> params, AdadeltaOptions defaults = {})
      : Adadelta(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, defaults) {}

  Tensor step(LossClosure closure = nullptr) override;

 private:
  std::unique_ptr<OptimizerParamState> new_state() const override { return std::make_unique<AdadeltaParamState>(); }
};

}  // namespace wengert::optim
