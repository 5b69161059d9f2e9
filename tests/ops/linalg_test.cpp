#include <gtest/gtest.h>
#include <support/inputs.h>

#include <cmath>

namespace wengert {
namespace {

using test::arbitrary;

Tensor definite(IntArrayRef sizes) {
  const Tensor a = arbitrary(sizes);
  return matmul(a, a.transpose(-1, -2)) + eye(a.size(-1), kDouble);
}

TEST(Solve, GivesBackWhatItWasMadeFrom) {
  const Tensor a = arbitrary({2, 4, 4}), x = arbitrary({2, 4, 3}, -1, 1, 1);
  EXPECT_ALLCLOSE(linalg_solve(a, matmul(a, x)), x);
  EXPECT_ALLCLOSE(linalg_solve(a[0], mv(a[0], x[0].select(1, 0))), x[0].select(1, 0));
  EXPECT_ALLCLOSE(matmul(a, inverse(a)), eye(4, kDouble).expand({2, 4, 4}));
  // A vector for each matrix.
  EXPECT_ALLCLOSE(linalg_solve(a, matmul(a, x).select(2, 1)), x.select(2, 1));
  // Any layout.
  EXPECT_ALLCLOSE(linalg_solve(a[0].t(), mm(a[0].t(), x[0])), x[0]);
}

// The gradient of a determinant is the matrix of cofactors, which a singular matrix has too.
TEST(Det, GradientOfSingularMatricesIsTheirCofactors) {
  const auto gradient = [](const Tensor& a) {
    const Tensor leaf = a.clone().requires_grad_();
    linalg_det(leaf).sum().backward();
    return leaf.grad();
  };
  const Tensor rank_one = tensor({{1., 2.}, {2., 4.}}, kDouble);
  EXPECT_ALLCLOSE(gradient(rank_one), tensor({{4., -2.}, {-2., 1.}}, kDouble));
  EXPECT_ALLCLOSE(gradient(zeros({2, 2}, kDouble)), zeros({2, 2}, kDouble));
  EXPECT_ALLCLOSE(gradient(zeros({1, 1}, kDouble)), ones({1, 1}, kDouble));
  EXPECT_ALLCLOSE(gradient(tensor({{1., 2., 3.}, {2., 4., 6.}, {3., 6., 9.}}, kDouble)), zeros({3, 3}, kDouble));
  EXPECT_ALLCLOSE(gradient(tensor({{1., 0., 0.}, {0., 0., 0.}, {0., 0., 2.}}, kDouble)),
                  tensor({{0., 0., 0.}, {0., 2., 0.}, {0., 0., 0.}}, kDouble));
  const Tensor regular = arbitrary({2, 2});
  const Tensor of_batch = gradient(stack({rank_one, regular, zeros({2, 2}, kDouble)}));
  EXPECT_ALLCLOSE(of_batch[0], gradient(rank_one));
  EXPECT_ALLCLOSE(of_batch[1], gradient(regular));
  EXPECT_ALLCLOSE(of_batch[2], zeros({2, 2}, kDouble));
}

TEST(Solve, RefusesSingularMatrices) {
  const Tensor singular = tensor({{1.0, 2.0}, {2.0, 4.0}});
  EXPECT_ERROR(linalg_solve(singular, ones({2})),
               "linalg.solve: The solver failed because the input matrix is singular.");
  EXPECT_ERROR(inverse(singular), "linalg.inv: The diagonal element 2 is zero");
  EXPECT_ERROR(inverse(ones({2, 3})), "linalg.inv: A must be batches of square matrices, but they are 2 by 3 matrices");
  EXPECT_ERROR(inverse(ones({3})), "linalg.inv: The input tensor A must have at least 2 dimensions.");
  EXPECT_ERROR(inverse(ones({2, 2}, kLong)),
               "linalg.inv: Expected a floating point or complex tensor as input. Got Long");
}

TEST(Cholesky, IsATriangleWhoseSquareIsTheMatrix) {
  const Tensor a = definite({2, 4, 4}), l = linalg_cholesky(a), u = linalg_cholesky(a, true);
  EXPECT_ALLCLOSE(matmul(l, l.transpose(-1, -2)), a);
  EXPECT_TRUE(equal(l, tril(l)));
  EXPECT_ALLCLOSE(u, l.transpose(-1, -2));
  EXPECT_ERROR(cholesky(tensor({{1.0, 0.0}, {0.0, -1.0}})), "(the leading minor of order 2 is not positive-definite)");
}

TEST(Determinant, OfKnownMatrices) {
  const Tensor a = tensor({{0.0, 2.0}, {3.0, 4.0}}, kDouble);
  EXPECT_NEAR(det(a).item<double>(), -6, 1e-12);
  EXPECT_EQ(det(tensor({{0.0, 3.0}, {2.0, 0.0}})).item<double>(), -6);  // no logarithms on the way
  EXPECT_EQ(det(zeros({2, 0, 0})).sum().item<double>(), 2);
  EXPECT_TRUE(std::isnan(logdet(a).item<double>()));
  const auto [sign, log_size] = slogdet(a);
  EXPECT_EQ(sign.item<double>(), -1);
  EXPECT_NEAR(log_size.item<double>(), std::log(6.0), 1e-12);
  EXPECT_EQ(logdet(zeros({2, 2})).item<double>(), -std::numeric_limits<double>::infinity());
}

TEST(Svd, GivesBackTheMatrix) {
  for (const Dims& shape : {Dims{5, 3}, Dims{3, 5}, Dims{4, 4}, Dims{2, 5, 3}}) {
    const Tensor a = arbitrary(shape);
    const auto [u, s, vh] = linalg_svd(a, false);
    EXPECT_ALLCLOSE(matmul(u * s.unsqueeze(-2), vh), a);
    EXPECT_ALLCLOSE(matmul(u.transpose(-1, -2), u), eye(s.size(-1), kDouble).expand_as(matmul(u.transpose(-1, -2), u)));
    EXPECT_TRUE(all(s.narrow(-1, 0, s.size(-1) - 1) >= s.narrow(-1, 1, s.size(-1) - 1)).item<bool>());
  }
  EXPECT_ERROR(linalg_svd(ones({2, 3})), "only the thin decomposition is offered");
}

TEST(Qr, GivesBackTheMatrix) {
  for (const Dims& shape : {Dims{5, 3}, Dims{3, 5}, Dims{2, 4, 4}}) {
    const Tensor a = arbitrary(shape);
    const auto [q, r] = linalg_qr(a);
    EXPECT_ALLCLOSE(matmul(q, r), a);
    EXPECT_TRUE(equal(r, triu(r)));
  }
}

TEST(Eigh, GivesBackTheMatrixFromEitherTriangle) {
  const Tensor a = definite({3, 3});
  const auto [w, v] = linalg_eigh(a);
  EXPECT_ALLCLOSE(mm(v * w, v.t()), a);
  EXPECT_ALLCLOSE(std::get<0>(linalg_eigh(triu(a), "U")), w);
  EXPECT_ERROR(linalg_eigh(a, "X"), "Expected UPLO argument to be 'L' or 'U', but got X");
}

TEST(Linalg, TakesEmptyBatches) {
  EXPECT_EQ(inverse(ones({0, 3, 3})).sizes(), IntArrayRef({0, 3, 3}));
  EXPECT_EQ(std::get<1>(linalg_svd(ones({0, 2, 3}), false)).sizes(), IntArrayRef({0, 2}));
}

TEST(Einsum, OfKnownContractions) {
  const Tensor a = arbitrary({3, 4}), b = arbitrary({4, 2}, -1, 1, 1);
  EXPECT_ALLCLOSE(einsum("ij,jk->ik", {a, b}), mm(a, b));
  EXPECT_ALLCLOSE(einsum("ij,jk", {a, b}), mm(a, b));
  EXPECT_ALLCLOSE(einsum("ij->ji", {a}), a.t());
  EXPECT_ALLCLOSE(einsum("ij->", {a}), a.sum());
  EXPECT_ALLCLOSE(einsum("ij,ij->i", {a, a}), (a * a).sum(1));
  EXPECT_ERROR(einsum("ij,jk->ik", {a}), "einsum(): fewer operands were provided");
  EXPECT_ERROR(einsum("ij->ij", {a, a}), "einsum(): more operands were provided");
  EXPECT_ERROR(einsum("ij->iz", {a}), "einsum(): output subscript z does not appear in the equation");
  EXPECT_ERROR(einsum("i->i", {a}), "einsum(): the number of subscripts in the equation (1) does not match");
}

}  // namespace
}  // namespace wengert
