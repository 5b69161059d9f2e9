#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

using test::arbitrary;

Tensor example() {
  return sparse_coo_tensor(tensor({{2, 0, 2}}), tensor({{1.0, 2.0}, {3.0, 4.0}, {5.0, 6.0}}), {4, 2});
}

TEST(Sparse, IsPositionsAndValues) {
  const Tensor x = example();
  EXPECT_TRUE(x.is_sparse());
  EXPECT_EQ(x.sizes(), IntArrayRef({4, 2}));
  EXPECT_EQ(x._nnz(), 3);
  EXPECT_TRUE(equal(x.to_dense(), tensor({{3.0, 4.0}, {0.0, 0.0}, {6.0, 8.0}, {0.0, 0.0}})));
}

TEST(Sparse, CoalesceAddsWhatIsAtOnePosition) {
  const Tensor x = example().coalesce();
  EXPECT_TRUE(x.is_coalesced());
  EXPECT_TRUE(equal(x.indices(), tensor({{0, 2}})));
  EXPECT_TRUE(equal(x.values(), tensor({{3.0, 4.0}, {6.0, 8.0}})));
  EXPECT_TRUE(equal(x.to_dense(), example().to_dense()));
  EXPECT_ERROR(example().values(), "please call .coalesce() first");
}

TEST(Sparse, AddsToSparseAndDense) {
  const Tensor x = example(), y = arbitrary({4, 2}, -1, 1, 0, kFloat);
  EXPECT_TRUE((x + x).is_sparse());
  EXPECT_ALLCLOSE(add(x, x, 2).to_dense(), 3 * x.to_dense());
  EXPECT_ALLCLOSE(y + x, y + x.to_dense());
  EXPECT_ALLCLOSE(add(x, y, 2), x.to_dense() + 2 * y);
  const Tensor z = y.t().clone().t();  // not contiguous
  z.add_(x, -0.5);
  EXPECT_ALLCLOSE(z, y - 0.5 * x.to_dense());
  EXPECT_ALLCLOSE((x * 3).to_dense(), 3 * x.to_dense());
  const Tensor scaled = x.clone();
  scaled.mul_(2);
  EXPECT_ALLCLOSE(scaled.to_dense(), 2 * x.to_dense());
  EXPECT_EQ(scaled.zero_()._nnz(), 0);
}

TEST(Sparse, SeveralSparseDimensions) {
  const Tensor x = sparse_coo_tensor(tensor({{0, 1, 1}, {2, 0, 0}}), tensor({1.0, 2.0, 3.0}), {2, 3});
  EXPECT_TRUE(equal(x.to_dense(), tensor({{0.0, 0.0, 1.0}, {5.0, 0.0, 0.0}})));
  EXPECT_EQ(x.coalesce()._nnz(), 2);
}

TEST(Sparse, AllElseIsRefused) {
  const Tensor x = example();
  EXPECT_ERROR(exp(x), "Cannot access data pointer of Tensor that doesn't have storage");
  EXPECT_ERROR(x.view({8}), "Sparse tensors have no views");
  EXPECT_ERROR(x.sum(), "doesn't have storage");
  EXPECT_ERROR(ones({2})._nnz(), "expected sparse coordinate tensor layout but got Strided");
  EXPECT_ERROR(sparse_coo_tensor(tensor({{4}}), ones({1, 2}), {4, 2}), "size is inconsistent with indices");
  EXPECT_ERROR(sparse_coo_tensor(tensor({{1}}), ones({2, 2}), {4, 2}),
               "must have same nnz, but got nnz from indices: 1, nnz from values: 2");
}

TEST(Sparse, PrintsItsParts) {
  EXPECT_EQ(str(sparse_coo_tensor(tensor({{1}}), tensor({2.0}), {3})),
            "tensor(indices=tensor([[1]]),\n       values=tensor([2.]),\n       size=(3,), nnz=1, "
            "layout=torch.sparse_coo)");
}

TEST(SparseEmbedding, HasTheDenseGradientInFewPositions) {
  const Tensor weight = arbitrary({100, 3}).requires_grad_(), words = tensor({{1, 3, 1}, {7, 1, 0}});
  const auto gradient = [&](bool sparse) {
    weight.mutable_grad() = Tensor();
    (embedding(weight, words, 7, false, sparse) * arbitrary({2, 3, 3}, -1, 1, 1)).sum().backward();
    return weight.grad();
  };
  const Tensor sparse = gradient(true), dense = gradient(false);
  EXPECT_TRUE(sparse.is_sparse());
  EXPECT_EQ(sparse._nnz(), 6);
  EXPECT_ALLCLOSE(sparse.to_dense(), dense);
}

TEST(SparseEmbedding, GradientsFromSeveralPathsAreAdded) {
  const Tensor weight = arbitrary({10, 2}).requires_grad_();
  const Tensor a = embedding(weight, tensor({1, 2}), -1, false, true),
               b = embedding(weight, tensor({2, 3}), -1, false, true);
  (a.sum() + 2 * b.sum()).backward(Tensor(), true);
  EXPECT_TRUE(weight.grad().is_sparse());
  (a.sum()).backward(Tensor(), true);
  EXPECT_ALLCLOSE(weight.grad().to_dense().sum(1), tensor({0.0, 4.0, 8.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0}, kDouble));
  (weight * 1 + 0).sum().backward();  // a dense one makes the sum dense
  EXPECT_FALSE(weight.grad().is_sparse());
  EXPECT_ALLCLOSE(weight.grad().sum(1)[2], tensor(10.0, kDouble));
}

TEST(SparseEmbedding, SgdStepsOnTheRowsThatWereUsed) {
  const Tensor weight = ones({5, 2}, requires_grad());
  optim::SGD sgd({weight}, 0.5);
  embedding(weight, tensor({3, 3}), -1, false, true).sum().backward();
  sgd.step();
  EXPECT_TRUE(equal(weight, tensor({{1.0, 1.0}, {1.0, 1.0}, {1.0, 1.0}, {0.0, 0.0}, {1.0, 1.0}})));
}

}  // namespace
}  // namespace wengert
