#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

using test::values;
using Values = std::vector<double>;

TEST(Factories, FillWhatTheyMake) {
  EXPECT_EQ(values(zeros({2})), (Values{0, 0}));
  EXPECT_EQ(values(ones({2}, kLong)), (Values{1, 1}));
  EXPECT_EQ(values(full({2}, 2.5)), (Values{2.5, 2.5}));
  EXPECT_EQ(values(eye(2, 3)), (Values{1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(values(arange(3)), (Values{0, 1, 2}));
  EXPECT_EQ(values(arange(1, 8, 3)), (Values{1, 4, 7}));
  EXPECT_EQ(values(arange(3, 0, -1)), (Values{3, 2, 1}));
  EXPECT_EQ(values(arange(0.0, 1.0, 0.25)), (Values{0, 0.25, 0.5, 0.75}));
  EXPECT_EQ(values(linspace(0, 1, 5)), (Values{0, 0.25, 0.5, 0.75, 1}));
  EXPECT_EQ(values(linspace(3, 5, 1)), (Values{3}));
  EXPECT_EQ(linspace(0, 1, 0).numel(), 0);
}

TEST(Factories, ChooseTheDtype) {
  EXPECT_EQ(ones({2}).dtype(), kFloat);
  EXPECT_EQ(ones({2}, kDouble).dtype(), kDouble);
  EXPECT_EQ(full({2}, 3).dtype(), kLong);
  EXPECT_EQ(full({2}, true).dtype(), kBool);
  EXPECT_EQ(full({2}, 3.0).dtype(), kFloat);
  EXPECT_EQ(arange(3).dtype(), kLong);
  EXPECT_EQ(arange(3.0).dtype(), kFloat);
  EXPECT_EQ(zeros_like(ones({2}, kDouble)).dtype(), kDouble);
  EXPECT_EQ(ones_like(ones({2}, kDouble), kLong).dtype(), kLong);
  EXPECT_EQ(full_like(ones({2}), 4).dtype(), kFloat);
}

TEST(Factories, MakeLeavesThatRequireGrad) {
  for (const Tensor& x :
       {zeros({2}, requires_grad()), tensor({1.0, 2.0}, requires_grad()), rand({2}, requires_grad())}) {
    EXPECT_TRUE(x.requires_grad());
    EXPECT_TRUE(x.is_leaf());
  }
}

TEST(Factories, TakeOneSizeForAList) { EXPECT_EQ(zeros(3).sizes(), IntArrayRef({3})); }

TEST(TensorOf, Lists) {
  EXPECT_EQ(tensor({{1, 2, 3}, {4, 5, 6}}).sizes(), IntArrayRef({2, 3}));
  EXPECT_EQ(values(tensor({{1, 2, 3}, {4, 5, 6}})), (Values{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(tensor({{1, 2}}).sizes(), IntArrayRef({1, 2}));
  EXPECT_EQ(tensor(1.5).dim(), 0);
  EXPECT_EQ(tensor({1.5}).dim(), 1);
  EXPECT_EQ(tensor({1, 2}).dtype(), kLong);
  EXPECT_EQ(tensor({true, false}).dtype(), kBool);
  EXPECT_EQ(tensor({1.0, 2.0}).dtype(), kFloat);
  EXPECT_EQ(tensor(std::vector<double>{1, 2}).dtype(), kFloat);
  EXPECT_EQ(tensor(std::vector<int64_t>{1, 2}).dtype(), kLong);
  EXPECT_EQ(tensor({1, 2}, kDouble).dtype(), kDouble);
  EXPECT_EQ(values(tensor({int64_t{1} << 60}))[0], 0x1p60);
  EXPECT_ERROR(tensor({TensorData(1), TensorData(2.0)}), "Expected all elements of the tensor to have the same scalar");
}

TEST(DefaultDtype, MayBeDouble) {
  set_default_dtype(kDouble);
  EXPECT_EQ(ones({1}).dtype(), kDouble);
  EXPECT_EQ(tensor({1.0}).dtype(), kDouble);
  EXPECT_EQ(ones({1}, kLong).exp().dtype(), kDouble);
  set_default_dtype(kFloat);
  EXPECT_ERROR(set_default_dtype(kLong), "only floating-point types are supported as the default type");
}

TEST(FromBlob, ReadsAndWritesTheCallersMemory) {
  std::vector<float> memory{1, 2, 3, 4, 5, 6};
  const Tensor x = from_blob(memory.data(), {2, 3});
  x.mul_(2);
  EXPECT_EQ(memory[5], 12);
  const Tensor column_major = from_blob(memory.data(), {3, 2}, {1, 3});
  EXPECT_EQ(values(column_major), (Values{2, 8, 4, 10, 6, 12}));
}

TEST(FromBlob, CallsTheDeleterWhenTheLastTensorIsGone) {
  float memory[2] = {1, 2};
  void* released = nullptr;
  {
    const Tensor x = from_blob(memory, {2}, [&](void* data) { released = data; });
    const Tensor view = x[0];
    EXPECT_EQ(released, nullptr);
  }
  EXPECT_EQ(released, memory);
}

TEST(EmptyStrided, ReachesItsLastElement) {
  const Tensor x = empty_strided({2, 3}, {1, 2});
  EXPECT_EQ(x.strides(), IntArrayRef({1, 2}));
  EXPECT_EQ(x.impl()->storage->nbytes(), 6 * sizeof(float));
  EXPECT_FALSE(x.is_contiguous());
}

TEST(Factories, LogspaceGivesPowersFromEndToEnd) {
  EXPECT_TRUE(equal(logspace(0, 3, 4, 10, kDouble), tensor({1.0, 10.0, 100.0, 1000.0})));
  EXPECT_TRUE(equal(logspace(1, 0, 2, 2), tensor({2.0f, 1.0f})));
  EXPECT_THROW(logspace(0, 1, -1), Error);
}

}  // namespace
}  // namespace wengert
