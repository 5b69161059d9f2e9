#include <gtest/gtest.h>
#include <wengert/wengert.h>

namespace wengert {
namespace {

TEST(Promotion, OfTensorsWithDimensions) {
  for (const ScalarType a : {kBool, kLong, kFloat, kDouble}) {
    for (const ScalarType b : {kBool, kLong, kFloat, kDouble}) {
      EXPECT_EQ(result_type(ones({2}, a), ones({2}, b)), std::max(a, b));
      EXPECT_EQ(result_type(ones({}, a), ones({}, b)), std::max(a, b));
    }
  }
}

TEST(Promotion, TensorsWithoutDimensionsCountOnlyByKind) {
  EXPECT_EQ(result_type(ones({2}, kFloat), ones({}, kDouble)), kFloat);
  EXPECT_EQ(result_type(ones({}, kDouble), ones({2}, kFloat)), kFloat);
  EXPECT_EQ(result_type(ones({2}, kLong), ones({}, kDouble)), kDouble);
  EXPECT_EQ(result_type(ones({2}, kBool), ones({}, kLong)), kLong);
  EXPECT_EQ(result_type(ones({2}, kLong), ones({}, kBool)), kLong);
}

TEST(Promotion, NumbersCountOnlyByKind) {
  EXPECT_EQ(result_type(ones({2}, kFloat), 2.5), kFloat);
  EXPECT_EQ(result_type(ones({2}, kDouble), 2.5), kDouble);
  EXPECT_EQ(result_type(ones({2}, kLong), 2.5), kFloat);
  EXPECT_EQ(result_type(ones({2}, kBool), 2), kLong);
  EXPECT_EQ(result_type(ones({2}, kLong), true), kLong);
  EXPECT_EQ(result_type(ones({}, kFloat), 2.5), kFloat);
}

}  // namespace
}  // namespace wengert
