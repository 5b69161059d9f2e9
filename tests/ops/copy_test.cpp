#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

using test::values;

TEST(Clone, HasItsOwnMemoryLaidOutAsTheTensors) {
  const Tensor x = arange(6).view({2, 3}).t();
  for (const Tensor& y : {x.clone(), x.to(kDouble), x.to(x.dtype(), false, true)}) {
    EXPECT_EQ(y.strides(), IntArrayRef({1, 3}));
    EXPECT_FALSE(y.is_alias_of(x));
    EXPECT_TRUE(equal(x.to(y.dtype()), y));
  }
  // Gaps, and elements that share memory, are not copied.
  EXPECT_EQ(x.slice(1, 0, 1).clone().strides(), IntArrayRef({1, 1}));
  EXPECT_TRUE(ones({3, 1}).expand({3, 4}).clone().is_contiguous());
}

TEST(Contiguous, OfALargeTransposeHasItsElements) {
  // Whole squares and rests, with rows that begin at lines of the cache and not, beyond what caches hold and within.
  const std::vector<Dims> shapes{{2112, 2048}, {2111, 2051}, {100, 70}, {64, 64}};
  for (const ScalarType dtype : {kFloat, kDouble, kLong}) {
    for (const Dims& shape : shapes) {
      const Tensor x = arange(shape[0] * shape[1], dtype).view(shape), y = x.t().contiguous();
      const Tensor expected = arange(shape[1], dtype).unsqueeze(1) + arange(shape[0], dtype) * shape[1];
      EXPECT_TRUE(y.is_contiguous());
      EXPECT_TRUE(y.equal(expected)) << dtype << " " << shape[0] << " x " << shape[1];
    }
  }
}

TEST(Contiguous, CopiesOnlyWhenItMust) {
  const Tensor x = ones({2, 3});
  EXPECT_TRUE(x.contiguous().is_same(x));
  EXPECT_FALSE(x.t().contiguous().is_alias_of(x));
}

TEST(To, ConvertsBetweenAllDtypes) {
  const Tensor x = tensor({0.0, 1.0, 2.7}, kDouble);
  EXPECT_EQ(values(x.to(kLong)), (std::vector<double>{0, 1, 2}));
  EXPECT_EQ(values(x.to(kBool)), (std::vector<double>{0, 1, 1}));
  EXPECT_EQ(values(x.to(kBool).to(kFloat)), (std::vector<double>{0, 1, 1}));
  EXPECT_TRUE(x.to(kDouble).is_same(x));
  EXPECT_FALSE(x.to(kDouble, false, true).is_same(x));
  EXPECT_EQ(x.to(dtype(kFloat)).dtype(), kFloat);
}

TEST(To, IsDifferentiable) {
  const Tensor x = ones({2}, requires_grad());
  (x.to(kDouble) * 2).sum().backward();
  EXPECT_EQ(x.grad().dtype(), kFloat);
  EXPECT_EQ(values(x.grad()), (std::vector<double>{2, 2}));
  EXPECT_FALSE(x.to(kLong).requires_grad());
}

TEST(Copy, BroadcastsAndConverts) {
  const Tensor x = zeros({2, 3});
  x.copy_(tensor({1, 2, 3}));
  EXPECT_EQ(values(x), (std::vector<double>{1, 2, 3, 1, 2, 3}));
  EXPECT_ERROR(x.copy_(ones({4})), "The size of tensor a (3) must match the size of tensor b (4)");
  EXPECT_ERROR(ones({2, 1}).copy_(ones({2, 3})), "output with shape [2, 1] doesn't match");
}

TEST(Copy, FromItsOwnMemoryReadsBeforeItWrites) {
  const Tensor x = arange(9).view({3, 3});
  const Tensor expected = x.t().clone();
  x.copy_(x.t());
  EXPECT_TRUE(equal(x, expected));
  const Tensor y = arange(5);
  y.slice(0, 1).copy_(y.slice(0, 0, 4));
  EXPECT_EQ(values(y), (std::vector<double>{0, 0, 1, 2, 3}));
}

TEST(Fill, WritesEveryElementOfAView) {
  const Tensor x = zeros({3, 3});
  x.t()[1].fill_(5);
  x[0].zero_();
  EXPECT_EQ(values(x), (std::vector<double>{0, 0, 0, 0, 5, 0, 0, 5, 0}));
  x.fill_(tensor(2.0));
  EXPECT_TRUE(equal(x, full({3, 3}, 2.0)));
  EXPECT_ERROR(x.fill_(ones({2})), "fill_ only supports 0-dimension value tensor but got tensor with 1 dimensions.");
}

}  // namespace
}  // namespace wengert
