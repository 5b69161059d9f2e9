#pragma once

#include <wengert/autograd/tape/node.h>

#include <functional>

namespace wengert::autograd {

/// A function of tensors whose gradient is to be checked.
using CheckedFunction = std::function<variable_list(const variable_list& inputs)>;

struct GradcheckOptions {
  double eps = 1e-6;   ///< step of the finite differences
  double atol = 1e-5;  ///< |analytical - numerical| may be up to atol + rtol |numerical|
  double rtol = 1e-3;
  bool raise_exception = true;  ///< else return false
};

/// Compares the Jacobian that backward() gives, row by row, with central differences (f(x+eps) - f(x-eps)) / 2eps
/// for every element of every input that requires grad. The inputs should be double; in float the differences
/// are too rough for the default tolerances.
/// True when all agree. Otherwise throws wengert::Error with the output and input element, both values and the
/// tolerance.
bool gradcheck(const CheckedFunction& function, const variable_list& inputs, const GradcheckOptions& options = {});

/// The same for the gradient itself, as a function of the inputs and of the gradient that enters: checks second
/// derivatives. grad_outputs: where to check; chosen if left out.
bool gradgradcheck(const CheckedFunction& function, const variable_list& inputs, const variable_list& grad_outputs = {},
                   const GradcheckOptions& options = {});

/// For functions that return one Tensor.
template <class F>
requires std::is_same_v<std::invoke_result_t<F&, const variable_list&>, Tensor> CheckedFunction
returning_one(F function) {
  return [function](const variable_list& inputs) { return variable_list{function(inputs)}; };
}

}  // namespace wengert::autograd
