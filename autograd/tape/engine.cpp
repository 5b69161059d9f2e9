#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/inference_mode.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/tape/accumulate_grad.h>
#include <wengert/autograd/tape/engine.h>
#include <wengert/autograd/tape/observer.h>
#include <wengert/autograd/tape/pending_nodes.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <thread>
#include <unordered_set>
#include <utility>

// The backward walk.
//
// Let L depend on a tensor x through several operations. The chain rule says that dL/dx is the sum of what
// comes back from each of them. So before a Node may run, every Node that sends it a gradient must have run:
// the walk has to take the graph in a topological order, consumers first.
//
// The usual way counts, in a first pass over the graph, how many gradients each Node will receive, and in a
// second runs a Node when its count is reached. Here the order is known beforehand: a Node's level is above
// the levels of all that it sends gradients to. If the pending Node with the highest level is taken first,
// nothing that comes later can send it anything more, for all that comes later lies below. One loop, one
// priority queue, no recursion; and the order depends on the graph alone, so sums are added in the same
// order in every run.
//
// When particular inputs are asked for (autograd::grad, or backward with inputs), only the Nodes on a path to
// one of them need to run. Levels help here too: from the Nodes reachable, taken in rising order, a Node is
// needed if it is asked for or if one of its next edges leads to a Node that is needed.
//
// While a Node runs, grad mode is off, unless create_graph asks for the backward to be recorded; formulas
// are written in Tensor operations, so recording them is all it takes to differentiate a gradient.

namespace wengert::autograd {

constinit thread_local BackwardObserver* backward_observer = nullptr;

namespace {

struct NeededNodes {
  explicit NeededNodes(ArrayRef<Edge> roots, ArrayRef<Edge> inputs) {
    std::unordered_set<Node*> asked_for;
    uint32_t lowest = UINT32_MAX;
    for (const Edge& input : inputs) {
      if (!input.is_valid()) continue;
      asked_for.insert(input.function.get());
      lowest = std::min(lowest, input.function->level());
    }

    // All that can be reached and lies high enough to lead to an input.
    std::vector<Node*> reached;
    std::unordered_set<Node*> seen;
    const auto reach = [&](const Edge& edge) {
      Node* node = edge.function.get();
      if (node != nullptr && node->level() >= lowest && seen.insert(node).second) reached.push_back(node);
    };
    for (const Edge& root : roots) reach(root);
    for (size_t i = 0; i < reached.size(); ++i) {
      for (const Edge& edge : reached[i]->next_edges()) reach(edge);
    }

    std::sort(reached.begin(), reached.end(), [](Node* a, Node* b) { return a->level() < b->level(); });
    for (Node* node : reached) {
      const bool leads_on = std::any_of(node->next_edges().begin(), node->next_edges().end(),
                                        [&](const Edge& edge) { return contains(edge.function.get()); });
      if (leads_on || asked_for.contains(node)) nodes.insert(node);
      if (leads_on) must_run.insert(node);
    }
  }

  bool contains(Node* node) const { return nodes.contains(node); }

  std::unordered_set<Node*> nodes;
  std::unordered_set<Node*> must_run;  // those needed for more than the gradient that arrives at them
};

// What running_backward_needs() looks at: the innermost run on this thread, null when all is needed.
constinit thread_local NeededNodes* running_needs = nullptr;

class RunningNeeds {
 public:
  explicit RunningNeeds(NeededNodes* needs) : outer_(running_needs) { running_needs = needs; }
  ~RunningNeeds() { running_needs = outer_; }
  RunningNeeds(const RunningNeeds&) = delete;
  RunningNeeds& operator=(const RunningNeeds&) = delete;

 private:
  NeededNodes* outer_;
};

// What an observer is told, if there is one. Cold, so that it lies out of the walk's way.
[[gnu::cold]] void tell_begins(BackwardObserver& observer, ArrayRef<Edge> roots, const Gradients& grads) {
  observer.backward_begins(roots, grads);
}
[[gnu::cold]] void tell_ended(BackwardObserver& observer) { observer.backward_ended(); }
[[gnu::cold]] void tell_passed_over(BackwardObserver& observer, Node& node, const Gradients& grads) {
  observer.node_passed_over(node, grads);
}

class ObservedPass {
 public:
  ObservedPass(BackwardObserver* observer, ArrayRef<Edge> roots, const Gradients& grads) : observer_(observer) {
    if (observer_ != nullptr) [[unlikely]]
      tell_begins(*observer_, roots, grads);
  }
  ~ObservedPass() {
    if (observer_ != nullptr) [[unlikely]]
      tell_ended(*observer_);
  }
  ObservedPass(const ObservedPass&) = delete;
  ObservedPass& operator=(const ObservedPass&) = delete;

