#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/base/memory.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/tape/accumulate_grad.h>
#include <wengert/autograd/tape/autograd.h>
#include <wengert/autograd/tape/copy_slices.h>
#include <wengert/autograd/tape/engine.h>
#include <wengert/autograd/tape/observer.h>
#include <wengert/autograd/tape/saved_tensor.h>
#include <wengert/autograd/tools/draw.h>
#include <wengert/autograd/tools/source.h>
#include <wengert/autograd/tools/trace.h>
#include <wengert/autograd/tools/trace_page.h>

#include <nlohmann/json.hpp>
#include <chrono>
#include <cmath>
#include <unordered_map>

namespace wengert::autograd {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

// A number as JSON has none of: NaN and the infinities as texts.
Json number(double x) {
  if (std::isfinite(x)) return x;
  return std::isnan(x) ? "nan" : (x > 0 ? "inf" : "-inf");
}

// Means of blocks of a matrix, as many as fit into `most` of each dimension.
Json means_of_blocks(const Tensor& matrix, int64_t most) {
  const int64_t rows = matrix.size(0), columns = matrix.size(1);
  const int64_t down = std::min(rows, most), across = std::min(columns, most);
  Json values = Json::array();
  for (int64_t i = 0; i < down; ++i) {
    const int64_t top = i * rows / down, bottom = (i + 1) * rows / down;
    for (int64_t j = 0; j < across; ++j) {
      const int64_t left = j * columns / across, right = (j + 1) * columns / across;
      values.push_back(number(matrix.narrow(0, top, bottom - top).narrow(1, left, right - left).mean().item<double>()));
    }
  }
  return {{"rows", down}, {"columns", across}, {"values", std::move(values)}};
}

// A tensor as it is now; null for an undefined one.
Json shown(const Tensor& tensor, int64_t max_elements) {
  if (!tensor.defined()) return nullptr;
  const NoGradGuard no_grad;
  const tracing::Pause unheard;
  Json json{{"dtype", tensor.toString()}, {"sizes", tensor.sizes().vec()}, {"numel", tensor.numel()}};
  if (tensor.is_sparse() || tensor.numel() == 0) return json;
  const Tensor x = tensor.detach().to(kDouble).contiguous();
  json["min"] = number(x.min().item<double>());
  json["max"] = number(x.max().item<double>());
  json["mean"] = number(x.mean().item<double>());
  if (x.numel() <= max_elements) {
    Json& values = json["values"] = Json::array();
    for (const double value : ArrayRef<double>(x.data_ptr<double>(), static_cast<size_t>(x.numel())))
      values.push_back(number(value));
  } else {
    const auto most = std::max<int64_t>(1, static_cast<int64_t>(std::sqrt(static_cast<double>(max_elements))));
    json["blocks"] = means_of_blocks(x.dim() == 1 ? x.view({1, -1}) : x.view({-1, x.size(-1)}), most);
  }
  return json;
}

std::string sizes_of(const Json& tensor) {
  return tensor.is_null() ? "undefined"
                          : fmt::format("[{}]", fmt::join(tensor["sizes"].get<std::vector<int64_t>>(), ", "));
}

}  // namespace

class Trace::Notes final : public BackwardObserver {
 public:
  explicit Notes(int64_t max_elements) : max_elements_(max_elements), observe_(*this) {}

  void name(const Tensor& tensor, const std::string& name) {
    const Edge edge = gradient_edge(tensor);
    check(edge.is_valid(), "Trace: '{}' names a tensor that requires no grad, so that it is not in the graph", name);
    names_[edge.function.get()] = name;
    named_.push_back(edge.function);
    if (const auto known = numbers_.find(edge.function.get()); known != numbers_.end())
      nodes_[known->second]["label"] = name;
  }

