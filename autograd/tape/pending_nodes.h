#pragma once

#include <wengert/autograd/tape/accumulate_grad.h>
#include <wengert/autograd/tape/node.h>

#include <algorithm>
#include <array>
#include <memory>
#include <unordered_map>

namespace wengert::autograd {

// The Nodes that a backward has reached and not yet run, each with the gradients that have arrived so far.
// They are taken in falling level order, of one level the one reached last first: it tends to be the one made last,
// whose memory is still in the cache.
//
// Mostly a few Nodes are pending, and looking through all of them is the quickest. When there are more, they go to a
// heap. A gradient arrives by Node, so a Node must be found quickly among thousands. The Node itself
// remembers its place there: `pending_slot_` holds the run's number and the slot. When a Node is already pending
// in another run (of another thread, or an outer run that this one was started from), its field is taken,
// and the run keeps the place in a table of its own.

struct PendingNode {
  IntrusivePtr<Node> node;
  Gradients grads;
};
}  // namespace wengert::autograd

template <>
inline constexpr bool wengert::is_relocatable<wengert::autograd::PendingNode> = true;

namespace wengert::autograd {

class PendingNodes {
 public:
  PendingNodes() = default;
  PendingNodes(const PendingNodes&) = delete;
  PendingNodes& operator=(const PendingNodes&) = delete;

  bool empty() const { return few_count_ == 0 && (!many_ || many_->empty()); }

  /// Adds a gradient (may be undefined) to those that wait at an edge.
  void add(const Edge& edge, Tensor grad) {
    Gradients& grads = grads_of(edge.function);
    if (edge.input_nr >= grads.size()) [[unlikely]]
      grads.resize(edge.input_nr + 1);
    Tensor& arrived = grads[edge.input_nr];
    if (!arrived.defined()) [[likely]] {
      arrived = std::move(grad);
    } else if (grad.defined()) {
      accumulate(arrived, std::move(grad));
    }
  }

  /// The Node of the highest level, with its gradients; they are then complete.
  PendingNode take() {
    PendingNode taken;
    if (few_count_ == 0) [[unlikely]] {
      taken = many_->take();
    } else {
      size_t highest = few_count_ - 1;
      for (size_t i = highest; i-- > 0;) {
        if (few_[i].node->level() > few_[highest].node->level()) highest = i;
      }
      taken = std::move(few_[highest]);
      --few_count_;
      for (size_t i = highest; i < few_count_; ++i) few_[i] = std::move(few_[i + 1]);
    }
    return taken;
  }

 private:
  static constexpr size_t kFew = 4;

  // The heap, and what belongs to it.
  class Many : public pool::Pooled {
   public:
    ~Many();
    bool empty() const { return heap_.empty(); }
    Gradients& grads_of(const IntrusivePtr<Node>& node);
    PendingNode take();

   private:
    struct Position {
      uint32_t level;
      uint32_t order;
      uint32_t slot;
      bool operator<(const Position& other) const {  // as std::push_heap wants it: the last comes first
        return level != other.level ? level < other.level : order < other.order;
      }
    };

    uint32_t slot_of(const IntrusivePtr<Node>& node);
    void forget(Node* node);

    uint32_t run_ = 0;  // number of this run; 0 until it has one
    uint32_t next_order_ = 0;
    InlineVector<PendingNode, 8> slots_;
    InlineVector<uint32_t, 8> free_slots_;
    InlineVector<Position, 8> heap_;
    std::unordered_map<Node*, uint32_t> elsewhere_;  // slots of Nodes whose own field another run holds
  };

  Gradients& grads_of(const IntrusivePtr<Node>& node) {
    if (!many_ || many_->empty()) [[likely]] {
      for (size_t i = 0; i < few_count_; ++i) {
        if (few_[i].node == node) return few_[i].grads;
      }
      if (few_count_ < kFew) {
        PendingNode& added = few_[few_count_++];
        added.node = node;
        added.grads.resize(std::max(node->num_inputs(), 1u));
        return added.grads;
      }
      move_to_heap();
    }
    return many_->grads_of(node);
  }
  void move_to_heap();

  std::array<PendingNode, kFew> few_;  // the first `few_count_`, in the order in which they were reached
  size_t few_count_ = 0;               // 0 when the heap is not empty
  std::unique_ptr<Many> many_;         // made when first needed
};

}  // namespace wengert::autograd
