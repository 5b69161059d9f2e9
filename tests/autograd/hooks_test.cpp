#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

using test::arbitrary;

TEST(Hook, SeesTheGradient) {
  const Tensor x = arbitrary({3}).requires_grad_();
  const Tensor y = x * 2;
  Tensor seen;
  y.register_hook([&](const Tensor& g) { seen = g; });
  (y * 3).sum().backward();
  EXPECT_ALLCLOSE(seen, full({3}, 3.0, kDouble));
}

TEST(Hook, MayReplaceTheGradient) {
  const Tensor x = arbitrary({3}).requires_grad_();
  const Tensor y = x * 2;
  y.register_hook([](Tensor g) { return g * 10; });
  y.sum().backward();
  EXPECT_ALLCLOSE(x.grad(), full({3}, 20.0, kDouble));
}

TEST(Hook, RunsInTheOrderOfRegistrationUntilRemoved) {
  const Tensor x = arbitrary({1}).requires_grad_();
  std::string order;
  x.register_hook([&](const Tensor&) { order += 'a'; });
  const unsigned b = x.register_hook([&](const Tensor&) { order += 'b'; });
  x.register_hook([&](const Tensor&) { order += 'c'; });
  (x * 2).backward();
  x.remove_hook(b);
  (x * 2).backward();
  EXPECT_EQ(order, "abcac");
}

TEST(Hook, OnALeafSeesTheSumOverAllPathsOnce) {
  const Tensor x = arbitrary({1}).requires_grad_();
  std::vector<double> seen;
  x.register_hook([&](const Tensor& g) { seen.push_back(g.item<double>()); });
  (x * 2 + x * 3).backward();
  EXPECT_EQ(seen, std::vector<double>{5});
}

TEST(Hook, OnALeafOutlivesTheGraph) {
  const Tensor x = arbitrary({1}).requires_grad_();
  int calls = 0;
  x.register_hook([&](const Tensor&) { ++calls; });
  for (int i = 0; i < 3; ++i) (x * 2).backward();
  EXPECT_EQ(calls, 3);
}

TEST(Hook, DoesNotKeepTheGradientFromTheLeaf) {
  const Tensor x = ones({4}, requires_grad());
  const void* seen = nullptr;
  x.register_hook([&](const Tensor& g) { seen = g.data_ptr(); });
  (x * 2).sum().backward();
  EXPECT_EQ(x.grad().data_ptr(), seen);  // taken over, not copied
}

TEST(Hook, IsRecordedWhenTheGraphIs) {
  const Tensor x = full({}, 3.0, dtype(kDouble).requires_grad(true));
  const Tensor y = x * x;
  y.register_hook([&](const Tensor& g) { return g * x; });
  const Tensor first = autograd::grad({y}, {x}, {}, std::nullopt, true)[0];  // 2 x * x
  EXPECT_EQ(first.item<double>(), 18);
  EXPECT_EQ(autograd::grad({first}, {x})[0].item<double>(), 12);
}

// Such results are computed as views of temporaries; what is done to them in place must not go past the hook.
TEST(Hook, SeesTheGradientAlsoWhenTheResultIsChangedInPlaceLater) {
  const Tensor matrix = tensor({1.0, 2.0, 3.0, 4.0}).view({2, 2}).to(kDouble), stack = matrix.expand({2, 2, 2});
  const std::vector<std::function<Tensor(const Tensor&)>> operations{
      [](const Tensor& x) { return x.repeat_interleave(2); },
      [](const Tensor& x) { return x.repeat_interleave(2, 0); },
      [&](const Tensor& x) { return x.kron(matrix); },
      [&](const Tensor& x) { return matmul(stack, x); },
      [&](const Tensor& x) { return matmul(stack, x.unsqueeze(0)); },
      [&](const Tensor& x) { return matmul(matrix[0], x); },
      [&](const Tensor& x) { return tensordot(x, matrix, {1}, {0}); },
      [&](const Tensor& x) {
        return einsum("ij,jk->ik", {x, matrix});
      },
      [](const Tensor& x) { return x.roll({1}, {0}); },
      [](const Tensor& x) {
        return x.tile({2, 1});
      },
  };
  for (size_t i = 0; i < operations.size(); ++i) {
    const Tensor x = matrix.clone().requires_grad_();
    const Tensor y = operations[i](x);
    EXPECT_FALSE(y.is_view()) << i;
    int calls = 0;
    y.register_hook([&](const Tensor& g) {
      ++calls;
      return g * 10;
    });
    y.neg_();
    const Tensor dx = autograd::grad({y.sum()}, {x})[0];
    EXPECT_EQ(calls, 1) << i;
    EXPECT_TRUE(dx.allclose(autograd::grad({operations[i](x).sum()}, {x})[0] * -10)) << i;
  }
}

