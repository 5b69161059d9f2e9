#include <gtest/gtest.h>
#include <support/inputs.h>

#include <limits>

namespace wengert {
namespace {

using test::values;
using Values = std::vector<double>;
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(Comparison, OfTensorsAndNumbers) {
  const Tensor a = tensor({1.0, 2.0, 3.0}), b = tensor({2.0, 2.0, 2.0});
  EXPECT_EQ(values(a == b), (Values{0, 1, 0}));
  EXPECT_EQ(values(a != b), (Values{1, 0, 1}));
  EXPECT_EQ(values(a < b), (Values{1, 0, 0}));
  EXPECT_EQ(values(a <= b), (Values{1, 1, 0}));
  EXPECT_EQ(values(a > b), (Values{0, 0, 1}));
  EXPECT_EQ(values(a >= b), (Values{0, 1, 1}));
  EXPECT_EQ(values(a == 2), (Values{0, 1, 0}));
  EXPECT_EQ(values(a != 2), (Values{1, 0, 1}));
  EXPECT_EQ(values(a < 2), (Values{1, 0, 0}));
  EXPECT_EQ(values(a <= 2), (Values{1, 1, 0}));
  EXPECT_EQ(values(a > 2), (Values{0, 0, 1}));
  EXPECT_EQ(values(a >= 2), (Values{0, 1, 1}));
  EXPECT_EQ((a < b).dtype(), kBool);
}

TEST(Comparison, PromotesAndBroadcasts) {
  EXPECT_EQ(values(tensor({1, 2}) < 1.5), (Values{1, 0}));
  EXPECT_EQ(values(tensor({{1}, {3}}) < tensor({2.0, 4.0}, kDouble)), (Values{1, 1, 0, 1}));
  EXPECT_EQ(values(tensor({kNan}) == tensor({kNan})), (Values{0}));
}

TEST(Comparison, IsNotRecorded) {
  const Tensor x = ones({2}, requires_grad());
  EXPECT_FALSE((x < 2).requires_grad());
  EXPECT_FALSE((x.to(kDouble) < x).requires_grad());
}

TEST(IsFinite, OfAllDtypes) {
  EXPECT_EQ(values(isfinite(tensor({1.0, kInf, -kInf, kNan}))), (Values{1, 0, 0, 0}));
  EXPECT_EQ(values(isfinite(tensor({1, 2}))), (Values{1, 1}));
}

TEST(Equal, ComparesShapesAndElements) {
  EXPECT_TRUE(equal(ones({2, 2}), ones({2, 2})));
  EXPECT_FALSE(equal(ones({2, 2}), ones({4})));
  EXPECT_FALSE(equal(tensor({1.0, 2.0}), tensor({1.0, 3.0})));
  EXPECT_FALSE(equal(tensor({kNan}), tensor({kNan})));
  EXPECT_TRUE(ones({2, 3}).t().equal(ones({3, 2})));
  EXPECT_TRUE(equal(zeros({0}), zeros({0})));
}

TEST(Allclose, HasBothTolerances) {
  const auto close = [](double a, double b, double rtol, double atol) {
    return allclose(tensor({a}, kDouble), tensor({b}, kDouble), rtol, atol);
  };
  EXPECT_TRUE(close(1.0, 1.05, 0.1, 0));
  EXPECT_FALSE(close(1.0, 1.2, 0.1, 0));
  EXPECT_TRUE(close(0.0, 0.1, 0, 0.2));
  EXPECT_FALSE(close(kInf, 1, 0.1, 0.1));
  EXPECT_TRUE(close(kInf, kInf, 0.1, 0.1));
  EXPECT_FALSE(close(kNan, kNan, 1, 1));
  EXPECT_TRUE(allclose(tensor({kNan}), tensor({kNan}), 0, 0, true));
  EXPECT_TRUE(tensor({1, 2}).allclose(tensor({1, 2})));
  EXPECT_TRUE(allclose(ones({2, 2}), ones({})));
}

TEST(Comparison, IscloseTellsWhere) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor a = tensor({1.0, 1.0, inf, nan}, kDouble), b = tensor({1.0 + 1e-6, 1.1, inf, nan}, kDouble);
  EXPECT_TRUE(equal(isclose(a, b), tensor({true, false, true, false})));
  EXPECT_TRUE(equal(isclose(a, b, 1e-5, 1e-8, true), tensor({true, false, true, true})));
  EXPECT_THROW(isclose(a, b.to(kFloat)), Error);
}

TEST(Comparison, ArgumentsOfAllcloseAreCheckedWithoutElementsToo) {
  const Tensor none = zeros({0});
  EXPECT_TRUE(allclose(none, none));
  EXPECT_THROW(allclose(none, none.to(kDouble)), Error);
  EXPECT_THROW(allclose(none, none, -1), Error);
}

TEST(Comparison, LargeTensorsAreComparedWithoutOneMore) {
  const Tensor a = zeros({1 << 20}, kFloat), b = a.clone();
  reset_peak_memory_stats();
  const int64_t before = memory_allocated();
  EXPECT_TRUE(equal(a, b));
  EXPECT_TRUE(allclose(a, b));
  b[-1] = 1;
  EXPECT_FALSE(equal(a, b));
  EXPECT_FALSE(allclose(a, b));
  EXPECT_LT(max_memory_allocated() - before, 1 << 20);
}

}  // namespace
}  // namespace wengert
