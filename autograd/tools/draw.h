#pragma once

#include <wengert/autograd/tape/node.h>

#include <optional>
#include <string>

namespace wengert::autograd {

/// What a Node is called in pictures: a leaf's by the leaf's sizes, another by its name.
std::string label_of(const Node& node);

/// The graph that computed `root`, in Graphviz's language: `dot -Tsvg` draws it. A box for each Node, an oval
/// with the sizes for each leaf; arrows run the way that gradients flow. (Trace::dot() also shows what flowed.)
std::string to_dot(const Tensor& root);

/// The same graph as a tree of text, for a terminal:
///
///     SumBackward0  level 2   dx = G, repeated along those dimensions.
///     MmBackward0  level 1   dA = G Bᵀ,   dB = Aᵀ G.   saved [3, 2] [2, 4]
///     ├── leaf [3, 2]
///     └── leaf [2, 4]
///
/// What a Node alone leads to stands right below it; several branch off. A part that several lead to is shown once,
/// and where it comes again as `#1, shown above`; what lies more than 60 branches deep, as `...`.
/// Empty for a tensor without history.
/// colours: with a terminal's; unless told, where the standard output is one (and NO_COLOR is not set).
std::string to_text(const Tensor& root, std::optional<bool> colours = std::nullopt);

}  // namespace wengert::autograd
