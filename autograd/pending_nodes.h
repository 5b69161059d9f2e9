#pragma once

#include <wengert/autograd/node.h>

#include <unordered_map>
#include <vector>

namespace wengert::autograd {

// The Nodes that a backward has reached and not yet run, each with the gradients that have arrived so far.
// They are taken in falling level order, of one level the one reached last first: it tends to be the one made last,
// whose memory is still in the cache.
//
// A gradient arrives by Node, so a Node must be found quickly among thousands pending. The Node itself
// remembers its place: `pending_slot_` holds the run's number and the slot. When a Node is already pending
// in another run (of another thread, or an outer run that this one was started from), its field is taken,
// and the run keeps the place in a table of its own.

class PendingNodes {
 public:
  PendingNodes();
  ~PendingNodes();
  PendingNodes(const PendingNodes&) = delete;
  PendingNodes& operator=(const PendingNodes&) = delete;

  struct Entry {
    IntrusivePtr<Node> node;
    Gradients grads;
  };

  bool empty() const { return heap_.empty(); }

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

  uint32_t slot_of(const IntrusivePtr<Node>& node);
  void forget(Node* node);

  uint32_t run_;  // number of this run, never 0
  uint32_t next_order_ = 0;
  std::vector<Entry> slots_;
  std::vector<uint32_t> free_slots_;
  std::vector<Position> heap_;
  std::unordered_map<Node*, uint32_t> elsewhere_;  // slots of Nodes whose own field another run holds
};

}  // namespace wengert::autograd
