#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert {
namespace {

using autograd::checkpoint;
using autograd::variable_list;
using test::arbitrary;

Tensor layers(const Tensor& x, int count) {
  Tensor y = x;
  for (int i = 0; i < count; ++i) y = (y * 1.01).tanh();
  return y;
}

TEST(Checkpoint, GivesTheSameValueAndGradients) {
  const Tensor x = arbitrary({3, 4}).requires_grad_(), w = arbitrary({4, 2}, -1, 1, 1).requires_grad_();
  const auto f = [](const variable_list& in) { return mm(in[0], in[1]).tanh(); };
  const Tensor direct = f({x, w});
  const variable_list expected = autograd::grad({direct.sum()}, {x, w});
  const Tensor y = checkpoint(f, {x, w});
  EXPECT_TRUE(equal(y, direct));
  EXPECT_EQ(y.grad_fn()->name(), "CheckpointBackward");
  y.sum().backward();
  EXPECT_TRUE(equal(x.grad(), expected[0]));
  EXPECT_TRUE(equal(w.grad(), expected[1]));
}

TEST(Checkpoint, ParametersThatTheFunctionKnowsGetTheirGradients) {
  const Tensor x = arbitrary({3}), w = arbitrary({3}, -1, 1, 1).requires_grad_();
  const auto f = [&](const variable_list& in) { return in[0] * w; };
  checkpoint(f, {x}).sum().backward();  // no input requires grad, w does
  EXPECT_TRUE(equal(w.grad(), x));
  const Tensor z = x.clone().requires_grad_();
  checkpoint(f, {z}).sum().backward();
  EXPECT_TRUE(equal(w.grad(), 2 * x));
  EXPECT_TRUE(equal(z.grad(), w));
}

TEST(Checkpoint, DrawsTheSameRandomNumbersAgain) {
  const Tensor x = ones({1000}, requires_grad());
  const auto f = [](const variable_list& in) { return dropout(in[0], 0.5, true); };
  manual_seed(7);
  const Tensor y = checkpoint(f, {x});
  const Tensor after = rand({3});
  y.sum().backward();
  EXPECT_TRUE(equal(x.grad(), y.detach()));  // each is 0 or 2
  // The second run leaves the generator where it was.
  manual_seed(7);
  dropout(x, 0.5, true);
  EXPECT_TRUE(equal(rand({3}), after));
}

TEST(Checkpoint, SeveralOutputsAndUndefinedInputs) {
  const Tensor x = arbitrary({3}).requires_grad_();
  const auto f = [](const variable_list& in) {
    EXPECT_FALSE(in[1].defined());
    return variable_list{in[0] * 2, in[0] * 3, (in[0] > 0)};
  };
  const variable_list out = checkpoint(f, {x, Tensor()});
  EXPECT_FALSE(out[2].requires_grad());
  (out[0] + out[1]).sum().backward();
  EXPECT_TRUE(equal(x.grad(), full({3}, 5.0, kDouble)));
}

TEST(Checkpoint, GradOfParticularInputsTouchesNoOther) {
  const Tensor x = arbitrary({3}).requires_grad_(), w = arbitrary({3}, -1, 1, 1).requires_grad_();
  const Tensor y = checkpoint([&](const variable_list& in) { return in[0] * w; }, {x});
  const variable_list grads = autograd::grad({y.sum()}, {x});
  EXPECT_TRUE(equal(grads[0], w));
  EXPECT_FALSE(w.grad().defined());
}

TEST(Checkpoint, RefusesToBeRecordedItself) {
  const Tensor x = arbitrary({3}).requires_grad_();
  const Tensor y = checkpoint([](const variable_list& in) { return in[0].exp(); }, {x});
  EXPECT_ERROR(autograd::grad({y.sum()}, {x}, {}, true, true), "not compatible with create_graph");
}

TEST(Checkpoint, KeepsTheInputsMemoryAlone) {
  const int64_t bytes = 1000 * 8;
  const auto peak = [&](const std::function<Tensor(const Tensor&)>& forward) {
    const Tensor x = arbitrary({1000}).requires_grad_();
    reset_peak_memory_stats();
    const int64_t before = memory_allocated();
    forward(x).sum().backward();
    return max_memory_allocated() - before;
  };
  const int64_t whole = peak([](const Tensor& x) { return layers(x, 64); });
  const int64_t in_pieces = peak([](const Tensor& x) {
    Tensor y = x;
    for (int i = 0; i < 8; ++i) y = checkpoint([](const variable_list& in) { return layers(in[0], 8); }, {y});
    return y;
  });
  EXPECT_GE(whole, 64 * bytes);
  // The inputs of eight pieces, and the saved tensors of one.
  EXPECT_LE(in_pieces, 22 * bytes);
}

}  // namespace
}  // namespace wengert
