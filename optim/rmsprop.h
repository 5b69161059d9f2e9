#pragma once

#include <wengert/optim/optimizer.h>

namespace wengert::optim {

/// Hyperparameters of RMSprop. Each has a getter, and a setter that returns the options.
class RMSpropOptions final : public OptimizerCloneableOptions<RMSpropOptions> {
 public:
  RMSpropOptions(double lr = 1e-2) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  const double& lr() const { return lr_; }  ///< learning rate, at least 0
  double& lr() { return lr_; }
  RMSpropOptions& lr(double lr) { return lr_ = lr, *this; }
  const double& alpha() const { return alpha_; }  ///< decay of the mean square, at least 0
  double& alpha() { return alpha_; }
  RMSpropOptions& alpha(double alpha) { return alpha_ = alpha, *this; }
  const double& eps() const { return eps_; }  ///< at least 0
  double& eps() { return eps_; }
  RMSpropOptions& eps(double eps) { return eps_ = eps, *this; }
  const double& weight_decay() const { return weight_decay_; }  ///< at least 0
  double& weight_decay() { return weight_decay_; }
  RMSpropOptions& weight_decay(double weight_decay) { return weight_decay_ = weight_decay, *this; }
  const double& momentum() const { return momentum_; }  ///< at least 0
  double& momentum() { return momentum_; }
  RMSpropOptions& momentum(double momentum) { return momentum_ = momentum, *this; }
  const bool& centered() const { return centered_; }  ///< divide by the deviation rather than the root mean square
  bool& centered() { return centered_; }
  RMSpropOptions& centered(bool centered) { return centered_ = centered, *this; }
  const bool& maximize() const { return maximize_; }  ///< climb rather than descend
  bool& maximize() { return maximize_; }
  RMSpropOptions& maximize(bool maximize) { return maximize_ = maximize, *this; }

  void check() const override;
  void fields(serialize::Fields& fields) override;
  bool operator==(const RMSpropOptions&) const = default;

 private:
  double lr_;
  double alpha_ = 0.99;
  double eps_ = 1e-8;
  double weight_decay_ = 0;
  double momentum_ = 0;
  bool centered_ = false;
  bool maximize_ = false;
};

/// What RMSprop remembers of a parameter.
class RMSpropParamState final : public OptimizerCloneableParamState<RMSpropParamState> {
 public:
  const int64_t& step() const { return step_; }  ///< how many there were
  int64_t& step() { return step_; }
  RMSpropParamState& step(int64_t step) { return step_ = step, *this; }
  const Tensor& square_avg() const { return square_avg_; }  ///< mean of squared gradients
  Tensor& square_avg() { return square_avg_; }
  RMSpropParamState& square_avg(Tensor square_avg) { return square_avg_ = std::move(square_avg), *this; }
  const Tensor& momentum_buffer() const { return momentum_buffer_; }  ///< with momentum
  Tensor& momentum_buffer() { return momentum_buffer_; }
  RMSpropParamState& momentum_buffer(Tensor momentum_buffer) {
    return momentum_buffer_ = std::move(momentum_buffer), *this;
  }
  const Tensor& grad_avg() const { return grad_avg_; }  ///< mean of gradients; if centered
  Tensor& grad_avg() { return grad_avg_; }
  RMSpropParamState& grad_avg(Tensor grad_avg) { return grad_avg_ = std::move(grad_avg), *this; }

  void fields(serialize::Fields& fields) override;

 private:
  int64_t step_ = 0;
  Tensor square_avg_;
  Tensor momentum_buffer_;
  Tensor grad_avg_;
};

/// RMSprop (Tieleman and Hinton, 2012; centered: Graves, 2013, section 4.2), as PyTorch computes it. For a parameter p
/// with gradient g:
///
///     g <- g + weight_decay p
///     v <- alpha v + (1 - alpha) g^2
///     a <- alpha a + (1 - alpha) g,  d = sqrt(v - a^2) + eps    if centered;   d = sqrt(v) + eps   otherwise
///     b <- momentum b + g / d,       p <- p - lr b              with momentum; p <- p - lr g / d   without
class RMSprop final : public Optimizer {
 public:
  /// Throws wengert::Error for hyperparameters outside their ranges.
  explicit RMSprop(std::vector<OptimizerParamGroup> groups, RMSpropOptions defaults = {})
      : Optimizer(std::move(groups), std::make_unique<RMSpropOptions>(defaults)) {}
  explicit RMSprop(std::vector<Tensor> params, RMSpropOptions defaults = {})
      : RMSprop(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, defaults) {}

  Tensor step(LossClosure closure = nullptr) override;

 private:
  std::unique_ptr<OptimizerParamState> new_state() const override { return std::make_unique<RMSpropParamState>(); }
};

}  // namespace wengert::optim
