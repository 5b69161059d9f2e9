#pragma once

#include <wengert/autograd/base/inference_mode.h>
#include <wengert/autograd/tape/node.h>

#include <functional>

namespace wengert::autograd {

// What an operation does to the history of its results; autograd/tape/formula.h has the form in which operations use
// it.

using TensorRefs = ArrayRef<std::reference_wrapper<const Tensor>>;

/// Whether one of these requires grad for an operation's sake: inference tensors among themselves do not, whatever
/// they were told; beside another tensor they do.
bool inference_tensors_ask(TensorRefs inputs);

/// Whether an operation on these must be recorded: grad mode is on and one of them requires grad.
[[gnu::always_inline]] inline bool must_record(TensorRefs inputs) {
  if (!GradMode::is_enabled()) return false;
  for (const Tensor& input : inputs) {
    if (input.defined() && input.requires_grad()) return !input.is_inference() || inference_tensors_ask(inputs);
  }
  return false;
}

/// Makes `node` the grad_fn of `output`, a new tensor: of its outputs the next.
void set_history(Tensor& output, IntrusivePtr<Node> node);
/// The same, for the output with this number.
void set_history(Tensor& output, IntrusivePtr<Node> node, uint32_t output_nr);

[[noreturn]] void fail_frozen();
/// Throws when `self` may not be changed in place at all: an inference tensor, outside inference mode.
inline void check_not_frozen(const Tensor& self) {
  if (self.is_inference() && !InferenceMode::is_enabled()) [[unlikely]]
    fail_frozen();
}

/// Throws when `self` may not be changed in place by a recorded operation: a leaf that requires grad, a view
/// of one, or a view that was made while grad mode was off.
void check_in_place(const Tensor& self);

/// to += from, for tensors of one dtype and shape, without history; `to` gets a new version. In
/// ops/elementwise/arithmetic.cpp.
void add_elements(const Tensor& to, const Tensor& from);

/// A view of `base`'s memory, known to be one.
Tensor make_view(const Tensor& base, const Dims& sizes, const Dims& strides, int64_t offset);

template <class NodeType, class... Args>
[[gnu::always_inline]] inline IntrusivePtr<NodeType> make_node(TensorRefs inputs, Args&&... args) {
  auto node = make_intrusive<NodeType>(std::forward<Args>(args)...);
  for (const Tensor& input : inputs) node->add_next_edge(input.defined() ? gradient_edge(input) : Edge());
  return node;
}

/// Call before the memory of `self` is written: checks that it may be, and returns whether that must be recorded. The
/// first of `inputs` is `self`.
[[gnu::always_inline]] inline bool begin_in_place(const Tensor& self, TensorRefs inputs) {
  check_not_frozen(self);
  // Elements that are no real numbers have no gradient, whatever was written to them.
  if (!must_record(inputs) || !self.is_floating_point()) return false;
  check_in_place(self);
  return true;
}

/// Makes `node` the history of `self` from now on, and of what `self` is a view of.
void rebase_history(const Tensor& self, IntrusivePtr<Node> node, uint32_t output_nr);

/// Call after the memory was written. `self` becomes output number `output_nr` of the node. Returns `self`.
[[gnu::always_inline]] inline Tensor& end_in_place(const Tensor& self, const IntrusivePtr<Node>& node = {},
                                                   uint32_t output_nr = 0) {
  self.impl()->storage->bump_version();
  if (node) rebase_history(self, node, output_nr);
  return const_cast<Tensor&>(self);
}

}  // namespace wengert::autograd
