#pragma once

#include <wengert/autograd/tape/node.h>

namespace wengert::autograd {

/// Computes the gradients of `tensors` with respect to the leaves they depend on and adds them to the
/// leaves' grad().
/// grad_tensors: for each tensor the gradient that enters there, of its shape; undefined, or the whole list
/// left out, where a tensor has one element (then 1).
/// retain_graph: keep what the graph saved, for another backward; defaults to create_graph.
/// create_graph: record the backward itself, so that the gradients can be differentiated. The graph of a leaf's
/// grad() then leads to the leaf, a circle that keeps both alive until grad() is assigned to; grad() below makes none.
/// inputs: if given, accumulate into these tensors only; a non-leaf's gradient then goes to its grad().
/// Throws wengert::Error where a gradient is missing or of a wrong shape, or a tensor has no graph.
void backward(const variable_list& tensors, const variable_list& grad_tensors = {},
              std::optional<bool> retain_graph = std::nullopt, bool create_graph = false,
              const variable_list& inputs = {});

/// Returns the gradients of the sum of `outputs` with respect to `inputs`, which may be any tensors of the
/// graph; nothing is accumulated into grad(). grad_outputs, retain_graph, create_graph: as for backward().
/// allow_unused: return an undefined Tensor, rather than throw, for an input that no output depends on.
variable_list grad(const variable_list& outputs, const variable_list& inputs, const variable_list& grad_outputs = {},
                   std::optional<bool> retain_graph = std::nullopt, bool create_graph = false,
                   bool allow_unused = false);

}  // namespace wengert::autograd
