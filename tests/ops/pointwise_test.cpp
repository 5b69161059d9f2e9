#include <gtest/gtest.h>
#include <support/inputs.h>

#include <cmath>
#include <limits>

namespace wengert {
namespace {

using test::arbitrary;
using test::values;

struct Row {
  const char* name;
  Tensor (*op)(const Tensor&);
  double (*loop)(double);
  double low;
};

const std::vector<Row> kRows{{"neg", neg, [](double x) { return -x; }, -2},
                             {"abs", abs, [](double x) { return std::abs(x); }, -2},
                             {"sign", sign, [](double x) { return double((x > 0) - (x < 0)); }, -2},
                             {"square", square, [](double x) { return x * x; }, -2},
                             {"sqrt", sqrt, [](double x) { return std::sqrt(x); }, 0.1},
                             {"reciprocal", reciprocal, [](double x) { return 1 / x; }, 0.1},
                             {"exp", exp, [](double x) { return std::exp(x); }, -2},
                             {"log", log, [](double x) { return std::log(x); }, 0.1},
                             {"tanh", tanh, [](double x) { return std::tanh(x); }, -2},
                             {"sigmoid", sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, -2},
                             {"relu", relu, [](double x) { return std::max(x, 0.0); }, -2}};

TEST(Pointwise, AgreesWithAPlainLoop) {
  for (const Row& row : kRows) {
    SCOPED_TRACE(row.name);
    for (const ScalarType dtype : {kFloat, kDouble}) {
      for (const Dims& shape : {Dims{}, Dims{0}, Dims{5}, Dims{3, 7}, Dims{200, 400}}) {
        const Tensor x = arbitrary(shape, row.low, 2, 3, dtype);
        for (const Tensor& input : {x, test::with_gaps(x)}) {
          const Tensor y = row.op(input);
          EXPECT_EQ(y.dtype(), dtype);
          EXPECT_EQ(y.sizes(), x.sizes());
          const std::vector<double> expected = values(x), actual = values(y);
          for (size_t i = 0; i < expected.size(); ++i) {
            const double e = row.loop(expected[i]);
            ASSERT_NEAR(actual[i], e, (dtype == kFloat ? 1e-6 : 1e-14) * (1 + std::abs(e)));
          }
        }
      }
    }
  }
}

TEST(Pointwise, WholeNumbersBecomeRealWhereTheFunctionIs) {
  EXPECT_EQ(exp(tensor({0, 1})).dtype(), kFloat);
  EXPECT_EQ(values(sqrt(tensor({4, 9}))), (std::vector<double>{2, 3}));
  EXPECT_EQ(abs(tensor({-1, 1})).dtype(), kLong);
}

TEST(Pointwise, SpecialValues) {
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  EXPECT_TRUE(std::isnan(values(relu(tensor({nan})))[0]));
  EXPECT_TRUE(std::isnan(values(sqrt(tensor({-1.0})))[0]));
  EXPECT_EQ(values(log(tensor({0.0})))[0], -inf);
  EXPECT_EQ(values(sigmoid(tensor({-1000.0, 1000.0}))), (std::vector<double>{0, 1}));
  EXPECT_EQ(values(abs(tensor({-3, 4}))), (std::vector<double>{3, 4}));
  EXPECT_EQ(values(sign(tensor({true, false}))), (std::vector<double>{1, 0}));
}

TEST(Pointwise, ReluLetsNoGradientPassAtZero) {
  const Tensor x = tensor({-1.0, 0.0, 2.0}, requires_grad());
  relu(x).sum().backward();
  EXPECT_EQ(values(x.grad()), (std::vector<double>{0, 0, 1}));
}

TEST(Where, ChoosesElementwise) {
  const Tensor c = tensor({true, false});
  EXPECT_EQ(values(where(c, tensor({1.0, 2.0}), tensor({3.0, 4.0}))), (std::vector<double>{1, 4}));
  EXPECT_EQ(values(where(c, tensor({{1.0}, {2.0}}), 9)), (std::vector<double>{1, 9, 2, 9}));
  EXPECT_EQ(values(where(c, 9, tensor({1, 2}))), (std::vector<double>{9, 2}));
  EXPECT_ERROR(where(ones({2}), c, c),
               "where expected condition to be a boolean tensor, but got a tensor with dtype Float");
}

}  // namespace
}  // namespace wengert
