#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

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

}  // namespace
}  // namespace wengert
