#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <functional>
#include <memory>
#include <unordered_map>
#include <vector>

namespace wengert::optim {

/// The hyperparameters of an optimizer, or of one of its parameter groups.
class OptimizerOptions {
 public:
  virtual ~OptimizerOptions() = default;
  virtual std::unique_ptr<OptimizerOptions> clone() const = 0;
  virtual double get_lr() const = 0;
  virtual void set_lr(double lr) = 0;
};

/// What an optimizer remembers of one parameter from step to step.
class OptimizerParamState {
 public:
  virtual ~OptimizerParamState() = default;
};

/// Parameters that are updated with the same hyperparameters. Without options of its own, a group takes the
/// optimizer's defaults.
class OptimizerParamGroup {
 public:
  explicit OptimizerParamGroup(std::vector<Tensor> params) : params_(std::move(params)) {}
  OptimizerParamGroup(std::vector<Tensor> params, std::unique_ptr<OptimizerOptions> options)
      : params_(std::move(params)), options_(std::move(options)) {}
  OptimizerParamGroup(const OptimizerParamGroup& other)
      : params_(other.params_), options_(other.options_ ? other.options_->clone() : nullptr) {}
  OptimizerParamGroup(OptimizerParamGroup&&) noexcept = default;
  OptimizerParamGroup& operator=(OptimizerParamGroup&&) noexcept = default;

  bool has_options() const { return options_ != nullptr; }
  OptimizerOptions& options() { return *options_; }
  const OptimizerOptions& options() const { return *options_; }
  void set_options(std::unique_ptr<OptimizerOptions> options) { options_ = std::move(options); }
  std::vector<Tensor>& params() { return params_; }
  const std::vector<Tensor>& params() const { return params_; }

 private:
  std::vector<Tensor> params_;
  std::unique_ptr<OptimizerOptions> options_;
};

/// Changes parameters by their gradients, so that the loss falls.
class Optimizer {
 public:
  using LossClosure = std::function<Tensor()>;

  virtual ~Optimizer() = default;

  /// Updates every parameter that has a gradient. closure, if given, is called first, with grad mode on: it is
  /// to clear the gradients, compute the loss, call backward() and return the loss, which step() returns.
  virtual Tensor step(LossClosure closure = nullptr) = 0;

  /// Makes every gradient undefined or, with set_to_none false, zero.
  void zero_grad(bool set_to_none = true);

  /// Throws when a parameter is not a leaf or is in another group already.
  void add_param_group(const OptimizerParamGroup& group);
  std::vector<OptimizerParamGroup>& param_groups() { return groups_; }
  const std::vector<OptimizerParamGroup>& param_groups() const { return groups_; }
  std::vector<Tensor> parameters() const;
  OptimizerOptions& defaults() { return *defaults_; }

 protected:
  Optimizer(std::vector<OptimizerParamGroup> groups, std::unique_ptr<OptimizerOptions> defaults);

  /// Calls the closure, if any, with grad mode on.
  static Tensor compute_loss(const LossClosure& closure);

  /// The state of a parameter; made when first asked for.
  template <class State>
  State& state_of(const Tensor& parameter) {
    std::unique_ptr<OptimizerParamState>& state = state_[parameter.impl()];
    if (!state) state = std::make_unique<State>();
    return static_cast<State&>(*state);
  }

 private:
  std::vector<OptimizerParamGroup> groups_;
  std::unique_ptr<OptimizerOptions> defaults_;
  std::unordered_map<const TensorImpl*, std::unique_ptr<OptimizerParamState>> state_;
};

}  // namespace wengert::optim