  void backward_begins(ArrayRef<Edge> roots, const Gradients& grads) override {
    Pass pass{passes_.size(), {}};
    Json noted = Json::array();
    for (size_t i = 0; i < roots.size(); ++i) {
      if (!roots[i].is_valid()) continue;
      const size_t node = add_graph(roots[i].function, -1);
      noted.push_back(Json{{"node", node}, {"nr", roots[i].input_nr}, {"grad", show(grads[i])}});
      if (Engine::running_backward_needs(roots[i])) ++pass.pending[node];
    }
    passes_.push_back(Json{{"roots", std::move(noted)},
                           {"depth", running_.size()},
                           {"create_graph", GradMode::is_enabled()},
                           {"inside", open_steps_.empty() ? Json() : Json(open_steps_.back().index)}});
    running_.push_back(std::move(pass));
  }

  void node_begins(Node& node, const Gradients& grads) override {
    begin_step(node, grads);
    if (const auto* leaf = dynamic_cast<const AccumulateGrad*>(&node))
      steps_.back()["before"] = show(leaf->variable().grad());
    open_steps_.push_back({steps_.size() - 1, memory_allocated(), Clock::now()});
  }

  void node_ended(Node& node, const Gradients& results) override {
    const auto [index, bytes_before, started] = open_steps_.back();
    const auto nanoseconds = std::chrono::nanoseconds(Clock::now() - started).count();
    const int64_t bytes = memory_allocated() - bytes_before;
    open_steps_.pop_back();

    const size_t known = nodes_.size();
    Json shown_results = Json::array();
    for (size_t i = 0; i < node.next_edges().size(); ++i) {
      const Edge& edge = node.next_edge(i);
      const Tensor result = i < results.size() ? results[i] : Tensor();
      shown_results.push_back(show(result));
      if (edge.is_valid() && Engine::running_backward_needs(edge)) ++running_.back().pending[add(edge.function)];
      if (result.defined()) add_history_of(result, index);
    }
    Json& step = steps_[index];
    if (const auto* leaf = dynamic_cast<const AccumulateGrad*>(&node)) {
      step["after"] = show(leaf->variable().grad());
      add_history_of(leaf->variable().grad(), index);
    }
    step["results"] = std::move(shown_results);
    step["nanoseconds"] = nanoseconds;
    step["bytes"] = bytes;
    step["made"] = nodes_.size() - known;
  }

  void node_passed_over(Node& node, const Gradients& grads) override {
    begin_step(node, grads);
    steps_.back()["asked_for"] = true;
  }

  void backward_ended() override {
    // Where a Node threw, steps are still open.
    const size_t pass = running_.back().number;
    for (; !open_steps_.empty() && steps_[open_steps_.back().index]["pass"] == pass; open_steps_.pop_back())
      steps_[open_steps_.back().index]["threw"] = true;
    running_.pop_back();
  }

  Json json() const { return {{"nodes", nodes_}, {"passes", passes_}, {"steps", steps_}}; }

