#include <wengert/autograd/base/check.h>
#include <wengert/autograd/tape/saved_tensor.h>

namespace wengert::autograd {

SavedTensor::SavedTensor(const Tensor& input) {
  if (!input.defined()) return;
  check(
      !input.is_inference(),
      "Inference tensors cannot be saved for backward. To work around you can make a clone to get a normal tensor and "
      "use it in autograd. (docs/errors/inference-saved.md)");
  tensor_ = input.impl_ptr();
  version_ = tensor_->storage->version();
  state_ = State::kInput;
}

SavedTensor SavedTensor::output(const Tensor& output, uint32_t output_nr) {
  SavedTensor saved(output.detach());
  saved.output_nr_ = output_nr;
  saved.state_ = State::kOutput;
  return saved;
}

Tensor SavedTensor::unpack(Node* node) const {
  if (state_ == State::kUndefined) return Tensor();
  check(state_ != State::kReleased,
        "Trying to backward through the graph a second time (or directly access saved tensors after they have "
        "already been freed). Saved intermediate values of the graph are freed when you call .backward() or "
        "autograd.grad(). Specify retain_graph=True if you need to backward through the graph a second time or "
        "if you need to access saved tensors after calling backward. (docs/errors/second-backward.md)");

  Tensor tensor(tensor_);
  const uint32_t version = tensor_->storage->version();
  if (version != version_) {
    const bool is_output = state_ == State::kOutput;
    const Node* computed_by = is_output ? node : tensor.grad_fn().get();
    const std::string origin = computed_by == nullptr
                                   ? ""
                                   : fmt::format(", which is output {} of {},",
                                                 is_output ? output_nr_ : tensor.output_nr(), computed_by->name());
    fail(
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        "[{} {}]{} is at version {}; expected version {} instead. Hint: the saved tensor was changed between the "
        "forward pass and backward(); change a clone() of it, or do the in-place operation out of place. "
        "(docs/errors/modified-in-place.md)",
        tensor.toString(), tensor.sizes(), origin, version, version_);
  }
  if (state_ == State::kOutput && node != nullptr) {
    tensor = tensor.detach();
    tensor.impl()->grad_fn = IntrusivePtr<Node>(node);
    tensor.impl()->output_nr = output_nr_;
  }
  return tensor;
}

}  // namespace wengert::autograd
