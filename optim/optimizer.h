#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <functional>
#include <memory>
#include <optional>
#include <tuple>
#include <unordered_map>
#include <vector>

namespace wengert::serialize {
class Fields;
class InputArchive;
class OutputArchive;
}  // namespace wengert::serialize

namespace wengert::optim {

/// The hyperparameters of an optimizer, or of one of its parameter groups.
class OptimizerOptions {
 public:
  virtual ~OptimizerOptions() = default;
  virtual std::unique_ptr<OptimizerOptions> clone() const = 0;
  virtual double get_lr() const = 0;
  virtual void set_lr(double lr) = 0;
  /// Throws wengert::Error for hyperparameters outside their ranges.
  virtual void check() const {}
  /// What schedules of momentum move: momentum, or the first of betas; null where there is neither.
  virtual double* momentum_or_beta1() { return nullptr; }
  /// Names the members, to save and to load them (serialize/archive.h). Throws unless it is overridden.
  virtual void fields(serialize::Fields& fields);
  bool operator==(const OptimizerOptions&) const = default;
};

/// A base for options of one's own, which are copied by their copy constructor and have a member lr().
template <class Derived>
class OptimizerCloneableOptions : public OptimizerOptions {
 public:
  std::unique_ptr<OptimizerOptions> clone() const override {
    return std::make_unique<Derived>(static_cast<const Derived&>(*this));
  }
  double get_lr() const override { return static_cast<const Derived&>(*this).lr(); }
  void set_lr(double lr) override { static_cast<Derived&>(*this).lr(lr); }
  double* momentum_or_beta1() override {
    [[maybe_unused]] auto& own = static_cast<Derived&>(*this);
    if constexpr (requires { own.betas(); }) {
      return &std::get<0>(own.betas());
    } else if constexpr (requires { own.momentum(); }) {
      return &own.momentum();
    } else {
      return nullptr;
    }
  }
};

/// What an optimizer remembers of one parameter from step to step.
class OptimizerParamState {
 public:
  virtual ~OptimizerParamState() = default;
  virtual std::unique_ptr<OptimizerParamState> clone() const = 0;
  /// As OptimizerOptions::fields().
  virtual void fields(serialize::Fields& fields);
};

/// A base for states of one's own, which are copied by their copy constructor; their tensors are shared.
template <class Derived>
class OptimizerCloneableParamState : public OptimizerParamState {
 public:
  std::unique_ptr<OptimizerParamState> clone() const override {
    return std::make_unique<Derived>(static_cast<const Derived&>(*this));
  }
};

/// Parameters that are updated with the same hyperparameters. Without options of its own, a group takes the
/// optimizer's defaults. Copies have options of their own.
class OptimizerParamGroup {
 public:
  explicit OptimizerParamGroup(std::vector<Tensor> params) : params_(std::move(params)) {}
  OptimizerParamGroup(std::vector<Tensor> params, std::unique_ptr<OptimizerOptions> options)
      : params_(std::move(params)), options_(std::move(options)) {}
  OptimizerParamGroup(const OptimizerParamGroup& other)
      : params_(other.params_),
        options_(other.options_ ? other.options_->clone() : nullptr),
        initial_lr_(other.initial_lr_) {}
  OptimizerParamGroup(OptimizerParamGroup&&) noexcept = default;
  OptimizerParamGroup& operator=(OptimizerParamGroup&&) noexcept = default;

  bool has_options() const { return options_ != nullptr; }
  OptimizerOptions& options() { return *options_; }
  const OptimizerOptions& options() const { return *options_; }
  void set_options(std::unique_ptr<OptimizerOptions> options) { options_ = std::move(options); }
  std::vector<Tensor>& params() { return params_; }
  const std::vector<Tensor>& params() const { return params_; }

  /// The rate before any scheduler changed it, noted by the first one.
  std::optional<double>& initial_lr() { return initial_lr_; }
  const std::optional<double>& initial_lr() const { return initial_lr_; }
  /// The options, for a Replay, which reads them in each step and may live longer than the group.
  const std::shared_ptr<OptimizerOptions>& shared_options() const { return options_; }

 private:
  std::vector<Tensor> params_;
  std::shared_ptr<OptimizerOptions> options_;
  std::optional<double> initial_lr_;
};

/// Changes parameters by their gradients, so that the loss falls.
class Optimizer {
 public:
  using LossClosure = std::function<Tensor()>;
  /// By the address of the parameter's TensorImpl.
  using StateMap = std::unordered_map<const TensorImpl*, std::shared_ptr<OptimizerParamState>>;

  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;
  Optimizer(Optimizer&&) = default;
  Optimizer& operator=(Optimizer&&) = default;
  virtual ~Optimizer() = default;

  /// Updates every parameter that has a gradient. closure, if given, is called first, with grad mode on: it is
  /// to clear the gradients, compute the loss, call backward() and return the loss, which step() returns.
  virtual Tensor step(LossClosure closure = nullptr) = 0;

  /// Makes every gradient undefined or, with set_to_none false, zero.
  void zero_grad(bool set_to_none = true);

  /// Throws when a parameter is not a leaf or is in another group already, or its options are outside their ranges.
  void add_param_group(const OptimizerParamGroup& group);
  /// Adds a group that has the defaults.
  void add_parameters(const std::vector<Tensor>& parameters) { add_param_group(OptimizerParamGroup(parameters)); }
  std::vector<OptimizerParamGroup>& param_groups() { return groups_; }
  const std::vector<OptimizerParamGroup>& param_groups() const { return groups_; }
  std::vector<Tensor> parameters() const;
  size_t size() const { return parameters().size(); }
  OptimizerOptions& defaults() { return *defaults_; }
  const OptimizerOptions& defaults() const { return *defaults_; }
  /// Of the parameters that were updated so far.
  StateMap& state() { return state_; }
  const StateMap& state() const { return state_; }

  /// Writes the options of the groups and the states, but not the parameters.
  void save(serialize::OutputArchive& archive) const;
  /// Goes on from there. Groups and parameters must be there already, as many and in the same order, and so must be
  /// schedulers, which set rates when they are made. Throws wengert::Error where the archive does not fit, and changes
  /// nothing then.
  void load(const serialize::InputArchive& archive);

 protected:
  Optimizer(std::vector<OptimizerParamGroup> groups, std::unique_ptr<OptimizerOptions> defaults);

  /// Calls the closure, if any, with grad mode on.
  static Tensor compute_loss(const LossClosure& closure);

  /// The state of a parameter, to be loaded. Without an override states can't be loaded.
  virtual std::unique_ptr<OptimizerParamState> new_state() const { return nullptr; }
  /// The shape of the tensors in it.
  virtual std::vector<int64_t> state_sizes(const Tensor& parameter) const { return parameter.sizes().vec(); }

 private:
  std::vector<OptimizerParamGroup> groups_;
  std::unique_ptr<OptimizerOptions> defaults_;
  StateMap state_;
};

}  // namespace wengert::optim
