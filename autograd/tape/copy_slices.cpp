#include <wengert/autograd/tape/copy_slices.h>
#include <wengert/autograd/tape/engine.h>
#include <wengert/autograd/tensor/factories.h>

namespace wengert::autograd {

CopySlices::CopySlices(const Tensor& base, const Tensor& view, IntrusivePtr<Node> operation)
    : base_sizes_(base.sizes()),
      base_strides_(base.strides()),
      view_sizes_(view.sizes()),
      view_strides_(view.strides()),
      view_offset_(view.storage_offset() - base.storage_offset()),
      operation_(std::move(operation)) {
  set_num_inputs(1);
  add_next_edge(gradient_edge(base));
  for (size_t i = 1; i < operation_->num_outputs(); ++i) add_next_edge(operation_->next_edge(i));
}

// base' = base, but f(base[slice]) in the slice.   VJP:   d(base) = G, but f's VJP of G[slice] in the slice.
const NodeName CopySlices::kName = "CopySlices";
Gradients CopySlices::apply(Gradients grads) {
  // The slice is given by strides into the base's memory, so the gradient is laid out as the base was.
  Tensor result = empty_strided(base_sizes_, base_strides_, grads[0].options());
  result.copy_(grads[0]);
  const Tensor slice = result.as_strided(view_sizes_, view_strides_, view_offset_);
  // f's Node knows the view's own edge, which the running backward may never have reached.
  if (needs_grad(0)) Engine::count_as_needed(operation_->next_edge(0));
  Gradients inner = operation_->apply({slice.clone()});

  Gradients out(next_edges().size());
  for (size_t i = 1; i < out.size() && i < inner.size(); ++i) out[i] = std::move(inner[i]);
  if (needs_grad(0)) {
    if (inner[0].defined()) {
      slice.copy_(inner[0]);
    } else {
      slice.zero_();
    }
    out[0] = std::move(result);
  }
  return out;
}

void CopySlices::release_variables() { operation_->release_variables(); }

}  // namespace wengert::autograd
