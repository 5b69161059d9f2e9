#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

TEST(DeepGraph, AMillionOpsRunBackwardAndAreDestroyedWithoutRecursion) {
  const Tensor x = ones({1}, requires_grad());
  {
    Tensor y = x;
    for (int i = 0; i < 1'000'000; ++i) y = y + 1;
    EXPECT_EQ(y.grad_fn()->level(), 1'000'000u);
    y.backward();
  }
  EXPECT_EQ(x.grad().item<float>(), 1);
}

TEST(DeepGraph, AMillionOpsThatSaveTensorsAreDestroyedUnused) {
  const Tensor x = ones({1}, requires_grad());
  Tensor y = x;
  for (int i = 0; i < 1'000'000; ++i) y = y * x;
  y = Tensor();
  EXPECT_FALSE(x.grad().defined());
}

TEST(DeepGraph, TheGradientsGraphMayBeDeepToo) {
  const Tensor x = full({1}, 1.0, dtype(kDouble).requires_grad(true));
  Tensor y = x;
  for (int i = 0; i < 50'000; ++i) y = y * 1.0;
  const Tensor g = autograd::grad({y * y}, {x}, {}, std::nullopt, true)[0];
  EXPECT_EQ(autograd::grad({g}, {x})[0].item<double>(), 2);
}

TEST(WideGraph, AHundredThousandLeavesOfOneSum) {
  std::vector<Tensor> leaves;
  Tensor total = zeros({});
  for (int i = 0; i < 100'000; ++i) {
    leaves.push_back(ones({}, requires_grad()));
    total = total + leaves.back() * 2;
  }
  total.backward();
  for (const Tensor& leaf : leaves) ASSERT_EQ(leaf.grad().item<float>(), 2);
}

TEST(WideGraph, AHundredThousandPathsThroughOneTensor) {
  const Tensor x = ones({}, dtype(kDouble).requires_grad(true));
  const Tensor y = x * 3;
  Tensor total = zeros({}, kDouble);
  for (int i = 0; i < 100'000; ++i) total = total + y;
  total.backward();
  EXPECT_EQ(x.grad().item<double>(), 300'000);
}

}  // namespace
}  // namespace wengert
