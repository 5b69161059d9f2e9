#include <wengert/autograd/base/check.h>
#include <wengert/autograd/tape/accumulate_grad.h>
#include <wengert/autograd/tools/draw.h>

#include <unordered_map>

namespace wengert::autograd {
namespace {

std::string label_of(const Node& node) {
  const auto* leaf = dynamic_cast<const AccumulateGrad*>(&node);
  return leaf == nullptr ? node.name() : fmt::format("leaf {}", leaf->variable().sizes());
}

}  // namespace

std::string to_dot(const Tensor& root) {
  std::unordered_map<const Node*, size_t> numbers;
  std::vector<const Node*> found;
  const auto number_of = [&](const Node* node) {
    const auto [entry, is_new] = numbers.try_emplace(node, found.size());
    if (is_new) found.push_back(node);
    return entry->second;
  };
  std::string boxes, arrows;
  if (const Edge edge = gradient_edge(root); edge.is_valid()) number_of(edge.function.get());
  for (size_t i = 0; i < found.size(); ++i) {
    const Node& node = *found[i];
    const bool is_leaf = node.next_edges().empty() && node.level() == 0;
    boxes += fmt::format("  n{} [label=\"{}\", shape={}];\n", i, label_of(node), is_leaf ? "ellipse" : "box");
    for (const Edge& edge : node.next_edges()) {
      if (edge.is_valid()) arrows += fmt::format("  n{} -> n{};\n", i, number_of(edge.function.get()));
    }
  }
  return fmt::format("digraph backward {{\n  node [fontname=\"sans-serif\"];\n{}{}}}\n", boxes, arrows);
}

}  // namespace wengert::autograd
