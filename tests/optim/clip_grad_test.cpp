#include <gtest/gtest.h>
#include <support/inputs.h>

#include <cmath>
#include <limits>

namespace wengert {
namespace {

using nn::utils::clip_grad_norm_;
using nn::utils::clip_grad_value_;

Tensor with_grad(const Tensor& grad) {
  const Tensor parameter = zeros_like(grad).requires_grad_();
  parameter.mutable_grad() = grad.clone();
  return parameter;
}

TEST(ClipGradNorm, ScalesAllGradientsTogether) {
  const Tensor a = with_grad(tensor({3.0, 0.0}, kDouble)), b = with_grad(tensor({4.0}, kDouble)),
               without = zeros({2}, requires_grad());
  EXPECT_DOUBLE_EQ(clip_grad_norm_({a, b, without}, 1.0), 5.0);
  EXPECT_ALLCLOSE(a.grad(), tensor({0.6, 0.0}, kDouble));
  EXPECT_ALLCLOSE(b.grad(), tensor({0.8}, kDouble));
}

TEST(ClipGradNorm, LeavesSmallGradientsAlone) {
  const Tensor a = with_grad(tensor({0.3, 0.4}, kDouble));
  EXPECT_DOUBLE_EQ(clip_grad_norm_(a, 1.0), 0.5);
  EXPECT_TRUE(equal(a.grad(), tensor({0.3, 0.4}, kDouble)));
}

TEST(ClipGradNorm, TakesOtherNorms) {
  const Tensor a = with_grad(tensor({3.0, -4.0}, kDouble));
  EXPECT_DOUBLE_EQ(clip_grad_norm_(a, 100, 1), 7);
  EXPECT_DOUBLE_EQ(clip_grad_norm_(a, 100, std::numeric_limits<double>::infinity()), 4);
}

TEST(ClipGradNorm, ThrowsOnRequestBeforeAnythingIsChanged) {
  const Tensor a = with_grad(tensor({std::nan(""), 1.0}, kDouble));
  EXPECT_ERROR(clip_grad_norm_(a, 1.0, 2.0, true), "is non-finite, so it cannot be clipped");
  EXPECT_EQ(a.grad()[1].item<double>(), 1);
}

TEST(ClipGradNorm, OfNoGradientsIsZero) { EXPECT_EQ(clip_grad_norm_(zeros({2}, requires_grad()), 1), 0); }

TEST(ClipGradValue, LimitsEveryElement) {
  const Tensor a = with_grad(tensor({3.0, -4.0, 0.5}, kDouble));
  clip_grad_value_({a, zeros({1}, requires_grad())}, 2.5);
  EXPECT_TRUE(equal(a.grad(), tensor({2.5, -2.5, 0.5}, kDouble)));
}

TEST(ParametersToVector, AndBack) {
  const std::vector<Tensor> parameters{arange(4, kFloat).view({2, 2}), arange(3, kFloat)};
  const Tensor vector = nn::utils::parameters_to_vector(parameters);
  EXPECT_EQ(vector.numel(), 7);
  const std::vector<Tensor> others{zeros({2, 2}), zeros({3})};
  nn::utils::vector_to_parameters(vector, others);
  EXPECT_TRUE(equal(others[0], parameters[0]));
  EXPECT_TRUE(equal(others[1], parameters[1]));
}

}  // namespace
}  // namespace wengert
