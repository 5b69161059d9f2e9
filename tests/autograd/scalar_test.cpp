#include <gtest/gtest.h>
#include <wengert/autograd/base/scalar.h>

namespace wengert {
namespace {

TEST(Scalar, KeepsTheKindOfNumber) {
  EXPECT_EQ(Scalar(1).type(), kLong);
  EXPECT_EQ(Scalar(1.5f).type(), kDouble);
  EXPECT_EQ(Scalar(true).type(), kBool);
}

TEST(Scalar, KeepsAllBitsOfAWholeNumber) { EXPECT_EQ(Scalar((int64_t{1} << 62) + 1).toLong(), (int64_t{1} << 62) + 1); }

TEST(Scalar, Converts) {
  EXPECT_EQ(Scalar(2.75).toLong(), 2);
  EXPECT_EQ(Scalar(3).toDouble(), 3);
  EXPECT_TRUE(Scalar(0.5).toBool());
  EXPECT_FALSE(Scalar(0).toBool());
  EXPECT_EQ((-Scalar(2.5)).toDouble(), -2.5);
  EXPECT_EQ((-Scalar(2)).type(), kLong);
  EXPECT_TRUE(Scalar(2).equal(2));
  EXPECT_FALSE(Scalar(2.5).equal(2));
}

TEST(Dtype, Promotes) {
  EXPECT_EQ(promoteTypes(kBool, kLong), kLong);
  EXPECT_EQ(promoteTypes(kDouble, kFloat), kDouble);
  EXPECT_TRUE(canCast(kLong, kFloat));
  EXPECT_FALSE(canCast(kFloat, kLong));
  EXPECT_FALSE(canCast(kLong, kBool));
  EXPECT_TRUE(canCast(kDouble, kFloat));
  EXPECT_EQ(toString(kFloat), "Float");
}

}  // namespace
}  // namespace wengert
