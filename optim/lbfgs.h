#pragma once

#include <wengert/optim/optimizer.h>

#include <deque>
#include <optional>
#include <string>

namespace wengert::optim {

/// Hyperparameters of LBFGS. Each has a getter, and a setter that returns the options.
class LBFGSOptions final : public OptimizerCloneableOptions<LBFGSOptions> {
 public:
  LBFGSOptions(double lr = 1) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  const double& lr() const {
    return lr_;
  }  ///< length of a step along a direction; with a line search, of the first try
  double& lr() { return lr_; }
  LBFGSOptions& lr(double lr) { return lr_ = lr, *this; }
  const int64_t& max_iter() const { return max_iter_; }  ///< directions that one step() takes at most
  int64_t& max_iter() { return max_iter_; }
  LBFGSOptions& max_iter(int64_t max_iter) { return max_iter_ = max_iter, *this; }
  /// Calls of the closure after which step() takes no other direction; 5/4 of max_iter unless given.
  const std::optional<int64_t>& max_eval() const { return max_eval_; }
  std::optional<int64_t>& max_eval() { return max_eval_; }
  LBFGSOptions& max_eval(std::optional<int64_t> max_eval) { return max_eval_ = max_eval, *this; }
  const double& tolerance_grad() const { return tolerance_grad_; }  ///< of the largest element of the gradient
  double& tolerance_grad() { return tolerance_grad_; }
  LBFGSOptions& tolerance_grad(double tolerance_grad) { return tolerance_grad_ = tolerance_grad, *this; }
  const double& tolerance_change() const { return tolerance_change_; }  ///< of the loss, or the largest change
  double& tolerance_change() { return tolerance_change_; }
  LBFGSOptions& tolerance_change(double tolerance_change) { return tolerance_change_ = tolerance_change, *this; }
  const int64_t& history_size() const { return history_size_; }  ///< steps that are remembered
  int64_t& history_size() { return history_size_; }
  LBFGSOptions& history_size(int64_t history_size) { return history_size_ = history_size, *this; }
  const std::optional<std::string>& line_search_fn() const { return line_search_fn_; }  ///< "strong_wolfe" or none
  std::optional<std::string>& line_search_fn() { return line_search_fn_; }
  LBFGSOptions& line_search_fn(std::optional<std::string> line_search_fn) {
    return line_search_fn_ = std::move(line_search_fn), *this;
  }

  void fields(serialize::Fields& fields) override;
  bool operator==(const LBFGSOptions&) const = default;

 private:
  double lr_;
  int64_t max_iter_ = 20;
  std::optional<int64_t> max_eval_;
  double tolerance_grad_ = 1e-7;
  double tolerance_change_ = 1e-9;
  int64_t history_size_ = 100;
  std::optional<std::string> line_search_fn_;
};

/// What LBFGS remembers, of all parameters as one vector; it is kept as the state of the first.
struct LBFGSParamState final : OptimizerCloneableParamState<LBFGSParamState> {
  int64_t func_evals = 0;
  int64_t n_iter = 0;
  double t = 0;  ///< the last step's length,
  Tensor d;      ///< and direction
  double prev_loss = 0;
  Tensor prev_flat_grad;
  double H_diag = 1;            ///< the inverse Hessian before any update: this times the identity
  std::deque<Tensor> old_dirs;  ///< changes of the gradient,
  std::deque<Tensor> old_stps;  ///< and of the parameters
  std::deque<double> ro;        ///< 1 / (change of the gradient . change of the parameters)

  void fields(serialize::Fields& fields) override;
};

/// The limited-memory method of Broyden, Fletcher, Goldfarb and Shanno (Nocedal and Wright, Numerical Optimization,
/// algorithm 7.4), with a line search for the strong Wolfe conditions (algorithms 3.5, 3.6) or steps of fixed length,
/// as PyTorch does it: the closure is called as often as there. It has one parameter group.
class LBFGS final : public Optimizer {
 public:
  explicit LBFGS(std::vector<OptimizerParamGroup> groups, LBFGSOptions defaults = {});
  explicit LBFGS(std::vector<Tensor> params, LBFGSOptions defaults = {})
      : LBFGS(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, std::move(defaults)) {}

  /// Takes up to max_iter directions; returns the loss before the first. The closure is needed, and is called again and
  /// again.
  Tensor step(LossClosure closure) override;

 private:
  std::unique_ptr<OptimizerParamState> new_state() const override { return std::make_unique<LBFGSParamState>(); }
  std::vector<int64_t> state_sizes(const Tensor& parameter) const override;
};

}  // namespace wengert::optim
