#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

TEST(BroadcastShapes, FollowsNumPy) {
  EXPECT_EQ(broadcast_shapes({2, 3}, {3}), (Dims{2, 3}));
  EXPECT_EQ(broadcast_shapes({2, 1, 4}, {3, 1}), (Dims{2, 3, 4}));
  EXPECT_EQ(broadcast_shapes({}, {2}), (Dims{2}));
  EXPECT_EQ(broadcast_shapes({0}, {1}), (Dims{0}));
  EXPECT_ERROR(broadcast_shapes({2}, {3}), "The size of tensor a (2) must match the size of tensor b (3)");
}

TEST(Contiguous, IgnoresDimensionsOfSizeOne) {
  EXPECT_TRUE(is_contiguous({2, 1, 3}, {3, 77, 1}));
  EXPECT_FALSE(is_contiguous({2, 3}, {1, 2}));
  EXPECT_TRUE(is_contiguous({2, 0}, {5, 5}));
  EXPECT_TRUE(is_non_overlapping_and_dense({2, 3}, {1, 2}));
  EXPECT_FALSE(is_non_overlapping_and_dense({2, 3}, {4, 1}));
  EXPECT_FALSE(is_non_overlapping_and_dense({3}, {0}));
}

// A view exists exactly when the strided elements, walked in the target's order, are those walked in the source's.
TEST(ViewStrides, AgreeWithWalkingTheElements) {
  const std::vector<Dims> shapes{{12}, {3, 4}, {2, 6}, {2, 2, 3}, {1, 12}, {12, 1, 1}, {2, 1, 6}, {3, 2, 2}};
  const std::vector<Tensor> sources{arange(12).view({3, 4}),        arange(12).view({4, 3}).t(),
                                    arange(24).slice(0, 0, 24, 2),  arange(48).view({4, 12}).slice(1, 0, 3),
                                    arange(12).view({2, 2, 3}),     arange(12).view({2, 2, 3}).transpose(0, 1),
                                    zeros({1}, kLong).expand({12}), arange(12).view({2, 1, 6}).transpose(0, 2)};
  for (const Tensor& source : sources) {
    for (const Dims& shape : shapes) {
      const std::optional<Dims> strides = view_strides(source.sizes(), source.strides(), shape);
      const Tensor expected = source.contiguous().view(shape);
      if (strides) {
        EXPECT_TRUE(equal(source.as_strided(shape, *strides), expected)) << str(source);
      }
      EXPECT_TRUE(equal(source.reshape(shape), expected)) << str(source);
      if (source.is_contiguous()) {
        EXPECT_TRUE(strides.has_value());
      }
    }
  }
  EXPECT_FALSE(view_strides({3, 4}, {1, 3}, {12}).has_value());
}

TEST(InferSize, FindsTheMissingSize) {
  EXPECT_EQ(infer_size({-1, 3}, 6), (Dims{2, 3}));
  EXPECT_EQ(infer_size({-1, 3}, 0), (Dims{0, 3}));
  EXPECT_ERROR(infer_size({0, -1, 1}, 0), "can be any value and is ambiguous");
}

TEST(Numel, OverflowIsAnError) {
  EXPECT_ERROR(numel_of({int64_t{1} << 40, int64_t{1} << 40}), "integer multiplication overflow");
  EXPECT_EQ(numel_of({int64_t{1} << 40, int64_t{1} << 40, 0}), 0);
}

}  // namespace
}  // namespace wengert
