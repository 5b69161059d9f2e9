#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <memory>
#include <string>

namespace wengert::autograd {

/// Notes every step of the backward passes on this thread, for as long as it lives, so that they can be looked at:
///
///     autograd::Trace trace;
///     trace.name(C, "C");
///     loss.backward();
///     std::ofstream("trace.html") << trace.html();
///
/// A second pass, over gradients that were recorded (create_graph), is shown after the first. Copies what it shows when
/// it happens, and keeps the Nodes; changes nothing of what the passes compute. Takes time: for small problems.
class Trace {
 public:
  /// max_elements: tensors with more are shown as means of blocks.
  explicit Trace(int64_t max_elements = 256);
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;

  /// What `tensor`, a leaf or computed, is called in pictures; else a leaf is called by its sizes.
  void name(const Tensor& tensor, const std::string& name);

  /// One page, complete in itself: the graph, through which its reader steps backward Node by Node, with the gradients
  /// on its edges, saved tensors, formulas and their source, and why each Node is the next.
  std::string html(const std::string& title = "A backward pass") const;
  /// The graph in Graphviz's language, with what flowed: sizes of gradients, formulas, saved tensors, levels. Arrows
  /// run as gradients do.
  std::string dot() const;
  /// All that it noted, as JSON: what the page is made of. "nodes" with their edges, "passes", "steps".
  std::string json() const;

 private:
  class Notes;
  std::unique_ptr<Notes> notes_;
};

/// Runs root.backward(), of a tensor of one element, and returns the page on it. The graph is kept.
std::string trace(const Tensor& root, const std::string& title = "A backward pass");

}  // namespace wengert::autograd
