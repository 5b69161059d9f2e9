#pragma once

#include <wengert/optim/optimizer.h>

#include <tuple>

namespace wengert::optim {

/// Hyperparameters of Rprop. Each has a getter, and a setter that returns the options.
class RpropOptions final : public OptimizerCloneableOptions<RpropOptions> {
 public:
  RpropOptions(double lr = 1e-2) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  const double& lr() const { return lr_; }  ///< learning rate, at least 0
  double& lr() { return lr_; }
  RpropOptions& lr(double lr) { return lr_ = lr, *this; }
  const std::tuple<double, double>& etas() const {
    return etas_;
  }  ///< by which steps shrink and grow: below 1, above 1
  std::tuple<double, double>& etas() { return etas_; }
  RpropOptions& etas(std::tuple<double, double> etas) { return etas_ = etas, *this; }
  const std::tuple<double, double>& step_sizes() const { return step_sizes_; }  ///< the smallest and the largest step
  std::tuple<double, double>& step_sizes() { return step_sizes_; }
  RpropOptions& step_sizes(std::tuple<double, double> step_sizes) { return step_sizes_ = step_sizes, *this; }
  const bool& maximize() const { return maximize_; }  ///< climb rather than descend
  bool& maximize() { return maximize_; }
  RpropOptions& maximize(bool maximize) { return maximize_ = maximize, *this; }

  void check() const override;
  void fields(serialize::Fields& fields) override;
  bool operator==(const RpropOptions&) const = default;

 private:
  double lr_;
  std::tuple<double, double> etas_{0.5, 1.2};
  std::tuple<double, double> step_sizes_{1e-6, 50};
  bool maximize_ = false;
};

/// What Rprop remembers of a parameter.
class RpropParamState final : public OptimizerCloneableParamState<RpropParamState> {
 public:
  const int64_t& step() const { return step_; }  ///< how many there were
  int64_t& step() { return step_; }
  RpropParamState& step(int64_t step) { return step_ = step, *this; }
  const Tensor& prev() const { return prev_; }  ///< the gradient of the last step
  Tensor& prev() { return prev_; }
  RpropParamState& prev(Tensor prev) { return prev_ = std::move(prev), *this; }
  const Tensor& step_size() const { return step_size_; }  ///< of each element
  Tensor& step_size() { return step_size_; }
  RpropParamState& step_size(Tensor step_size) { return step_size_ = std::move(step_size), *this; }

  void fields(serialize::Fields& fields) override;

 private:
  int64_t step_ = 0;
  Tensor prev_;
  Tensor step_size_;
};

/// Resilient backpropagation (Riedmiller and Braun, 1993), as PyTorch computes it. For an element p with gradient g;
/// its step s is lr at first:
///
///     s <- s etaplus, at most the largest,  if g has the sign that it had;   s etaminus, at least the smallest, and g
///     <- 0,
///          if it has the other;   s if either is 0
///     p <- p - sign(g) s
class Rprop final : public Optimizer {
 public:
  /// Throws wengert::Error for hyperparameters outside their ranges.
  explicit Rprop(std::vector<OptimizerParamGroup> groups, RpropOptions defaults = {})
      : Optimizer(std::move(groups), std::make_unique<RpropOptions>(defaults)) {}
  explicit Rprop(std::vector<Tensor> params, RpropOptions defaults = {})
      : Rprop(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, defaults) {}

  Tensor step(LossClosure closure = nullptr) override;

 private:
  std::unique_ptr<OptimizerParamState> new_state() const override { return std::make_unique<RpropParamState>(); }
};

}  // namespace wengert::optim
