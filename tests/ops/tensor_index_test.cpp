#include <gtest/gtest.h>
#include <support/inputs.h>

// x.index({...}) as Python's x[...].

namespace wengert {
namespace {

using namespace indexing;

Tensor counting(IntArrayRef sizes) { return arange(numel_of(sizes)).view(sizes); }

TEST(TensorIndex, IntegersTakeDimensionsAway) {
  const Tensor x = counting({5, 7, 3});
  EXPECT_TRUE(equal(x.index({4}), x.select(0, 4)));
  EXPECT_TRUE(equal(x.index({4, Slice(), 1}), x.select(0, 4).select(1, 1)));
  EXPECT_TRUE(equal(x.index({-1}), x.select(0, 4)));
  EXPECT_TRUE(equal(x.index({tensor(2)}), x.select(0, 2)));  // a number in a tensor is a number
  EXPECT_TRUE(x.index({tensor(2)}).is_view());
}

TEST(TensorIndex, NoneAddsADimension) {
  const Tensor x = counting({5, 7});
  EXPECT_EQ(x.index({None}).sizes(), IntArrayRef({1, 5, 7}));
  EXPECT_EQ(x.index({Slice(), None, None}).sizes(), IntArrayRef({5, 1, 1, 7}));
  EXPECT_EQ(x.index({"...", None}).sizes(), IntArrayRef({5, 7, 1}));
  EXPECT_EQ(x.index({Ellipsis, 0}).sizes(), IntArrayRef({5}));
  EXPECT_ERROR(x.index({".."}), "Expected \"...\" to represent an ellipsis index, but got \"..\"");
}

TEST(TensorIndex, SlicesHaveSteps) {
  const Tensor x = arange(10);
  EXPECT_TRUE(equal(x.index({Slice(None, None, 3)}), tensor({0, 3, 6, 9})));
  EXPECT_TRUE(equal(x.index({Slice(1, 6, 2)}), tensor({1, 3, 5})));
  EXPECT_TRUE(equal(x.index({Slice(-3, None)}), tensor({7, 8, 9})));
  EXPECT_ERROR(Slice(0, 1, 0), "slice step cannot be zero");
  EXPECT_ERROR(Slice(0, 1, -1), "step must be greater than zero");
}

TEST(TensorIndex, PositionsAreCopied) {
  const Tensor x = counting({4, 3});
  EXPECT_TRUE(equal(x.index({tensor({{0, 0}, {3, 3}}), tensor({{0, 2}, {0, 2}})}), tensor({{0, 2}, {9, 11}})));
  EXPECT_TRUE(equal(x.index({tensor({0, 3}).index({Slice(), None}), tensor({0, 2})}), tensor({{0, 2}, {9, 11}})));
  EXPECT_TRUE(equal(x.index({"...", tensor({0, 2})}).index({0}), tensor({0, 2})));
  EXPECT_FALSE(x.index({tensor({1})}).is_view());
}

TEST(TensorIndex, PositionsApartComeFirst) {
  const Tensor x = counting({5, 7, 3});
  EXPECT_EQ(x.index({tensor({0, 4}), Slice(), tensor({1, 2})}).sizes(), IntArrayRef({2, 7}));
  EXPECT_EQ(x.index({Slice(), tensor({0, 4}), tensor({1, 2})}).sizes(), IntArrayRef({5, 2}));
}

TEST(TensorIndex, MasksPickWhereTheyAreTrue) {
  const Tensor x = counting({5, 7, 3});
  const Tensor mask = tensor({true, false, true, true, false});
  EXPECT_TRUE(equal(x.index({mask}), stack({x[0], x[2], x[3]})));
  EXPECT_EQ(x.index({mask, Slice(), tensor({true, true, true})}).sizes(), IntArrayRef({3, 7}));
  const Tensor flat_mask = x.select(2, 0) > 50;
  EXPECT_EQ(x.index({flat_mask}).sizes(), IntArrayRef({flat_mask.sum().item<int64_t>(), 3}));
  EXPECT_EQ(x.index({flat_mask, 1}).dim(), 1);
  EXPECT_EQ(x.index({true}).sizes(), IntArrayRef({1, 5, 7, 3}));
  EXPECT_EQ(x.index({false}).sizes(), IntArrayRef({0, 5, 7, 3}));
  EXPECT_ERROR(x.index({tensor({true, false})}), "The shape of the mask [2] at index 0 does not match the shape");
}

TEST(TensorIndex, ErrorsNameTheIndexAndTheDimension) {
  const Tensor x = counting({2, 5, 10});
  EXPECT_ERROR(x.index({0, 5}), "index 5 is out of bounds for dimension 1 with size 5");
  EXPECT_ERROR(x.index({Slice(), Slice(), 12}), "index 12 is out of bounds for dimension 2 with size 10");
  EXPECT_ERROR(x.index({0, 0, 0, 0}), "too many indices for tensor of dimension 3");
  EXPECT_ERROR(x.index({Slice(), tensor({0, 7})}), "index 7 is out of bounds for dimension 1 with size 5");
  EXPECT_ERROR(tensor(10).index({0}), "invalid index of a 0-dim tensor. Use `tensor.item()` in Python");
  EXPECT_ERROR(tensor(10).index({0, 0}), "too many indices for tensor of dimension 0");
  EXPECT_ERROR(ones({0}).index({tensor({0})}), "index is out of bounds for dimension with size 0");
  EXPECT_ERROR(ones({2}).index(std::vector<TensorIndex>()), "Passing an empty index list to Tensor::index() is not");
}

TEST(TensorIndex, PutWritesThroughViewsAndPositions) {
  const Tensor x = zeros({4, 4});
  x.index_put_({0, Slice(1, None, 2)}, tensor({3.0, 4.0}));
  EXPECT_TRUE(equal(x[0], tensor({0.0, 3.0, 0.0, 4.0})));
  EXPECT_EQ(x.index({Slice(1, None)}).sum().item<double>(), 0);
  x.index_put_({tensor({1, 2})}, 5);
  EXPECT_EQ(x.sum().item<double>(), 47);
  x.index_put_({x > 4}, -1);
  EXPECT_EQ(x.sum().item<double>(), -1);
  x.index_put_({"..."}, ones({1, 1, 4, 4}));  // leading dimensions of size 1 too many
  EXPECT_TRUE(equal(x, ones({4, 4})));
  const Tensor y = ones({10, 2});
  y.index_put_({zeros({10}, kBool)}, ones({0, 2}), true);
  EXPECT_TRUE(equal(y, ones({10, 2})));
}

TEST(TensorIndex, PutAccumulatesRepeatedPositions) {
  const Tensor x = zeros({3});
  x.index_put_({tensor({0, 2, 0})}, tensor({1.0, 2.0, 3.0}), true);
  EXPECT_TRUE(equal(x, tensor({4.0, 0.0, 2.0})));
}

TEST(Scatter, InPlaceWritesAndDoesNotAdd) {
  const Tensor x = ones({3}, kDouble), index = tensor({0, 2}, kLong), source = tensor({5., 7.}, kDouble);
  EXPECT_TRUE(equal(x.clone().scatter_(0, index, source), tensor({5., 1., 7.}, kDouble)));
  EXPECT_TRUE(equal(x.clone().scatter_(0, index, 4), tensor({4., 1., 4.}, kDouble)));
  EXPECT_TRUE(equal(x.clone().scatter_add_(0, index, source), tensor({6., 1., 8.}, kDouble)));
  EXPECT_TRUE(equal(x.scatter(0, index, source), tensor({5., 1., 7.}, kDouble)));
}

TEST(TensorIndex, IndexSelectTakesOneOfANumber) {
  EXPECT_EQ(index_select(tensor(2.5), 0, tensor({0})).item<double>(), 2.5);
  EXPECT_ERROR(zeros({2, 0, 2}).index_select(2, tensor({5})), "index 5 is out of bounds for dimension 2 with size 2");
  EXPECT_THROW(index_select(tensor(2.5), 0, tensor({0, 0})), Error);
}

TEST(TensorIndex, TakeOfNothingIsNoView) {
  const Tensor x = ones({3}).requires_grad_();
  EXPECT_EQ(take(x, zeros({0, 2}, kLong)).mul_(2).sizes(), IntArrayRef({0, 2}));  // a view of a leaf would refuse
}

TEST(TensorIndex, OneHot) {
  EXPECT_TRUE(equal(one_hot(tensor({2, 0})), tensor({{0, 0, 1}, {1, 0, 0}})));
  EXPECT_EQ(one_hot(tensor({{1}, {0}}), 4).sizes(), IntArrayRef({2, 1, 4}));
  EXPECT_EQ(one_hot(zeros({0, 2}, kLong), 3).sizes(), IntArrayRef({0, 2, 3}));
  EXPECT_THROW(one_hot(tensor({1.0})), Error);
  EXPECT_THROW(one_hot(tensor({-1})), Error);
  EXPECT_THROW(one_hot(tensor({3}), 3), Error);
  EXPECT_THROW(one_hot(zeros({0}, kLong)), Error);
}

TEST(Index, AMaskThatChangesLaterDoesNotSpoilTheGradient) {
  const Tensor x = arange(4, kDouble).requires_grad_();
  const Tensor mask = tensor({true, false, true, false});
  const Tensor y = masked_select(x, mask).sum() + 2 * x.index({mask}).sum();
  mask.fill_(true);
  y.backward();
  EXPECT_TRUE(equal(x.grad(), tensor({3., 0., 3., 0.}, kDouble)));
}

}  // namespace
}  // namespace wengert
