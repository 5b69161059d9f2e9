#pragma once

#include <wengert/optim/optimizer.h>

namespace wengert::optim {

/// Hyperparameters of SGD. Each has a getter, and a setter that returns the options: `SGDOptions(0.1).momentum(0.9)`.
class SGDOptions final : public OptimizerOptions {
 public:
  SGDOptions(double lr) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  const double& lr() const { return lr_; }  ///< learning rate, at least 0
  double& lr() { return lr_; }
  SGDOptions& lr(double lr) { return lr_ = lr, *this; }
  double momentum() const { return momentum_; }  ///< at least 0
  SGDOptions& momentum(double momentum) { return momentum_ = momentum, *this; }
  double dampening() const { return dampening_; }
  SGDOptions& dampening(double dampening) { return dampening_ = dampening, *this; }
  double weight_decay() const { return weight_decay_; }  ///< at least 0
  SGDOptions& weight_decay(double weight_decay) { return weight_decay_ = weight_decay, *this; }
  bool nesterov() const { return nesterov_; }  ///< needs momentum, and dampening 0
  SGDOptions& nesterov(bool nesterov) { return nesterov_ = nesterov, *this; }
  bool maximize() const { return maximize_; }  ///< climb rather than descend
  SGDOptions& maximize(bool maximize) { return maximize_ = maximize, *this; }

  std::unique_ptr<OptimizerOptions> clone() const override { return std::make_unique<SGDOptions>(*this); }
  double get_lr() const override { return lr_; }
  void set_lr(double lr) override { lr_ = lr; }

 private:
  double lr_;
  double momentum_ = 0;
  double dampening_ = 0;
  double weight_decay_ = 0;
  bool nesterov_ = false;
  bool maximize_ = false;
};

/// Gradient descent, with momentum (Polyak, 1964) or Nesterov's momentum (Sutskever et al., 2013), as PyTorch
/// computes it. For a parameter p with gradient g:
///
///     g <- -g                                    if maximize
///     g <- g + weight_decay p
///     b <- momentum b + (1 - dampening) g        (b = g in the first step)
///     p <- p - lr b,   or   p - lr (g + momentum b)  with nesterov;   p - lr g  without momentum
class SGD final : public Optimizer {
 public:
  /// Throws wengert::Error for hyperparameters outside their ranges.
  explicit SGD(std::vector<OptimizerParamGroup> groups, SGDOptions defaults);
  explicit SGD(std::vector<Tensor> params, SGDOptions defaults);

  Tensor step(LossClosure closure = nullptr) override;
};

}  // namespace wengert::optim
