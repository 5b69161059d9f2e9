#pragma once

#include <wengert/autograd/base/profiling.h>
#include <wengert/autograd/tape/history.h>
#include <wengert/autograd/tape/saved_tensor.h>
#include <wengert/autograd/tensor/factories.h>

#include <array>
#include <tuple>

// How operations enter the graph. One function holds the whole of an op, from the shape rule to the VJP:
//
//     // y_i = e^(x_i) / sum_j e^(x_j) along dim.   VJP, for G = dL/dy:   dx = y (G - sum(G y)).
//     Tensor softmax(const Tensor& x, int64_t dim) {
//       Tensor y = ...;
//       return record("SoftmaxBackward0", y, {x}, saving(ToSave::output(y)), [dim](const Backward& b) {
//         const Tensor &g = b.grad(), y = b.saved(0);
//         return y * (g - (g * y).sum(dim, true));
//       });
//     }
//
// There is one formula for each input, in their order, and a formula is asked only if its gradient is wanted; or one
// formula gives all gradients, as Gradients. record<Broadcast<2>>(...) says that two operands were brought to one shape
// and dtype: each gradient is then summed over the copies of its operand.

namespace wengert::ops {

using autograd::Gradients;
using autograd::Node;
using autograd::NodeName;
using autograd::SavedTensor;
using autograd::TensorRefs;

/// What a formula is given when a backward passes.
class Backward {
 public:
  Backward(Node* node, Gradients& grads, const SavedTensor* saved) : node_(node), grads_(grads), saved_(saved) {}

  /// dL/d(output i).
  const Tensor& grad(size_t i = 0) const { return grads_[i]; }
  /// The same for the last who asks: it may be written over, if nobody else holds it.
  Tensor take_grad() const { return std::move(grads_[0]); }
  /// The i-th tensor saved.
  Tensor saved(size_t i) const { return saved_[i].unpack(node_); }
  /// Whether the gradient of input i is wanted.
  bool needs(size_t i) const { return node_->needs_grad(i); }

 private:
  Node* node_;
  Gradients& grads_;
  const SavedTensor* saved_;
};

/// What a formula wants saved: an input, or the operation's own output. Saved only if the operation is recorded, and
/// what is not saved may be changed in place.
class ToSave {
 public:
  ToSave(const Tensor& input) : tensor_(input), as_(As::kInput) {}  // NOLINT: a list of inputs reads as such
  static ToSave output(const Tensor& tensor, uint32_t output_nr = 0) { return {tensor, As::kOutput, output_nr}; }
  /// Of an input that is about to be written over.
  static ToSave copy(const Tensor& input) { return {input, As::kCopy}; }
  /// Only if one of these (null: none) requires grad, whose gradients need it.
  ToSave& for_gradients_of(const Tensor& a) { return for_gradients_of(&a, nullptr); }
  ToSave& for_gradients_of(const Tensor& a, const Tensor& b) { return for_gradients_of(&a, &b); }
  ToSave& for_gradients_of(const Tensor* a, const Tensor* b) {
    always_ = false;
    needing_ = {a, b};
    return *this;
  }

  bool is_output() const { return as_ == As::kOutput; }
  [[gnu::always_inline]] SavedTensor saved() const {
    if (!always_ && !asks(needing_[0]) && !asks(needing_[1])) return {};
    if (as_ == As::kInput) [[likely]]
      return tensor_;
    return is_output() ? SavedTensor::output(tensor_, output_nr_) : tensor_.clone();
  }

 private:
  enum class As : uint8_t { kInput, kCopy, kOutput };
  ToSave(const Tensor& tensor, As as, uint32_t output_nr = 0) : tensor_(tensor), as_(as), output_nr_(output_nr) {}
  [[gnu::always_inline]] static bool asks(const Tensor* input) { return input != nullptr && input->requires_grad(); }

