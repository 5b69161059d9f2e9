#include <gtest/gtest.h>
#include <support/inputs.h>

#include <sstream>
#include <type_traits>

namespace wengert {
namespace {

TEST(Tensor, IsOnePointer) {
  static_assert(sizeof(Tensor) == sizeof(void*));
  static_assert(std::is_nothrow_move_constructible_v<Tensor>);
}

TEST(Tensor, UndefinedHasNothing) {
  const Tensor none;
  EXPECT_FALSE(none.defined());
  EXPECT_EQ(none.dim(), 0);
  EXPECT_EQ(none.numel(), 0);
  EXPECT_EQ(none.grad_fn(), nullptr);
}

TEST(Tensor, TellsWhatItIs) {
  const Tensor x = zeros({2, 3}, kDouble);
  EXPECT_EQ(x.sizes(), IntArrayRef({2, 3}));
  EXPECT_EQ(x.strides(), IntArrayRef({3, 1}));
  EXPECT_EQ(x.size(-1), 3);
  EXPECT_EQ(x.stride(0), 3);
  EXPECT_EQ(x.dim(), 2);
  EXPECT_EQ(x.numel(), 6);
  EXPECT_EQ(x.nbytes(), 48u);
  EXPECT_EQ(x.toString(), "CPUDoubleType");
  EXPECT_EQ(x.options().dtype(), kDouble);
  EXPECT_TRUE(x.is_contiguous());
  EXPECT_FALSE(x.t().is_contiguous());
  EXPECT_EQ(x[1].storage_offset(), 3);
  std::ostringstream out;
  out << x.dtype();
  EXPECT_EQ(out.str(), "double");
}

TEST(Tensor, CopiesAreHandlesOfOneTensor) {
  const Tensor x = zeros({2});
  const Tensor y = x;
  y.add_(1);
  EXPECT_TRUE(x.is_same(y));
  EXPECT_EQ(x[0].item<float>(), 1);
}

TEST(Tensor, AccessorReadsAndWrites) {
  const Tensor x = arange(6.0).view({2, 3}).t();
  auto a = x.accessor<float, 2>();
  EXPECT_EQ(a.size(0), 3);
  EXPECT_EQ(a[2][1], 5);
  a[2][1] = 50;
  EXPECT_EQ(x[2][1].item<float>(), 50);
}

TEST(Tensor, ItemsConvert) {
  EXPECT_EQ(tensor(2.5).item<int64_t>(), 2);
  EXPECT_EQ(tensor(7).item<double>(), 7);
  EXPECT_EQ(tensor({{true}}).item().toBool(), true);
}

TEST(Tensor, HoldsManyDimensions) {
  const Tensor x = arange(256).view({2, 2, 2, 2, 2, 2, 2, 2});
  EXPECT_EQ(x.dim(), 8);
  EXPECT_EQ(x.permute({7, 6, 5, 4, 3, 2, 1, 0})[1][0][0][0][0][0][0][0].item<int64_t>(), 1);
  EXPECT_TRUE(equal(x.sum({0, 2, 4, 6}), x.sum(0).sum(1).sum(2).sum(3)));
}

TEST(SetData, TakesMemoryAndShapeAndKeepsThePlaceInTheGraph) {
  const Tensor x = ones({2}, requires_grad()), y = full({3}, 5.0);
  x.mutable_grad() = ones({2});
  x.set_data(y);
  EXPECT_TRUE(equal(x, y));
  EXPECT_EQ(x.data_ptr<float>(), y.data_ptr<float>());
  EXPECT_TRUE(x.requires_grad());
  EXPECT_ERROR(x.set_data(ones({1}, kDouble)), "have incompatible tensor type");
}

TEST(SetData, LeavesTheVersionAsItWas) {
  const Tensor x = ones({2});
  x.add_(1);
  const int64_t version = x._version();
  x.set_data(zeros({4}));
  EXPECT_EQ(x._version(), version);
}

}  // namespace
}  // namespace wengert
