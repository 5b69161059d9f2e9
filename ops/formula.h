#pragma once

#include <wengert/autograd/factories.h>
#include <wengert/autograd/history.h>
#include <wengert/autograd/saved_tensor.h>

// The Node of an operation whose gradient is one formula. Most operations are of this kind; with it one
// function holds the whole of an op, from the shape rule to the VJP:
//
//     // y_i = e^(x_i) / sum_j e^(x_j) along dim.   VJP, for G = dL/dy:   dx = y (G - sum(G y)).
//     Tensor softmax(const Tensor& x, int64_t dim) {
//       Tensor y = ...;
//       return record("SoftmaxBackward0", y, {x}, {ToSave::output(y)}, [dim](const Backward& b) -> Gradients {
//         const Tensor &g = b.grad(), y = b.saved(0);
//         return {y * (g - (g * y).sum(dim, true))};
//       });
//     }

namespace wengert::ops {

using autograd::Gradients;
using autograd::Node;
using autograd::SavedTensor;

/// What a formula is given when a backward passes.
class Backward {
 public:
  Backward(Node* node, const Gradients& grads, const InlineVector<SavedTensor, 2>& saved)
      : node_(node), grads_(grads), saved_(saved) {}

  /// dL/d(output i).
  const Tensor& grad(size_t i = 0) const { return grads_[i]; }
  /// The i-th tensor saved.
  Tensor saved(size_t i) const { return saved_[i].unpack(node_); }
  /// Whether the gradient of input i is wanted.
  bool needs(size_t i) const { return node_->needs_grad(i); }

 private:
  Node* node_;
  const Gradients& grads_;
  const InlineVector<SavedTensor, 2>& saved_;
};

/// What a formula wants saved: an input, or the operation's own output. Saved only if the operation is recorded.
struct ToSave {
  ToSave(const Tensor& input) : tensor(input) {}  // NOLINT: a list of inputs reads as such
  static ToSave output(const Tensor& tensor, uint32_t output_nr = 0) {
    ToSave save(tensor);
    save.is_output = true;
    save.output_nr = output_nr;
    return save;
  }
  /// An input that only one of the gradients needs: what is not saved may be changed in place.
  static ToSave input_if(bool needed, const Tensor& input) {
    ToSave save(input);
    save.is_needed = needed;
    return save;
  }
  SavedTensor saved() const {
    if (!is_needed) return {};
    return is_output ? SavedTensor::output(tensor, output_nr) : SavedTensor(tensor);
  }

  const Tensor& tensor;
  bool is_needed = true;
  bool is_output = false;
  uint32_t output_nr = 0;
};
using SaveList = std::initializer_list<ToSave>;

template <class Formula>
class FormulaBackward final : public Node {
 public:
  FormulaBackward(const char* name, SaveList to_save, const Formula& formula) : name_(name), formula_(formula) {
    for (const ToSave& save : to_save) saved_.push_back(save.saved());
  }
  Gradients apply(Gradients grads) override { return formula_(Backward(this, grads, saved_)); }
  std::string name() const override { return name_; }
  void release_variables() override {
    for (SavedTensor& tensor : saved_) tensor.release();
  }

 private:
  const char* name_;
  [[no_unique_address]] Formula formula_;
  InlineVector<SavedTensor, 2> saved_;
};

/// Makes `out`, a view of one of the inputs, the result of an operation on `inputs`, if that is to be recorded. The
/// formula returns one gradient for each input, undefined for those that have none.
template <class Formula>
Tensor record_view(const char* name, Tensor out, autograd::TensorRefs inputs, SaveList to_save,
                   const Formula& formula) {
  return autograd::record<FormulaBackward<Formula>>(std::move(out), inputs, name, to_save, formula);
}

/// The same for a new tensor. That it may have been computed as a view of some temporary is nobody's concern.
template <class Formula>
Tensor record(const char* name, Tensor out, autograd::TensorRefs inputs, SaveList to_save, const Formula& formula) {
  return record_view(name, out.is_view() ? out.detach() : std::move(out), inputs, to_save, formula);
}

/// The same for several new tensors, in order.
template <class Formula>
void record_all(const char* name, std::initializer_list<std::reference_wrapper<Tensor>> outs,
                autograd::TensorRefs inputs, SaveList to_save, const Formula& formula) {
  for (Tensor& out : outs) {
    if (out.is_view()) out = out.detach();
  }
  if (!autograd::must_record(inputs)) return;
  const IntrusivePtr<Node> node = autograd::make_node<FormulaBackward<Formula>>(inputs, name, to_save, formula);
  for (Tensor& out : outs) autograd::set_history(out, node);
}

/// y, a result that came out as a view of some temporary: where no history is recorded, as a tensor of its own, which
/// may be changed in place later.
inline Tensor own_tensor(const Tensor& y) { return GradMode::is_enabled() || !y.is_view() ? y : y.detach(); }

/// Whether an element is 0, where a formula that divides would not do.
bool has_zero(const Tensor& x);

/// The sizes and dtype of an operand before it was broadcast and promoted. Its gradient is the sum over the copies, in
/// its own dtype.
class BroadcastOf {
 public:
  explicit BroadcastOf(const Tensor& operand)
      : sizes_(operand.sizes()), dtype_(operand.defined() ? operand.dtype() : kDouble) {}
  Tensor sum(const Tensor& grad) const {
    const bool as_it_is = grad.sizes() == IntArrayRef(sizes_);
    if (as_it_is && grad.dtype() == dtype_) [[likely]]
      return grad;
    return (as_it_is ? grad : grad.sum_to_size(sizes_)).to(dtype_);
  }

 private:
  Dims sizes_;
  ScalarType dtype_;
};

}  // namespace wengert::ops