  const Tensor& tensor_;
  As as_;
  bool always_ = true;
  uint32_t output_nr_ = 0;
  std::array<const Tensor*, 2> needing_{};
};

template <size_t N>
using SaveList = std::array<ToSave, N>;
/// These, in the order in which formulas ask for them; with nothing, nothing.
template <class... Tensors>
[[gnu::always_inline]] inline SaveList<sizeof...(Tensors)> saving(const Tensors&... tensors) {
  return {ToSave(tensors)...};
}

/// The inputs of an operation, each with the shape and dtype that it has.
struct AsTheyAre {
  AsTheyAre(TensorRefs) {}  // NOLINT: an operation's inputs
  static Tensor gradient(size_t, Tensor grad) { return grad; }
};

/// The sizes and dtype of an operand before it was broadcast and promoted. Its gradient is the sum over the copies, in
/// its own dtype.
class BroadcastOf {
 public:
  explicit BroadcastOf(const Tensor& operand)
      : sizes_(operand.sizes()), dtype_(operand.defined() ? operand.dtype() : kDouble) {}
  [[gnu::always_inline]] Tensor sum(Tensor grad) const {
    const bool as_it_is = grad.sizes() == IntArrayRef(sizes_);
    if (as_it_is && grad.dtype() == dtype_) [[likely]]
      return grad;
    return (as_it_is ? grad : grad.sum_to_size(sizes_)).to(dtype_);
  }

 private:
  Dims sizes_;
  ScalarType dtype_;
};

/// The inputs of an operation that brings them to one shape and dtype.
template <size_t N>
class Broadcast {
 public:
  Broadcast(TensorRefs inputs) : Broadcast(inputs, std::make_index_sequence<N>()) {}  // NOLINT: an operation's inputs
  [[gnu::always_inline]] Tensor gradient(size_t i, Tensor grad) const { return operands_[i].sum(std::move(grad)); }

 private:
  template <size_t... i>
  Broadcast(TensorRefs inputs, std::index_sequence<i...>) : operands_{BroadcastOf(inputs[i])...} {}

  std::array<BroadcastOf, N> operands_;
};

/// The Node of an operation: its name, what is saved, and its formulas.
template <class Inputs, size_t saves, class... Formulas>
class FormulaBackward final : public Node {
 public:
  [[gnu::always_inline]] FormulaBackward(const NodeName& name, TensorRefs inputs, const SaveList<saves>& to_save,
                                         const Formulas&... formulas)
      : name_(name), inputs_(inputs), formulas_(formulas...) {
    for_each_saved([&](size_t i) { saved_[i] = to_save[i].saved(); });
  }
  /// Saves the outputs of an operation that wrote them in place, as they are now.
  void save_outputs(const SaveList<saves>& to_save) {
    for_each_saved([&](size_t i) {
      if (to_save[i].is_output()) saved_[i] = to_save[i].saved();
    });
  }

  Gradients apply(Gradients grads) override {
    const Backward backward(this, grads, saved_.data());
    if constexpr (gives_all) {
      Gradients all = std::get<0>(formulas_)(backward);
      for (size_t i = 0; i < all.size(); ++i) {
        if (all[i].defined()) all[i] = inputs_.gradient(i, std::move(all[i]));
      }
      return all;
    } else {
      return one_each(backward, std::index_sequence_for<Formulas...>());
    }
  }
  std::string name() const override { return name_.text; }
  NodeName source() const override { return name_; }
  ArrayRef<SavedTensor> saved_tensors() const override { return saved_; }
  void release_variables() override {
    for_each_saved([&](size_t i) { saved_[i].release(); });
  }

 private:
  static constexpr bool gives_all = (std::is_same_v<std::invoke_result_t<Formulas, const Backward&>, Gradients> || ...);
  static_assert(!gives_all || sizeof...(Formulas) == 1);

  template <size_t... i>
  [[gnu::always_inline]] Gradients one_each(const Backward& backward, std::index_sequence<i...>) const {
    std::array<Tensor, sizeof...(i)> of_inputs{gradient<i>(backward)...};
    return Gradients::of(std::move(of_inputs[i])...);
  }
  template <size_t i>
  [[gnu::always_inline]] Tensor gradient(const Backward& backward) const {
    if (sizeof...(Formulas) > 1 && !backward.needs(i)) return {};
    return inputs_.gradient(i, std::get<i>(formulas_)(backward));
  }
  template <class F>
  [[gnu::always_inline]] void for_each_saved(const F& f) {
    [&]<size_t... i>(std::index_sequence<i...>) { (f(i), ...); }
    (std::make_index_sequence<saves>());
  }

