#include <gtest/gtest.h>
#include <support/inputs.h>

#include <algorithm>
#include <limits>

namespace wengert {
namespace {

using test::arbitrary;
using test::values;

const double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Sort, AgreesWithStableSortingOfEachRow) {
  const Tensor x = randint(5, {3, 40, 2}, kDouble);
  for (const Tensor& input : {x, test::with_gaps(x)}) {
    const auto [sorted, index] = sort(input, 1);
    for (int64_t i = 0; i < 3; ++i) {
      for (int64_t k = 0; k < 2; ++k) {
        std::vector<double> row = values(x.select(0, i).select(1, k));
        std::stable_sort(row.begin(), row.end());
        EXPECT_EQ(values(sorted.select(0, i).select(1, k)), row);
      }
    }
    EXPECT_TRUE(equal(gather(input, 1, index), sorted));
    // Equal elements keep their order.
    const Tensor same = sorted.narrow(1, 0, 39) == sorted.narrow(1, 1, 39);
    EXPECT_TRUE(all(logical_or(~same, index.narrow(1, 0, 39) < index.narrow(1, 1, 39))).item<bool>());
  }
}

TEST(Sort, PutsNaNLast) {
  const Tensor x = tensor({kNaN, 1.0, 3.0});
  EXPECT_TRUE(equal(std::get<1>(sort(x)), tensor({1, 2, 0})));
  EXPECT_TRUE(equal(std::get<1>(sort(x, 0, true)), tensor({0, 2, 1})));
}

TEST(Topk, IsTheBeginningOfSort) {
  const Tensor x = arbitrary({4, 30});
  EXPECT_TRUE(equal(std::get<0>(topk(x, 7)), std::get<0>(sort(x, -1, true)).narrow(1, 0, 7)));
  EXPECT_TRUE(equal(std::get<0>(topk(x, 3, 0, false)), std::get<0>(sort(x, 0)).narrow(0, 0, 3)));
  EXPECT_ERROR(topk(x, 31), "selected index k out of range");
  EXPECT_ERROR(topk(tensor({true, false}), 1), "not implemented for 'Bool'");
  EXPECT_TRUE(std::get<0>(topk(tensor(true), 1)).item<bool>());
}

TEST(Topk, OfLongRowsIsTheBeginningOfSortWithEqualElementsAndNaN) {
  for (const ScalarType dtype : {kFloat, kDouble, kLong}) {
    for (const int64_t length : {8, 63, 64, 65, 1000}) {
      Tensor x = (arbitrary({20, length}) * 20).round();  // so that many are equal
      if (dtype != kLong) x = where(x == 3, full({}, kNaN, kDouble), x);
      x = x.to(dtype);
      for (const bool largest : {true, false}) {
        const Tensor in_order = std::get<1>(sort(x, -1, largest));
        for (const int64_t k : {int64_t{1}, length / 8}) {
          EXPECT_TRUE(equal(std::get<1>(topk(x, k, -1, largest)), in_order.narrow(1, 0, k))) << dtype << length;
        }
      }
    }
  }
}

TEST(Max, GivesValuesAndTheFirstPositions) {
  const auto [largest, at] = max(tensor({{1.0, 5.0, 5.0}, {2.0, kNaN, 3.0}}), 1);
  EXPECT_EQ(largest[0].item<double>(), 5);
  EXPECT_TRUE(std::isnan(largest[1].item<double>()));
  EXPECT_TRUE(equal(at, tensor({1, 1})));
  EXPECT_EQ(argmin(tensor({{3, 1}, {0, 2}})).item<int64_t>(), 2);
  EXPECT_ERROR(max(ones({0})), "Expected reduction dim to be specified for input.numel() == 0");
  EXPECT_ERROR(max(ones({0, 2}), 0), "Expected reduction dim 0 to have non-zero size");
  EXPECT_ERROR(argmin(ones({0, 0}), 1), "Expected reduction dim 1 to have non-zero size");
}

TEST(Amax, SharesTheGradientAmongEquals) {
  const Tensor x = tensor({2.0, 5.0, 5.0}, requires_grad());
  amax(x).backward();
  EXPECT_TRUE(equal(x.grad(), tensor({0.0, 0.5, 0.5})));
}

TEST(Median, OfAnEvenNumberIsTheLower) {
  EXPECT_EQ(median(tensor({4.0, 1.0, 3.0, 2.0})).item<double>(), 2);
  EXPECT_TRUE(std::isnan(median(tensor({4.0, kNaN})).item<double>()));
  EXPECT_TRUE(equal(std::get<1>(median(tensor({{7, 9, 8}}), 1)), tensor({2})));
  EXPECT_EQ(median(tensor({7, 9, 8})).item<int64_t>(), 8);
  EXPECT_ERROR(median(empty({0}, kLong)), "there is none of no whole numbers");
  EXPECT_TRUE(std::isnan(median(empty({0})).item<double>()));
}

TEST(Median, SharesTheGradientAmongEquals) {
  const Tensor x = tensor({3.0, 1.0, 2.0, 2.0}, requires_grad());
  const Tensor y = median(x);
  EXPECT_EQ(y.grad_fn()->name(), "MedianBackward0");
  y.backward();
  EXPECT_TRUE(equal(x.grad(), tensor({0.0, 0.0, 0.5, 0.5})));
  const Tensor rows = tensor({{3.0, 1.0, 2.0}}, requires_grad());
  EXPECT_EQ(std::get<0>(median(rows, 1)).grad_fn()->name(), "MedianBackward1");
  const Tensor with_nan = tensor({1.0, kNaN, kNaN}, requires_grad());
  median(with_nan).backward();
  EXPECT_TRUE(equal(with_nan.grad(), tensor({0.0, 0.5, 0.5})));
}

// Long rows are counted by their bits, where the middle one is the only one of its kind; others are selected.
TEST(Median, OfLongRowsIsWhatStandsThereInOrder) {
  manual_seed(3);
  for (const int64_t length : {65, 66, 500, 4097}) {
    const Tensor real = randn({5, length}, kDouble), single = randn({5, length}) * 1e-30;
    const Tensor few = randint(-3, 4, {5, length}, kLong), zeros_of_both_signs = (randint(0, 2, {5, length}) - 0.5) * 0;
    for (const Tensor& x : {real, single, few, zeros_of_both_signs, -real, few.to(kFloat)}) {
      const auto [values, positions] = median(x, 1);
      EXPECT_TRUE(equal(values, std::get<0>(sort(x, 1)).select(1, (length - 1) / 2)));
      EXPECT_TRUE(equal(values, gather(x, 1, positions.unsqueeze(1)).squeeze(1)));
      EXPECT_TRUE(equal(median(x[2].clone()), values[2]));
    }
  }
}

// Several lines are summed at a time, or a line alone.
TEST(Cumsum, IsTheSameForAnyNumberOfLines) {
  const Tensor x = arbitrary({11, 7});
  for (int64_t rows = 1; rows <= 11; ++rows) {
    const Tensor part = x.narrow(0, 0, rows).clone().requires_grad_();
    const Tensor sums = cumsum(part, 1), products = cumprod(part, 1);
    sums.backward(ones_like(sums));
    for (int64_t i = 0; i < rows; ++i) {
      EXPECT_TRUE(equal(sums[i].detach(), cumsum(x[i], 0)));
      EXPECT_TRUE(equal(products[i].detach(), cumprod(x[i], 0)));
      EXPECT_TRUE(equal(part.grad()[i], flip(arange(1, 8, kDouble), {0})));
    }
  }
}

TEST(Cumsum, AgreesWithAPlainLoop) {
  const Tensor x = arbitrary({3, 5});
  const Tensor y = cumsum(x, 1), p = cumprod(x, 0);
  for (int64_t i = 0; i < 3; ++i) {
    double sum = 0;
    for (int64_t j = 0; j < 5; ++j) {
      sum += x[i][j].item<double>();
      EXPECT_DOUBLE_EQ(y[i][j].item<double>(), sum);
    }
  }
  EXPECT_ALLCLOSE(p[2], x[0] * x[1] * x[2]);
  EXPECT_EQ(cumsum(tensor({true, true}), 0).dtype(), kLong);
}

TEST(Variance, AgreesWithItsDefinition) {
  const Tensor x = arbitrary({4, 6});
  const Tensor d = x - x.mean({1}, true);
  EXPECT_ALLCLOSE(var(x, {1}, false), (d * d).sum(1) / 6);
  EXPECT_ALLCLOSE(std(x, {1}, true), sqrt((d * d).sum(1) / 5));
  // Far from 0 nothing is lost.
  EXPECT_NEAR(var(tensor({10000.0, 10001.0, 10002.0})).item<double>(), 1, 1e-6);
}

TEST(Softmax, StaysFiniteForLargeNumbers) {
  const Tensor y = softmax(tensor({{1000.0, 1001.0}, {-1000.0, -1001.0}}, kDouble), 1);
  const double p = 1 / (1 + std::exp(1.0));
  EXPECT_ALLCLOSE(y, tensor({{p, 1 - p}, {1 - p, p}}, kDouble));
  EXPECT_ALLCLOSE(logsumexp(tensor({1000.0, 1000.0}, kDouble), 0), tensor(1000 + std::log(2.0), kDouble));
  EXPECT_ALLCLOSE(log_softmax(tensor({0.0, 0.0}, kDouble), 0), full({2}, -std::log(2.0), kDouble));
}

TEST(Norm, OfEveryOrder) {
  const Tensor x = tensor({3.0, -4.0, 0.0}, kDouble);
  EXPECT_EQ(norm(x).item<double>(), 5);
  EXPECT_EQ(norm(x, 1).item<double>(), 7);
  EXPECT_EQ(norm(x, 0).item<double>(), 2);
  EXPECT_EQ(norm(x, std::numeric_limits<double>::infinity()).item<double>(), 4);
  EXPECT_EQ(norm(x, -std::numeric_limits<double>::infinity()).item<double>(), 0);
  EXPECT_ALLCLOSE(norm(x, 3), tensor(std::cbrt(27.0 + 64), kDouble));
}

TEST(Order, OnlyWhatWasChosenSeesTheGradient) {
  const Tensor x = tensor({1.0, 2.0}).requires_grad_();
  (max(x) * std::numeric_limits<double>::quiet_NaN()).backward();
  EXPECT_EQ(x.grad()[0].item<double>(), 0);
  EXPECT_TRUE(std::isnan(x.grad()[1].item<double>()));
}

TEST(Order, ExtremesSeeNaNAnywhere) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (const ScalarType dtype : {kFloat, kDouble}) {
    for (int64_t length = 1; length < 70; ++length) {
      for (int64_t at = 0; at < length; ++at) {
        Tensor x = arange(length, dtype);
        x[at] = nan;
        if (at + 3 < length) x[at + 3] = nan;
        for (const Tensor& value : {max(x), min(x), amax(x), amin(x), std::get<0>(max(x, 0)), std::get<0>(min(x, 0))})
          ASSERT_TRUE(isnan(value).item<bool>()) << length << " " << at;
        for (const Tensor& position : {argmax(x), argmin(x), argmax(x, 0), argmin(x, 0), std::get<1>(max(x, 0))})
          ASSERT_EQ(position.item<int64_t>(), at) << length;
      }
    }
  }
}

TEST(Order, ArgminOfNoBools) { EXPECT_EQ(argmin(zeros({0, 3}, kBool), 1).numel(), 0); }

}  // namespace
}  // namespace wengert
