#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert::optim {
namespace {

using test::values;

TEST(AveragedParameters, AreTheMeanOfWhatTheyWere) {
  const Tensor x = zeros({2}, dtype(kDouble).requires_grad(true));
  AveragedParameters average({x});
  for (const double value : {3.0, 5.0, 10.0}) {
    x.data().fill_(value);
    average.update_parameters();
  }
  EXPECT_EQ(average.n_averaged(), 3);
  EXPECT_NEAR(values(average.averages()[0])[0], 6, 1e-15);
  EXPECT_FALSE(average.averages()[0].requires_grad());
}

TEST(AveragedParameters, DecayExponentially) {
  const Tensor x = zeros({2}, dtype(kDouble).requires_grad(true));
  AveragedParameters average({x}, 0.75);
  for (const double value : {4.0, 8.0, 16.0}) {
    x.data().fill_(value);
    average.update_parameters();
  }
  EXPECT_EQ(values(average.averages()[0])[1], 0.75 * (0.75 * 4 + 0.25 * 8) + 0.25 * 16);
  EXPECT_THROW(AveragedParameters({x}, 1.5), Error);
}

TEST(AveragedParameters, ChangePlacesWithTheParameters) {
  const Tensor x = ones({2}, dtype(kDouble).requires_grad(true));
  AveragedParameters average({x});
  average.update_parameters();
  x.data().fill_(3);
  average.swap();
  EXPECT_EQ(values(x)[0], 1);
  average.swap();
  EXPECT_EQ(values(x)[0], 3);
  EXPECT_EQ(values(average.averages()[0])[0], 1);
}

}  // namespace
}  // namespace wengert::optim
