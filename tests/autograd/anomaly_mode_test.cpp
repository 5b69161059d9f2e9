#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

using autograd::AnomalyMode;
using autograd::DetectAnomalyGuard;
using autograd::ForwardLocation;

const Tensor kMinusOne = tensor({-1.0});

Tensor leaf() { return kMinusOne.clone().requires_grad_(); }

TEST(AnomalyMode, ANaNGradientNamesTheNode) {
  const DetectAnomalyGuard guard;
  const Tensor y = leaf().sqrt().sum();
  EXPECT_ERROR(y.backward(), "Function 'SqrtBackward0' returned nan values in its 0th output.");
}

TEST(AnomalyMode, TheErrorSaysWhereForwardWasCalled) {
  const DetectAnomalyGuard guard;
  Tensor y;
  {
    const ForwardLocation here("the third layer");
    y = leaf().sqrt();
  }
  EXPECT_ERROR(y.sum().backward(), "Its forward was called at the third layer.");
  {
    const ForwardLocation outer("outer");
    { const ForwardLocation inner; }
    y = leaf().sqrt();
  }
  EXPECT_ERROR(y.sum().backward(), "Its forward was called at outer.");
  {
    const ForwardLocation here;
    y = leaf().sqrt();
  }
  EXPECT_ERROR(y.sum().backward(), "anomaly_mode_test.cpp:");
}

TEST(AnomalyMode, WithoutALocationTheCallersSymbolIsGiven) {
  const DetectAnomalyGuard guard;
  const Tensor y = leaf().sqrt();
  ASSERT_NE(y.grad_fn()->forward_location(), nullptr);
  // The program that called, not the library.
  EXPECT_NE(y.grad_fn()->forward_location()->find("autograd_tests"), std::string::npos)
      << *y.grad_fn()->forward_location();
}

TEST(AnomalyMode, SaysSoWhenForwardRanWithoutIt) {
  const Tensor y = leaf().sqrt().sum();
  const DetectAnomalyGuard guard;
  EXPECT_ERROR(y.backward(), "No forward pass information available.");
}

TEST(AnomalyMode, NotesPlacesWithoutCheckingIfAskedTo) {
  const Tensor x = leaf();
  {
    const DetectAnomalyGuard guard(false);
    x.sqrt().sum().backward();
  }
  EXPECT_TRUE(x.grad().isnan().item<bool>());
  EXPECT_FALSE(AnomalyMode::is_enabled());
}

TEST(AnomalyMode, IsOffByDefault) {
  const Tensor y = leaf().sqrt();
  EXPECT_EQ(y.grad_fn()->forward_location(), nullptr);
  y.sum().backward();
}

}  // namespace
}  // namespace wengert
