#pragma once

#include <wengert/autograd/base/inline_vector.h>
#include <wengert/autograd/tape/anomaly_mode.h>
#include <wengert/autograd/tensor/tensor.h>

#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

namespace wengert::autograd {

class Node;
class SavedTensor;
struct FunctionPreHook;
struct FunctionPostHook;

using Variable = Tensor;
using variable_list = std::vector<Tensor>;

/// A tensor with the elements of `data`, and no more in common with it: a leaf.
inline Tensor make_variable(const Tensor& data, bool requires_grad = false) {
  return data.data().requires_grad_(requires_grad);
}

/// The gradients that enter or leave a Node, one for each of its outputs or inputs. An undefined Tensor
/// stands for a gradient that is zero or not wanted.
using Gradients = InlineVector<Tensor, 3>;

/// Points from a Node to the Node that takes one of its results: `function` takes it as gradient of its
/// output number `input_nr`. Without a function it leads nowhere: that input needs no gradient.
struct Edge {
  IntrusivePtr<Node> function;
  uint32_t input_nr = 0;

  Edge() = default;
  Edge(IntrusivePtr<Node> function, uint32_t input_nr) : function(std::move(function)), input_nr(input_nr) {}
  bool is_valid() const { return static_cast<bool>(function); }
};
}  // namespace wengert::autograd

template <>
inline constexpr bool wengert::is_relocatable<wengert::autograd::Edge> = true;

namespace wengert::autograd {

using EdgeList = InlineVector<Edge, 2>;

/// What libtorch calls a Node, and where in the library's source it is called so: there stands its formula. Made from
/// the name alone.
struct NodeName {
  // The compiler's own words for std::source_location, which clang 14 does not have.
  constexpr NodeName(const char* text, const char* file = __builtin_FILE(), int line = __builtin_LINE())  // NOLINT
      : text(text), file(file), line(line) {}
  constexpr operator const char*() const { return text; }  // NOLINT: a name

  const char* text;
  const char* file;  ///< as the compiler was given it
  int line;
};

/// Functions to be called as a backward passes a Node.
struct NodeHooks {
  ~NodeHooks();

  struct TensorHook {
    unsigned handle;
    uint32_t output_nr;
    std::function<Tensor(const Tensor&)> call;
  };
  /// Run first, in the order of registration, each on the gradient of one output.
  std::vector<TensorHook> tensor_hooks;
  unsigned next_handle = 0;

  /// Non-leaf tensors whose gradient is kept (retain_grad). Not owned: a tensor takes itself off the list
  /// when it dies. Both that and the keeping happen under `retained_mutex`.
  std::vector<TensorImpl*> retained;
  std::mutex retained_mutex;

  /// Run by AccumulateGrad, on its leaf, after the gradient is in its grad().
  std::vector<std::function<void(const Tensor&)>> post_accumulate_hooks;

  using PreHook = std::function<variable_list(const variable_list& grad_outputs)>;
  using PostHook = std::function<variable_list(const variable_list& grad_inputs, const variable_list& grad_outputs)>;
  std::vector<PreHook> pre_hooks;
  std::vector<PostHook> post_hooks;
};

// A Node stands in the graph for one operation that was done, and holds what its gradient formula needs.
//
//     forward:    x ----> [ op ] ----> y            y = f(x)
//     backward:   dL/dx <-- [ Node ] <-- dL/dy      the vector-Jacobian product (VJP) of f
//
// The graph is recorded forwards and walked backwards, so a Node's inputs in the walk are its operation's
// outputs. Its next edges lead to the Nodes that computed the operation's inputs, and in the end to the
// AccumulateGrad of each leaf. Tensors point to their Node (grad_fn) and Nodes to Nodes; nothing points
// back, so the graph is held by its results and goes when they go.
//
// A Node's level is one more than the highest level among its next edges; leaves have level 0. Consumers
// therefore stand above producers, which is all that the Engine needs to know to walk in a right order.

/// One recorded operation: computes the gradients of its inputs from those of its outputs.
class Node : public pool::Pooled {
 public:
  Node() {
    if (AnomalyMode::is_enabled()) [[unlikely]]
      note_forward_location();
  }
  virtual ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;

