#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

using autograd::gradcheck;
using autograd::gradgradcheck;
using autograd::returning_one;
using autograd::variable_list;
using test::arbitrary;

struct WrongSquare : autograd::Function<WrongSquare> {
  static Tensor forward(autograd::AutogradContext* ctx, Tensor x) {
    ctx->save_for_backward({x});
    return x * x;
  }
  static variable_list backward(autograd::AutogradContext* ctx, variable_list grads) {
    return {grads[0] * ctx->get_saved_variables()[0] * 3};  // should be 2
  }
};

// The first gradient is right, but depends on x in a way that is hidden from the graph.
struct HiddenSquare : autograd::Function<HiddenSquare> {
  static Tensor forward(autograd::AutogradContext* ctx, Tensor x) {
    ctx->save_for_backward({x});
    return x * x;
  }
  static variable_list backward(autograd::AutogradContext* ctx, variable_list grads) {
    return {grads[0] * ctx->get_saved_variables()[0].detach() * 2};
  }
};

TEST(Gradcheck, PassesARightGradient) {
  const variable_list inputs{arbitrary({2, 3}).requires_grad_(), arbitrary({3}, -1, 1, 1).requires_grad_()};
  EXPECT_TRUE(gradcheck([](const variable_list& in) { return variable_list{in[0] * in[1], in[0].exp()}; }, inputs));
}

TEST(Gradcheck, NamesTheEntryBothValuesAndTheTolerance) {
  const variable_list inputs{tensor({1.0, 2.0}, dtype(kDouble).requires_grad(true))};
  const auto square = returning_one([](const variable_list& in) { return WrongSquare::apply(in[0]); });
  const std::string text = test::error_of([&] { gradcheck(square, inputs); });
  EXPECT_NE(text.find("Jacobian mismatch for output 0 with respect to input 0"), std::string::npos) << text;
  EXPECT_NE(text.find("d output[0] / d input[0] is 3"), std::string::npos) << text;
  EXPECT_NE(text.find("analytically and 2.0000"), std::string::npos) << text;
  EXPECT_NE(text.find("more than atol 1e-05 + rtol 0.001"), std::string::npos) << text;
  EXPECT_FALSE(gradcheck(square, inputs, {.raise_exception = false}));
}

TEST(Gradcheck, SeesAMissingGradient) {
  const variable_list inputs{arbitrary({2}).requires_grad_()};
  EXPECT_FALSE(gradcheck(returning_one([](const variable_list& in) { return in[0].detach() * 2; }), inputs,
                         {.raise_exception = false}));
}

TEST(Gradcheck, WorksOnInputsWithGaps) {
  const variable_list inputs{test::with_gaps(arbitrary({2, 3})).requires_grad_()};
  EXPECT_TRUE(gradcheck(returning_one([](const variable_list& in) { return in[0].t().exp(); }), inputs));
}

TEST(Gradcheck, NeedsAnInputThatRequiresGrad) {
  EXPECT_ERROR(gradcheck(returning_one([](const variable_list& in) { return in[0] * 2; }), {ones({2})}),
               "gradcheck expects at least one input tensor to require gradient");
}

TEST(Gradgradcheck, SeesWhatTheFirstGradientHides) {
  const variable_list inputs{arbitrary({2}, 0.5, 1).requires_grad_()};
  const auto square = returning_one([](const variable_list& in) { return HiddenSquare::apply(in[0]); });
  EXPECT_TRUE(gradcheck(square, inputs));
  EXPECT_FALSE(gradgradcheck(square, inputs, {}, {.raise_exception = false}));
  EXPECT_TRUE(gradgradcheck(returning_one([](const variable_list& in) { return in[0] * in[0]; }), inputs));
}

}  // namespace
}  // namespace wengert