  std::string dot() const {
    std::unordered_map<size_t, Json> results;  // of each Node's first run
    for (const Json& step : steps_) {
      if (step.contains("results")) results.try_emplace(step["node"].get<size_t>(), step["results"]);
    }
    std::string boxes, arrows;
    std::map<int64_t, std::string> levels;
    for (size_t i = 0; i < nodes_.size(); ++i) {
      const Json& node = nodes_[i];
      boxes += fmt::format("  n{} [label=<{}>, {}];\n", i, drawn(node),
                           node["leaf"] == true ? "shape=box, style=\"filled,rounded\", fillcolor=\"#dceefb\""
                                                : "shape=box, style=filled, fillcolor=\"#f7f4ea\"");
      levels[node["level"].get<int64_t>()] += fmt::format(" n{};", i);
      for (size_t k = 0; k < node["edges"].size(); ++k) {
        const Json& edge = node["edges"][k];
        if (edge.is_null()) continue;
        const auto flowed = results.find(i);
        const std::string what =
            flowed == results.end() ? "" : fmt::format(" [label=\"  {}\"]", sizes_of(flowed->second[k]));
        arrows += fmt::format("  n{} -> n{}{};\n", i, edge["node"].get<size_t>(), what);
      }
    }
    for (const Json& pass : passes_) {
      for (const Json& root : pass["roots"]) {
        const auto id = root["node"].get<size_t>();
        boxes += fmt::format("  root{} [label=\"dL/dL = 1\", shape=plaintext];\n", id);
        if (!root["grad"].contains("values") || root["grad"]["values"] != Json::array({1.0}))
          boxes += fmt::format("  root{} [label=\"G {}\"];\n", id, sizes_of(root["grad"]));
        arrows += fmt::format("  root{} -> n{};\n", id, id);
      }
    }
    std::string rows;
    for (const auto& [level, nodes] : levels) rows += fmt::format("  {{ rank=same;{} }}\n", nodes);
    return fmt::format(
        "digraph backward {{\n  node [fontname=\"sans-serif\", fontsize=12, color=\"#8a8678\"];\n"
        "  edge [fontname=\"sans-serif\", fontsize=11, color=\"#a0522d\", fontcolor=\"#a0522d\"];\n{}{}{}}}\n",
        boxes, arrows, rows);
  }

 private:
  struct Pass {
    size_t number;
    std::map<size_t, int> pending;  // Nodes that wait, with the number of gradients that reached each
  };

  struct OpenStep {  // of a Node that runs
    size_t index;
    int64_t bytes_before;
    Clock::time_point started;
  };

  Json show(const Tensor& tensor) const { return shown(tensor, max_elements_); }

  void begin_step(Node& node, const Gradients& grads) {
    Pass& pass = running_.back();
    const size_t id = add(IntrusivePtr<Node>(&node));
    Json pending = Json::array(), shown_grads = Json::array();
    for (const auto& [waiting, arrived] : pass.pending)
      pending.push_back(Json{{"node", waiting}, {"arrived", arrived}});
    for (const Tensor& grad : grads) shown_grads.push_back(show(grad));
    pass.pending.erase(id);
    steps_.push_back(
        Json{{"pass", pass.number}, {"node", id}, {"pending", std::move(pending)}, {"grads", std::move(shown_grads)}});
  }

  // The graph behind a gradient that was recorded.
  void add_history_of(const Tensor& gradient, size_t step) {
    if (!gradient.defined() || !gradient.requires_grad()) return;
    if (const Edge edge = gradient_edge(gradient); edge.is_valid())
      add_graph(edge.function, static_cast<int64_t>(step));
  }

  // Notes this Node and all behind it; `step` is that in which new ones were recorded, -1 for none.
  size_t add_graph(const IntrusivePtr<Node>& root, int64_t step) {
    const size_t id = add(root, step);
    for (; with_edges_ < kept_.size(); ++with_edges_) {
      Json edges = Json::array();
      for (const IntrusivePtr<Node> node = kept_[with_edges_]; const Edge& edge : node->next_edges()) {
        edges.push_back(edge.is_valid() ? Json{{"node", add(edge.function, step)}, {"nr", edge.input_nr}} : Json());
      }
      nodes_[with_edges_]["edges"] = std::move(edges);
    }
    return id;
  }

  // The Node's number. add_graph() notes its edges.
  size_t add(const IntrusivePtr<Node>& node, int64_t step = -1) {
    const auto [entry, is_new] = numbers_.try_emplace(node.get(), kept_.size());
    if (!is_new) return entry->second;
    kept_.push_back(node);
    nodes_.push_back(described(*node, step));
    return entry->second;
  }

