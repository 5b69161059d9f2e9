#include <gtest/gtest.h>
#include <support/inputs.h>

#include <cmath>

namespace wengert {
namespace {

using test::arbitrary;

TEST(Losses, OfDifferencesAtKnownPoints) {
  const Tensor x = tensor({0.0, 0.5, 3.0}, kDouble), t = zeros({3}, kDouble);
  EXPECT_ALLCLOSE(mse_loss(x, t, Reduction::None), tensor({0.0, 0.25, 9.0}, kDouble));
  EXPECT_NEAR(mse_loss(x, t).item<double>(), 9.25 / 3, 1e-12);
  EXPECT_ALLCLOSE(l1_loss(x, t, Reduction::Sum), tensor(3.5, kDouble));
  EXPECT_ALLCLOSE(smooth_l1_loss(x, t, Reduction::None), tensor({0.0, 0.125, 2.5}, kDouble));
  EXPECT_ALLCLOSE(huber_loss(x, t, Reduction::None, 2), tensor({0.0, 0.125, 4.0}, kDouble));
  EXPECT_ERROR(mse_loss(x, t, 7), "7 is not a valid value for reduction");
}

TEST(BinaryCrossEntropy, WithAndWithoutLogitsAgree) {
  const Tensor x = arbitrary({3, 4}), t = arbitrary({3, 4}, 0, 1, 1), w = arbitrary({4}, 0.5, 1, 2);
  EXPECT_ALLCLOSE(binary_cross_entropy(sigmoid(x), t, w), binary_cross_entropy_with_logits(x, t, w));
  EXPECT_TRUE(std::isfinite(binary_cross_entropy_with_logits(full({1}, 1e4), zeros({1})).item<double>()));
  EXPECT_EQ(binary_cross_entropy(zeros({1}), ones({1})).item<double>(), 100);  // the logarithm's limit
  EXPECT_ERROR(binary_cross_entropy(full({1}, 2.0), ones({1})), "all elements of input should be between 0 and 1");
}

// libtorch keeps the constant as a float.
TEST(BinaryCrossEntropy, HasAGradientNoSteeperThanLibtorchs) {
  const Tensor x = full({1}, 1e-14, kDouble).requires_grad_();
  binary_cross_entropy(x, ones({1}, kDouble)).backward();
  EXPECT_DOUBLE_EQ(x.grad().item<double>(), (1e-14 - 1) / static_cast<double>(1e-12F));
}

TEST(NllLoss, WeighsAndIgnoresClasses) {
  const Tensor x = log_softmax(arbitrary({3, 4}), 1), t = tensor({2, 0, 3}), w = tensor({1.0, 1.0, 2.0, 4.0}, kDouble);
  const double expected = -(2 * x[0][2] + x[1][0] + 4 * x[2][3]).item<double>() / 7;
  EXPECT_NEAR(nll_loss(x, t, w).item<double>(), expected, 1e-12);
  EXPECT_NEAR(nll_loss(x, t, {}, Reduction::Sum, 0).item<double>(), -(x[0][2] + x[2][3]).item<double>(), 1e-12);
  EXPECT_ERROR(nll_loss(x, tensor({2, 0, 4})), "Target 4 is out of bounds.");
  EXPECT_ERROR(nll_loss(zeros({3, 4, 1}), zeros({3, 2}, kLong)),
               "size mismatch (got input: [3, 4, 1], target: [3, 2])");
}

TEST(CrossEntropy, TakesClassesOrProbabilities) {
  const Tensor x = arbitrary({3, 4}), t = tensor({2, 0, 3});
  const Tensor one_hot = zeros({3, 4}, kDouble).scatter(1, t.unsqueeze(1), 1);
  EXPECT_ALLCLOSE(cross_entropy_loss(x, t), nll_loss(log_softmax(x, 1), t));
  EXPECT_ALLCLOSE(cross_entropy_loss(x, t), cross_entropy_loss(x, one_hot));
  EXPECT_ALLCLOSE(cross_entropy_loss(x, t, {}, Reduction::Mean, -100, 0.2),
                  cross_entropy_loss(x, one_hot * 0.8 + 0.05));
  EXPECT_ALLCLOSE(cross_entropy_loss(x, one_hot, {}, Reduction::Mean, -100, 0.2),
                  cross_entropy_loss(x, one_hot * 0.8 + 0.05));
}

TEST(Embedding, LooksRowsUp) {
  const Tensor weight = arbitrary({5, 3}).requires_grad_();
  const Tensor y = embedding(weight, tensor({{1, 3}, {1, 0}}), 3);
  EXPECT_TRUE(equal(y[0][1], weight[3]));
  y.sum().backward();
  EXPECT_TRUE(equal(weight.grad().sum(1), tensor({3.0, 6.0, 0.0, 0.0, 0.0}, kDouble)));  // none for the padding
  EXPECT_ERROR(embedding(weight, tensor({5})), "index 5 is out of bounds for dimension 0 with size 5");
}

TEST(Dropout, KeepsTheMeanAndDropsThePart) {
  manual_seed(3);
  const Tensor y = dropout(ones({100000}), 0.25, true);
  EXPECT_NEAR(y.mean().item<double>(), 1, 0.02);
  EXPECT_NEAR((y == 0).to(kDouble).mean().item<double>(), 0.25, 0.01);
  const Tensor x = ones({2});
  EXPECT_TRUE(dropout(x, 0.25, false).is_same(x));
  EXPECT_EQ(dropout(x, 1, true).sum().item<double>(), 0);
  EXPECT_ERROR(dropout(x, 1.5, true), "dropout probability has to be between 0 and 1, but got 1.5");
}

TEST(LayerNorm, HasMeanZeroAndVarianceOne) {
  const Tensor y = layer_norm(arbitrary({5, 8}), {8});
  EXPECT_ALLCLOSE(y.mean({1}), zeros({5}, kDouble));
  EXPECT_TRUE(allclose(var(y, {1}, false), ones({5}, kDouble), 1e-4));
  EXPECT_ERROR(layer_norm(ones({2, 3}), {4}), "expected input with shape [*, 4], but got input of size[2, 3]");
}

}  // namespace
}  // namespace wengert
