#include <gtest/gtest.h>
#include <support/inputs.h>

// backward() and grad() as a user sees them.

namespace wengert {
namespace {

using autograd::grad;
using autograd::variable_list;
using test::arbitrary;

Tensor leaf(IntArrayRef sizes, int salt = 0) { return arbitrary(sizes, -1.5, 1.5, salt).requires_grad_(); }

Tensor polynomial(const Tensor& x, const Tensor& y) { return x + 2 * y + x * y; }

TEST(Backward, GivesTheGradientOfAPolynomial) {
  const Tensor x = leaf({2, 2}), y = leaf({2, 2}, 1);
  polynomial(x, y).sum().backward();
  EXPECT_ALLCLOSE(x.grad(), y.detach() + 1);
  EXPECT_ALLCLOSE(y.grad(), x.detach() + 2);
}

TEST(Backward, AddsToWhatIsThere) {
  const Tensor x = leaf({3});
  (x * 2).sum().backward();
  (x * 3).sum().backward();
  EXPECT_ALLCLOSE(x.grad(), full({3}, 5.0, kDouble));
}

TEST(Backward, AccumulatesInPlaceSoThatHeldGradientsSeeTheSum) {
  const Tensor x = leaf({3});
  (x * 2).sum().backward();
  const Tensor held = x.grad();
  (x * 3).sum().backward();
  EXPECT_TRUE(held.is_same(x.grad()));
  EXPECT_ALLCLOSE(held, full({3}, 5.0, kDouble));
}

TEST(Backward, SumsOverAllPathsToALeaf) {
  const Tensor x = leaf({3});
  const Tensor y = x * x;
  ((y + y) * y + x).sum().backward();  // 2 x^4 + x
  EXPECT_ALLCLOSE(x.grad(), 8 * x.detach().pow(3) + 1);
}

TEST(Backward, NeverLetsTwoLeavesShareAGradient) {
  const Tensor x = leaf({3}), y = leaf({3}, 1);
  (x + y).backward(ones({3}, kDouble));
  x.grad().zero_();
  EXPECT_ALLCLOSE(y.grad(), ones({3}, kDouble));
}

TEST(Backward, DoesNotTakeOverTheGradientItIsGiven) {
  const Tensor x = leaf({3}), entering = ones({3}, kDouble);
  x.view({3}).backward(entering);
  x.grad().zero_();
  EXPECT_ALLCLOSE(entering, ones({3}, kDouble));
}

TEST(Backward, OfALeafItself) {
  const Tensor x = leaf({});
  x.backward();
  EXPECT_EQ(x.grad().item<double>(), 1);
}

TEST(Backward, RetainsTheGraphWhenAsked) {
  const Tensor x = leaf({2});
  const Tensor y = (x * x).sum();
  y.backward({}, /*retain_graph=*/true);
  y.backward();
  EXPECT_ALLCLOSE(x.grad(), 4 * x.detach());
}

TEST(Backward, IntoChosenInputsOnly) {
  const Tensor x = leaf({2}), y = leaf({2}, 1);
  const Tensor z = x * y;
  const variable_list only{x};
  z.sum().backward({}, std::nullopt, false, TensorList(only));
  EXPECT_TRUE(x.grad().defined());
  EXPECT_FALSE(y.grad().defined());
}

TEST(Backward, IntoANonLeafInput) {
  const Tensor x = leaf({2});
  const Tensor y = x * 2;
  autograd::backward({(y * 3).sum()}, {}, std::nullopt, false, {y});
  EXPECT_ALLCLOSE(y.grad(), full({2}, 3.0, kDouble));
  EXPECT_FALSE(x.grad().defined());
}

TEST(Backward, OfSeveralTensorsAtOnce) {
  const Tensor x = leaf({2});
  autograd::backward({x * 2, (x * x).sum()}, {ones({2}, kDouble), Tensor()});
  EXPECT_ALLCLOSE(x.grad(), 2 + 2 * x.detach());
}

TEST(Backward, CastsAGradientToTheLeafsDtype) {
  const Tensor x = ones({2}, requires_grad());
  const Tensor y = x.to(kDouble) * arbitrary({2});
  y.sum().backward();
  EXPECT_EQ(x.grad().dtype(), kFloat);
}

TEST(Grad, OfNonLeavesInALoop) {
  Tensor x = leaf({2, 2});
  const Tensor y = leaf({2, 2}, 1);
  for (int i = 0; i < 5; ++i) {
    const Tensor gradient = grad({polynomial(x, y)}, {x}, {ones({2, 2}, kDouble)}, std::nullopt, true)[0];
    EXPECT_ALLCLOSE(gradient, y.detach() + 1);
    EXPECT_FALSE(x.grad().defined());
    x = x + 0.05 * gradient;
  }
}

TEST(Grad, LeavesAccumulatedGradientsAlone) {
  const Tensor x = leaf({2});
  grad({(x * x).sum()}, {x});
  EXPECT_FALSE(x.grad().defined());
}

TEST(Grad, OfAnUnusedInputIsUndefinedWhenAllowed) {
  const Tensor x = leaf({1}), y = leaf({1}, 1);
  const variable_list grads = grad({x * 2}, {x, y}, {}, std::nullopt, false, true);
  EXPECT_EQ(grads[0].item<double>(), 2);
  EXPECT_FALSE(grads[1].defined());
}

TEST(Grad, OfAnInputThatIsTheOutput) {
  const Tensor x = leaf({1});
  const Tensor y = x * 2;
  EXPECT_EQ(grad({y}, {y})[0].item<double>(), 1);
}

TEST(Grad, OfTheSameInputTwice) {
  const Tensor x = leaf({1});
  const variable_list grads = grad({x * 3}, {x, x});
  EXPECT_EQ(grads[0].item<double>(), 3);
  EXPECT_EQ(grads[1].item<double>(), 3);
}

TEST(DoubleBackward, OfAPolynomial) {
  const Tensor x = leaf({3});
  const Tensor first = grad({(x * x * x).sum()}, {x}, {}, std::nullopt, true)[0];
  const Tensor second = grad({first.sum()}, {x}, {}, std::nullopt, true)[0];
  EXPECT_ALLCLOSE(second.detach(), 6 * x.detach());
  const Tensor third = grad({second.sum()}, {x})[0];
  EXPECT_ALLCLOSE(third, full({3}, 6.0, kDouble));
}

TEST(DoubleBackward, ThroughGradOfALeaf) {
  const Tensor x = leaf({2, 2}), y = leaf({2, 2}, 1);
  polynomial(x, y).backward(ones({2, 2}, kDouble), false, true);
  const Tensor combined = 2 * x.grad() + y.grad();
  const Tensor x_hv = grad({combined}, {x}, {ones({2, 2}, kDouble)}, std::nullopt, true)[0];
  EXPECT_ALLCLOSE(x_hv, ones({2, 2}, kDouble));
  for (const Tensor& leaf : {x, y}) leaf.mutable_grad() = Tensor();  // its graph leads to the leaf itself
}

TEST(DoubleBackward, OfAGradientPenalty) {
  const Tensor w = leaf({2}), x = leaf({2}, 1);
  const Tensor g = grad({((w * x).sum()).tanh()}, {x}, {}, std::nullopt, true)[0];
  g.square().sum().backward();
  // |g|^2 = (1 - tanh^2(w.x))^2 |w|^2, compared with central differences.
  const auto penalty = [&](const Tensor& at) {
    const double s = (at * x.detach()).sum().tanh().item<double>();
    return (1 - s * s) * (1 - s * s) * at.square().sum().item<double>();
  };
  for (int64_t i = 0; i < 2; ++i) {
    const Tensor above = w.detach().clone(), below = w.detach().clone();
    above[i] += 1e-6;
    below[i] -= 1e-6;
    EXPECT_NEAR(w.grad()[i].item<double>(), (penalty(above) - penalty(below)) / 2e-6, 1e-6);
  }
}

TEST(GradMode, NothingIsRecordedWhenOff) {
  const Tensor x = leaf({2});
  {
    const NoGradGuard no_grad;
    EXPECT_FALSE(GradMode::is_enabled());
    EXPECT_FALSE((x * 2).requires_grad());
    const AutoGradMode enabled(true);
    EXPECT_TRUE((x * 2).requires_grad());
  }
  EXPECT_TRUE(GradMode::is_enabled());
  EXPECT_TRUE((x * 2).requires_grad());
}

TEST(GradMode, IsOffInABackwardUnlessItCreatesAGraph) {
  const Tensor x = leaf({2});
  bool enabled = true;
  const Tensor y = x * 2;
  y.register_hook([&](const Tensor&) { enabled = GradMode::is_enabled(); });
  y.sum().backward({}, true);
  EXPECT_FALSE(enabled);
  y.sum().backward({}, true, true);
  EXPECT_TRUE(enabled);
}

TEST(Leaf, IsWhatNothingRecordedComputed) {
  const Tensor x = leaf({2});
  EXPECT_TRUE(x.is_leaf());
  EXPECT_TRUE(arbitrary({2}).is_leaf());
  EXPECT_FALSE((x * 2).is_leaf());
  EXPECT_TRUE((x * 2).detach().is_leaf());
  EXPECT_FALSE((x * 2).detach().requires_grad());
}

TEST(Leaf, StaysAliveInTheGraph) {
  bool called = false;
  Tensor y;
  {
    const Tensor x = leaf({2});
    x.register_hook([&](const Tensor& g) {
      called = true;
      EXPECT_ALLCLOSE(g, full({2}, 2.0, kDouble));
    });
    y = (x * 2).sum();
  }
  y.backward();
  EXPECT_TRUE(called);
}

TEST(Detach, SharesMemoryAndVersion) {
  const Tensor x = leaf({2});
  const Tensor y = (x * 2).detach();
  const Tensor z = y.detach();
  z.add_(1);
  EXPECT_TRUE(z.is_alias_of(y));
  EXPECT_EQ(y._version(), 1);
}

TEST(Detach, InPlaceMakesALeaf) {
  const Tensor x = leaf({2});
  Tensor y = x * 2;
  y.detach_();
  EXPECT_TRUE(y.is_leaf());
  EXPECT_FALSE(y.requires_grad());
}

TEST(Data, HasAVersionOfItsOwn) {
  const Tensor x = leaf({2});
  x.data().add_(1);
  EXPECT_EQ(x._version(), 0);
  EXPECT_TRUE(x.data().is_alias_of(x));
}

TEST(NodeNames, ArePyTorchs) {
  const Tensor a = leaf({2, 2}), v = leaf({2});
  const std::vector<std::pair<Tensor, std::string>> cases{
      {mm(a, a), "MmBackward0"},
      {a.sum(), "SumBackward0"},
      {a.sum(0), "SumBackward1"},
      {a - a, "SubBackward0"},
      {a.pow(2), "PowBackward0"},
      {a.pow(a), "PowBackward1"},
      {pow(2, a), "PowBackward2"},
      {a + a, "AddBackward0"},
      {a + 1, "AddBackward1"},
      {a * a, "MulBackward0"},
      {a * 2, "MulBackward1"},
      {a / a, "DivBackward0"},
      {a / 2, "DivBackward1"},
      {1 - a, "RsubBackward1"},
      {-a, "NegBackward0"},
      {a.mean(), "MeanBackward0"},
      {a.mean(0), "MeanBackward1"},
      {a.t(), "TBackward0"},
      {a.view({4}), "ViewBackward0"},
      {a.transpose(0, 1), "TransposeBackward0"},
      {a.permute({1, 0}), "PermuteBackward0"},
      {a.exp(), "ExpBackward0"},
      {a.select(0, 0), "SelectBackward0"},
      {a.slice(0, 0, 1), "SliceBackward0"},
      {a.unsqueeze(0), "UnsqueezeBackward0"},
      {a.squeeze(), "SqueezeBackward0"},
      {a.expand({3, 2, 2}), "ExpandBackward0"},
      {a.clone(), "CloneBackward0"},
      {matmul(a, v), "MvBackward0"},
      {matmul(v, v), "DotBackward0"},
      {a.relu(), "ReluBackward0"},
      {a.to(kFloat), "ToCopyBackward0"},
      {a.t().reshape({4}), "UnsafeViewBackward0"},
  };
  for (const auto& [tensor, name] : cases) EXPECT_EQ(tensor.grad_fn()->name(), name);
}

TEST(NextEdges, LeadToTheInputsNodes) {
  const Tensor x = leaf({2}), constant = arbitrary({2});
  const Tensor y = (x * 2) + constant;
  const auto edges = y.grad_fn()->next_edges();
  ASSERT_EQ(edges.size(), 2u);
  EXPECT_EQ(edges[0].function->name(), "MulBackward1");
  EXPECT_FALSE(edges[1].is_valid());
  EXPECT_EQ(edges[0].function->next_edge(0).function->name(), "AccumulateGrad");
  EXPECT_EQ(x.grad_fn(), nullptr);
}

TEST(NextEdges, ConvertToSharedPointersForLibtorchCode) {
  const Tensor x = leaf({2});
  std::shared_ptr<autograd::Node> node = (x * 2).exp().grad_fn();
  EXPECT_EQ(node->name(), "ExpBackward0");
  std::shared_ptr<autograd::Node> next = node->next_edge(0).function;
  node.reset();
  EXPECT_EQ(next->name(), "MulBackward1");
}

}  // namespace
}  // namespace wengert
