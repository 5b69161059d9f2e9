#pragma once

#include <wengert/autograd/tape/node.h>

namespace wengert::autograd {

// An in-place change of a view changes a part of its base. If y = base[slice] is replaced by f(y), then as a
// function of the old base the new base is
//
//     base' = base, but f(base[slice]) in the slice
//
// and CopySlices is its Node. VJP, for G = dL/d(base'):  d(base) = G, but VJP_f(G[slice]) in the slice; the
// gradients of f's other inputs are what f's own Node computes from G[slice].

/// The Node of an in-place change of part of a tensor.
class CopySlices final : public Node {
 public:
  /// base, view: the tensors, with the history from before the change. operation: the Node of f, whose first
  /// next edge is the view's.
  CopySlices(const Tensor& base, const Tensor& view, IntrusivePtr<Node> operation);

  Gradients apply(Gradients grads) override;
  std::string name() const override { return kName.text; }
  NodeName source() const override { return kName; }
  ArrayRef<SavedTensor> saved_tensors() const override { return operation_->saved_tensors(); }
  /// The Node of f.
  const Node& operation() const { return *operation_; }
  void release_variables() override;

 private:
  static const NodeName kName;
  Dims base_sizes_, base_strides_;
  Dims view_sizes_, view_strides_;
  int64_t view_offset_;  // from the base's first element
  IntrusivePtr<Node> operation_;
};

}  // namespace wengert::autograd
