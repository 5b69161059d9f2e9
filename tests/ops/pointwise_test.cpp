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
                             {"relu", relu, [](double x) { return std::max(x, 0.0); }, -2},
                             {"rsqrt", rsqrt, [](double x) { return 1 / std::sqrt(x); }, 0.1},
                             {"floor", floor, [](double x) { return std::floor(x); }, -2},
                             {"ceil", ceil, [](double x) { return std::ceil(x); }, -2},
                             {"trunc", trunc, [](double x) { return std::trunc(x); }, -2},
                             {"round", round, [](double x) { return std::nearbyint(x); }, -2},
                             {"frac", frac, [](double x) { return x - std::trunc(x); }, -2},
                             {"expm1", expm1, [](double x) { return std::expm1(x); }, -2},
                             {"log1p", log1p, [](double x) { return std::log1p(x); }, -0.9},
                             {"log2", log2, [](double x) { return std::log2(x); }, 0.1},
                             {"log10", log10, [](double x) { return std::log10(x); }, 0.1},
                             {"sin", sin, [](double x) { return std::sin(x); }, -2},
                             {"cos", cos, [](double x) { return std::cos(x); }, -2},
                             {"atan", atan, [](double x) { return std::atan(x); }, -2},
                             {"sinh", sinh, [](double x) { return std::sinh(x); }, -2},
                             {"cosh", cosh, [](double x) { return std::cosh(x); }, -2},
                             {"erf", erf, [](double x) { return std::erf(x); }, -2},
                             {"erfc", erfc, [](double x) { return std::erfc(x); }, -2},
                             {"lgamma", lgamma, [](double x) { return std::lgamma(x); }, 0.1},
                             {"log_sigmoid", log_sigmoid, [](double x) { return -std::log1p(std::exp(-x)); }, -2},
                             {"silu", silu, [](double x) { return x / (1 + std::exp(-x)); }, -2},
                             {"softsign", softsign, [](double x) { return x / (1 + std::abs(x)); }, -2}};

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

TEST(Pointwise, ArcFunctionsAndTheGammaFamilyAtKnownPoints) {
  EXPECT_ALLCLOSE(asin(tensor({0.0, 0.5, 1.0}, kDouble)), tensor({0.0, M_PI / 6, M_PI / 2}, kDouble));
  EXPECT_ALLCLOSE(acos(tensor({0.0, 0.5, 1.0}, kDouble)), tensor({M_PI / 2, M_PI / 3, 0.0}, kDouble));
  // Abramowitz and Stegun, table 6.1 and 6.4: -gamma, psi(2), psi(1/2); psi'(1) = pi^2/6; psi''(1) = -2 zeta(3).
  const double gamma = 0.57721566490153286061;
  EXPECT_ALLCLOSE(digamma(tensor({1.0, 2.0, 0.5}, kDouble)),
                  tensor({-gamma, 1 - gamma, -gamma - 2 * std::log(2.0)}, kDouble));
  EXPECT_NEAR(polygamma(1, tensor(1.0, kDouble)).item<double>(), M_PI * M_PI / 6, 1e-13);
  EXPECT_NEAR(polygamma(2, tensor(1.0, kDouble)).item<double>(), -2.4041138063191885708, 1e-12);
  EXPECT_NEAR(digamma(tensor(-0.5, kDouble)).item<double>(), 0.03648997397857652055902366700124, 1e-13);
}

TEST(Remainder, SignsFollowTheDivisorOrTheDividend) {
  const Tensor a = tensor({7, -7, 7, -7}), b = tensor({3, 3, -3, -3});
  EXPECT_TRUE(equal(remainder(a, b), tensor({1, 2, -2, -1})));
  EXPECT_TRUE(equal(fmod(a, b), tensor({1, -1, 1, -1})));
  EXPECT_TRUE(equal(floor_divide(a, b), tensor({2, -3, -3, 2})));
  EXPECT_TRUE(equal(div(a, b, "trunc"), tensor({2, -2, -2, 2})));
  EXPECT_TRUE(equal(a % 3, tensor({1, 2, 1, 2})));
  EXPECT_ERROR(remainder(a, 0), "ZeroDivisionError");
  EXPECT_ERROR(div(a, b, "up"), "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found 'up'");
}

