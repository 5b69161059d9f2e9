#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/tape/autograd.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/autograd/tools/functional.h>

namespace wengert::autograd::functional {
namespace {

// The inputs as f is to see them: leaves of a graph of their own or, to keep what they depend on, views.
variable_list as_arguments(const variable_list& inputs, bool create_graph) {
  variable_list arguments;
  for (const Tensor& input : inputs) {
    arguments.push_back(create_graph && input.requires_grad() ? input.view(input.sizes())
                                                              : input.detach().requires_grad_());
  }
  return arguments;
}

variable_list as_results(variable_list results, bool create_graph) {
  if (!create_graph) {
    for (Tensor& result : results) result = result.detach();
  }
  return results;
}

// grad() of the outputs that depend on the inputs at all, with zeros where nothing depends.
variable_list gradients(const variable_list& outputs, const variable_list& inputs, const variable_list& entering,
                        bool create_graph) {
  variable_list reached, with;
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].requires_grad()) continue;
    reached.push_back(outputs[i]);
    with.push_back(i < entering.size() ? entering[i] : Tensor());
  }
  variable_list grads(inputs.size());
  if (!reached.empty()) grads = grad(reached, inputs, with, true, create_graph, true);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!grads[i].defined()) grads[i] = zeros_like(inputs[i]);
  }
  return grads;
}

void check_like(const variable_list& v, const variable_list& of, const char* what) {
  check(v.size() == of.size(), "v has {} tensors, but there are {} {}", v.size(), of.size(), what);
  for (size_t i = 0; i < v.size(); ++i) {
    check(v[i].sizes() == of[i].sizes(), "v[{}] has shape {}, but its {} has shape {}", i, v[i].sizes(), what,
          of[i].sizes());
  }
}

Tensor only_element(const variable_list& outputs) {
  check(outputs.size() == 1 && outputs[0].numel() == 1,
        "The function given to hessian, hvp and vhp should return a single Tensor with a single element");
  return outputs[0];
}

// Row r of d output / d inputs is the gradient that enters at element r alone.
variable_list jacobian_of(const Tensor& output, const variable_list& inputs, bool create_graph) {
  std::vector<variable_list> rows(inputs.size());
  for (int64_t r = 0; r < output.numel(); ++r) {
    const Tensor one_hot = zeros({output.numel()}, output.options());
    one_hot[r].fill_(1);
    const variable_list grads = gradients({output}, inputs, {one_hot.view(output.sizes())}, create_graph);
    for (size_t i = 0; i < inputs.size(); ++i) rows[i].push_back(grads[i]);
  }
  variable_list jacobians;
  for (size_t i = 0; i < inputs.size(); ++i) {
    Dims shape(output.sizes());
    for (const int64_t size : inputs[i].sizes()) shape.push_back(size);
    Tensor whole = zeros({output.numel(), inputs[i].numel()}, inputs[i].options());
    for (size_t r = 0; r < rows[i].size(); ++r) whole[static_cast<int64_t>(r)].copy_(rows[i][r].reshape({-1}));
    jacobians.push_back(whole.view(shape));
  }
  return jacobians;
}

Function on_lists(const TensorFunction& f) {
  return [&f](const variable_list& inputs) { return variable_list{f(inputs[0])}; };
}

}  // namespace

std::vector<variable_list> jacobian(const Function& f, const variable_list& inputs, bool create_graph) {
  const AutoGradMode enabled(true);
  const variable_list arguments = as_arguments(inputs, create_graph);
  std::vector<variable_list> all;
  for (const Tensor& output : f(arguments)) {
    all.push_back(as_results(jacobian_of(output, arguments, create_graph), create_graph));
  }
  return all;
}

std::vector<variable_list> hessian(const Function& f, const variable_list& inputs, bool create_graph) {
  const Function gradient = [&f](const variable_list& at) { return gradients({only_element(f(at))}, at, {}, true); };
  return jacobian(gradient, inputs, create_graph);
}

std::pair<variable_list, variable_list> vjp(const Function& f, const variable_list& inputs, const variable_list& v,
                                            bool create_graph) {
  const AutoGradMode enabled(true);
  const variable_list arguments = as_arguments(inputs, create_graph);
  const variable_list outputs = f(arguments);
  if (!v.empty()) check_like(v, outputs, "outputs");
  const variable_list grads = gradients(outputs, arguments, v, create_graph);
  return {as_results(outputs, create_graph), as_results(grads, create_graph)};
}

std::pair<variable_list, variable_list> jvp(const Function& f, const variable_list& inputs, const variable_list& v,
                                            bool create_graph) {
  const AutoGradMode enabled(true);
  check_like(v, inputs, "inputs");
  const variable_list arguments = as_arguments(inputs, create_graph);
  const variable_list outputs = f(arguments);
  variable_list u;
  for (const Tensor& output : outputs) u.push_back(zeros_like(output).requires_grad_());
  const variable_list through = gradients(outputs, arguments, u, true);
  const variable_list products = gradients(through, u, v, create_graph);
  return {as_results(outputs, create_graph), as_results(products, create_graph)};
}

// H is symmetric where f has continuous second derivatives, so H v is the gradient of (gradient · v).
std::pair<Tensor, variable_list> hvp(const Function& f, const variable_list& inputs, const variable_list& v,
                                     bool create_graph) {
  const AutoGradMode enabled(true);
  check_like(v, inputs, "inputs");
  const variable_list arguments = as_arguments(inputs, create_graph);
  const Tensor output = only_element(f(arguments));
  const variable_list gradient = gradients({output}, arguments, {}, true);
  const variable_list products = gradients(gradient, arguments, v, create_graph);
  return {as_results({output}, create_graph)[0], as_results(products, create_graph)};
}

std::pair<Tensor, variable_list> vhp(const Function& f, const variable_list& inputs, const variable_list& v,
                                     bool create_graph) {
  return hvp(f, inputs, v, create_graph);
}

Tensor jacobian(const TensorFunction& f, const Tensor& input, bool create_graph) {
  return jacobian(on_lists(f), {input}, create_graph)[0][0];
}
Tensor hessian(const TensorFunction& f, const Tensor& input, bool create_graph) {
  return hessian(on_lists(f), {input}, create_graph)[0][0];
}
std::pair<Tensor, Tensor> vjp(const TensorFunction& f, const Tensor& input, const Tensor& v, bool create_graph) {
  const auto [outputs, products] =
      vjp(on_lists(f), {input}, v.defined() ? variable_list{v} : variable_list(), create_graph);
  return {outputs[0], products[0]};
}
std::pair<Tensor, Tensor> jvp(const TensorFunction& f, const Tensor& input, const Tensor& v, bool create_graph) {
  const auto [outputs, products] = jvp(on_lists(f), {input}, {v}, create_graph);
  return {outputs[0], products[0]};
}
std::pair<Tensor, Tensor> hvp(const TensorFunction& f, const Tensor& input, const Tensor& v, bool create_graph) {
  const auto [output, products] = hvp(on_lists(f), {input}, {v}, create_graph);
  return {output, products[0]};
}
std::pair<Tensor, Tensor> vhp(const TensorFunction& f, const Tensor& input, const Tensor& v, bool create_graph) {
  return hvp(f, input, v, create_graph);
}

}  // namespace wengert::autograd::functional
