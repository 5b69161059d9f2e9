#pragma once

#include <wengert/autograd/tape/node.h>

namespace wengert::autograd {

/// Walks the graph backwards.
class Engine {
 public:
  struct Options {
    bool keep_graph = false;    ///< keep what the Nodes saved, for another backward
    bool create_graph = false;  ///< record the backward itself
    /// If not empty, the gradients wanted: only Nodes on a path to one of these run.
    EdgeList inputs;
    bool accumulate_into_leaves = true;  ///< with `inputs`: run their AccumulateGrad, rather than return them
  };

  /// Sends `grads` in at `roots` and runs every Node that they reach. Returns the gradients that arrived at
  /// options.inputs, undefined where none did.
  static Gradients run(ArrayRef<Edge> roots, Gradients grads, const Options& options);

  /// Whether the backward now running on this thread needs a gradient along this edge. True when none runs.
  static bool running_backward_needs(const Edge& edge);

  /// Whether the backward now running on this thread was asked for particular inputs only.
  static bool running_backward_is_partial();

  /// Makes running_backward_needs(edge) true for the rest of the backward now running: for a Node that runs
  /// another one, to which the graph itself does not lead.
  static void count_as_needed(const Edge& edge);

 private:
  static Gradients walk(ArrayRef<Edge> roots, Gradients grads, const Options& options);
};

}  // namespace wengert::autograd
