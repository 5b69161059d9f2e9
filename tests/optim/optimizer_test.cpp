#include <gtest/gtest.h>
#include <optim/cases.h>
#include <support/inputs.h>

#include <sstream>

namespace wengert::optim {
namespace {

using test::values;

Tensor parameter() { return tensor({1.0, -2.0, 3.0}, dtype(kDouble).requires_grad(true)); }
Tensor loss_of(const Tensor& x) { return (x.pow(4) / 4 + x).sum(); }

void run_steps(Optimizer& optimizer, const Tensor& x, double weight) {
  for (int i = 0; i < 5; ++i) {
    optimizer.zero_grad();
    (loss_of(x) * weight).backward();
    optimizer.step();
  }
}

void expect_near(const Tensor& x, const std::vector<double>& expected) {
  for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(values(x)[i], expected[i], 1e-12);
}

// Figures printed by libtorch 1.13.1 for the same steps.
TEST(Sgd, TakesTheStepsOfPyTorch) {
  const std::vector<std::pair<SGDOptions, std::vector<double>>> cases{
      {SGDOptions(0.1), {0.95143509266564319, -1.8438706146550172, 2.4480058250566681}},
      {SGDOptions(0.1).momentum(0.9), {0.87291550837935006, -1.5968000441757575, 1.5861921963904568}},
      {SGDOptions(0.1).momentum(0.9).dampening(0.5), {0.91553262757438669, -1.7214234106264616, 1.9760131571274733}},
      {SGDOptions(0.1).momentum(0.9).nesterov(true), {0.84099181090863195, -1.5268940297250646, 1.4477738268320266}},
      {SGDOptions(0.1).weight_decay(0.3), {0.81660450017628994, -1.5971912340972445, 2.1302739981441148}},
      {SGDOptions(0.1).momentum(0.5).weight_decay(0.1).nesterov(true),
       {0.83239260408540561, -1.5932488581379312, 1.9389854984116976}}};
  for (const auto& [options, expected] : cases) {
    const Tensor x = parameter();
    SGD optimizer({x}, options);
    run_steps(optimizer, x, 0.05);
    expect_near(x, expected);
  }
}

TEST(Adam, TakesTheStepsOfPyTorch) {
  const Tensor x = parameter();
  Adam optimizer({x}, AdamOptions(0.1).weight_decay(0.01));
  run_steps(optimizer, x, 1);
  expect_near(x, {0.50907186113533409, -1.5151404490075813, 2.5063718970971673});
}

TEST(Sgd, MaximizeClimbs) {
  const Tensor x = parameter(), y = parameter();
  SGD up({x}, SGDOptions(0.1).maximize(true)), down({y}, 0.1);
  run_steps(up, x, -0.05);
  run_steps(down, y, 0.05);
  EXPECT_TRUE(equal(x, y));
}

TEST(Optimizer, LeavesParametersWithoutGradientAlone) {
  const Tensor x = parameter(), y = parameter();
  SGD optimizer({x, y}, 0.1);
  loss_of(x).backward();
  optimizer.step();
  EXPECT_TRUE(equal(y, parameter()));
  EXPECT_FALSE(equal(x, parameter()));
}

TEST(Optimizer, ZeroGradMakesGradientsUndefinedOrZero) {
  const Tensor x = parameter();
  SGD optimizer({x}, 0.1);
  loss_of(x).backward();
  const Tensor held = x.grad();
  optimizer.zero_grad(false);
  EXPECT_TRUE(held.is_same(x.grad()));
  EXPECT_EQ(values(x.grad()), (std::vector<double>{0, 0, 0}));
  optimizer.zero_grad();
  EXPECT_FALSE(x.grad().defined());
}

TEST(Optimizer, StepWithAClosureReturnsItsLoss) {
  const Tensor x = parameter();
  SGD optimizer({x}, 0.01);
  const Tensor loss = optimizer.step([&] {
    EXPECT_TRUE(GradMode::is_enabled());
    optimizer.zero_grad();
    const Tensor value = loss_of(x);
    value.backward();
    return value;
  });
  EXPECT_EQ(loss.item<double>(), loss_of(parameter()).item<double>());
  EXPECT_FALSE(optimizer.step().defined());
}

TEST(Optimizer, GroupsHaveTheirOwnOptions) {
  const Tensor x = parameter(), y = parameter();
  SGD optimizer({OptimizerParamGroup({x}), OptimizerParamGroup({y}, std::make_unique<SGDOptions>(0.5))},
                SGDOptions(0.1));
  EXPECT_EQ(optimizer.param_groups()[0].options().get_lr(), 0.1);
  EXPECT_EQ(optimizer.param_groups()[1].options().get_lr(), 0.5);
  x.sum().backward();
  y.sum().backward();
  optimizer.step();
  expect_near(x, {0.9, -2.1, 2.9});
  expect_near(y, {0.5, -2.5, 2.5});
  optimizer.param_groups()[0].options().set_lr(1);
  static_cast<SGDOptions&>(optimizer.param_groups()[1].options()).lr(0);
  optimizer.step();
  expect_near(x, {-0.1, -3.1, 1.9});
  expect_near(y, {0.5, -2.5, 2.5});
  EXPECT_EQ(optimizer.parameters().size(), 2u);
}

TEST(Optimizer, RefusesWhatItCannotOptimize) {
  const Tensor x = parameter();
  EXPECT_ERROR(SGD({x * 2}, 0.1), "can't optimize a non-leaf Tensor");
  EXPECT_ERROR(SGD({x}, -1), "Invalid learning rate: -1");
  EXPECT_ERROR(SGD({x}, SGDOptions(0.1).momentum(-1)), "Invalid momentum value: -1");
  EXPECT_ERROR(SGD({x}, SGDOptions(0.1).nesterov(true)), "Nesterov momentum requires a momentum and zero dampening");
  EXPECT_ERROR(Adam({x}, AdamOptions(0.1).betas({1.0, 0.9})), "Invalid beta parameter at index 0: 1");
  SGD optimizer({x}, 0.1);
  EXPECT_ERROR(optimizer.add_param_group(OptimizerParamGroup({x})),
               "some parameters appear in more than one parameter group");
}

TEST(Optimizer, AStepBetweenForwardAndBackwardIsNoticed) {
  const Tensor x = parameter();
  SGD optimizer({x}, 0.1);
  const Tensor first = loss_of(x), second = loss_of(x);
  first.backward();
  optimizer.step();
  EXPECT_ERROR(second.backward(), "modified by an inplace operation");
}

// What an optimizer's archive holds, with changes.
std::string saved(const Optimizer& optimizer, const std::function<void(serialize::OutputArchive&)>& change = {}) {
  serialize::OutputArchive archive;
  optimizer.save(archive);
  if (change) change(archive);
  std::ostringstream stream;
  archive.save_to(stream);
  return stream.str();
}

std::string error_of_load(Optimizer& optimizer, const std::string& content) {
  const std::string before = saved(optimizer);
  std::istringstream stream(content);
  const std::string error = test::error_of([&] { load(optimizer, stream); });
  EXPECT_EQ(saved(optimizer), before);  // which an error leaves alone
  return error;
}

TEST(Optimizer, RefusesToLoadWhatDoesNotFit) {
  const Tensor x = parameter(), y = parameter();
  Adam adam({x}, AdamOptions(0.1)), two({x, y}, AdamOptions(0.1));
  run_steps(adam, x, 0.05);
  const std::string content = saved(adam);
  EXPECT_EQ(error_of_load(two, content), "stream: parameter group 0 has 1 parameters; the optimizer's has 2");
  two = Adam(std::vector<OptimizerParamGroup>{OptimizerParamGroup({x}), OptimizerParamGroup({y})});
  EXPECT_EQ(error_of_load(two, content), "stream: it has 1 parameter groups; the optimizer has 2");
  SGD sgd({x}, SGDOptions(0.1));
  EXPECT_EQ(error_of_load(sgd, content), "stream: it has no value \"param_groups.0.momentum\"");
  Adam other({ones({2}, requires_grad())}, AdamOptions(0.2));
  EXPECT_EQ(error_of_load(other, content),
            "stream: \"state.0.exp_avg\" is of shape [3] and dtype Double; expected [2] and Float");
  const auto with = [&](const std::string& key, auto value) {
    return saved(adam, [&](serialize::OutputArchive& archive) { archive.write(key, value); });
  };
  EXPECT_EQ(error_of_load(adam, with("param_groups.0.lr", -1.0)), "Invalid learning rate: -1");
  EXPECT_EQ(error_of_load(adam, with("param_groups.0.amsgrad", 1.0)),
            "stream: \"param_groups.0.amsgrad\" is \"1\", no bool");
  EXPECT_EQ(error_of_load(adam, with("state.0.step", 1.5)), "stream: \"state.0.step\" is \"1.5\", no whole number");
  EXPECT_EQ(error_of_load(adam, with("state.0.exp_avg_sq", ones({3, 1}, kDouble))),
            "stream: \"state.0.exp_avg_sq\" is of shape [3, 1] and dtype Double; expected [3] and Double");
}

// A tampered file may lack any of the tensors that a state has: the step after it throws or goes on, but it does not
// read memory that is not there.
TEST(Optimizer, StatesWithoutTheirTensorsDoNoHarm) {
  for (const test::OptimizerCase& c : test::optimizer_cases()) {
    const Tensor x = parameter();
    const auto optimizer = c.make({x});
    run_steps(*optimizer, x, 0.05);
    std::map<std::string, Tensor> tensors;
    std::istringstream whole(saved(*optimizer));
    load(tensors, whole);
    for (const auto& [name, tensor] : tensors) {
      std::istringstream lacking(
          saved(*optimizer, [&name = name](serialize::OutputArchive& archive) { archive.write(name, std::nullopt); }));
      const auto fresh = c.make({x});
      load(*fresh, lacking);
      try {
        run_steps(*fresh, x, 0.05);
      } catch (const Error&) {
      }
    }
  }
}

struct OwnOptions : OptimizerCloneableOptions<OwnOptions> {
  double lr() const { return rate; }
  OwnOptions& lr(double lr) { return rate = lr, *this; }
  double rate = 0.1;
};
class OwnOptimizer final : public Optimizer {
 public:
  explicit OwnOptimizer(const Tensor& x) : Optimizer({OptimizerParamGroup({x})}, std::make_unique<OwnOptions>()) {}
  Tensor step(LossClosure closure) override { return compute_loss(closure); }
};

TEST(Optimizer, OneOfOnesOwnSaysWhatItLacks) {
  const OwnOptimizer optimizer(parameter());
  EXPECT_EQ(test::error_of([&] { saved(optimizer); }), "these options do not override fields()");
}

}  // namespace
}  // namespace wengert::optim
