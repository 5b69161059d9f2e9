#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

TEST(Out, WritesIntoTheTensor) {
  Tensor out = zeros({2, 2});
  const Tensor alias = out, a = test::arbitrary({2, 2}, -1, 1, 0, kFloat);
  EXPECT_TRUE(mul_out(out, a, a).is_same(alias));
  EXPECT_TRUE(equal(alias, a * a));
  EXPECT_TRUE(equal(mm_out(out, a, out), mm(a, a * a)));  // also where it reads what it writes
}

TEST(Out, TakesTheShapeOfTheResult) {
  Tensor out = empty({0});
  EXPECT_TRUE(equal(cat_out(out, {ones({2}), zeros({1})}), tensor({1.0, 1.0, 0.0})));
  EXPECT_EQ(sum_out(out, ones({2, 3}), 0).sizes(), IntArrayRef({3}));
}

TEST(Out, ConvertsWhereNothingIsLostInKind) {
  Tensor reals = zeros({2}), whole = zeros({2}, kLong);
  EXPECT_TRUE(equal(add_out(reals, tensor({1, 2}), tensor({3, 4})), tensor({4.0, 6.0})));
  EXPECT_ERROR(exp_out(whole, reals), "result type Float can't be cast to the desired output type Long");
}

TEST(Out, HasNoGradient) {
  Tensor out = zeros({2});
  const Tensor x = ones({2}, requires_grad());
  EXPECT_ERROR(exp_out(out, x), "exp(): functions with out=... arguments don't support automatic differentiation");
  const NoGradGuard no_grad;
  EXPECT_FALSE(exp_out(out, x).requires_grad());
}

}  // namespace
}  // namespace wengert