  NodeName name_;
  [[no_unique_address]] Inputs inputs_;
  [[no_unique_address]] std::tuple<Formulas...> formulas_;
  std::array<SavedTensor, saves> saved_;
};

/// Makes `out`, a view of one of the inputs, the result of an operation on `inputs`, if that is to be recorded.
template <class Inputs = AsTheyAre, size_t saves, class... Formulas>
[[gnu::always_inline]] inline Tensor record_view(const NodeName& name, Tensor out, TensorRefs inputs,
                                                 const SaveList<saves>& to_save, const Formulas&... formulas) {
  if (autograd::must_record(inputs)) {
    using Node = FormulaBackward<Inputs, saves, Formulas...>;
    autograd::set_history(out, autograd::make_node<Node>(inputs, name, inputs, to_save, formulas...));
  }
  profiling::done(name);
  return out;
}

/// The same for a new tensor. That it may have been computed as a view of some temporary is nobody's concern.
template <class Inputs = AsTheyAre, size_t saves, class... Formulas>
[[gnu::always_inline]] inline Tensor record(const NodeName& name, Tensor out, TensorRefs inputs,
                                            const SaveList<saves>& to_save, const Formulas&... formulas) {
  if (out.is_view()) out = out.detach();
  return record_view<Inputs>(name, std::move(out), inputs, to_save, formulas...);
}

/// The same for several views of x, in order.
template <class Formula>
void record_views(const NodeName& name, std::vector<Tensor>& views, const Tensor& x, const Formula& formula) {
  profiling::done(name);
  if (!autograd::must_record({x})) return;
  using Node = FormulaBackward<AsTheyAre, 0, Formula>;
  const IntrusivePtr<Node> node = autograd::make_node<Node>({x}, name, TensorRefs{x}, SaveList<0>(), formula);
  for (Tensor& view : views) autograd::set_history(view, node);
}

/// The same for several new tensors, in order.
template <size_t saves, class Formula>
void record_all(const NodeName& name, std::initializer_list<std::reference_wrapper<Tensor>> outs, TensorRefs inputs,
                const SaveList<saves>& to_save, const Formula& formula) {
  for (Tensor& out : outs) {
    if (out.is_view()) out = out.detach();
  }
  profiling::done(name);
  if (!autograd::must_record(inputs)) return;
  using Node = FormulaBackward<AsTheyAre, saves, Formula>;
  const IntrusivePtr<Node> node = autograd::make_node<Node>(inputs, name, inputs, to_save, formula);
  for (Tensor& out : outs) autograd::set_history(out, node);
}

/// Calls write(), which changes the elements of `self`, and makes that the last operation that `self` went through. The
/// first of `inputs` is `self`. Throws where it may not be changed in place.
template <class Inputs = AsTheyAre, size_t saves, class Write, class... Formulas>
Tensor& record_in_place(const NodeName& name, const Tensor& self, TensorRefs inputs, const SaveList<saves>& to_save,
                        const Write& write, const Formulas&... formulas) {
  profiling::begins();
  if (!autograd::begin_in_place(self, inputs)) {
    write();
    profiling::done(name);
    return autograd::end_in_place(self);
  }
  using Node = FormulaBackward<Inputs, saves, Formulas...>;
  const IntrusivePtr<Node> node = autograd::make_node<Node>(inputs, name, inputs, to_save, formulas...);
  write();
  Tensor& changed = autograd::end_in_place(self, node);
  node->save_outputs(to_save);
  profiling::done(name);
  return changed;
}

/// The result of an operation that has no gradient.
inline Tensor unrecorded(const char* op, Tensor out) {
  profiling::done(op);
  return out;
}

/// The formula of an input that makes no difference: what is written over, or rounded off.
inline constexpr auto kZeroGradient = [](const Backward& b) { return zeros_like(b.grad()); };

/// y, a result that came out as a view of some temporary, as a tensor of its own: what is done to it in place later
/// is not done to that.
inline Tensor own_tensor(const Tensor& y) {
  if (!y.is_view()) return y;
  Tensor own = y.detach();
  if (y.requires_grad()) autograd::set_history(own, y.grad_fn(), y.output_nr());
  return own;
}

}  // namespace wengert::ops
