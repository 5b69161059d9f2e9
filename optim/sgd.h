#pragma once

#include <wengert/optim/optimizer.h>

namespace wengert::optim {

/// Hyperparameters of SGD. Each has a getter, and a setter that returns the options.
class SGDOptions final : public OptimizerCloneableOptions<SGDOptions> {
 public:
  SGDOptions(double lr) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  const double& lr() const { return lr_; }  ///< learning rate, at least 0
  double& lr() { return lr_; }
  SGDOptions& lr(double lr) { return lr_ = lr, *this; }
  const double& momentum() const { return momentum_; }  ///< at least 0
  double& momentum() { return momentum_; }
  SGDOptions& momentum(double momentum) { return momentum_ = momentum, *this; }
  const double& dampening() const { return dampening_; }  ///< of the gradient, where there is momentum
  double& dampening() { return dampening_; }
  SGDOptions& dampening(double dampening) { return dampening_ = dampening, *this; }
  const double& weight_decay() const { return weight_decay_; }  ///< at least 0
  double& weight_decay() { return weight_decay_; }
  SGDOptions& weight_decay(double weight_decay) { return weight_decay_ = weight_decay, *this; }
  const bool& nesterov() const { return nesterov_; }  ///< needs momentum, and dampening 0
  bool& nesterov() { return nesterov_; }
  SGDOptions& nesterov(bool nesterov) { return nesterov_ = nesterov, *this; }
  const bool& maximize() const { return maximize_; }  ///< climb rather than descend
  bool& maximize() { return maximize_; }
  SGDOptions& maximize(bool maximize) { return maximize_ = maximize, *this; }

  void check() const override;
  void fields(serialize::Fields& fields) override;
  bool operator==(const SGDOptions&) const = default;

 private:
  double lr_;
  double momentum_ = 0;
  double dampening_ = 0;
  double weight_decay_ = 0;
  bool nesterov_ = false;
  bool maximize_ = false;
};

/// What SGD remembers of a parameter.
class SGDParamState final : public OptimizerCloneableParamState<SGDParamState> {
 public:
  const Tensor& momentum_buffer() const { return momentum_buffer_; }  ///< with momentum, from the first step on
  Tensor& momentum_buffer() { return momentum_buffer_; }
  SGDParamState& momentum_buffer(Tensor momentum_buffer) {
    momentum_buffer_ = std::move(momentum_buffer);
    holds_gradients_ = momentum_buffer_.defined();
    return *this;
  }
  /// Whether there was a step with momentum; then the next one adds to the buffer.
  bool holds_gradients() const { return holds_gradients_; }
  bool& holds_gradients() { return holds_gradients_; }

  void fields(serialize::Fields& fields) override;

 private:
  Tensor momentum_buffer_;
  bool holds_gradients_ = false;
};

/// Gradient descent, with momentum (Polyak, 1964) or Nesterov's momentum (Sutskever et al., 2013), as PyTorch
/// computes it. For a parameter p with gradient g:
///
///     g <- -g                                    if maximize
///     g <- g + weight_decay p
///     b <- momentum b + (1 - dampening) g        (b = g in the first step)
///     p <- p - lr b,   or   p - lr (g + momentum b)  with nesterov;   p - lr g  without momentum
///
/// Of a sparse gradient it takes the rows that are there; weight_decay must be 0 then.
class SGD final : public Optimizer {
 public:
  /// Throws wengert::Error for hyperparameters outside their ranges.
  explicit SGD(std::vector<OptimizerParamGroup> groups, SGDOptions defaults)
      : Optimizer(std::move(groups), std::make_unique<SGDOptions>(defaults)) {}
  explicit SGD(std::vector<Tensor> params, SGDOptions defaults)
      : SGD(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, defaults) {}

  Tensor step(LossClosure closure = nullptr) override;

 private:
  std::unique_ptr<OptimizerParamState> new_state() const override { return std::make_unique<SGDParamState>(); }
};

}  // namespace wengert::optim