  Json described(const Node& node, int64_t step) {
    const auto* leaf = dynamic_cast<const AccumulateGrad*>(&node);
    const auto named = names_.find(&node);
    const NodeSource source = sources_.of(node);
    Json json{{"name", node.name()},
              {"label", named != names_.end() ? named->second : label_of(node)},
              {"level", node.level()},
              {"leaf", leaf != nullptr},
              {"edges", Json::array()},
              {"formula", source.formula},
              {"file", source.file},
              {"line", source.line},
              {"first_line", source.first_line},
              {"source", source.lines}};
    if (step >= 0) json["made_in"] = step;
    if (leaf != nullptr) json["value"] = show(leaf->variable());
    if (const auto* slices = dynamic_cast<const CopySlices*>(&node)) json["operation"] = slices->operation().name();
    if (node.forward_location() != nullptr) json["called_at"] = *node.forward_location();
    Json& saved = json["saved"] = Json::array();
    for (const SavedTensor& tensor : node.saved_tensors()) {
      Json& added = saved.emplace_back(show(tensor.elements()));
      if (added.is_null()) continue;
      added["is_output"] = tensor.is_output();
      added["was_changed"] = tensor.was_changed();
    }
    if (const NodeHooks* hooks = node.hooks_if_any()) {
      json["hooks"] = {{"on gradients", hooks->tensor_hooks.size()},
                       {"before the Node", hooks->pre_hooks.size()},
                       {"after the Node", hooks->post_hooks.size()},
                       {"after accumulation", hooks->post_accumulate_hooks.size()},
                       {"retain_grad", hooks->retained.size()}};
    }
    return json;
  }

  static std::string escaped(std::string_view text) {
    std::string html;
    for (const char c : text) html += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
    return html;
  }

  // As an HTML-like label of Graphviz's.
  static std::string drawn(const Json& node) {
    std::string label = fmt::format("<b>{}</b>", escaped(node["label"].get<std::string>()));
    if (node["leaf"] == true)
      return label + fmt::format("<br/>{} {}", node["name"].get<std::string>(), sizes_of(node["value"]));
    label += fmt::format("  <font color=\"#8a8678\">level {}</font>", node["level"].get<int64_t>());
    if (node["formula"] != "") label += "<br/><i>" + escaped(node["formula"].get<std::string>()) + "</i>";
    std::string saved;
    for (const Json& tensor : node["saved"]) {
      if (!tensor.is_null()) saved += (saved.empty() ? "" : ", ") + sizes_of(tensor);
    }
    return label + (saved.empty() ? "" : "<br/>saved " + saved);
  }

  const int64_t max_elements_;
  SourceReader sources_;
  std::vector<IntrusivePtr<Node>> kept_, named_;
  std::unordered_map<const Node*, std::string> names_;
  size_t with_edges_ = 0;  // of those kept, how many have their edges noted
  std::unordered_map<const Node*, size_t> numbers_;
  Json nodes_ = Json::array(), passes_ = Json::array(), steps_ = Json::array();
  std::vector<Pass> running_;
  std::vector<OpenStep> open_steps_;
  const ObserveBackward observe_;
};

Trace::Trace(int64_t max_elements) : notes_(std::make_unique<Notes>(max_elements)) {}
Trace::~Trace() = default;

void Trace::name(const Tensor& tensor, const std::string& name) { notes_->name(tensor, name); }
std::string Trace::json() const { return notes_->json().dump(); }
std::string Trace::dot() const { return notes_->dot(); }

std::string Trace::html(const std::string& title) const {
  Json data = notes_->json();
  data["title"] = title;
  std::string json = data.dump();
  // "</script>" in a comment of somebody's source must not end the page's script.
  for (size_t at = 0; (at = json.find("</", at)) != std::string::npos; at += 3) json.replace(at, 2, "<\\/");
  std::string page(kTracePage);
  constexpr std::string_view place = "/*TRACE*/null";
  return page.replace(page.find(place), place.size(), json);
}

std::string trace(const Tensor& root, const std::string& title) {
  Trace notes;
  backward({root}, {}, /*retain_graph=*/true);
  return notes.html(title);
}

}  // namespace wengert::autograd