TEST(Remainder, EndsNoProgramWhereProcessorsHaveNoQuotient) {
  const Tensor least = full({3}, std::numeric_limits<int64_t>::min(), kLong);
  for (const Tensor& minus_one : {tensor({-1, -1, -1}), full({}, -1, kLong)}) {
    EXPECT_TRUE(equal(remainder(least, minus_one), zeros({3}, kLong)));
    EXPECT_TRUE(equal(fmod(least, minus_one), zeros({3}, kLong)));
    EXPECT_TRUE(equal(div(least, minus_one, "floor"), least));
    EXPECT_TRUE(equal(div(least, minus_one, "trunc"), least));
  }
  // A divisor that becomes 0 while it is divided by; memory with gaps is not looked through for that.
  const auto with_gaps = [] { return tensor({6, 0, 3, 0, -9, 0}).slice(0, 0, 6, 2); };
  const Tensor x = with_gaps(), y = with_gaps();
  x.remainder_(x[0]);
  y.fmod_(y[0]);
  EXPECT_TRUE(equal(x, zeros({3}, kLong)));
  EXPECT_TRUE(equal(y, zeros({3}, kLong)));
}

TEST(Clamp, BoundsMayBeNumbersOrTensorsOrMissing) {
  const Tensor x = tensor({-2.0, 0.5, 3.0});
  EXPECT_TRUE(equal(clamp(x, -1, 1), tensor({-1.0, 0.5, 1.0})));
  EXPECT_TRUE(equal(clamp(x, std::nullopt, 1), tensor({-2.0, 0.5, 1.0})));
  EXPECT_TRUE(equal(clamp(x, tensor({0.0, 1.0, 0.0}), tensor({1.0, 2.0, 1.0})), tensor({0.0, 1.0, 1.0})));
  EXPECT_ERROR(clamp(x), "At least one of 'min' or 'max' must not be None");
}

TEST(Logic, OfTruthValuesAndBits) {
  const Tensor a = tensor({true, true, false, false}), b = tensor({true, false, true, false});
  EXPECT_TRUE(equal(a & b, logical_and(a, b)));
  EXPECT_TRUE(equal(a | b, tensor({true, true, true, false})));
  EXPECT_TRUE(equal(a ^ b, a != b));
  EXPECT_TRUE(equal(~a, !a));
  EXPECT_TRUE(equal(tensor({6, 5}) & tensor({3, 4}), tensor({2, 4})));
  EXPECT_TRUE(equal(~tensor({0, 5}), tensor({-1, -6})));
  EXPECT_ERROR(bitwise_and(ones({1}), ones({1})), "\"bitwise_and\" not implemented for 'Float'");
}

TEST(Sign, OfZeroIsZero) {
  const Tensor x = tensor({-2., -0., 0., 3.}, kDouble);
  EXPECT_TRUE(equal(x.sign(), tensor({-1., 0., 0., 1.}, kDouble)));
  EXPECT_TRUE(equal(x.clone().sign_(), x.sign()));
}

TEST(Pointwise, BitsDoNotDependOnStrides) {
  for (const ScalarType dtype : {kFloat, kDouble}) {
    const Tensor x = test::arbitrary({67, 301}).to(dtype) * 4;
    for (const auto& f : std::vector<std::function<Tensor(const Tensor&)>>{
             [](const Tensor& t) { return t.exp(); }, [](const Tensor& t) { return t.tanh(); },
             [](const Tensor& t) { return t.sigmoid(); }, [](const Tensor& t) { return t.relu(); },
             [](const Tensor& t) { return t.abs().sqrt(); }, [](const Tensor& t) { return -t; }}) {
      EXPECT_TRUE(equal(f(x.t()), f(x).t()));
      EXPECT_TRUE(equal(f(x.slice(1, 0, 301, 3)), f(x).slice(1, 0, 301, 3)));
      EXPECT_TRUE(equal(f(x.slice(1, 0, 1).expand({67, 301})), f(x.slice(1, 0, 1)).expand({67, 301})));
    }
  }
}

}  // namespace
}  // namespace wengert