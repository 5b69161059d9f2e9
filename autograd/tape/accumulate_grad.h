#pragma once

#include <wengert/autograd/tape/node.h>

#include <mutex>

namespace wengert::autograd {

// The last Node of every path: adds the gradient that reaches a leaf to the leaf's grad().
//
// It is part of its leaf: the leaf's TensorImpl owns it, and a reference to it (an edge of the graph) counts
// as a reference to the leaf. So a graph keeps its leaves alive, a leaf keeps its hooks from one step to the
// next, and there is no circle of references to break.

/// Adds the gradient of a leaf to its grad().
class AccumulateGrad final : public Node {
 public:
  explicit AccumulateGrad(TensorImpl* leaf);

  Gradients apply(Gradients grads) override;
  std::string name() const override { return kName.text; }
  NodeName source() const override { return kName; }

  /// The leaf.
  Tensor variable() const { return Tensor(IntrusivePtr<TensorImpl>(leaf_)); }

 private:
  static const NodeName kName;
  TensorImpl* leaf_;
  std::mutex mutex_;  // several threads may run backward through graphs that share this leaf
};

/// Whether nobody but the holder of this handle can see the tensor or its memory, and it is no part of a graph: then
/// its memory may be handed on to what is computed from it. Dense, each element in a place of its own.
bool owned_alone(const Tensor& tensor);

/// Adds `grad` to `accumulated`, which may be undefined. Takes the memory over, or adds in place, where
/// nobody else can see it; out of place when grad mode is on, so that the sum is recorded.
void accumulate(Tensor& accumulated, Tensor grad);

}  // namespace wengert::autograd
