#include <unistd.h>
#include <wengert/autograd/base/check.h>
#include <wengert/autograd/tape/accumulate_grad.h>
#include <wengert/autograd/tape/saved_tensor.h>
#include <wengert/autograd/tools/draw.h>
#include <wengert/autograd/tools/source.h>

#include <cstdlib>
#include <string_view>
#include <unordered_map>

namespace wengert::autograd {
namespace {

// The Nodes that a graph is made of, each with the number of edges that lead to it, from the root on.
class Graph {
 public:
  explicit Graph(const Tensor& root) {
    if (const Edge edge = gradient_edge(root); edge.is_valid()) add(edge);
    for (size_t i = 0; i < nodes_.size(); ++i) {
      for (const Edge& edge : nodes_[i]->next_edges()) {
        if (edge.is_valid()) add(edge);
      }
    }
  }

  const std::vector<const Node*>& nodes() const { return nodes_; }
  size_t number_of(const Edge& edge) const { return entries_.at(edge.function.get()).number; }
  bool is_shared(const Node& node) const { return entries_.at(&node).edges > 1; }

 private:
  struct Entry {
    size_t number, edges;
  };
  void add(const Edge& edge) {
    const auto [entry, is_new] = entries_.try_emplace(edge.function.get(), Entry{nodes_.size(), 0});
    ++entry->second.edges;
    if (is_new) nodes_.push_back(edge.function.get());
  }
  std::vector<const Node*> nodes_;
  std::unordered_map<const Node*, Entry> entries_;
};

bool terminal_has_colours() {
  const char* term = std::getenv("TERM");
  return isatty(STDOUT_FILENO) == 1 && std::getenv("NO_COLOR") == nullptr && term != nullptr &&
         std::string_view(term) != "dumb";
}

// Writes the lines of a tree. Not by recursion: a graph may be a million Nodes deep.
class Tree {
 public:
  Tree(const Graph& graph, bool colours) : graph_(graph), colours_(colours) {}

  std::string write() {
    if (!graph_.nodes().empty()) waiting_.push_back({graph_.nodes()[0], "", "", "", 0});
    while (!waiting_.empty()) {
      const Line line = std::move(waiting_.back());
      waiting_.pop_back();
      write(line);
    }
    return std::move(text_);
  }

 private:
  struct Line {
    const Node* node;           // null: an input that needs no gradient
    std::string before, below;  // what stands before it, and before the lines below it
    std::string branch;
    int depth;
  };
  static constexpr int kDeepest = 60;

  std::string coloured(const char* code, const std::string& text) const {
    return colours_ && !text.empty() ? fmt::format("\033[{}m{}\033[0m", code, text) : text;
  }

  void write(const Line& line) {
    text_ += coloured("2", line.before + line.branch);
    if (line.node == nullptr) {
      text_ += coloured("2", "needs no gradient") + "\n";
      return;
    }
    const Node& node = *line.node;
    const bool is_leaf = dynamic_cast<const AccumulateGrad*>(&node) != nullptr;
    text_ += coloured(is_leaf ? "32" : "1", label_of(node));
    if (graph_.is_shared(node)) {
      const auto [mark, is_new] = marks_.try_emplace(&node, marks_.size() + 1);
      text_ += coloured("33", fmt::format("  #{}{}", mark->second, is_new ? "" : ", shown above"));
      if (!is_new) {
        text_ += '\n';
        return;
      }
    }
    if (!is_leaf) text_ += about(node);
    text_ += '\n';

    const ArrayRef<Edge> edges = node.next_edges();
    if (edges.size() == 1) {
      waiting_.push_back({edges[0].function.get(), line.below, line.below, "", line.depth});
    } else if (line.depth == kDeepest && !edges.empty()) {
      text_ += line.below + "...\n";
    } else {
      for (size_t i = edges.size(); i-- > 0;) {  // the last on top of the stack is written first
        const bool is_last = i + 1 == edges.size();
        waiting_.push_back({edges[i].function.get(), line.below, line.below + (is_last ? "    " : "│   "),
                            is_last ? "└── " : "├── ", line.depth + 1});
      }
    }
  }

  std::string about(const Node& node) {
    std::string text = coloured("2", fmt::format("  level {}", node.level()));
    if (const std::string formula = sources_.of(node).formula; !formula.empty())
      text += coloured("36", fmt::format("   {}", formula));
    std::string saved;
    for (const SavedTensor& tensor : node.saved_tensors()) {
      if (const Tensor elements = tensor.elements(); elements.defined()) saved += fmt::format(" {}", elements.sizes());
    }
    return text + (saved.empty() ? "" : coloured("2", "   saved" + saved));
  }

  const Graph& graph_;
  const bool colours_;
  SourceReader sources_;
  std::vector<Line> waiting_;
  std::unordered_map<const Node*, size_t> marks_;
  std::string text_;
};

}  // namespace

std::string label_of(const Node& node) {
  const auto* leaf = dynamic_cast<const AccumulateGrad*>(&node);
  return leaf == nullptr ? node.name() : fmt::format("leaf {}", leaf->variable().sizes());
}

std::string to_dot(const Tensor& root) {
  const Graph graph(root);
  std::string boxes, arrows;
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = *graph.nodes()[i];
    const bool is_leaf = node.next_edges().empty() && node.level() == 0;
    boxes += fmt::format("  n{} [label=\"{}\", shape={}];\n", i, label_of(node), is_leaf ? "ellipse" : "box");
    for (const Edge& edge : node.next_edges()) {
      if (edge.is_valid()) arrows += fmt::format("  n{} -> n{};\n", i, graph.number_of(edge));
    }
  }
  return fmt::format("digraph backward {{\n  node [fontname=\"sans-serif\"];\n{}{}}}\n", boxes, arrows);
}

std::string to_text(const Tensor& root, std::optional<bool> colours) {
  return Tree(Graph(root), colours.value_or(terminal_has_colours())).write();
}

}  // namespace wengert::autograd
