#include <wengert/autograd/tape/engine.h>
#include <wengert/autograd/tape/node.h>

namespace wengert::autograd {
namespace {

// Destroying a Node destroys its edges, and so perhaps the Nodes behind them, and so on down a chain that
// may be a million long. Recursion would overflow the stack; so a Node that dies while another is being
// destroyed on this thread only queues up, and the outermost call destroys them one after another.
constinit thread_local Node* doomed = nullptr;
constinit thread_local bool destroying = false;

}  // namespace

// For a debugger that has no description of a Node's type, as compilers put it in the library alone, which mostly is
// built without: where what wengert_printers.py shows of a Node lies in it, in bytes.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Winvalid-offsetof"  // as both compilers know it of any class
struct DebuggerLayout {
  static constexpr size_t node_bytes = sizeof(Node);
  static constexpr size_t level = __builtin_offsetof(Node, level_);
  static constexpr size_t edges = __builtin_offsetof(Node, next_edges_);
};
#pragma GCC diagnostic pop
extern "C" const size_t wengert_debugger_layout[];
const size_t wengert_debugger_layout[] = {DebuggerLayout::node_bytes, DebuggerLayout::level, DebuggerLayout::edges};

Node::~Node() = default;
NodeHooks::~NodeHooks() = default;

void Node::destroy() noexcept {
  next_doomed_ = doomed;
  doomed = this;
  if (destroying) return;
  destroying = true;
  while (doomed != nullptr) {
    Node* node = doomed;
    doomed = node->next_doomed_;
    delete node;
  }
  destroying = false;
}

bool Node::needs_grad(size_t i) const {
  return next_edges_[i].is_valid() && Engine::running_backward_needs(next_edges_[i]);
}

void Node::note_forward_location() {
  forward_location_ = std::make_unique<const std::string>(current_forward_location());
}

void Node::add_pre_hook(std::function<variable_list(const variable_list&)> hook) {
  hooks().pre_hooks.push_back(std::move(hook));
}
void Node::add_post_hook(std::function<variable_list(const variable_list&, const variable_list&)> hook) {
  hooks().post_hooks.push_back(std::move(hook));
}
void Node::add_pre_hook(std::unique_ptr<FunctionPreHook> hook) {
  add_pre_hook([hook = std::shared_ptr<FunctionPreHook>(std::move(hook))](const variable_list& grads) {
    return (*hook)(grads);
  });
}
void Node::add_post_hook(std::unique_ptr<FunctionPostHook> hook) {
  add_post_hook([hook = std::shared_ptr<FunctionPostHook>(std::move(hook))](
                    const variable_list& inputs, const variable_list& outputs) { return (*hook)(inputs, outputs); });
}

NodeHooks& Node::hooks() {
  if (!hooks_) hooks_ = std::make_unique<NodeHooks>();
  return *hooks_;
}

}  // namespace wengert::autograd
