#pragma once

#include <wengert/optim/optimizer.h>

namespace wengert::optim {

/// Hyperparameters of ASGD. Each has a getter, and a setter that returns the options.
class ASGDOptions final : public OptimizerCloneableOptions<ASGDOptions> {
 public:
  ASGDOptions(double lr = 1e-2) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  const double& lr() const { return lr_; }  ///< learning rate, at least 0
  double& lr() { return lr_; }
  ASGDOptions& lr(double lr) { return lr_ = lr, *this; }
  const double& lambd() const { return lambd_; }  ///< decay of the parameter
  double& lambd() { return lambd_; }
  ASGDOptions& lambd(double lambd) { return lambd_ = lambd, *this; }
  const double& alpha() const { return alpha_; }  ///< power of the falling rate
  double& alpha() { return alpha_; }
  ASGDOptions& alpha(double alpha) { return alpha_ = alpha, *this; }
  const double& t0() const { return t0_; }  ///< step from which to average
  double& t0() { return t0_; }
  ASGDOptions& t0(double t0) { return t0_ = t0, *this; }
  const double& weight_decay() const { return weight_decay_; }  ///< at least 0
  double& weight_decay() { return weight_decay_; }
  ASGDOptions& weight_decay(double weight_decay) { return weight_decay_ = weight_decay, *this; }
  const bool& maximize() const { return maximize_; }  ///< climb rather than descend
  bool& maximize() { return maximize_; }
  ASGDOptions& maximize(bool maximize) { return maximize_ = maximize, *this; }

  void check() const override;
  void fields(serialize::Fields& fields) override;
  bool operator==(const ASGDOptions&) const = default;

 private:
  double lr_;
  double lambd_ = 1e-4;
  double alpha_ = 0.75;
  double t0_ = 1e6;
  double weight_decay_ = 0;
  bool maximize_ = false;
};

/// What ASGD remembers of a parameter.
class ASGDParamState final : public OptimizerCloneableParamState<ASGDParamState> {
 public:
  const int64_t& step() const { return step_; }  ///< how many there were
  int64_t& step() { return step_; }
  ASGDParamState& step(int64_t step) { return step_ = step, *this; }
  const double& eta() const { return eta_; }  ///< the rate of the next step
  double& eta() { return eta_; }
  ASGDParamState& eta(double eta) { return eta_ = eta, *this; }
  const double& mu() const { return mu_; }  ///< weight of the next step in the average
  double& mu() { return mu_; }
  ASGDParamState& mu(double mu) { return mu_ = mu, *this; }
  const Tensor& ax() const { return ax_; }  ///< the average
  Tensor& ax() { return ax_; }
  ASGDParamState& ax(Tensor ax) { return ax_ = std::move(ax), *this; }

  void fields(serialize::Fields& fields) override;

 private:
  int64_t step_ = 0;
  double eta_ = 0;
  double mu_ = 1;
  Tensor ax_;
};

/// Averaged stochastic gradient descent (Polyak and Juditsky, 1992), as PyTorch computes it. For a parameter p with
/// gradient g, in its t-th step; eta is lr and mu is 1 at first:
///
///     g  <- g + weight_decay p
///     p  <- (1 - lambd eta) p - eta g
///     ax <- ax + mu (p - ax)
///     eta <- lr / (1 + lambd lr t)^alpha,     mu <- 1 / max(1, t - t0)
///
/// The average is in the state: it is for the user to take.
class ASGD final : public Optimizer {
 public:
  /// Throws wengert::Error for hyperparameters outside their ranges.
  explicit ASGD(std::vector<OptimizerParamGroup> groups, ASGDOptions defaults = {})
      : Optimizer(std::move(groups), std::make_unique<ASGDOptions>(defaults)) {}
  explicit ASGD(std::vector<Tensor> params, ASGDOptions defaults = {})
      : ASGD(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, defaults) {}

  Tensor step(LossClosure closure = nullptr) override;

 private:
  std::unique_ptr<OptimizerParamState> new_state() const override { return std::make_unique<ASGDParamState>(); }
};

}  // namespace wengert::optim
