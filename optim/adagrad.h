#pragma once

#include <wengert/optim/optimizer.h>

namespace wengert::optim {

/// Hyperparameters of Adagrad. Each has a getter, and a setter that returns the options.
class AdagradOptions final : public OptimizerCloneableOptions<AdagradOptions> {
 public:
  AdagradOptions(double lr = 1e-2) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  const double& lr() const { return lr_; }  ///< learning rate, at least 0
  double& lr() { return lr_; }
  AdagradOptions& lr(double lr) { return lr_ = lr, *this; }
  const double& lr_decay() const { return lr_decay_; }  ///< at least 0
  double& lr_decay() { return lr_decay_; }
  AdagradOptions& lr_decay(double lr_decay) { return lr_decay_ = lr_decay, *this; }
  const double& weight_decay() const { return weight_decay_; }  ///< at least 0
  double& weight_decay() { return weight_decay_; }
  AdagradOptions& weight_decay(double weight_decay) { return weight_decay_ = weight_decay, *this; }
  const double& initial_accumulator_value() const { return initial_accumulator_value_; }  ///< at least 0
  double& initial_accumulator_value() { return initial_accumulator_value_; }
  AdagradOptions& initial_accumulator_value(double initial_accumulator_value) {
    return initial_accumulator_value_ = initial_accumulator_value, *this;
  }
  const double& eps() const { return eps_; }  ///< at least 0
  double& eps() { return eps_; }
  AdagradOptions& eps(double eps) { return eps_ = eps, *this; }
  const bool& maximize() const { return maximize_; }  ///< climb rather than descend
  bool& maximize() { return maximize_; }
  AdagradOptions& maximize(bool maximize) { return maximize_ = maximize, *this; }

  void check() const override;
  void fields(serialize::Fields& fields) override;
  bool operator==(const AdagradOptions&) const = default;

 private:
  double lr_;
  double lr_decay_ = 0;
  double weight_decay_ = 0;
  double initial_accumulator_value_ = 0;
  double eps_ = 1e-10;
  bool maximize_ = false;
};

/// What Adagrad remembers of a parameter.
class AdagradParamState final : public OptimizerCloneableParamState<AdagradParamState> {
 public:
  const int64_t& step() const { return step_; }  ///< how many there were
  int64_t& step() { return step_; }
  AdagradParamState& step(int64_t step) { return step_ = step, *this; }
  const Tensor& sum() const { return sum_; }  ///< of squares of gradients
  Tensor& sum() { return sum_; }
  AdagradParamState& sum(Tensor sum) { return sum_ = std::move(sum), *this; }

  void fields(serialize::Fields& fields) override;

 private:
  int64_t step_ = 0;
  Tensor sum_;
};

/// Adagrad (Duchi, Hazan and Singer, 2011), as PyTorch computes it. For a parameter p with gradient g, in its t-th
/// step:
///
///     g <- g + weight_decay p
///     s <- s + g^2                                   (at first initial_accumulator_value)
///     p <- p - lr / (1 + (t - 1) lr_decay) g / (sqrt(s) + eps)
///
/// Of a sparse gradient it takes the rows that are there; weight_decay must be 0 then.
class Adagrad final : public Optimizer {
 public:
  /// Throws wengert::Error for hyperparameters outside their ranges.
  explicit Adagrad(std::vector<OptimizerParamGroup> groups, AdagradOptions defaults = {})
      : Optimizer(std::move(groups), std::make_unique<AdagradOptions>(defaults)) {}
  explicit Adagrad(std::vector<Tensor> params, AdagradOptions defaults = {})
      : Adagrad(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, defaults) {}

  Tensor step(LossClosure closure = nullptr) override;

 private:
  std::unique_ptr<OptimizerParamState> new_state() const override { return std::make_unique<AdagradParamState>(); }
};

}  // namespace wengert::optim