TEST(RetainGrad, KeepsTheGradientOfANonLeaf) {
  const Tensor x = arbitrary({1, 3}).requires_grad_();
  const Tensor h = x * 3;
  const Tensor out = (h * h).sum();
  h.retain_grad();
  h.retain_grad();
  EXPECT_TRUE(h.retains_grad());
  out.backward({}, true);
  EXPECT_ALLCLOSE(h.grad(), 2 * h.detach());
  out.backward({}, true);
  EXPECT_ALLCLOSE(h.grad(), 4 * h.detach());
  x.retain_grad();  // no effect on a leaf
  EXPECT_FALSE(x.retains_grad());
}

TEST(RetainGrad, SeesWhatHooksMadeOfTheGradient) {
  const Tensor x = arbitrary({2}).requires_grad_();
  const Tensor h = x * 3;
  h.retain_grad();
  h.register_hook([](const Tensor& g) { return g * 7; });
  h.sum().backward();
  EXPECT_ALLCLOSE(h.grad(), full({2}, 7.0, kDouble));
}

TEST(RetainGrad, OfATensorThatIsGoneIsForgotten) {
  const Tensor x = arbitrary({2}).requires_grad_();
  Tensor out;
  {
    const Tensor h = x * 3;
    h.retain_grad();
    out = h.sum();
  }
  out.backward();
  EXPECT_ALLCLOSE(x.grad(), full({2}, 3.0, kDouble));
}

TEST(RetainGrad, FollowsTheTensorThroughInPlaceChanges) {
  const Tensor x = arbitrary({2}).requires_grad_();
  const Tensor h = x * 3;
  h.retain_grad();
  h.mul_(5);
  (h * 7).sum().backward();
  EXPECT_ALLCLOSE(h.grad(), full({2}, 7.0, kDouble));
  EXPECT_ALLCLOSE(x.grad(), full({2}, 105.0, kDouble));
}

TEST(NodeHooks, RunBeforeAndAfterTheNode) {
  const Tensor x = arbitrary({2}).requires_grad_();
  const Tensor y = x * 3;
  y.grad_fn()->hooks().pre_hooks.push_back(
      [](const autograd::variable_list& grads) { return autograd::variable_list{grads[0] * 2}; });
  y.grad_fn()->hooks().post_hooks.push_back(
      [](const autograd::variable_list& grad_inputs, const autograd::variable_list& grad_outputs) {
        return autograd::variable_list{grad_inputs[0] + grad_outputs[0]};
      });
  y.sum().backward();
  EXPECT_ALLCLOSE(x.grad(), full({2}, 8.0, kDouble));  // 2 * 3 + 2
}

