#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/inference_mode.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/tape/accumulate_grad.h>
#include <wengert/autograd/tape/copy_slices.h>
#include <wengert/autograd/tape/history.h>

#include <algorithm>

namespace wengert {
namespace autograd {
namespace {

// retain_grad follows the tensor, not its value: after an in-place change it keeps the gradient of the new
// value, so the entry moves from the old grad_fn to the new one.
void move_retained(TensorImpl* tensor, Node* from, Node* to) {
  if (!tensor->retains_grad) return;
  if (from != nullptr) {
    NodeHooks& hooks = from->hooks();
    const std::lock_guard lock(hooks.retained_mutex);
    std::erase(hooks.retained, tensor);
  }
  if (to != nullptr) {
    NodeHooks& hooks = to->hooks();
    const std::lock_guard lock(hooks.retained_mutex);
    hooks.retained.push_back(tensor);
  }
}

// Throws for views whose history nobody recorded.
void check_creation(const TensorImpl& view, std::string_view what_is) {
  check(view.creation != CreationMeta::INFERENCE_MODE,
        "A view was created in inference mode and {} modified inplace in normal mode. Given that this use case "
        "is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the "
        "inplace either both inside the inference_mode block (if you don't want the inplace to be tracked) or both "
        "outside (if you want the inplace to be tracked).",
        what_is);
  check(
      view.creation != CreationMeta::NO_GRAD_MODE,
      "A view was created in no_grad mode and {} modified inplace with grad mode enabled. Given that this use case is "
      "ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and the inplace "
      "either both inside the no_grad block (if you don't want the inplace to be tracked) or both outside (if you "
      "want the inplace to be tracked). (docs/errors/no-grad-view-in-place.md)",
      what_is);
}

// Gives a tensor another history than it had.
void replace_grad_fn(TensorImpl* tensor, IntrusivePtr<Node> node, uint32_t output_nr) {
  move_retained(tensor, tensor->grad_fn.get(), node.get());
  tensor->grad_fn = std::move(node);
  tensor->output_nr = output_nr;
  tensor->grad_fn_version = tensor->storage->version();
}

}  // namespace

bool inference_tensors_ask(TensorRefs inputs) {
  return std::any_of(inputs.begin(), inputs.end(),
                     [](const Tensor& input) { return input.defined() && !input.is_inference(); });
}

void set_history(Tensor& output, IntrusivePtr<Node> node) {
  const uint32_t output_nr = node->num_inputs();
  node->set_num_inputs(output_nr + 1);
  set_history(output, std::move(node), output_nr);
}

void set_history(Tensor& output, IntrusivePtr<Node> node, uint32_t output_nr) {
  TensorImpl* impl = output.impl();
  impl->output_nr = output_nr;
  impl->grad_fn = std::move(node);
  impl->grad_fn_version = impl->storage->version();
}

void rebase_history(const Tensor& self, IntrusivePtr<Node> node, uint32_t output_nr) {
  TensorImpl* impl = self.impl();
  node->set_num_inputs(std::max(node->num_inputs(), output_nr + 1));
  if (impl->base.defined()) {
    check(output_nr == 0, "A view may be changed in place by an operation only if it is its first output");
    // The change is one of the base's history; the view's own grad_fn is then made anew from that.
    TensorImpl* base = impl->base.impl();
    replace_grad_fn(base, make_intrusive<CopySlices>(impl->base, self, std::move(node)), 0);
  } else {
    replace_grad_fn(impl, std::move(node), output_nr);
  }
}

void fail_frozen() {
  fail(
      "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal "
      "tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details. "
      "(docs/errors/inference-in-place.md)");
}

void check_in_place(const Tensor& self) {
  if (!self.is_view()) {
    check(!self.requires_grad() || !self.is_leaf(),
          "a leaf Variable that requires grad is being used in an in-place operation. (docs/errors/leaf-in-place.md)");
    return;
  }
  check_creation(*self.impl(), "is being");
  const Tensor& base = self._base();
  check(!(base.is_leaf() && base.requires_grad()),
        "a view of a leaf Variable that requires grad is being used in an in-place operation. "
        "(docs/errors/view-of-leaf-in-place.md)");
}

Tensor make_view(const Tensor& base, const Dims& sizes, const Dims& strides, int64_t offset) {
  const TensorImpl* of = base.impl();
  check(!of->sparse, "Sparse tensors have no views. Call to_dense()");
  Tensor view(IntrusivePtr<TensorImpl>::adopt(new TensorImpl(of->storage, of->dtype, sizes, strides, offset)));
  TensorImpl* impl = view.impl();
  impl->inference = of->inference;
  if (of->inference) return view;  // shares memory and nothing else: there is no history to share
  impl->base = of->base.defined() ? of->base : base;
  impl->grad_fn_version = of->storage->version();
  if (of->creation != CreationMeta::DEFAULT) {
    impl->creation = of->creation;
  } else if (!GradMode::is_enabled()) {
    impl->creation = InferenceMode::is_enabled() ? CreationMeta::INFERENCE_MODE : CreationMeta::NO_GRAD_MODE;
  }
  return view;
}

IntrusivePtr<Node> grad_accumulator(const Tensor& leaf) {
  TensorImpl* impl = leaf.impl();
  check(!impl->grad_fn, "grad_accumulator() should be only called on leaf Variables");
  AccumulateGrad* node = impl->accumulate_grad.load(std::memory_order_acquire);
  if (node == nullptr) {
    auto* made = new AccumulateGrad(impl);
    if (impl->accumulate_grad.compare_exchange_strong(node, made, std::memory_order_acq_rel)) {
      node = made;
    } else {
      delete made;  // another thread was faster; `node` is now its
    }
  }
  return IntrusivePtr<Node>(node);
}

}  // namespace autograd

using autograd::Node;

// A view's grad_fn is right as long as the memory has not been changed in place since it was recorded. After
// that, the base's history tells how the elements came about, and the view is again a view of that: its
// grad_fn becomes the Node of as_strided(base).
const IntrusivePtr<Node>& Tensor::grad_fn_of_view() const {
  static const IntrusivePtr<Node> none;
  TensorImpl* impl = impl_.get();
  if (impl == nullptr) return none;
  if (impl->base.defined() && impl->grad_fn_version != impl->storage->version() &&
      (impl->grad_fn || impl->base.requires_grad())) {
    autograd::check_creation(*impl, "its base or another view of its base has been");
    const AutoGradMode enabled(true);
    const Tensor again = impl->base.as_strided(impl->sizes, impl->strides, impl->offset);
    autograd::replace_grad_fn(impl, again.impl()->grad_fn, again.impl()->output_nr);
  }
  return impl->grad_fn;
}

bool Tensor::is_leaf() const {
  // A view made without grad mode has no history, and none is made for it.
  if (defined() && impl_->creation != autograd::CreationMeta::DEFAULT) return !impl_->grad_fn;
  return !grad_fn();
}

const Tensor& Tensor::requires_grad_(bool requires_grad) const {
  check(!requires_grad || isFloatingType(dtype()),
        "Only Tensors of floating point and complex dtype can require gradients, but got {} "
        "(docs/errors/whole-numbers.md)",
        dtype());
  check(!requires_grad || !impl_->inference || InferenceMode::is_enabled(),
        "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed.");
  check(is_leaf() || requires_grad,
        "you can only change requires_grad flags of leaf variables. If you want to use a computed variable in a "
        "subgraph that doesn't require differentiation use var_no_grad = var.detach(). (docs/errors/not-a-leaf.md)");
  if (is_leaf()) impl_->requires_grad = requires_grad;
  return *this;
}

Tensor& Tensor::mutable_grad() const {
  info();
  if (tracing::listener != nullptr) [[unlikely]]
    tracing::listener->note_mutable_grad(impl_.get());
  return impl_->grad;
}

void Tensor::retain_grad() const {
  check(requires_grad(), "can't retain_grad on Tensor that has requires_grad=False (docs/errors/retain-grad.md)");
  if (is_leaf() || impl_->retains_grad) return;
  impl_->retains_grad = true;
  autograd::move_retained(impl_.get(), nullptr, impl_->grad_fn.get());
}

bool Tensor::retains_grad() const { return info().retains_grad; }

const Tensor& Tensor::_base() const {
  check(is_view(), "Can't get base of non-backward view Tensor");
  return impl_->base;
}

Tensor Tensor::detach() const {
  const TensorImpl& impl = info();
  Tensor out(make_intrusive<TensorImpl>(impl.storage, impl.dtype, impl.sizes, impl.strides, impl.offset));
  out.impl()->inference = impl.inference;
  out.impl()->sparse = impl.sparse;
  return out;
}

Tensor& Tensor::detach_() {
  check(!is_view(), "Can't detach views in-place. Use detach() instead.");
  autograd::replace_grad_fn(impl_.get(), nullptr, 0);
  impl_->requires_grad = false;
  return *this;
}

Tensor Tensor::data() const {
  const TensorImpl& impl = info();
  if (impl.sparse) return detach();
  // The same memory under a Storage of its own, and so with a version of its own.
  auto storage = Storage::borrow(impl.storage->data(), impl.storage->nbytes(), [owner = impl.storage](void*) {});
  return Tensor(make_intrusive<TensorImpl>(std::move(storage), impl.dtype, impl.sizes, impl.strides, impl.offset));
}

void Tensor::set_data(const Tensor& new_data) const {
  const TensorImpl& from = new_data.info();
  check(dtype() == from.dtype,
        "Attempted to call `variable.set_data(tensor)`, but `variable` and `tensor` have incompatible tensor type.");
  // The version goes on as if nothing had happened, as in libtorch: set_data() is for those who know that no graph has
  // saved this tensor.
  const uint32_t version = impl_->storage->version();
  impl_->storage = Storage::borrow(from.storage->data(), from.storage->nbytes(), [owner = from.storage](void*) {});
  impl_->storage->set_version(version);
  impl_->sizes = from.sizes;
  impl_->strides = from.strides;
  impl_->offset = from.offset;
  impl_->numel = from.numel;
  impl_->contiguous = from.contiguous;
}

unsigned Tensor::add_hook(std::function<Tensor(const Tensor&)> hook) const {
  check(requires_grad(),
        "cannot register a hook on a variable that doesn't require gradient (docs/errors/hook-without-grad.md)");
  const autograd::Edge edge = autograd::gradient_edge(*this);
  if (!edge.is_valid()) return 0;  // a view made without grad mode, of what requires grad: no gradient arrives there
  autograd::NodeHooks& hooks = edge.function->hooks();
  const unsigned handle = hooks.next_handle++;
  hooks.tensor_hooks.push_back({handle, edge.input_nr, std::move(hook)});
  return handle;
}

void Tensor::remove_hook(unsigned handle) const {
  const autograd::Edge edge = autograd::gradient_edge(*this);
  check(requires_grad(), "cannot remove a hook from a variable that doesn't require gradient");
  if (!edge.is_valid()) return;
  auto& hooks = edge.function->hooks().tensor_hooks;
  const auto found = std::find_if(hooks.begin(), hooks.end(), [&](const auto& hook) { return hook.handle == handle; });
  check(found != hooks.end(), "Invalid index, no hook at position {}", handle);
  hooks.erase(found);
}

void Tensor::register_post_accumulate_grad_hook(std::function<void(const Tensor&)> hook) const {
  check(requires_grad(),
        "cannot register a hook on a tensor that doesn't require gradient (docs/errors/hook-without-grad.md)");
  check(is_leaf(), "post accumulate grad hooks cannot be registered on non-leaf tensors");
  autograd::grad_accumulator(*this)->hooks().post_accumulate_hooks.push_back(std::move(hook));
}

}  // namespace wengert
