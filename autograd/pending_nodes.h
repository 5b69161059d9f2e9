#pragma once

#include <wengert/autograd/node.h>

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
  ~PendingNodes();
  PendingNodes(const PendingNodes&) = delete;
  PendingNodes& operator=(const PendingNodes&) = delete;

  using Entry = PendingNode;

  bool empty() const { return few_.empty() && heap_.empty(); }

  /// Adds a gradient (may be undefined) to those that wait at an edge.
  void add(const Edge& edge, Tensor grad);

  /// The Node of the highest level, with its gradients; they are then complete.
  Entry take();

 private:
  struct Position {
    uint32_t level;
    uint32_t order;
    uint32_t slot;
    bool operator<(const Position& other) const {  // as std::push_heap wants it: the last comes first
      return level != other.level ? level < other.level : order < other.order;
    }
  };

  static constexpr size_t kFew = 4;

  Gradients& grads_of(const IntrusivePtr<Node>& node);
  uint32_t slot_of(const IntrusivePtr<Node>& node);
  void forget(Node* node);

  InlineVector<Entry, kFew> few_;  // in the order in which they were reached; empty when the heap is not
  uint32_t run_ = 0;               // number of this run; 0 until the heap is used
  uint32_t next_order_ = 0;
  InlineVector<Entry, 8> slots_;
  InlineVector<uint32_t, 8> free_slots_;
  InlineVector<Position, 8> heap_;
  std::unordered_map<Node*, uint32_t> elsewhere_;  // slots of Nodes whose own field another run holds
};

}  // namespace wengert::autograd
