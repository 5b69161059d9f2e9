#include <wengert/autograd/base/check.h>
#include <wengert/autograd/tape/autograd.h>
#include <wengert/autograd/tape/engine.h>
#include <wengert/autograd/tensor/factories.h>

namespace wengert {
namespace autograd {
namespace {

// The gradients that enter at `outputs`: those given, and 1 where an output has one element.
Gradients entering_gradients(TensorList outputs, TensorList given) {
  check(given.empty() || given.size() == outputs.size(), "got {} tensors and {} gradients", outputs.size(),
        given.size());
  Gradients grads(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Tensor& output = outputs[i];
    if (given.empty() || !given[i].defined()) {
      if (!output.requires_grad()) continue;  // reported by edges_of()
      check(output.numel() == 1,
            "grad can be implicitly created only for scalar outputs (docs/errors/not-a-scalar.md)");
      grads[i] = ones_like(output);
      continue;
    }
    check(given[i].sizes() == output.sizes(),
          "invalid gradient at index {} - got {} but expected shape compatible with {} (docs/errors/gradient-shape.md)",
          i, given[i].sizes(), output.sizes());
    grads[i] = given[i].to(output.dtype());
  }
  return grads;
}

EdgeList edges_of(TensorList outputs) {
  EdgeList edges;
  for (size_t i = 0; i < outputs.size(); ++i) {
    Edge edge = outputs[i].defined() ? gradient_edge(outputs[i]) : Edge();
    check(edge.is_valid(),
          "element {} of tensors does not require grad and does not have a grad_fn (docs/errors/no-grad-fn.md)", i);
    edges.push_back(std::move(edge));
  }
  return edges;
}

EdgeList input_edges_of(TensorList inputs) {
  EdgeList edges;
  for (const Tensor& input : inputs) {
    check(input.defined() && input.requires_grad(),
          "One of the differentiated Tensors does not require grad (docs/errors/input-without-grad.md)");
    edges.push_back(gradient_edge(input));
  }
  return edges;
}

void run_backward(TensorList tensors, TensorList grad_tensors, std::optional<bool> retain_graph, bool create_graph,
                  TensorList inputs) {
  Engine::Options options;
  options.keep_graph = retain_graph.value_or(create_graph);
  options.create_graph = create_graph;
  options.inputs = input_edges_of(inputs);
  const EdgeList roots = edges_of(tensors);
  const Gradients arrived = Engine::run(roots, entering_gradients(tensors, grad_tensors), options);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].is_leaf() || !arrived[i].defined()) continue;
    Tensor& accumulated = inputs[i].mutable_grad();
    accumulated = accumulated.defined() ? accumulated + arrived[i] : arrived[i];
  }
}

}  // namespace

void backward(const variable_list& tensors, const variable_list& grad_tensors, std::optional<bool> retain_graph,
              bool create_graph, const variable_list& inputs) {
  run_backward(tensors, grad_tensors, retain_graph, create_graph, inputs);
}

variable_list grad(const variable_list& outputs, const variable_list& inputs, const variable_list& grad_outputs,
                   std::optional<bool> retain_graph, bool create_graph, bool allow_unused) {
  check(!inputs.empty(), "grad requires non-empty inputs.");
  Engine::Options options;
  options.keep_graph = retain_graph.value_or(create_graph);
  options.create_graph = create_graph;
  options.inputs = input_edges_of(inputs);
  options.accumulate_into_leaves = false;
  const EdgeList roots = edges_of(outputs);
  const Gradients grads = Engine::run(roots, entering_gradients(outputs, grad_outputs), options);
  for (const Tensor& grad : grads) {
    check(allow_unused || grad.defined(),
          "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True if "
          "this is the desired behavior. (docs/errors/unused-input.md)");
  }
  return variable_list(grads.begin(), grads.end());
}

}  // namespace autograd

void Tensor::backward(const Tensor& gradient, std::optional<bool> retain_graph, bool create_graph,
                      std::optional<TensorList> inputs) const {
  check(!inputs || !inputs->empty(), "'inputs' argument to backward cannot be empty");
  info();
  autograd::run_backward(*this, gradient, retain_graph, create_graph, inputs.value_or(TensorList()));
}

}  // namespace wengert
