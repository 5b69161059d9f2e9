#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

using autograd::variable_list;
using namespace autograd::functional;
using test::arbitrary;

const Tensor kA = arbitrary({3, 3}, -1, 1, 5);

// x² A x-like: f_i = sum_j A_ij x_j², with J_ij = 2 A_ij x_j.
Tensor quadratic(const Tensor& x) { return mv(kA, x * x); }
Tensor cubic(const Tensor& x) { return (x * x * x).sum(); }

TEST(Functional, JacobianOfAQuadratic) {
  const Tensor x = arbitrary({3});
  EXPECT_ALLCLOSE(jacobian(quadratic, x), kA * (2 * x));
}

TEST(Functional, JacobianHasTheShapesOfOutputAndInput) {
  const Tensor x = arbitrary({2, 3});
  const Tensor j = jacobian([](const Tensor& t) { return t.t() * 2; }, x);
  EXPECT_EQ(j.sizes(), IntArrayRef({3, 2, 2, 3}));
  EXPECT_EQ(j[2][1][1][2].item<double>(), 2);
  EXPECT_EQ(j[2][1][0][2].item<double>(), 0);
}

TEST(Functional, JacobianOfSeveralInputsAndOutputs) {
  const variable_list in{arbitrary({2}), arbitrary({2}, -1, 1, 1)};
  const auto f = [](const variable_list& t) { return variable_list{t[0] * t[1], t[1].sum()}; };
  const auto j = jacobian(Function(f), in);
  EXPECT_ALLCLOSE(j[0][0], diag(in[1]));
  EXPECT_ALLCLOSE(j[0][1], diag(in[0]));
  EXPECT_ALLCLOSE(j[1][0], zeros({2}, kDouble));  // the second output does not know the first input
  EXPECT_ALLCLOSE(j[1][1], ones({2}, kDouble));
}

TEST(Functional, HessianOfACubic) {
  const Tensor x = arbitrary({4});
  EXPECT_ALLCLOSE(hessian(cubic, x), diag(6 * x));
  EXPECT_ERROR(hessian(quadratic, arbitrary({3})), "should return a single Tensor with a single element");
}

TEST(Functional, ProductsAgreeWithTheJacobian) {
  const Tensor x = arbitrary({3}), v = arbitrary({3}, -1, 1, 1);
  const Tensor j = jacobian(quadratic, x);
  const auto [y, vj] = vjp(quadratic, x, v);
  EXPECT_ALLCLOSE(y, quadratic(x));
  EXPECT_ALLCLOSE(vj, mv(j.t(), v));
  EXPECT_ALLCLOSE(jvp(quadratic, x, v).second, mv(j, v));
  EXPECT_ERROR(jvp(quadratic, x, ones({2}, kDouble)), "v[0] has shape [2]");
}

TEST(Functional, HessianProducts) {
  const Tensor x = arbitrary({4}), v = arbitrary({4}, -1, 1, 1);
  EXPECT_ALLCLOSE(hvp(cubic, x, v).second, 6 * x * v);
  EXPECT_ALLCLOSE(vhp(cubic, x, v).second, 6 * x * v);
}

TEST(Functional, ResultsAreConstantsUnlessTheGraphIsAskedFor) {
  const Tensor x = arbitrary({3}).requires_grad_();
  EXPECT_FALSE(jacobian(quadratic, x).requires_grad());
  jacobian(quadratic, x, true).sum().backward();  // sum_ij 2 A_ij x_j
  EXPECT_ALLCLOSE(x.grad(), 2 * kA.sum(0));
}

TEST(Functional, LeavesGradsAlone) {
  const Tensor x = arbitrary({3}).requires_grad_();
  hessian(cubic, x);
  EXPECT_FALSE(x.grad().defined());
}

}  // namespace
}  // namespace wengert
