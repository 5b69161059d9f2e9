#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

using test::arbitrary;
using test::values;
using Values = std::vector<double>;

TEST(Shape, ViewsShareMemory) {
  const Tensor x = arange(12).view({3, 4});
  for (const Tensor& view :
       {x.view({2, 6}), x.t(), x.permute({1, 0}), x.expand({2, 3, 4}), x.unsqueeze(0), x[1], x.slice(1, 1, 3),
        x.narrow(0, 1, 2), x.squeeze(), x.reshape({12}), x.as_strided({2}, {3})}) {
    EXPECT_TRUE(view.is_alias_of(x));
    EXPECT_TRUE(view.is_view());
    EXPECT_TRUE(view._base().is_same(x._base()));
  }
  EXPECT_FALSE(x.t().reshape({12}).is_alias_of(x));
  EXPECT_FALSE(x.t().reshape({12}).is_view());
  EXPECT_TRUE(x.t().reshape({12}).is_contiguous());
}

TEST(Shape, MovesElements) {
  const Tensor x = arange(6).view({2, 3});
  EXPECT_EQ(values(x.t()), (Values{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(values(x.transpose(0, -1)), (Values{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(x.unsqueeze(0).permute({2, 0, 1}).sizes(), IntArrayRef({3, 1, 2}));
  EXPECT_EQ(values(x.t().reshape({2, 3})), (Values{0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(values(x[1]), (Values{3, 4, 5}));
  EXPECT_EQ(values(x.select(1, -1)), (Values{2, 5}));
  EXPECT_EQ(values(x.narrow(1, -2, 2)), (Values{1, 2, 4, 5}));
  EXPECT_EQ(values(tensor({{1}, {2}}).expand({-1, 3})), (Values{1, 1, 1, 2, 2, 2}));
}

TEST(Shape, SlicesAsPythonDoes) {
  const Tensor x = arange(6);
  EXPECT_EQ(values(x.slice(0, 1, 5, 2)), (Values{1, 3}));
  EXPECT_EQ(values(x.slice(0, -2)), (Values{4, 5}));
  EXPECT_EQ(values(x.slice(0, 0, -4)), (Values{0, 1}));
  EXPECT_EQ(values(x.slice(0, 4, 100)), (Values{4, 5}));
  EXPECT_EQ(x.slice(0, 4, 2).numel(), 0);
  EXPECT_EQ(x.slice(0, -100, 1).numel(), 1);
}

TEST(Shape, SqueezesAndUnsqueezes) {
  const Tensor x = zeros({1, 3, 1});
  EXPECT_EQ(x.squeeze().sizes(), IntArrayRef({3}));
  EXPECT_EQ(x.squeeze(0).sizes(), IntArrayRef({3, 1}));
  EXPECT_EQ(x.squeeze(1).sizes(), IntArrayRef({1, 3, 1}));
  EXPECT_EQ(x.unsqueeze(-1).sizes(), IntArrayRef({1, 3, 1, 1}));
  EXPECT_EQ(tensor(1.0).unsqueeze(0).sizes(), IntArrayRef({1}));
  EXPECT_EQ(tensor(1.0).t().dim(), 0);
}

TEST(Shape, AsStridedReachesIntoTheStorage) {
  const Tensor x = arange(10);
  EXPECT_EQ(values(x.as_strided({3, 2}, {1, 4}, 1)), (Values{1, 5, 2, 6, 3, 7}));
  EXPECT_EQ(values(x.slice(0, 2).as_strided({2}, {1})), (Values{2, 3}));
}

TEST(Shape, TheGradientOfOverlappingWindowsIsRefused) {
  const Tensor x = ones({4}, requires_grad());
  EXPECT_ERROR(x.as_strided({3, 2}, {1, 1}).sum().backward(),
               "as_strided: the gradient of a view whose elements overlap");
}

TEST(Shape, FlattenOfANumberKnowsItsDimensions) {
  EXPECT_EQ(flatten(tensor(1.0)).sizes(), IntArrayRef(1));
  EXPECT_THROW(flatten(tensor(1.0), 1), Error);
}

TEST(Shape, RearrangedTensorsAreNewInEveryMode) {
  const auto share_nothing = [] {
    const Tensor x = ones({1, 3});
    for (const Tensor& y : {repeat(x, {1, 1}), tile(x, {1}), repeat_interleave(x, 1, 0), roll(x, 3), roll(x, 0, 1),
                            flip(x, {0}), constant_pad_nd(x, {0, 0})}) {
      EXPECT_FALSE(y.is_alias_of(x));
    }
    return roll(x, 0);
  };
  share_nothing();
  {
    const InferenceMode inference;
    share_nothing();
  }
  std::vector<Tensor> made_without_grad;
  {
    const NoGradGuard no_grad;
    made_without_grad = {share_nothing(), repeat_interleave(ones({1}), 3), roll(ones({3}), 1), tile(ones({1}), {3})};
  }
  for (const Tensor& x : made_without_grad) {
    x.mul_(ones({3}).requires_grad_());  // no views, so they may be changed
    EXPECT_TRUE(x.requires_grad());
  }
}

TEST(Shape, PadCutsOffNoMoreThanThereIs) {
  EXPECT_TRUE(equal(constant_pad_nd(arange(3), {-2, 1}, 9), tensor({2, 9})));
  EXPECT_EQ(constant_pad_nd(arange(3), {-3, 0}).numel(), 0);
  EXPECT_THROW(constant_pad_nd(arange(3), {-4, 5}), Error);
  EXPECT_THROW(constant_pad_nd(arange(3), {5, -4}), Error);
  EXPECT_THROW(constant_pad_nd(arange(3), {-2, -2}), Error);
}

TEST(Shape, MeshgridKnowsBothOrders) {
  const Tensor x = arange(3), y = arange(2) * 10;
  EXPECT_TRUE(equal(meshgrid({x, y})[0], tensor({{0, 0}, {1, 1}, {2, 2}})));
  EXPECT_TRUE(equal(meshgrid({x, y})[1], tensor({{0, 10}, {0, 10}, {0, 10}})));
  EXPECT_TRUE(equal(meshgrid({x, y}, "xy")[0], tensor({{0, 1, 2}, {0, 1, 2}})));
  EXPECT_TRUE(equal(meshgrid({x, y}, "xy")[1], tensor({{0, 0, 0}, {10, 10, 10}})));
  EXPECT_THROW(meshgrid({}), Error);
  EXPECT_THROW(meshgrid({x, y}, "yx"), Error);
  EXPECT_THROW(meshgrid({ones({2, 2})}), Error);
}

// One Node for all the parts, as in libtorch; a part without a gradient has 0.
TEST(Shape, PartsHaveOneNode) {
  const Tensor x = arbitrary({4, 6}).requires_grad_();
  const auto expect_one_node = [&](const char* name, const std::vector<Tensor>& parts, const Tensor& gradient) {
    for (size_t i = 0; i < parts.size(); ++i) {
      EXPECT_EQ(parts[i].grad_fn()->name(), name);
      EXPECT_EQ(parts[i].grad_fn(), parts[0].grad_fn());
      EXPECT_EQ(parts[i].output_nr(), i);
      EXPECT_TRUE(parts[i].is_view());
    }
    x.mutable_grad() = Tensor();
    (parts[1].sum() + 2 * parts.back().sum()).backward();
    EXPECT_TRUE(equal(x.grad(), gradient));
  };
  const Tensor columns = tensor({0.0, 1.0, 0.0, 0.0, 0.0, 2.0}).to(kDouble).expand({4, 6});
  expect_one_node("UnbindBackward0", x.unbind(1), columns);
  expect_one_node("UnbindBackward0", x.unbind(-1), columns);
  expect_one_node("SplitBackward0", x.split(2, 0),
                  tensor({0.0, 0.0, 3.0, 3.0}).to(kDouble).unsqueeze(1).expand({4, 6}));
  expect_one_node("SplitBackward0", x.chunk(3, 1), tensor({0.0, 0.0, 1.0, 1.0, 2.0, 2.0}).to(kDouble).expand({4, 6}));
  expect_one_node("SplitWithSizesBackward0", x.split(IntArrayRef({1, 0, 3}), 0),
                  tensor({0.0, 2.0, 2.0, 2.0}).to(kDouble).unsqueeze(1).expand({4, 6}));
  EXPECT_ERROR(ones({}).unbind(), "Dimension specified as 0 but tensor has no dimensions");
  EXPECT_EQ(ones({0, 2}).unbind().size(), 0u);

  // They are views like any other.
  const Tensor y = x.detach().clone().requires_grad_() * 1;
  y.unbind(1)[2].mul_(3);
  EXPECT_TRUE(equal(y.detach().select(1, 2), x.detach().select(1, 2) * 3));
  EXPECT_EQ(y.grad_fn()->name(), "CopySlices");
}

// Parts of short rows are written a block of rows at a time.
TEST(Shape, CatOfShortRowsPutsEachPartInItsPlace) {
  for (const int64_t rows : {1, 2, 700, 5000}) {
    for (const ScalarType dtype : {kDouble, kFloat, kLong, kBool}) {
      std::vector<Tensor> parts;
      for (const int64_t width : {1, 2, 0, 3, 4, 5, 17}) parts.push_back(arbitrary({rows, width}, -9, 9).to(dtype));
      const Tensor all = cat(parts, 1);
      int64_t start = 0;
      for (const Tensor& part : parts) {
        EXPECT_TRUE(equal(all.narrow(1, start, part.size(1)), part));
        start += part.size(1);
      }
      EXPECT_TRUE(equal(cat(parts, -1).t().contiguous(), cat({parts[0].t(), all.narrow(1, 1, start - 1).t()}, 0)));
    }
  }
  const Tensor a = arbitrary({40, 30}), b = arbitrary({40, 30});
  EXPECT_TRUE(equal(stack({a, b}, 2).select(2, 1), b));
  EXPECT_TRUE(equal(stack({a, b}, -1).select(2, 0), a));
}

}  // namespace
}  // namespace wengert
