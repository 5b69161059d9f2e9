#include <gtest/gtest.h>
#include <support/inputs.h>

#include <algorithm>

namespace wengert {
namespace {

using autograd::to_text;

TEST(ToDot, DrawsEachNodeOnceAndEveryEdge) {
  const Tensor C = ones({3, 2}, requires_grad()), F = ones({2, 4}, requires_grad());
  const std::string dot = autograd::to_dot(mm(C, F).sum());
  EXPECT_EQ(dot,
            "digraph backward {\n"
            "  node [fontname=\"sans-serif\"];\n"
            "  n0 [label=\"SumBackward0\", shape=box];\n"
            "  n1 [label=\"MmBackward0\", shape=box];\n"
            "  n2 [label=\"leaf [3, 2]\", shape=ellipse];\n"
            "  n3 [label=\"leaf [2, 4]\", shape=ellipse];\n"
            "  n0 -> n1;\n"
            "  n1 -> n2;\n"
            "  n1 -> n3;\n"
            "}\n");
}

TEST(ToDot, OfATensorWithoutHistoryIsEmpty) {
  EXPECT_EQ(autograd::to_dot(ones({2})), "digraph backward {\n  node [fontname=\"sans-serif\"];\n}\n");
}

TEST(ToText, IsATreeWithFormulasAndSavedTensors) {
  const Tensor C = ones({3, 2}, requires_grad()), F = ones({2, 4}, requires_grad());
  EXPECT_EQ(to_text(mm(C, F).sum(), false),
            "SumBackward0  level 2   dx = G, repeated along those dimensions.\n"
            "MmBackward0  level 1   dA = G Bᵀ,   dB = Aᵀ G.   saved [3, 2] [2, 4]\n"
            "├── leaf [3, 2]\n"
            "└── leaf [2, 4]\n");
}

TEST(ToText, ShowsASharedPartOnceAndInputsThatNeedNoGradient) {
  const Tensor x = ones({2}, requires_grad());
  const Tensor y = x.exp();
  const std::string text = to_text((y * ones({2}) + y).sum(), false);
  EXPECT_NE(text.find("ExpBackward0  #1  level 1"), std::string::npos) << text;
  EXPECT_NE(text.find("ExpBackward0  #1, shown above\n"), std::string::npos) << text;
  EXPECT_NE(text.find("needs no gradient\n"), std::string::npos) << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 7) << text;
}

TEST(ToText, HasColoursWhenTold) {
  const Tensor x = ones({2}, requires_grad());
  EXPECT_EQ(to_text(x.sum(), false).find('\033'), std::string::npos);
  EXPECT_NE(to_text(x.sum(), true).find("\033[1mSumBackward0\033[0m"), std::string::npos);
  EXPECT_EQ(to_text(ones({2})), "");
}

TEST(ToText, OfALongChainHasALineForEachNode) {
  Tensor x = ones({1}, requires_grad());
  for (int i = 0; i < 100'000; ++i) x = x.neg();
  const std::string text = to_text(x, false);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 100'001);
  for (int i = 0; i < 100; ++i) x = x * x.detach();
  EXPECT_NE(to_text(x, false).find("...\n"), std::string::npos);
}

}  // namespace
}  // namespace wengert
