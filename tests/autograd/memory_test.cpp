#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

TEST(Memory, CountsTheBytesOfElements) {
  const int64_t before = memory_allocated();
  Tensor x = zeros({10, 10}, kDouble);
  EXPECT_EQ(memory_allocated() - before, 800);
  const Tensor view = x.t(), alias = x.detach();
  EXPECT_EQ(memory_allocated() - before, 800);
  double lent[4];
  const Tensor borrowed = from_blob(lent, {4}, kDouble);
  EXPECT_EQ(memory_allocated() - before, 800);
}

TEST(Memory, ThePeakIsKeptUntilReset) {
  reset_peak_memory_stats();
  const int64_t before = memory_allocated();
  { const Tensor x = zeros({1000}); }
  EXPECT_EQ(memory_allocated(), before);
  EXPECT_EQ(max_memory_allocated() - before, 4000);
  reset_peak_memory_stats();
  EXPECT_EQ(max_memory_allocated(), before);
}

TEST(Memory, SavedTensorsAreFreedAsBackwardPassesThem) {
  constexpr int64_t kBytes = 8000, kLength = 50;
  const Tensor x = test::arbitrary({1000}).requires_grad_();
  const int64_t before = memory_allocated();
  Tensor y = x;
  for (int64_t i = 0; i < kLength; ++i) y = y.sin();  // each saves its input
  Tensor loss = y.sum();
  y = Tensor();
  // The last output is not saved by anybody.
  EXPECT_EQ(memory_allocated() - before, (kLength - 1) * kBytes + 8);
  reset_peak_memory_stats();
  loss.backward();
  // Nothing but the gradient under way, cos(x), their product, and the 1 it starts from.
  EXPECT_LE(max_memory_allocated() - before, (kLength + 2) * kBytes + 64);
  EXPECT_EQ(memory_allocated() - before, kBytes + 8);  // x's grad, and the loss
}

}  // namespace
}  // namespace wengert