  /// The VJP: from dL/d(output) for each output, dL/d(input) for each next edge. `grads` may hold undefined
  /// tensors, though not only such unless takes_undefined(); results that nobody needs may be undefined.
  virtual Gradients apply(Gradients grads) = 0;
  /// PyTorch's name of it: "MmBackward0".
  virtual std::string name() const = 0;
  /// The place in the source of its formula; of a file "" where it has none.
  virtual NodeName source() const { return {"", "", 0}; }
  /// What it keeps from the forward pass.
  virtual ArrayRef<SavedTensor> saved_tensors() const { return {}; }
  /// Gives up the saved tensors; called when backward() has passed and the graph is not kept.
  virtual void release_variables() {}
  /// Whether apply() wants to be called even when every gradient is undefined.
  virtual bool takes_undefined() const { return false; }

  ArrayRef<Edge> next_edges() const { return next_edges_; }
  const Edge& next_edge(size_t i) const { return next_edges_[i]; }
  uint32_t num_outputs() const { return static_cast<uint32_t>(next_edges_.size()); }
  [[gnu::always_inline]] void add_next_edge(Edge edge) {
    if (edge.is_valid()) level_ = std::max(level_, edge.function->level_ + 1);
    next_edges_.push_back(std::move(edge));
  }

  /// How many tensors the operation computed: the number of gradients apply() takes.
  uint32_t num_inputs() const { return num_inputs_; }
  void set_num_inputs(uint32_t count) { num_inputs_ = count; }

  uint32_t level() const { return level_; }

  /// Whether the gradient of input i is wanted, in general and in the backward now under way: formulas ask
  /// before they compute it.
  bool needs_grad(size_t i) const;

  /// The hooks on this Node; made when first asked for.
  NodeHooks& hooks();
  NodeHooks* hooks_if_any() const { return hooks_.get(); }

  /// Has `hook` called with the gradients before apply() takes them, or after, with those that apply() returned
  /// and took; what it returns takes their place.
  void add_pre_hook(std::function<variable_list(const variable_list& grad_outputs)> hook);
  void add_post_hook(
      std::function<variable_list(const variable_list& grad_inputs, const variable_list& grad_outputs)> hook);
  // The same, as libtorch has them.
  void add_pre_hook(std::unique_ptr<FunctionPreHook> hook);
  void add_post_hook(std::unique_ptr<FunctionPostHook> hook);

  /// Where the operation was called, if it was recorded while anomaly mode was on; else null.
  const std::string* forward_location() const { return forward_location_.get(); }

  void retain() noexcept { leaf_ != nullptr ? leaf_->retain() : owners_.retain(); }
  void release() noexcept {
    if (leaf_ != nullptr) {
      leaf_->release();
    } else if (owners_.release()) {
      destroy();
    }
  }

 protected:
  /// For AccumulateGrad, which is part of its leaf: a reference to it is a reference to the leaf.
  explicit Node(TensorImpl* leaf) : level_(0), leaf_(leaf), num_inputs_(1) {}

 private:
  friend class PendingNodes;
  friend struct DebuggerLayout;
  void destroy() noexcept;
  void note_forward_location();

  ReferenceCount owners_;
  uint32_t level_ = 1;
  TensorImpl* leaf_ = nullptr;
  uint32_t num_inputs_ = 0;
  EdgeList next_edges_;
  std::unique_ptr<NodeHooks> hooks_;
  std::unique_ptr<const std::string> forward_location_;
  std::atomic<uint64_t> pending_slot_{0};  // where a running backward keeps this Node; see pending_nodes.h
  Node* next_doomed_ = nullptr;            // list of Nodes waiting to be destroyed; see node.cpp
};

struct FunctionPreHook {
  virtual ~FunctionPreHook() = default;
  virtual variable_list operator()(const variable_list& grad_outputs) = 0;
};
struct FunctionPostHook {
  virtual ~FunctionPostHook() = default;
  virtual variable_list operator()(const variable_list& grad_inputs, const variable_list& grad_outputs) = 0;
};

/// The AccumulateGrad of a leaf that requires grad; made when first asked for.
IntrusivePtr<Node> grad_accumulator(const Tensor& leaf);

/// The edge along which a tensor's gradient flows: to its grad_fn, to its AccumulateGrad if it is a leaf
/// that requires grad, else nowhere.
[[gnu::always_inline]] inline Edge gradient_edge(const Tensor& tensor) {
  if (const IntrusivePtr<Node>& node = tensor.grad_fn()) return {node, tensor.impl()->output_nr};
  // A view made without grad mode may require grad for its base's sake; nothing flows from it to there.
  if (tensor.impl() != nullptr && tensor.impl()->requires_grad) return {grad_accumulator(tensor), 0};
  return {};
}

}  // namespace wengert::autograd
