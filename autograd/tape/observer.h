#pragma once

#include <wengert/autograd/tape/node.h>

namespace wengert::autograd {

/// Hears of the backward passes on its thread, Node by Node, while they run: for tools that show or measure them. What
/// it is given, it may keep, but not change.
class BackwardObserver {
 public:
  BackwardObserver() = default;
  BackwardObserver(const BackwardObserver&) = delete;
  BackwardObserver& operator=(const BackwardObserver&) = delete;

  /// Engine::running_backward_needs() tells, until it ends, along which edges gradients go.
  virtual void backward_begins(ArrayRef<Edge> roots, const Gradients& grads) = 0;
  /// The Node is next; these gradients reached it, and its hooks have seen them.
  virtual void node_begins(Node& node, const Gradients& grads) = 0;
  /// It has computed these, or sends on undefined ones, as none reached it; it still has what it saved. Not called
  /// where it throws.
  virtual void node_ended(Node& node, const Gradients& results) = 0;
  /// The gradients that reached a Node were asked for, and it does not run for anything else.
  virtual void node_passed_over(Node& node, const Gradients& grads) = 0;
  /// Called however it ended.
  virtual void backward_ended() = 0;

 protected:
  ~BackwardObserver() = default;
};

/// The one that hears of this thread's; mostly null.
extern constinit thread_local BackwardObserver* backward_observer;

/// Makes `observer` the one that hears of this thread's backward passes, for as long as it lives.
class ObserveBackward {
 public:
  explicit ObserveBackward(BackwardObserver& observer) : outer_(backward_observer) { backward_observer = &observer; }
  ~ObserveBackward() { backward_observer = outer_; }
  ObserveBackward(const ObserveBackward&) = delete;
  ObserveBackward& operator=(const ObserveBackward&) = delete;

 private:
  BackwardObserver* outer_;
};

}  // namespace wengert::autograd
