#pragma once

#include <wengert/autograd/tape/node.h>

namespace wengert::autograd {

/// A tensor that a Node keeps from the forward pass for its gradient formula. Remembers the version, so that
/// an in-place change in between is an error and not a wrong gradient.
class SavedTensor {
 public:
  SavedTensor() = default;
  /// Saves an input of the operation. May be undefined.
  SavedTensor(const Tensor& input);  // NOLINT: a Node's constructor saves by `x_(x)`
  /// Saves the operation's own output. Only its elements are kept: the output's grad_fn is the very Node
  /// that saves it, and a reference back would be a circle.
  static SavedTensor output(const Tensor& output, uint32_t output_nr = 0);

  /// The tensor, with its history. `node`: the Node that saved it, needed for outputs.
  /// Throws when it was released by an earlier backward, or changed in place since.
  Tensor unpack(Node* node = nullptr) const;

  // For those who show a graph.
  bool is_output() const { return state_ == State::kOutput; }
  /// Whether it was changed in place since it was saved, so that unpack() would throw.
  bool was_changed() const { return tensor_ && tensor_->storage->version() != version_; }
  /// Its elements as they are now, without history; undefined if it has none.
  Tensor elements() const { return tensor_ ? Tensor(tensor_).detach() : Tensor(); }

  void release() {
    tensor_.reset();
    state_ = State::kReleased;
  }

 private:
  enum class State : uint8_t { kUndefined, kInput, kOutput, kReleased };

  IntrusivePtr<TensorImpl> tensor_;
  uint32_t version_ = 0;
  uint32_t output_nr_ = 0;
  State state_ = State::kUndefined;
};

}  // namespace wengert::autograd

template <>
inline constexpr bool wengert::is_relocatable<wengert::autograd::SavedTensor> = true;