TEST(NodeHooks, MayBeObjectsAsInLibtorch) {
  struct Double final : autograd::FunctionPreHook {
    autograd::variable_list operator()(const autograd::variable_list& grads) override { return {grads[0] * 2}; }
  };
  struct Count final : autograd::FunctionPostHook {
    explicit Count(int* calls) : calls(calls) {}
    autograd::variable_list operator()(const autograd::variable_list& inputs, const autograd::variable_list&) override {
      ++*calls;
      return inputs;
    }
    int* calls;
  };
  int calls = 0;
  const Tensor x = arbitrary({2}).requires_grad_();
  const Tensor y = x * 3;
  y.grad_fn()->add_pre_hook(std::make_unique<Double>());
  y.grad_fn()->add_post_hook(std::make_unique<Count>(&calls));
  y.sum().backward();
  EXPECT_ALLCLOSE(x.grad(), full({2}, 6.0, kDouble));
  EXPECT_EQ(calls, 1);
}

TEST(TensorHooks, RemovingOneThatIsNotThereThrows) {
  const Tensor x = ones({1}, requires_grad());
  x.remove_hook(x.register_hook([](const Tensor&) {}));
  EXPECT_ERROR(x.remove_hook(3), "Invalid index, no hook at position 3");
}

TEST(PostAccumulateGradHook, SeesTheLeafWithItsGradient) {
  const Tensor x = ones({2}, requires_grad());
  std::vector<double> seen;
  x.register_post_accumulate_grad_hook([&](const Tensor& leaf) {
    EXPECT_TRUE(leaf.is_same(x));
    seen.push_back(leaf.grad()[0].item<double>());
  });
  (x * 2 + x * 3).sum().backward();
  (x * 4).sum().backward();
  EXPECT_EQ(seen, (std::vector<double>{5, 9}));  // once a backward, when all has arrived
}

TEST(PostAccumulateGradHook, MayStepAndClearTheGradient) {
  const Tensor x = full({1}, 3.0, dtype(kDouble).requires_grad(true));
  x.register_post_accumulate_grad_hook([](const Tensor& leaf) {
    const NoGradGuard no_grad;
    leaf.sub_(leaf.grad() * 0.5);
    leaf.mutable_grad() = Tensor();
  });
  (x * x).sum().backward();
  EXPECT_EQ(x.item<double>(), 0);
  EXPECT_FALSE(x.grad().defined());
}

TEST(PostAccumulateGradHook, IsForLeavesThatRequireGrad) {
  const auto nothing = [](const Tensor&) {};
  EXPECT_ERROR(ones({1}).register_post_accumulate_grad_hook(nothing), "doesn't require gradient");
  const Tensor x = ones({1}, requires_grad());
  EXPECT_ERROR((x * 2).register_post_accumulate_grad_hook(nothing), "cannot be registered on non-leaf tensors");
}

TEST(TensorHooks, AreRecordedWithCreateGraph) {
  const Tensor x = full({1}, 3.0, dtype(kDouble).requires_grad(true));
  const Tensor h = x * x;
  const unsigned handle = h.register_hook([](const Tensor& grad) { return grad * grad; });
  const Tensor y = (h * h).sum();  // dy/dh = 2h; the hook makes 4h^2 of it; times dh/dx: 8 x^5
  const Tensor dx = autograd::grad({y}, {x}, {}, true, true)[0];
  EXPECT_ALLCLOSE(dx, 8 * x.detach().pow(5));
  h.remove_hook(handle);  // the second backward passes h too
  EXPECT_ALLCLOSE(autograd::grad({dx.sum()}, {x})[0], 40 * x.detach().pow(4));
}

TEST(Hooks, OfAViewWithoutHistoryAreNeverCalled) {
  const Tensor x = ones({2}).requires_grad_();
  Tensor view;
  {
    const NoGradGuard no_grad;
    view = x.view({2, 1});
  }
  ASSERT_TRUE(view.requires_grad());  // for its base's sake
  view.remove_hook(view.register_hook([](const Tensor&) { ADD_FAILURE(); }));
  view.register_hook([](const Tensor&) { ADD_FAILURE(); });
  (view * x).sum().backward();
}

}  // namespace
}  // namespace wengert