 private:
  BackwardObserver* observer_;
};

Tensor call_tensor_hook(const NodeHooks::TensorHook& hook, size_t position, const Tensor& grad) {
  Tensor replaced = hook.call(grad);
  if (!replaced.defined()) return grad;
  check(replaced.dtype() == grad.dtype(), "hook '{}' has changed the type of value (was {} got {})", position,
        grad.toString(), replaced.toString());
  check(replaced.sizes() == grad.sizes(), "hook '{}' has changed the size of value (docs/errors/hook-changed-size.md)",
        position);
  return replaced;
}

void run_hooks_before(NodeHooks& hooks, Gradients& grads) {
  if (!hooks.tensor_hooks.empty() || !hooks.pre_hooks.empty()) tracing::refuse("a hook on a gradient");
  for (size_t i = 0; i < hooks.tensor_hooks.size(); ++i) {
    const NodeHooks::TensorHook& hook = hooks.tensor_hooks[i];
    Tensor& grad = grads[hook.output_nr];
    if (grad.defined()) grad = call_tensor_hook(hook, i, grad);
  }
  {
    const std::lock_guard lock(hooks.retained_mutex);
    for (TensorImpl* tensor : hooks.retained) {
      const Tensor& grad = grads[tensor->output_nr];
      if (!grad.defined()) continue;
      tensor->grad = tensor->grad.defined() ? tensor->grad + grad : grad.clone();
    }
  }
  for (const auto& hook : hooks.pre_hooks) {
    grads = Gradients(TensorList(hook(variable_list(grads.begin(), grads.end()))));
  }
}

bool any_defined(const Gradients& grads) {
  for (const Tensor& grad : grads) {
    if (grad.defined()) return true;
  }
  return false;
}

// The gradients of those of the inputs asked for that this Node computed.
void keep_arrived(const PendingNode& now, ArrayRef<Edge> inputs, Gradients& arrived) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Edge& input = inputs[i];
    if (input.function == now.node && input.input_nr < now.grads.size()) arrived[i] = now.grads[input.input_nr];
  }
}

[[gnu::cold]] void check_not_nan(const Node& node, const Gradients& results) {
  for (size_t i = 0; i < results.size(); ++i) {
    if (!results[i].defined()) continue;
    const Tensor elements = results[i].is_sparse() ? results[i]._values() : results[i].detach();
    if (!elements.isnan().any().item<bool>()) continue;
    const std::string* location = node.forward_location();
    fail("Function '{}' returned nan values in its {}th output. {} (docs/errors/nan-in-backward.md)", node.name(), i,
         location != nullptr ? "Its forward was called at " + *location + "."
                             : "No forward pass information available. Enable detect anomaly during forward pass for "
                               "more information.");
  }
}

[[gnu::cold]] Gradients run_watched(Node& node, Gradients&& grads, BackwardObserver* observer) {
  const NodeHooks* hooks = node.hooks_if_any();
  const bool has_post_hooks = hooks != nullptr && !hooks->post_hooks.empty();
  variable_list grad_outputs;  // for nobody else: what is held twice cannot be handed on
  if (has_post_hooks) {
    tracing::refuse("a hook on a Node");
    grad_outputs.assign(grads.begin(), grads.end());
  }
  if (observer != nullptr) observer->node_begins(node, grads);
  Gradients results = node.apply(std::move(grads));
  if (observer != nullptr) observer->node_ended(node, results);
  if (AnomalyMode::is_enabled() && AnomalyMode::should_check_nan()) check_not_nan(node, results);
  if (has_post_hooks) {
    for (const auto& hook : hooks->post_hooks) {
      results = Gradients(TensorList(hook(variable_list(results.begin(), results.end()), grad_outputs)));
    }
  }
  return results;
}

