#pragma once

#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/tape/autograd.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/ops.h>

#include <functional>
#include <vector>

// Functions of tensors as objectives and constraints of NLopt, whose algorithms with gradients ask for both at once.

namespace wengert {

/// A function from a vector to a number, in the form that nlopt::opt takes:
///
///     const NloptFunction f([](const Tensor& x) { return (x * x).sum(); });
///     optimizer.set_min_objective(NloptFunction::call, f.data());
class NloptFunction {
 public:
  /// function: Double (n) -> one element.
  explicit NloptFunction(std::function<Tensor(const Tensor&)> function) : function_(std::move(function)) {}

  /// gradient: empty, or of x's size; it is written to.
  double operator()(const std::vector<double>& x, std::vector<double>& gradient) const {
    const Tensor at = from_blob(const_cast<double*>(x.data()), {static_cast<int64_t>(x.size())}, kDouble);
    if (gradient.empty()) {
      const NoGradGuard no_grad;
      return function_(at).item<double>();
    }
    const Tensor leaf = at.detach().requires_grad_();
    const Tensor value = function_(leaf);
    const Tensor found = autograd::grad({value}, {leaf}, {}, false, false, /*allow_unused=*/true)[0];
    const Tensor into = from_blob(gradient.data(), {static_cast<int64_t>(gradient.size())}, kDouble);
    found.defined() ? into.copy_(found) : into.zero_();
    return value.item<double>();
  }

  /// For nlopt::opt, with data() of the function, which must live longer.
  static double call(const std::vector<double>& x, std::vector<double>& gradient, void* function) {
    return (*static_cast<const NloptFunction*>(function))(x, gradient);
  }
  void* data() const { return const_cast<NloptFunction*>(this); }

 private:
  std::function<Tensor(const Tensor&)> function_;
};

}  // namespace wengert
