#include <gtest/gtest.h>
#include <optim/cases.h>
#include <optim/torch_figures.h>
#include <support/inputs.h>

namespace wengert::optim {
namespace {

using test::expect_torch_figures;
using test::optimizer_cases;
using test::OptimizerCase;
using test::values;

const OptimizerCase& case_named(const std::string& name) {
  static const std::vector<OptimizerCase> all = optimizer_cases();
  return *std::find_if(all.begin(), all.end(), [&](const OptimizerCase& c) { return c.name == name; });
}

class EveryOptimizer : public testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(, EveryOptimizer, testing::ValuesIn([] {
                           std::vector<std::string> names;
                           for (const OptimizerCase& c : optimizer_cases()) names.push_back(c.name);
                           return names;
                         }()),
                         [](const auto& info) {
                           std::string name = info.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

Tensor start() { return tensor({1.0, -2.0, 3.0}, dtype(kDouble).requires_grad(true)); }

void differentiate(const Tensor& x) { ((x.pow(4) / 4 + x).sum() * 0.05).backward(); }

TEST_P(EveryOptimizer, TakesTheStepsOfPyTorch) {
  const Tensor x = start();
  const auto optimizer = case_named(GetParam()).make({x});
  std::vector<double> found;
  for (int step = 1; step <= 150; ++step) {
    optimizer->zero_grad();
    differentiate(x);
    optimizer->step();
    if (step != 1 && step != 10 && step != 50 && step != 150) continue;
    for (const double value : values(x)) found.push_back(value);
  }
  expect_torch_figures(GetParam(), found);
}

TEST_P(EveryOptimizer, IsReplayedFromItsFirstStepOn) {
  const Tensor x = start(), y = start();
  const auto by_steps = case_named(GetParam()).make({x}), by_replay = case_named(GetParam()).make({y});
  const auto step = [](Optimizer& optimizer, const Tensor& parameter) {
    optimizer.zero_grad();
    differentiate(parameter);
    optimizer.step();
  };
  const Replay replay([&] { step(*by_replay, y); });
  for (int i = 0; i < 19; ++i) replay();
  for (int i = 0; i < 20; ++i) step(*by_steps, x);
  EXPECT_TRUE(allclose(x, y, 1e-12, 1e-12)) << x << y;
  // The learning rate is read in each step.
  for (Optimizer* optimizer : {by_steps.get(), by_replay.get()}) optimizer->param_groups()[0].options().set_lr(1e-4);
  step(*by_steps, x);
  replay();
  EXPECT_TRUE(allclose(x, y, 1e-12, 1e-12)) << x << y;
}

// Elements' bits depend neither on strides, nor on threads, nor on their place.
TEST_P(EveryOptimizer, GivesTheSameBitsOnAnyMemoryAndThreads) {
  for (const ScalarType type : {kFloat, kDouble}) {
    manual_seed(5);
    const Tensor values = randn({301, 517}, type), grads = randn({3, 301, 517}, type);
    const auto result = [&](const Tensor& parameter, int threads) {
      set_num_threads(threads);
      const auto optimizer = case_named(GetParam()).make({parameter});
      for (int i = 0; i < 3; ++i) {
        parameter.mutable_grad() = grads[i];
        optimizer->step();
      }
      set_num_threads(1);
      return parameter.detach().contiguous();
    };
    const Tensor plain = result(values.clone().requires_grad_(), 1);
    EXPECT_TRUE(equal(plain, result(values.clone().requires_grad_(), 3)));
    EXPECT_TRUE(equal(plain, result(values.t().contiguous().t().requires_grad_(), 2)));
    EXPECT_TRUE(equal(plain, result(cat({values, values}, 1).slice(1, 0, 517).requires_grad_(), 1)));
  }
}

TEST(SparseAdam, TakesTheStepsOfPyTorch) {
  const std::vector<SparseAdamOptions> options{SparseAdamOptions(), SparseAdamOptions(0.1).betas({0.8, 0.9}),
                                               SparseAdamOptions(0.01).eps(1e-3), SparseAdamOptions().maximize(true)};
  for (size_t i = 0; i < options.size(); ++i) {
    const Tensor table = arange(12).to(kDouble).view({4, 3}).requires_grad_();
    SparseAdam optimizer({table}, options[i]);
    for (int64_t step = 0; step < 150; ++step) {
      optimizer.zero_grad();
      const Tensor rows = tensor({step % 4, (step * step) % 3, step % 4});
      (embedding(table, rows, -1, false, true).pow(2).sum() * 0.1).backward();
      optimizer.step();
    }
    expect_torch_figures("SparseAdam." + std::to_string(i), values(table));
  }
}

TEST(SparseAdam, RefusesDenseGradients) {
  const Tensor x = start();
  SparseAdam optimizer({x});
  differentiate(x);
  EXPECT_THROW(optimizer.step(), Error);
}

// A table of which two rows are used: whatever the other rows hold, it is left alone, and the two are updated as by the
// dense gradient of these rows.
template <class O, class Options>
void expect_rows_updated(const Options& options) {
  const Tensor table = arange(12).to(kDouble).view({4, 3}).requires_grad_();
  const Tensor dense = table.detach().clone().requires_grad_(), rows = tensor({int64_t{2}, int64_t{0}, int64_t{2}});
  O sparse_optimizer({table}, options), dense_optimizer({dense}, options);
  for (int i = 0; i < 5; ++i) {
    sparse_optimizer.zero_grad();
    dense_optimizer.zero_grad();
    embedding(table, rows, -1, false, true).pow(2).sum().backward();
    embedding(dense, rows).pow(2).sum().backward();
    ASSERT_TRUE(table.grad().is_sparse());
    sparse_optimizer.step();
    dense_optimizer.step();
  }
  EXPECT_TRUE(allclose(table, dense, 1e-13, 0)) << table << dense;
  EXPECT_TRUE(equal(table.detach()[1], tensor({3.0, 4.0, 5.0})));
}

TEST(SparseGradients, UpdateTheRowsThatTheyHave) {
  expect_rows_updated<SGD>(SGDOptions(0.01));
  expect_rows_updated<SGD>(SGDOptions(0.01).momentum(0.9));
  expect_rows_updated<SGD>(SGDOptions(0.01).momentum(0.9).nesterov(true).maximize(true));
  expect_rows_updated<Adagrad>(AdagradOptions(0.1).lr_decay(0.1).initial_accumulator_value(1));
}

TEST(SparseGradients, AreRefusedWithWeightDecayAndByOthers) {
  const Tensor table = ones({4, 3}, dtype(kDouble).requires_grad(true));
  embedding(table, tensor({int64_t{1}}), -1, false, true).sum().backward();
  EXPECT_THROW(SGD({table}, SGDOptions(0.1).weight_decay(0.1)).step(), Error);
  EXPECT_THROW(Adagrad({table}, AdagradOptions(0.1).weight_decay(0.1)).step(), Error);
  EXPECT_THROW(Adam({table}).step(), Error);
  EXPECT_THROW(Rprop({table}).step(), Error);
  EXPECT_TRUE(equal(table.detach(), ones({4, 3}, kDouble)));
}

TEST(Options, OutsideTheirRangesAreRefused) {
  const Tensor x = start();
  const std::vector<Tensor> p{x};
  EXPECT_THROW(Adam(p, AdamOptions(-1)), Error);
  EXPECT_THROW(Adam(p, AdamOptions().betas({1.0, 0.9})), Error);
  EXPECT_THROW(AdamW(p, AdamWOptions().eps(-1)), Error);
  EXPECT_THROW(Adagrad(p, AdagradOptions().lr_decay(-1)), Error);
  EXPECT_THROW(RMSprop(p, RMSpropOptions().alpha(-1)), Error);
  EXPECT_THROW(Adadelta(p, AdadeltaOptions().rho(1.5)), Error);
  EXPECT_THROW(NAdam(p, NAdamOptions().momentum_decay(-1)), Error);
  EXPECT_THROW(Rprop(p, RpropOptions().etas({1.1, 1.2})), Error);
  EXPECT_THROW(SparseAdam(p, SparseAdamOptions(0)), Error);
  Adam adam(p);
  EXPECT_THROW(adam.add_param_group(OptimizerParamGroup({start()}, std::make_unique<AdamOptions>(-1))), Error);
  EXPECT_EQ(adam.size(), 1);
}

TEST(State, HoldsWhatPyTorchCallsIt) {
  const Tensor x = start();
  Adam adam({x}, AdamOptions().amsgrad(true));
  differentiate(x);
  adam.step();
  const auto& state = static_cast<const AdamParamState&>(*adam.state().at(x.impl()));
  EXPECT_EQ(state.step(), 1);
  EXPECT_TRUE(allclose(state.exp_avg(), x.grad() * 0.1));
  EXPECT_TRUE(allclose(state.exp_avg_sq(), x.grad().square() * 0.001));
  EXPECT_TRUE(equal(state.max_exp_avg_sq(), state.exp_avg_sq()));
}

TEST(Step, RefusesAGradientOfAnotherShape) {
  const Tensor x = start();
  x.mutable_grad() = ones({2}, kDouble);
  EXPECT_THROW(SGD({x}, 0.1).step(), Error);
}

}  // namespace
}  // namespace wengert::optim
