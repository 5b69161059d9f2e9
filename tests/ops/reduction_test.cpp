#include <gtest/gtest.h>
#include <support/inputs.h>

#include <cmath>

namespace wengert {
namespace {

using test::arbitrary;
using test::values;

// Sums by walking every element and adding it to the output it belongs to.
Tensor sum_by_loops(const Tensor& x, const std::vector<bool>& reduced) {
  const Tensor dense = x.to(kDouble).contiguous();
  Dims kept;
  for (size_t d = 0; d < reduced.size(); ++d) kept.push_back(reduced[d] ? 1 : x.sizes()[d]);
  Tensor out = zeros(kept, kDouble);
  for (int64_t i = 0; i < dense.numel(); ++i) {
    int64_t rest = i, offset = 0;
    for (size_t d = reduced.size(); d-- > 0;) {
      const int64_t index = rest % x.sizes()[d];
      rest /= x.sizes()[d];
      if (!reduced[d]) offset += index * out.strides()[d];
    }
    out.data_ptr<double>()[offset] += dense.data_ptr<double>()[i];
  }
  return out;
}

TEST(Sum, AgreesWithPlainLoopsOverEverySetOfDims) {
  for (const Dims& shape :
       {Dims{5}, Dims{3, 4}, Dims{300, 20}, Dims{20, 300}, Dims{3, 4, 5}, Dims{2, 3, 1, 4}, Dims{0, 3}}) {
    const Tensor x = arbitrary(shape);
    std::vector<Tensor> layouts{x, test::with_gaps(x)};
    if (x.dim() > 1) layouts.push_back(x.transpose(0, -1).clone().transpose(0, -1));
    for (const Tensor& input : layouts) {
      for (uint32_t mask = 1; mask < (1u << shape.size()); ++mask) {
        std::vector<bool> reduced;
        Dims dims;
        for (size_t d = 0; d < shape.size(); ++d) {
          reduced.push_back(mask >> d & 1);
          if (reduced[d]) dims.push_back(static_cast<int64_t>(d) - (d % 2 ? x.dim() : 0));
        }
        const Tensor expected = sum_by_loops(input, reduced);
        const Tensor kept = input.sum(dims, true);
        ASSERT_EQ(kept.sizes(), expected.sizes());
        EXPECT_ALLCLOSE(kept, expected);
        EXPECT_ALLCLOSE(input.sum(dims), expected.view(input.sum(dims).sizes()));
      }
    }
  }
}

TEST(Sum, OfManyFloatsKeepsItsDigits) {
  const Tensor x = full({1 << 24}, 0.1);
  EXPECT_NEAR(x.sum().item<double>(), 0.1f * double(1 << 24), 2);  // added one by one: off by 400000
  const Tensor columns = full({1 << 18, 8}, 0.1);
  EXPECT_NEAR(columns.sum(0)[3].item<double>(), 0.1f * double(1 << 18), 1);
}

TEST(Sum, OfWholeNumbersAndBoolsIsLong) {
  EXPECT_EQ(tensor({true, true, false}).sum().item<int64_t>(), 2);
  EXPECT_EQ(tensor({true, true, false}).sum().dtype(), kLong);
  EXPECT_EQ(tensor({1, 2}).sum(kDouble).dtype(), kDouble);
  EXPECT_EQ(full({3}, int64_t{1} << 60).sum().item<int64_t>(), 3 * (int64_t{1} << 60));
  EXPECT_EQ(tensor({1.7, 2.7}).sum(kLong).item<int64_t>(), 3);
}

TEST(Sum, OfNothingIsZero) {
  EXPECT_EQ(zeros({0}).sum().item<float>(), 0);
  EXPECT_TRUE(equal(zeros({2, 0}).sum(1), zeros({2})));
  EXPECT_EQ(tensor(5.0).sum(0).item<float>(), 5);
}

TEST(Sum, OfExpandedTensors) { EXPECT_EQ(tensor({1.0, 2.0}).expand({1000, 2}).sum().item<float>(), 3000); }

TEST(Mean, DividesByTheCount) {
  const Tensor x = arbitrary({4, 5});
  EXPECT_ALLCLOSE(x.mean(), x.sum() / 20);
  EXPECT_ALLCLOSE(x.mean(0), x.sum(0) / 4);
  EXPECT_ALLCLOSE(x.mean({0, 1}, true), x.sum({0, 1}, true) / 20);
  EXPECT_TRUE(std::isnan(zeros({0}).mean().item<double>()));
  EXPECT_EQ(tensor({1, 2}).mean(kFloat).item<double>(), 1.5);
}

TEST(SumToSize, UndoesABroadcast) {
  const Tensor x = arbitrary({2, 3, 4});
  EXPECT_ALLCLOSE(x.sum_to_size({3, 1}), x.sum(0).sum(1, true));
  EXPECT_ALLCLOSE(x.sum_to_size({}), x.sum());
  EXPECT_TRUE(x.sum_to_size({2, 3, 4}).is_same(x));
  EXPECT_ERROR(x.sum_to_size({2, 4}), "size [2, 4] is not expandable to size [2, 3, 4].");
}

// A dimension of size 1 may have any stride, also that of a view that steps along it, or 0.
TEST(Softmax, AlongADimensionOfSizeOneIsOne) {
  const Tensor x = tensor({1.25, 1.84, -.67, -1.38}, kDouble).view({4, 1, 1});
  for (const Tensor& view : {x.slice(1, 0, 1, 3), x.slice(1, 0, 1).expand({4, 1, 1}), x[0].expand({4, 1, 1})}) {
    EXPECT_TRUE(equal(view.softmax(1), ones({4, 1, 1}, kDouble)));
    EXPECT_TRUE(equal(view.log_softmax(1), zeros({4, 1, 1}, kDouble)));
  }
}

TEST(Cumsum, OfFloatsGoesOnBeyondTwoToTheTwentyFour) {
  const int64_t count = 20'000'000;
  EXPECT_EQ(cumsum(ones({count}), 0)[count - 1].item<float>(), 2e7F);
}

TEST(Cumprod, OfManyFloatsKeepsItsDigits) {
  const int64_t count = 1'000'000;
  const float exact = static_cast<float>(std::pow(static_cast<double>(1.000001F), count));
  EXPECT_EQ(cumprod(full({count}, 1.000001), 0)[count - 1].item<float>(), exact);
  EXPECT_EQ(prod(full({count}, 1.000001)).item<float>(), exact);
}

TEST(Sum, OfManyFloatsOfOneSignKeepsItsDigits) {
  for (const float value : {0.1F, 0.3F, 1.1F, 0.7F}) {
    for (const int64_t count : {1000, 100'000, 3'000'001, 30'000'000}) {
      const double exact = static_cast<double>(value) * static_cast<double>(count);
      EXPECT_NEAR(full({count}, value).sum().item<float>(), exact, 2e-7 * exact) << value << " " << count;
    }
  }
  EXPECT_EQ(full({30'000'000}, 0.1F).mean().item<float>(), 0.1F);
  const Tensor columns = full({3'000'000, 10}, 0.1F).sum(0), rows = full({10, 3'000'000}, 0.1F).t().sum(0);
  EXPECT_TRUE(allclose(columns, full({10}, 3e5F), 2e-7, 0));
  EXPECT_TRUE(allclose(rows, full({10}, 3e5F), 2e-7, 0));
}

// By hand, in double.
double power_sum(const Tensor& x, double p) {
  double sum = 0;
  for (const double v : test::values(x)) sum += std::pow(std::abs(v), p);
  return sum;
}

TEST(Reduction, LargeTensorsAreReducedWithoutAnother) {
  // In order, transposed, and with gaps.
  const Tensor block = test::arbitrary({1500, 1024}).to(kFloat);
  for (const Tensor& x : {block, block.t(), block.slice(1, 3, 1000, 2), block.unsqueeze(0).slice(1, 0, 1500, 3)}) {
    const double n = static_cast<double>(x.numel());
    reset_peak_memory_stats();
    const int64_t before = memory_allocated();
    const double inf = std::numeric_limits<double>::infinity();
    const double got[] = {norm(x, 1).item<double>(),    norm(x).item<double>(),       norm(x, 3).item<double>(),
                          norm(x, inf).item<double>(),  norm(x, -inf).item<double>(), norm(x, 0).item<double>(),
                          var(x, false).item<double>(), std(x).item<double>(),        nansum(x).item<double>()};
    const bool truth[] = {all(x).item<bool>(), any(x).item<bool>(), any(x * 0).item<bool>()};
    EXPECT_EQ(count_nonzero(x).item<int64_t>(), x.numel());
    EXPECT_LT(max_memory_allocated() - before, x.numel() * 4 + (4 << 20));  // x * 0, and parts
    double sum = 0;
    for (const double v : test::values(x)) sum += v;
    const double variance = power_sum(x - sum / n, 2) / n;
    const double expected[] = {power_sum(x, 1),
                               std::sqrt(power_sum(x, 2)),
                               std::cbrt(power_sum(x, 3)),
                               x.abs().max().item<double>(),
                               x.abs().min().item<double>(),
                               n,
                               variance,
                               std::sqrt(variance * n / (n - 1)),
                               sum};
    for (size_t i = 0; i < std::size(expected); ++i)
      EXPECT_NEAR(got[i], expected[i], 1e-6 * std::abs(expected[i]) + 1e-3) << i;
    EXPECT_TRUE(truth[0]);
    EXPECT_TRUE(truth[1]);
    EXPECT_FALSE(truth[2]);
  }
}

TEST(Reduction, SumsOfNoColumns) {
  EXPECT_EQ(zeros({5, 0}).sum(0).numel(), 0);
  EXPECT_EQ(zeros({5, 0, 3}).sum(0).sizes(), IntArrayRef({0, 3}));
  EXPECT_TRUE(equal(zeros({0, 3}).sum(0), zeros({3})));
}

TEST(Reduction, HighColumnsAreSummedInStretches) {
  for (const ScalarType dtype : {kFloat, kDouble, kLong}) {
    const Tensor x = (test::arbitrary({3001, 90}) * 8).to(dtype);
    for (const Tensor& y : {x, x.slice(1, 3, 80), x.slice(0, 0, 3001, 2)}) {
      const Tensor sums = y.sum(0).to(kDouble);
      for (const int64_t j : {int64_t{0}, y.size(1) / 2, y.size(1) - 1}) {
        double expected = 0;
        for (const double v : test::values(y.select(1, j))) expected += v;
        EXPECT_NEAR(sums[j].item<double>(), expected, dtype == kFloat ? 1e-3 : 1e-9);
      }
    }
  }
}

TEST(Reduction, LargeTensorsKnowNaN) {
  Tensor x = ones({1 << 18}, kFloat);
  x[70000] = std::numeric_limits<float>::quiet_NaN();
  const double inf = std::numeric_limits<double>::infinity();
  for (const double p : {1.0, 2.0, 3.0, inf, -inf}) EXPECT_TRUE(std::isnan(norm(x, p).item<double>())) << p;
  EXPECT_TRUE(std::isnan(var(x).item<double>()));
  EXPECT_EQ(nansum(x).item<float>(), (1 << 18) - 1);
  EXPECT_EQ(norm(x, 0, {0}, true).sizes(), IntArrayRef(1));
}

}  // namespace
}  // namespace wengert
