#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/tape/accumulate_grad.h>
#include <wengert/autograd/tape/history.h>

namespace wengert::autograd {

bool owned_alone(const Tensor& tensor) {
  const TensorImpl& impl = *tensor.impl();
  return impl.owners.owners() == 1 && impl.storage->unique() && !impl.sparse && !tensor.requires_grad() &&
         (impl.contiguous || is_non_overlapping_and_dense(impl.sizes, impl.strides));
}

namespace {

// Whether the elements of one may simply be added to those of the other, if nobody minds the change.
bool adds_by_element(const Tensor& a, const Tensor& b) {
  return !GradMode::is_enabled() && !a.is_sparse() && !b.is_sparse() && a.dtype() == b.dtype() &&
         a.sizes() == b.sizes();
}

}  // namespace

void accumulate(Tensor& accumulated, Tensor grad) {
  if (!accumulated.defined()) {
    accumulated = std::move(grad);
    return;
  }
  const bool in_place = adds_by_element(accumulated, grad);
  if (in_place && owned_alone(accumulated)) {
    add_elements(accumulated, grad);
  } else if (in_place && owned_alone(grad)) {
    // Addition commutes, so the sum is the same to the last bit.
    add_elements(grad, accumulated);
    accumulated = std::move(grad);
  } else {
    accumulated = accumulated + grad;
  }
}

AccumulateGrad::AccumulateGrad(TensorImpl* leaf) : Node(leaf), leaf_(leaf) {}

// The leaf's grad() becomes grad() + G, of the leaf's dtype.   VJP:   none, as nothing comes before a leaf.
const NodeName AccumulateGrad::kName = "AccumulateGrad";
Gradients AccumulateGrad::apply(Gradients grads) {
  Tensor grad = std::move(grads[0]);
  if (!grad.defined()) return {};
  if (grad.dtype() != leaf_->dtype) grad = grad.to(leaf_->dtype);
  check(grad.sizes() == IntArrayRef(leaf_->sizes),
        "AccumulateGrad: invalid gradient - got {} but expected shape compatible with {}", grad.sizes(),
        IntArrayRef(leaf_->sizes));

  {
    std::unique_lock lock(mutex_, std::defer_lock);
    if (!single_threaded()) lock.lock();  // else there is nobody to keep out
    Tensor& accumulated = leaf_->grad;
    if (!accumulated.defined()) {
      if (tracing::listener != nullptr) [[unlikely]]
        tracing::listener->note_new_grad(leaf_);
      // A sparse gradient's parts are never changed in place, so they may be shared.
      const bool keeps = grad.is_sparse() || (grad.is_contiguous() && owned_alone(grad));
      accumulated = keeps ? std::move(grad) : grad.clone();
    } else if (adds_by_element(accumulated, grad) && owned_alone(grad) && accumulated.is_contiguous() &&
               !accumulated.requires_grad() && !accumulated.is_inference()) {
      add_elements(accumulated, grad);  // in place: whoever holds grad() sees the sum
    } else if (GradMode::is_enabled() || (accumulated.is_sparse() && !grad.is_sparse())) {
      accumulated = accumulated + grad;
    } else {
      accumulated.add_(grad);  // in place too, with all the checks
    }
  }
  // Unlocked: a hook may well change the gradient, or run a backward of its own.
  if (const NodeHooks* hooks = hooks_if_any(); hooks != nullptr && !hooks->post_accumulate_hooks.empty()) {
    tracing::refuse("a hook on a leaf's gradient");
    for (const auto& hook : hooks->post_accumulate_hooks) hook(variable());
  }
  return {};
}

}  // namespace wengert::autograd
