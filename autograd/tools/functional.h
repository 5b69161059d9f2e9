#pragma once

#include <wengert/autograd/tape/node.h>

#include <utility>

namespace wengert::autograd::functional {

// Derivatives of functions, as torch.autograd.functional has them in Python. Functions take and return lists of
// tensors; those of one tensor may be given as functions from a Tensor to a Tensor. Inputs are taken as constants: no
// grad() is touched, and only with create_graph do the results depend on what the inputs depend on.

using Function = std::function<variable_list(const variable_list&)>;
using TensorFunction = std::function<Tensor(const Tensor&)>;

/// J[i][j] = d output_i / d input_j, of output_i's shape followed by input_j's.
std::vector<variable_list> jacobian(const Function& f, const variable_list& inputs, bool create_graph = false);
Tensor jacobian(const TensorFunction& f, const Tensor& input, bool create_graph = false);

/// H[i][j] = d² f / d input_i d input_j, of input_i's shape followed by input_j's. f returns one element.
std::vector<variable_list> hessian(const Function& f, const variable_list& inputs, bool create_graph = false);
Tensor hessian(const TensorFunction& f, const Tensor& input, bool create_graph = false);

/// (f(inputs), vᵀ J).   v: one for each output, of its shape; may be left out for an output of one element.
std::pair<variable_list, variable_list> vjp(const Function& f, const variable_list& inputs, const variable_list& v = {},
                                            bool create_graph = false);
std::pair<Tensor, Tensor> vjp(const TensorFunction& f, const Tensor& input, const Tensor& v = {},
                              bool create_graph = false);

/// (f(inputs), J v).   v: one for each input, of its shape. By two backward passes: uᵀ J is linear in u, and its VJP
/// in u is J v.
std::pair<variable_list, variable_list> jvp(const Function& f, const variable_list& inputs, const variable_list& v,
                                            bool create_graph = false);
std::pair<Tensor, Tensor> jvp(const TensorFunction& f, const Tensor& input, const Tensor& v, bool create_graph = false);

/// (f(inputs), H v), for f of one element; vhp is the same from the left, vᵀ H.
std::pair<Tensor, variable_list> hvp(const Function& f, const variable_list& inputs, const variable_list& v,
                                     bool create_graph = false);
std::pair<Tensor, Tensor> hvp(const TensorFunction& f, const Tensor& input, const Tensor& v, bool create_graph = false);
std::pair<Tensor, variable_list> vhp(const Function& f, const variable_list& inputs, const variable_list& v,
                                     bool create_graph = false);
std::pair<Tensor, Tensor> vhp(const TensorFunction& f, const Tensor& input, const Tensor& v, bool create_graph = false);

}  // namespace wengert::autograd::functional
