#include <gtest/gtest.h>
#include <ops/gradient_table.h>
#include <wengert/autograd/tools/source.h>

#include <set>

namespace wengert::test {
namespace {

using autograd::NodeSource;

template <class Visit>
void for_each_node(const Tensor& root, const Visit& visit) {
  std::vector<const autograd::Node*> found;
  const auto add = [&](const autograd::Edge& edge) {
    const autograd::Node* node = edge.function.get();
    if (node != nullptr && std::find(found.begin(), found.end(), node) == found.end()) found.push_back(node);
  };
  add(autograd::gradient_edge(root));
  for (size_t i = 0; i < found.size(); ++i) {
    visit(*found[i]);
    for (const autograd::Edge& edge : found[i]->next_edges()) add(edge);
  }
}

// Every Node of the library has its formula in the comment above the code that made it.
TEST(NodeSource, HasTheFormulaOfEveryOperation) {
  autograd::SourceReader reader;
  std::set<std::string> seen;
  for (const GradientRow& row : gradient_table()) {
    std::vector<Tensor> inputs;
    for (const Tensor& input : row.inputs) inputs.push_back(input.detach().requires_grad_(input.is_floating_point()));
    for (const Tensor& output : row.function(inputs)) {
      for_each_node(output, [&](const autograd::Node& node) {
        if (!seen.insert(node.name()).second) return;
        const NodeSource source = reader.of(node);
        EXPECT_FALSE(source.formula.empty()) << node.name() << " at " << source.file << ":" << source.line;
        if (std::getenv("PRINT_FORMULAS") != nullptr) std::cout << node.name() << ": " << source.formula << "\n";
      });
    }
  }
  EXPECT_GT(seen.size(), 150u);
}

TEST(NodeSource, IsTheFunctionWithItsComment) {
  autograd::SourceReader reader;
  const Tensor C = ones({3, 2}, requires_grad()), F = ones({2, 4}, requires_grad());
  const NodeSource mm_source = reader.of(*mm(C, F).grad_fn());
  EXPECT_EQ(mm_source.file, "ops/matrices/matmul.cpp");
  EXPECT_EQ(mm_source.formula, "dA = G Bᵀ,   dB = Aᵀ G.");
  EXPECT_TRUE(mm_source.lines.front().starts_with("// ")) << mm_source.lines.front();
  EXPECT_EQ(mm_source.lines.back(), "}");
  const NodeSource leaf = reader.of(*autograd::grad_accumulator(C));
  EXPECT_EQ(leaf.file, "autograd/tape/accumulate_grad.cpp");
  EXPECT_GT(leaf.lines.size(), 10u);
}

}  // namespace
}  // namespace wengert::test
