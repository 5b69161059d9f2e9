#include <gtest/gtest.h>
#include <support/inputs.h>

#include <algorithm>
#include <cmath>

// The figures were printed by libtorch 1.13.1 on the CPU after the same calls.

namespace wengert {
namespace {

using test::values;
using Values = std::vector<double>;

void expect_values(const Tensor& x, const Values& expected, double tolerance = 1e-6) {
  const Values actual = values(x);
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], expected[i], tolerance * (1 + std::abs(expected[i]))) << i;
  }
}

TEST(Random, GivesTheNumbersOfPyTorch) {
  manual_seed(7);
  expect_values(rand({4}), {0.53492254, 0.198803186, 0.659211695, 0.656890273}, 1e-8);
  expect_values(rand({3}, kDouble), {0.86209296141762548, 0.65668843058820137, 0.92252936745298719}, 1e-15);
  expect_values(randn({5}), {0.445742399, -0.706832469, -1.57496774, -0.631848931, 0.0212013777});
  expect_values(randn({2}, kDouble), {-0.36019380420107672, 0.56623673185008883}, 1e-14);
  expect_values(randn({18}), {-0.0810215846, 1.36148512, 2.51160288, -1.25478518, 0.816456497, -1.06539893,
                              -0.178192616, -0.259498864, -0.0144879408, -0.383890986, -0.100734316, 0.237014592,
                              0.632682085, -0.0916771665, 1.62431645, 0.00156727072, -0.43754071, -2.10853338});
  expect_values(
      randn({17}, kDouble),
      {-0.10278224015366183, 0.82671901756621435, 1.2349828412037434, 0.97600497702260391, 0.13433198209504749,
       -0.081646917712176539, 0.20859454649498049, -1.7196224128603383, 0.53894672481590178, -0.43939483943079871,
       -0.37321646696733984, -1.5441264247453323, -0.16284188039102038, -0.96926899836149683, -0.65411026215351764,
       -1.378913736646689, -1.4245652245923288},
      1e-14);
  expect_values(randint(100, {6}), {63, 40, 88, 75, 40, 14}, 0);
  expect_values(randint(-5000000000, 5000000000, {3}), {4540575798, 4228329967, -3266105907}, 0);
  expect_values(randperm(9), {4, 8, 0, 1, 5, 2, 6, 3, 7}, 0);
  expect_values(randint(3, 9, {5}, kFloat), {5, 5, 7, 4, 7}, 0);
  const Tensor t = zeros({2, 3});
  expect_values(t.t().uniform_(-1, 1),
                {-0.977094054, 0.890702128, -0.919428349, -0.0151728392, 0.415400863, -0.893801451});
  const Tensor u = zeros({3});
  expect_values(u.normal_(5, 2), {5.42838001, 3.36481071, 5.89683962});
  expect_values(rand_like(u), {0.542051852, 0.214853823, 0.0363786817}, 1e-8);
  expect_values(
      zeros({9, 2}).t().normal_(1, 3),
      {1.06956172, 6.88773489, -2.60162497, 2.08102512, -0.85912317, 0.760590196, -1.32821512, 1.68217933, 0.0613706335,
       -8.96231842, 1.30209291, 4.79507208, 2.90293074, 2.72199798, 3.90221334, 2.66546416, -5.58021736, 2.16071463});
}

TEST(Random, SeedsAreTakenModulo32Bits) {
  manual_seed(static_cast<uint64_t>(-1));
  expect_values(rand({2}), {0.993799388, 0.571306348}, 1e-8);
  manual_seed(1234567890123ULL);
  expect_values(rand({2}), {0.355329096, 0.0504220724}, 1e-8);
}

TEST(Random, ASeedStartsAnew) {
  manual_seed(3);
  randn({1});  // leaves a spare normal number behind
  manual_seed(3);
  const Tensor a = randn({3});
  manual_seed(3);
  EXPECT_TRUE(equal(a, randn({3})));
}

TEST(Random, HasTheRightMoments) {
  manual_seed(0);
  const Tensor x = randn({100'000}, kDouble), u = rand({100'000}, kDouble);
  EXPECT_NEAR(x.mean().item<double>(), 0, 0.02);
  EXPECT_NEAR(x.square().mean().item<double>(), 1, 0.02);
  EXPECT_NEAR(u.mean().item<double>(), 0.5, 0.01);
  EXPECT_NEAR((u - 0.5).square().mean().item<double>(), 1.0 / 12, 0.01);
}

TEST(Randperm, IsAPermutation) {
  Values order = values(randperm(1000));
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, values(arange(1000)));
  EXPECT_EQ(randperm(0).numel(), 0);
  EXPECT_EQ(randperm(4, kFloat).dtype(), kFloat);
}

TEST(Random, OptionsAndShapes) {
  EXPECT_TRUE(rand({2}, dtype(kDouble).requires_grad(true)).requires_grad());
  EXPECT_TRUE(randn_like(ones({2, 3}, kDouble)).dtype() == kDouble);
  EXPECT_EQ(randn({0}).numel(), 0);
  EXPECT_ERROR(ones({2}).uniform_(1, 0), "uniform_ expects to return a [from, to) range");
  EXPECT_ERROR(ones({2}).normal_(0, -1), "normal expects std >= 0.0");
}

TEST(Random, InPlaceFillsEndTheGradient) {
  const Tensor x = ones({2}, requires_grad());
  const Tensor y = x * 2;
  y.uniform_();
  (y + x).sum().backward();
  EXPECT_EQ(values(x.grad()), (Values{1, 1}));
}

}  // namespace
}  // namespace wengert
