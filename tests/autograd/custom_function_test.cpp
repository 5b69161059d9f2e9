#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

using autograd::AutogradContext;
using autograd::Function;
using autograd::variable_list;
using test::arbitrary;

struct MulAdd : Function<MulAdd> {
  static Tensor forward(AutogradContext* ctx, Tensor a, int64_t factor, Tensor b) {
    ctx->saved_data["factor"] = factor;
    ctx->save_for_backward({a, b});
    return a + factor * b + a * b;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const int64_t factor = ctx->saved_data["factor"].toInt();
    const variable_list saved = ctx->get_saved_variables();
    return {grads[0] + grads[0] * saved[1], Tensor(), grads[0] * factor + grads[0] * saved[0]};
  }
};

TEST(CustomFunction, HasItsOwnGradient) {
  const Tensor x = arbitrary({5, 5}).requires_grad_(), y = arbitrary({5, 5}, -1, 1, 1).requires_grad_();
  const Tensor out = MulAdd::apply(x, 2, y);
  EXPECT_EQ(out.grad_fn()->name(), "MulAddBackward");
  out.sum().backward({}, false, true);
  EXPECT_ALLCLOSE(x.grad().detach(), y.detach() + 1);
  EXPECT_ALLCLOSE(y.grad().detach(), x.detach() + 2);
  for (const Tensor& leaf : {x, y}) leaf.mutable_grad() = Tensor();  // its graph leads to the leaf itself
}

TEST(CustomFunction, HasASecondGradientWhenItsBackwardIsMadeOfOps) {
  const variable_list inputs{arbitrary({3}).requires_grad_(), arbitrary({3}, -1, 1, 1).requires_grad_()};
  const auto function = autograd::returning_one([](const variable_list& in) { return MulAdd::apply(in[0], 3, in[1]); });
  EXPECT_TRUE(autograd::gradcheck(function, inputs));
  EXPECT_TRUE(autograd::gradgradcheck(function, inputs));
}

TEST(CustomFunction, RespectsGradMode) {
  const Tensor x = arbitrary({2}).requires_grad_();
  const NoGradGuard no_grad;
  EXPECT_FALSE(MulAdd::apply(x, 2, x).requires_grad());
}

TEST(CustomFunction, BackwardTwiceIsAnError) {
  const Tensor x = arbitrary({2}).requires_grad_();
  const Tensor loss = MulAdd::apply(x, 2, x).sum();
  loss.backward();
  EXPECT_ERROR(loss.backward(), "Trying to backward through the graph a second time");
}

struct ExpByOutput : Function<ExpByOutput> {
  static Tensor forward(AutogradContext* ctx, Tensor x) {
    const Tensor y = x.exp();
    ctx->save_for_backward({y});
    return y;
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    return {grads[0] * ctx->get_saved_variables()[0]};
  }
};

TEST(CustomFunction, MaySaveItsOutput) {
  const variable_list inputs{arbitrary({3}).requires_grad_()};
  const auto function = autograd::returning_one([](const variable_list& in) { return ExpByOutput::apply(in[0]); });
  EXPECT_TRUE(autograd::gradcheck(function, inputs));
  EXPECT_TRUE(autograd::gradgradcheck(function, inputs));
}

struct Identity : Function<Identity> {
  static Tensor forward(AutogradContext*, Tensor x) { return x; }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0] * 2}; }
};

TEST(CustomFunction, MayReturnItsInput) {
  const Tensor x = ones({1}, requires_grad());
  const Tensor y = Identity::apply(x);
  EXPECT_FALSE(y.is_same(x));
  y.backward(ones({1}), true, true);
  EXPECT_EQ(x.grad().item<float>(), 2);
  EXPECT_TRUE(x.is_leaf());
}

struct DoubleInPlace : Function<DoubleInPlace> {
  static variable_list forward(AutogradContext* ctx, Tensor x) {
    x.mul_(2);
    ctx->mark_dirty({x});
    return {x, x};
  }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0] * 2 + grads[1] * 2}; }
};

TEST(CustomFunction, MayChangeAnInputInPlace) {
  const Tensor leaf = arbitrary({2}).requires_grad_();
  EXPECT_ERROR(DoubleInPlace::apply(leaf),
               "a leaf Variable that requires grad has been used in an in-place operation.");
  const Tensor x = leaf.clone();
  const int64_t version = x._version();
  const variable_list out = DoubleInPlace::apply(x);
  EXPECT_GT(x._version(), version);
  EXPECT_TRUE(equal(out[0], out[1]));
  EXPECT_TRUE(out[0].is_same(x));
}

struct TwoOutputs : Function<TwoOutputs> {
  static variable_list forward(AutogradContext* ctx, Tensor x) {
    const Tensor a = x + 1, b = x + 2;
    ctx->mark_non_differentiable({a});
    return {a, b};
  }
  static variable_list backward(AutogradContext*, variable_list grads) {
    EXPECT_ALLCLOSE(grads[0], zeros({5}, kDouble));  // materialized
    return {grads[1] * 3};
  }
};

TEST(CustomFunction, MayHaveOutputsWithoutGradient) {
  const Tensor x = arbitrary({5}).requires_grad_();
  const variable_list out = TwoOutputs::apply(x);
  EXPECT_FALSE(out[0].requires_grad());
  EXPECT_TRUE(out[1].requires_grad());
  out[1].sum().backward();
  EXPECT_ALLCLOSE(x.grad(), full({5}, 3.0, kDouble));
}

