#include <gtest/gtest.h>
#include <support/inputs.h>

// In-place operations that are recorded, on tensors and on views of them.

namespace wengert {
namespace {

using test::arbitrary;

Tensor leaf(IntArrayRef sizes, int salt = 0) { return arbitrary(sizes, 0.5, 1.5, salt).requires_grad_(); }

TEST(InPlace, OpsOnATensorHaveTheGradientsOfTheirOutOfPlaceForms) {
  struct Case {
    const char* name;
    std::function<Tensor(Tensor, Tensor)> in_place, out_of_place;
  };
  const std::vector<Case> cases{
      {"add_", [](Tensor a, Tensor b) { return a.add_(b, 3); }, [](Tensor a, Tensor b) { return a.add(b, 3); }},
      {"sub_", [](Tensor a, Tensor b) { return a.sub_(b, 3); }, [](Tensor a, Tensor b) { return a.sub(b, 3); }},
      {"mul_", [](Tensor a, Tensor b) { return a.mul_(b); }, [](Tensor a, Tensor b) { return a.mul(b); }},
      {"div_", [](Tensor a, Tensor b) { return a.div_(b); }, [](Tensor a, Tensor b) { return a.div(b); }},
      {"pow_", [](Tensor a, Tensor b) { return a.pow_(b); }, [](Tensor a, Tensor b) { return a.pow(b); }},
      {"copy_", [](Tensor a, Tensor b) { return a.copy_(b); }, [](Tensor a, Tensor b) { return b.expand_as(a); }},
      {"fill_", [](Tensor a, Tensor b) { return a.fill_(b.sum()); },
       [](Tensor a, Tensor b) { return b.sum().expand_as(a); }},
      {"zero_", [](Tensor a, Tensor) { return a.zero_(); }, [](Tensor a, Tensor) { return a * 0; }},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.name);
    const Tensor a = leaf({2, 3}), b = leaf({3}, 1);
    const auto weigh = [](const Tensor& y) { return (y * arbitrary({2, 3}, -1, 1, 9)).sum(); };
    const auto expected = autograd::grad({weigh(c.out_of_place(a * 1, b))}, {a, b}, {}, std::nullopt, false, true);
    const auto actual = autograd::grad({weigh(c.in_place(a * 1, b))}, {a, b}, {}, std::nullopt, false, true);
    for (size_t i = 0; i < 2; ++i) {
      const Tensor zero = zeros_like(i == 0 ? a : b);
      EXPECT_ALLCLOSE(actual[i].defined() ? actual[i] : zero, expected[i].defined() ? expected[i] : zero);
    }
  }
}

TEST(InPlace, OnASliceChangesTheBasesGradient) {
  const Tensor x = leaf({3, 4});
  const Tensor y = x * 1;
  y.slice(0, 1).mul_(5);
  y.sum().backward();
  const Tensor expected = ones({3, 4}, kDouble);
  expected.slice(0, 1).fill_(5);
  EXPECT_ALLCLOSE(x.grad(), expected);
}

TEST(InPlace, OnASliceWithATensorThatRequiresGrad) {
  const Tensor x = leaf({3, 4}), w = leaf({4}, 1);
  const Tensor y = x * 1;
  y[1].mul_(w);
  EXPECT_EQ(y.grad_fn()->name(), "CopySlices");
  y.sum().backward();
  Tensor expected = ones({3, 4}, kDouble);
  expected[1] = w.detach();
  EXPECT_ALLCLOSE(x.grad(), expected);
  EXPECT_ALLCLOSE(w.grad(), x.detach()[1]);
}

TEST(InPlace, AssignmentToAnIndexIsAWrite) {
  const Tensor x = leaf({2});
  Tensor y = zeros({3, 2}, kDouble);
  y[0] = x * 2;
  y[1] = 7;
  y[2] = x;
  EXPECT_ALLCLOSE(y[1].detach(), full({2}, 7.0, kDouble));
  y.sum().backward();
  EXPECT_ALLCLOSE(x.grad(), full({2}, 3.0, kDouble));
}

TEST(InPlace, OfTheBaseIsSeenByItsViews) {
  const Tensor x = leaf({2, 3});
  const Tensor y = x * 1;
  const Tensor view = y[0];
  y.mul_(4);
  EXPECT_EQ(view.grad_fn()->name(), "AsStridedBackward0");
  view.sum().backward();
  Tensor expected = zeros({2, 3}, kDouble);
  expected[0] = 4;
  EXPECT_ALLCLOSE(x.grad(), expected);
}

TEST(InPlace, OfAViewIsSeenByItsSiblings) {
  const Tensor x = leaf({4});
  const Tensor y = x * 1;
  const Tensor left = y.slice(0, 0, 3), right = y.slice(0, 1, 4);
  left.mul_(2);
  right.mul_(3);
  left.sum().backward();
  EXPECT_ALLCLOSE(x.grad(), tensor({2.0, 6.0, 6.0, 0.0}, kDouble));
}

TEST(InPlace, MakesABaseThatRequiredNoGradRequireIt) {
  const Tensor buffer = zeros({2, 2}, kDouble), row = buffer[0], x = leaf({2});
  EXPECT_FALSE(row.requires_grad());
  buffer.copy_(x.expand({2, 2}));
  EXPECT_TRUE(row.requires_grad());
  row.sum().backward();
  EXPECT_ALLCLOSE(x.grad(), ones({2}, kDouble));
}

TEST(InPlace, OnATransposedView) {
  const Tensor x = leaf({2, 3}), w = leaf({3, 2}, 1);
  const Tensor y = x * 1;
  y.t().mul_(w);
  y.sum().backward();
  EXPECT_ALLCLOSE(x.grad(), w.detach().t().contiguous());
  EXPECT_ALLCLOSE(w.grad(), x.detach().t().contiguous());
}

TEST(InPlace, HasSecondGradients) {
  const auto function = [](const autograd::variable_list& in) {
    const Tensor y = in[0] * 1;
    y[0].mul_(in[1]);
    y.t()[1].exp_();
    return y;
  };
  const autograd::variable_list inputs{leaf({2, 3}), leaf({3}, 1)};
  EXPECT_TRUE(autograd::gradcheck(autograd::returning_one(function), inputs));
  EXPECT_TRUE(autograd::gradgradcheck(autograd::returning_one(function), inputs));
}

TEST(InPlace, WithItselfIsAnErrorInBackwardNotAWrongGradient) {
  const Tensor x = leaf({2});
  Tensor y = x * 1;
  y.mul_(y);
  EXPECT_ERROR(y.sum().backward(), "modified by an inplace operation");
  y.detach_();  // its Node saved y itself: a circle, that nothing else would open
}

TEST(InPlace, OnAViewMadeWithoutGradModeIsRefused) {
  const Tensor x = leaf({2});
  const Tensor y = x * 1;
  Tensor view;
  {
    const NoGradGuard no_grad;
    view = y.view({2, 1});
  }
  EXPECT_ERROR(view.mul_(x.view({2, 1})),
               "A view was created in no_grad mode and is being modified inplace with grad mode enabled.");
}

TEST(InPlace, BumpsTheVersionThatViewsShare) {
  const Tensor x = ones({2, 2});
  const Tensor view = x[0];
  view.add_(1);
  x.mul_(2);
  EXPECT_EQ(x._version(), 2);
  EXPECT_EQ(view._version(), 2);
  EXPECT_TRUE(view.is_view());
  EXPECT_TRUE(view.view({2, 1})._base().is_same(x));
}

}  // namespace
}  // namespace wengert
