#include <gtest/gtest.h>
#include <optim/cases.h>
#include <optim/torch_figures.h>
#include <wengert/wengert.h>

#include <cmath>

namespace wengert::optim {
namespace {

using test::expect_torch_figures;
using test::schedule_cases;
using test::ScheduleCase;

// SGD on two groups whose rates are 0.1 and 0.02, as in torch_figures.py.
SGD two_groups() {
  std::vector<OptimizerParamGroup> groups;
  for (const double lr : {0.1, 0.02}) {
    groups.emplace_back(std::vector<Tensor>{zeros({1}, requires_grad())},
                        std::make_unique<SGDOptions>(SGDOptions(lr).momentum(0.9)));
  }
  return SGD(groups, SGDOptions(1).momentum(0.9));
}

void note(const Optimizer& optimizer, bool momentum, std::vector<double>& found) {
  for (const auto& group : optimizer.param_groups()) found.push_back(group.options().get_lr());
  if (!momentum) return;
  for (const auto& group : optimizer.param_groups()) {
    found.push_back(static_cast<const SGDOptions&>(group.options()).momentum());
  }
}

TEST(LRScheduler, GivesTheRatesOfPyTorch) {
  for (const ScheduleCase& schedule : schedule_cases()) {
    SGD optimizer = two_groups();
    const auto scheduler = schedule.make(optimizer);
    std::vector<double> found;
    for (int step = 0; step <= 200; ++step) {
      note(optimizer, schedule.momentum, found);
      if (step < 200) scheduler->step();
    }
    expect_torch_figures(schedule.name, found);
    EXPECT_EQ(scheduler->last_epoch(), 200);
    EXPECT_EQ(scheduler->get_last_lr()[1], optimizer.param_groups()[1].options().get_lr());
  }
}

TEST(ReduceLROnPlateau, GivesTheRatesOfPyTorch) {
  ReduceLROnPlateauOptions falling, rising;
  falling.factor = rising.factor = 0.5;
  falling.patience = rising.patience = 3;
  falling.cooldown = 2;
  falling.min_lr = 1e-3;
  rising.mode = "max";
  rising.threshold = 0.01;
  rising.threshold_mode = "abs";
  for (const auto& [name, options] :
       {std::pair("ReduceLROnPlateau", falling), std::pair("ReduceLROnPlateau.max", rising)}) {
    SGD optimizer = two_groups();
    ReduceLROnPlateau scheduler(optimizer, options);
    std::vector<double> found;
    for (int step = 0; step <= 200; ++step) {
      note(optimizer, false, found);
      if (step < 200) scheduler.step(1.0 / (1 + step / 7) + 0.1 * std::sin(step));  // NOLINT: whole quotient
    }
    expect_torch_figures(name, found);
  }
}

TEST(LRScheduler, RefusesWhatPyTorchRefuses) {
  SGD optimizer = two_groups();
  EXPECT_THROW(StepLR(optimizer, 0), Error);
  EXPECT_THROW(ConstantLR(optimizer, 1.5), Error);
  EXPECT_THROW(LinearLR(optimizer, 0), Error);
  EXPECT_THROW(LinearLR(optimizer, 0.5, 2), Error);
  EXPECT_THROW(CosineAnnealingWarmRestarts(optimizer, 0), Error);
  EXPECT_THROW(CyclicLR(optimizer, {0.1, 0.2, 0.3}, 1.0), Error);
  EXPECT_THROW(CyclicLR(optimizer, 0.1, 1, {.mode = "square"}), Error);
  EXPECT_THROW(OneCycleLR(optimizer, 0.1, 0), Error);
  EXPECT_THROW(OneCycleLR(optimizer, 0.1, 10, {.pct_start = 2}), Error);
  EXPECT_THROW(ReduceLROnPlateau(optimizer, {.factor = 1}), Error);
  EXPECT_THROW(ReduceLROnPlateau(optimizer, {.mode = "least"}), Error);
  EXPECT_THROW(LambdaLR(optimizer, std::vector<std::function<double(int64_t)>>(3)), Error);
  SGD other = two_groups();
  EXPECT_THROW(SequentialLR(optimizer, {std::make_shared<StepLR>(other, 3)}, {}), Error);
  EXPECT_THROW(SequentialLR(optimizer, {std::make_shared<StepLR>(optimizer, 3)}, {4}), Error);
  Adagrad adagrad({zeros({1}, requires_grad())});
  EXPECT_THROW(CyclicLR(adagrad, 0.1, 1), Error);
  EXPECT_NO_THROW(CyclicLR(adagrad, 0.1, 1, {.cycle_momentum = false}));
  OneCycleLR cycle(optimizer, 0.1, 3);
  for (int i = 0; i < 3; ++i) cycle.step();
  EXPECT_THROW(cycle.step(), Error);
}

TEST(LRScheduler, MovesTheFirstBetaWhereThereIsNoMomentum) {
  Adam adam({zeros({1}, requires_grad())});
  const OneCycleLR cycle(adam, 0.1, 10);
  EXPECT_DOUBLE_EQ(std::get<0>(static_cast<const AdamOptions&>(adam.param_groups()[0].options()).betas()), 0.95);
}

}  // namespace
}  // namespace wengert::optim
