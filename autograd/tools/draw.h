#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <string>

namespace wengert::autograd {

/// The graph that computed `root`, in Graphviz's language: `dot -Tsvg` draws it. A box for each Node, an oval
/// with the sizes for each leaf; arrows run the way that gradients flow.
std::string to_dot(const Tensor& root);

}  // namespace wengert::autograd