// What a Node that no gradient reached sends on.
[[gnu::cold]] Gradients nothing_from(Node& node, const Gradients& grads, BackwardObserver* observer) {
  Gradients nothing(node.num_outputs());
  if (observer != nullptr) observer->node_begins(node, grads);
  if (observer != nullptr) observer->node_ended(node, nothing);
  return nothing;
}

Gradients run_node(Node& node, Gradients&& grads, BackwardObserver* observer) {
  if (!any_defined(grads) && !node.takes_undefined()) return nothing_from(node, grads, observer);
  if (node.hooks_if_any() != nullptr || AnomalyMode::is_enabled() || observer != nullptr) [[unlikely]]
    return run_watched(node, std::move(grads), observer);
  return node.apply(std::move(grads));
}

}  // namespace

bool Engine::running_backward_is_partial() { return running_needs != nullptr; }

bool Engine::running_backward_needs(const Edge& edge) {
  return running_needs == nullptr || running_needs->contains(edge.function.get());
}

void Engine::count_as_needed(const Edge& edge) {
  if (running_needs != nullptr && edge.is_valid()) running_needs->nodes.insert(edge.function.get());
}

// A Node may run a backward of its own, and a Node in that another, and so on: each level takes a part of the stack.
// After so many the walk goes on in a new thread, whose stack is empty; the old one waits.
Gradients Engine::run(ArrayRef<Edge> roots, Gradients grads, const Options& options) {
  constexpr int kDeepest = 60;
  static constinit thread_local int depth = 0;
  if (depth < kDeepest) {
    struct Deeper {
      Deeper() { ++depth; }
      ~Deeper() { --depth; }
    };
    const Deeper deeper;
    return walk(roots, std::move(grads), options);
  }
  tracing::refuse("backward() from within backward(), more than 60 deep");
  Gradients arrived;
  std::exception_ptr thrown;
  std::thread([&, inference = InferenceMode::is_enabled(), observer = backward_observer] {
    const InferenceMode mode(inference);
    backward_observer = observer;
    try {
      arrived = run(roots, std::move(grads), options);
    } catch (...) {
      thrown = std::current_exception();
    }
  }).join();
  if (thrown) std::rethrow_exception(thrown);
  return arrived;
}

Gradients Engine::walk(ArrayRef<Edge> roots, Gradients grads, const Options& options) {
  const AutoGradMode grad_mode(options.create_graph);
  std::unique_ptr<NeededNodes> needed;
  if (!options.inputs.empty()) needed = std::make_unique<NeededNodes>(roots, options.inputs);
  const RunningNeeds running(needed.get());
  Gradients arrived(options.inputs.size());
  BackwardObserver* const observer = backward_observer;
  const ObservedPass observed(observer, roots, grads);

  PendingNodes pending;
  for (size_t i = 0; i < roots.size(); ++i) {
    if (!needed || needed->contains(roots[i].function.get())) pending.add(roots[i], std::move(grads[i]));
  }
  grads.clear();

  while (!pending.empty()) {
    PendingNode now = pending.take();
    const IntrusivePtr<Node>& node = now.node;
    if (NodeHooks* hooks = node->hooks_if_any()) [[unlikely]]
      run_hooks_before(*hooks, now.grads);
    if (needed) [[unlikely]] {
      keep_arrived(now, options.inputs, arrived);
      const bool is_leaf = dynamic_cast<AccumulateGrad*>(node.get()) != nullptr;
      if (is_leaf ? !options.accumulate_into_leaves : !needed->must_run.contains(node.get())) {
        if (observer != nullptr) tell_passed_over(*observer, *node, now.grads);
        continue;
      }
    }

    Gradients results = run_node(*node, std::move(now.grads), observer);
    if (!options.keep_graph) node->release_variables();

    const ArrayRef<Edge> edges = node->next_edges();
    if (results.size() < edges.size()) [[unlikely]] {
      fail("Function {} returned an invalid number of gradients - expected {}, but got {}", node->name(), edges.size(),
           results.size());
    }
    for (size_t i = 0; i < edges.size(); ++i) {
      const Edge& edge = edges[i];
      if (!edge.is_valid()) continue;
      if (needed && !needed->contains(edge.function.get())) [[unlikely]]
        continue;
      pending.add(edge, std::move(results[i]));
    }
  }
  return arrived;
}

}  // namespace wengert::autograd