struct Unmaterialized : Function<Unmaterialized> {
  static variable_list forward(AutogradContext* ctx, Tensor x) {
    ctx->set_materialize_grads(false);
    return {x * 1, x * 2};
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    EXPECT_TRUE(ctx->needs_input_grad(0));
    EXPECT_FALSE(grads[0].defined());
    return {grads[1] * 2};
  }
};

TEST(CustomFunction, GetsUndefinedGradientsWhenItAsksForThem) {
  const Tensor x = arbitrary({5}).requires_grad_();
  Unmaterialized::apply(x)[1].sum().backward();
  EXPECT_ALLCLOSE(x.grad(), full({5}, 2.0, kDouble));
}

struct WrongShape : Function<WrongShape> {
  static Tensor forward(AutogradContext*, Tensor x) { return x * 2; }
  static variable_list backward(AutogradContext*, variable_list) { return {ones({10})}; }
};
struct WrongCount : Function<WrongCount> {
  static Tensor forward(AutogradContext*, Tensor x) { return x * 2; }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0], grads[0]}; }
};
struct GradientOfANumber : Function<GradientOfANumber> {
  static Tensor forward(AutogradContext*, Tensor x, double factor) { return x * factor; }
  static variable_list backward(AutogradContext*, variable_list grads) { return {grads[0], grads[0]}; }
};

TEST(CustomFunction, WrongGradientsAreRefused) {
  const Tensor x = arbitrary({5, 5}).requires_grad_();
  EXPECT_ERROR(WrongShape::apply(x).sum().backward(),
               "returned an invalid gradient at index 0 - got [10] but expected shape compatible with [5, 5]");
  EXPECT_ERROR(WrongCount::apply(x).sum().backward(), "returned an incorrect number of gradients (expected 1, got 2)");
  EXPECT_ERROR(GradientOfANumber::apply(x, 2.0).sum().backward(),
               "returned a gradient different than None at position 2");
}

TEST(SavedData, HoldsValuesOfSeveralKinds) {
  EXPECT_EQ(IValue(3).toInt(), 3);
  EXPECT_EQ(IValue(2.5).toDouble(), 2.5);
  EXPECT_TRUE(IValue(true).toBool());
  EXPECT_EQ(IValue("text").toStringRef(), "text");
  EXPECT_EQ(IValue(std::vector<int64_t>{1, 2}).toIntVector(), (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(IValue(ones({3})).toTensor().numel(), 3);
  EXPECT_TRUE(IValue().isNone());
  EXPECT_ERROR(IValue(3).toTensor(), "expected a Tensor");
}

// A backward that runs a backward, which runs a backward, and so on `depth` times.
struct Nested : Function<Nested> {
  static Tensor forward(AutogradContext* ctx, const Tensor& depth) {
    const AutoGradMode enabled(true);
    ctx->saved_data["rest"] = autograd::make_variable(depth, true) - 1;
    return ctx->saved_data["rest"].toTensor().detach();
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const Tensor rest = ctx->saved_data["rest"].toTensor();
    check_depth(rest);
    if (rest.is_nonzero()) {
      const AutoGradMode enabled(true);
      apply(rest).sum().backward();
    }
    return grads;
  }
  static void check_depth(const Tensor& rest) {
    if (rest.item<double>() == fails_at) throw Error("too deep");
  }
  static inline double fails_at = -1;
};

TEST(ReentrantBackward, NestsAsDeepAsItLikes) {
  const Tensor depth = tensor({8193.0}, requires_grad());
  Nested::apply(depth).sum().backward();
  EXPECT_EQ(depth.grad().item<double>(), 1);
}

TEST(ReentrantBackward, AnExceptionComesThroughAllOfIt) {
  Nested::fails_at = 5;
  const Tensor depth = tensor({200.0}, requires_grad());
  EXPECT_ERROR(Nested::apply(depth).sum().backward(), "too deep");
  Nested::fails_at = -1;
  // The engine is as good as before.
  Nested::apply(depth).sum().backward();
  EXPECT_EQ(depth.grad().item<double>(), 1);
}

TEST(ReentrantBackward, TheInnerRunComesBeforeWhatWaitsOutside) {
  static std::vector<int> order;
  struct Note : Function<Note> {
    static Tensor forward(AutogradContext*, const Tensor& x) { return x.clone(); }
    static variable_list backward(AutogradContext*, variable_list grads) {
      order.push_back(0);
      return grads;
    }
  };
  struct Inner : Function<Inner> {
    static Tensor forward(AutogradContext* ctx, const Tensor& x) {
      ctx->save_for_backward({x});
      return x.clone();
    }
    static variable_list backward(AutogradContext* ctx, variable_list grads) {
      const AutoGradMode enabled(true);
      order.push_back(1);
      const Tensor x = ctx->get_saved_variables()[0].detach().requires_grad_();
      (x * x).sum().backward();
      order.push_back(2);
      return grads;
    }
  };
  const Tensor a = Note::apply(ones({1}, requires_grad())), b = Inner::apply(ones({1}, requires_grad()));
  (a * b).backward();
  EXPECT_EQ(order, (std::vector<int>{1, 2, 0}));
}

}  // namespace
}  // namespace wengert
