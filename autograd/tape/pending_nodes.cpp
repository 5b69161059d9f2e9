#include <wengert/autograd/tape/pending_nodes.h>

namespace wengert::autograd {
namespace {

uint32_t next_run_number() {
  static constinit std::atomic<uint32_t> last{0};
  uint32_t run = ++last;
  while (run == 0) run = ++last;
  return run;
}

constexpr uint64_t pack(uint32_t run, uint32_t slot) { return uint64_t{run} << 32 | slot; }

}  // namespace

void PendingNodes::move_to_heap() {
  if (!many_) many_ = std::make_unique<Many>();
  for (PendingNode& pending : few_) {
    many_->grads_of(pending.node) = std::move(pending.grads);
    pending.node.reset();
  }
  few_count_ = 0;
}

// A run that an exception ends leaves Nodes pending.
PendingNodes::Many::~Many() {
  for (const Position& position : heap_) forget(slots_[position.slot].node.get());
}

Gradients& PendingNodes::Many::grads_of(const IntrusivePtr<Node>& node) { return slots_[slot_of(node)].grads; }

uint32_t PendingNodes::Many::slot_of(const IntrusivePtr<Node>& node) {
  if (run_ == 0) run_ = next_run_number();
  uint64_t held = node->pending_slot_.load(std::memory_order_relaxed);
  if (held >> 32 == run_) return static_cast<uint32_t>(held);
  if (!elsewhere_.empty()) {
    if (const auto found = elsewhere_.find(node.get()); found != elsewhere_.end()) return found->second;
  }

  uint32_t slot;
  if (free_slots_.empty()) {
    slot = static_cast<uint32_t>(slots_.size());
    slots_.resize(slots_.size() + 1);
  } else {
    slot = free_slots_.back();
    free_slots_.pop_back();
  }
  slots_[slot].node = node;
  slots_[slot].grads.resize(std::max(node->num_inputs(), 1u));
  heap_.push_back({node->level(), next_order_++, slot});
  std::push_heap(heap_.begin(), heap_.end());

  if (held == 0 && single_threaded()) {
    node->pending_slot_.store(pack(run_, slot), std::memory_order_relaxed);
  } else if (held = 0;
             !node->pending_slot_.compare_exchange_strong(held, pack(run_, slot), std::memory_order_relaxed)) {
    elsewhere_[node.get()] = slot;
  }
  return slot;
}

void PendingNodes::Many::forget(Node* node) {
  if (node->pending_slot_.load(std::memory_order_relaxed) >> 32 == run_) {
    node->pending_slot_.store(0, std::memory_order_relaxed);
  } else {
    elsewhere_.erase(node);
  }
}

PendingNode PendingNodes::Many::take() {
  std::pop_heap(heap_.begin(), heap_.end());
  const uint32_t slot = heap_.back().slot;
  heap_.pop_back();
  PendingNode taken = std::move(slots_[slot]);
  forget(taken.node.get());
  free_slots_.push_back(slot);
  return taken;
}

}  // namespace wengert::autograd
