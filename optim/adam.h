#pragma once

#include <wengert/optim/optimizer.h>

#include <tuple>

namespace wengert::optim {

/// Hyperparameters of Adam. Each has a getter, and a setter that returns the options.
class AdamOptions final : public OptimizerOptions {
 public:
  AdamOptions(double lr = 1e-3) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  double lr() const { return lr_; }  ///< learning rate, at least 0
  AdamOptions& lr(double lr) { return lr_ = lr, *this; }
  std::tuple<double, double> betas() const { return betas_; }  ///< decay of the two means, each in [0, 1)
  AdamOptions& betas(std::tuple<double, double> betas) { return betas_ = betas, *this; }
  double eps() const { return eps_; }  ///< at least 0
  AdamOptions& eps(double eps) { return eps_ = eps, *this; }
  double weight_decay() const { return weight_decay_; }  ///< at least 0
  AdamOptions& weight_decay(double weight_decay) { return weight_decay_ = weight_decay, *this; }

  std::unique_ptr<OptimizerOptions> clone() const override { return std::make_unique<AdamOptions>(*this); }
  double get_lr() const override { return lr_; }
  void set_lr(double lr) override { lr_ = lr; }

 private:
  double lr_;
  std::tuple<double, double> betas_{0.9, 0.999};
  double eps_ = 1e-8;
  double weight_decay_ = 0;
};

/// Adam (Kingma and Ba, 2015, algorithm 1), as PyTorch computes it. For a parameter p with gradient g, in its
/// t-th step:
///
///     g <- g + weight_decay p
///     m <- beta1 m + (1 - beta1) g,     v <- beta2 v + (1 - beta2) g^2
///     p <- p - lr m / (1 - beta1^t) / (sqrt(v / (1 - beta2^t)) + eps)
class Adam final : public Optimizer {
 public:
  /// Throws wengert::Error for hyperparameters outside their ranges.
  explicit Adam(std::vector<OptimizerParamGroup> groups, AdamOptions defaults = {});
  explicit Adam(std::vector<Tensor> params, AdamOptions defaults = {});

  Tensor step(LossClosure closure = nullptr) override;
};

}  // namespace wengert::optim
