#include <optim/cases.h>

#include <cmath>

namespace wengert::test {
namespace {

using namespace wengert::optim;  // NOLINT

template <class O, class Options>
OptimizerCase of(std::string name, Options options) {
  return {std::move(name),
          [options](std::vector<Tensor> parameters) { return std::make_unique<O>(parameters, options); }};
}

template <class S, class... Arguments>
auto make(Arguments... arguments) {
  return [=](Optimizer& optimizer) { return std::make_shared<S>(optimizer, arguments...); };
}

using Schedulers = std::vector<std::shared_ptr<LRScheduler>>;
using Milestones = std::vector<int64_t>;

}  // namespace

std::vector<OptimizerCase> optimizer_cases() {
  const std::tuple fast(0.8, 0.99);
  return {
      of<SGD>("SGD.0", SGDOptions(0.01)),
      of<SGD>("SGD.1", SGDOptions(0.01).momentum(0.9)),
      of<SGD>("SGD.2", SGDOptions(0.0005).momentum(0.9).dampening(0.5).maximize(true)),
      of<SGD>("SGD.3", SGDOptions(0.01).momentum(0.8).weight_decay(0.1).nesterov(true)),
      of<Adam>("Adam.0", AdamOptions()),
      of<Adam>("Adam.1", AdamOptions(0.1).betas(fast).eps(1e-3)),
      of<Adam>("Adam.2", AdamOptions(0.05).weight_decay(0.1).amsgrad(true)),
      of<Adam>("Adam.3", AdamOptions(0.01).maximize(true).weight_decay(0.2)),
      of<AdamW>("AdamW.0", AdamWOptions()),
      of<AdamW>("AdamW.1", AdamWOptions(0.1).betas(fast).eps(1e-3)),
      of<AdamW>("AdamW.2", AdamWOptions(0.05).weight_decay(0.1).amsgrad(true)),
      of<AdamW>("AdamW.3", AdamWOptions(0.01).maximize(true).weight_decay(0.2)),
      of<Adagrad>("Adagrad.0", AdagradOptions()),
      of<Adagrad>("Adagrad.1", AdagradOptions(0.1).lr_decay(0.01).initial_accumulator_value(0.5)),
      of<Adagrad>("Adagrad.2", AdagradOptions(0.1).weight_decay(0.1).eps(1e-3)),
      of<Adagrad>("Adagrad.3", AdagradOptions(0.05).maximize(true)),
      of<RMSprop>("RMSprop.0", RMSpropOptions()),
      of<RMSprop>("RMSprop.1", RMSpropOptions(0.02).momentum(0.5).alpha(0.9)),
      of<RMSprop>("RMSprop.2", RMSpropOptions(0.02).centered(true).weight_decay(0.1)),
      of<RMSprop>("RMSprop.3", RMSpropOptions(0.01).centered(true).momentum(0.9).eps(1e-4)),
      of<RMSprop>("RMSprop.4", RMSpropOptions(0.001).maximize(true)),
      of<Adadelta>("Adadelta.0", AdadeltaOptions()),
      of<Adadelta>("Adadelta.1", AdadeltaOptions(0.5).rho(0.8)),
      of<Adadelta>("Adadelta.2", AdadeltaOptions().weight_decay(0.1).eps(1e-3)),
      of<Adadelta>("Adadelta.3", AdadeltaOptions().maximize(true)),
      of<Adamax>("Adamax.0", AdamaxOptions()),
      of<Adamax>("Adamax.1", AdamaxOptions(0.1).betas(fast)),
      of<Adamax>("Adamax.2", AdamaxOptions(0.05).weight_decay(0.1).eps(1e-3)),
      of<Adamax>("Adamax.3", AdamaxOptions(0.01).maximize(true)),
      of<NAdam>("NAdam.0", NAdamOptions()),
      of<NAdam>("NAdam.1", NAdamOptions(0.1).betas(fast)),
      of<NAdam>("NAdam.2", NAdamOptions(0.05).weight_decay(0.1).eps(1e-3)),
      of<NAdam>("NAdam.3", NAdamOptions(0.02).momentum_decay(0.1)),
      of<RAdam>("RAdam.0", RAdamOptions()),
      of<RAdam>("RAdam.1", RAdamOptions(0.1).betas(fast)),
      of<RAdam>("RAdam.2", RAdamOptions(0.05).weight_decay(0.1).eps(1e-3)),
      of<RAdam>("RAdam.3", RAdamOptions(0.02).betas({0.5, 0.6})),
      of<ASGD>("ASGD.0", ASGDOptions()),
      of<ASGD>("ASGD.1", ASGDOptions(0.02).lambd(0.1).alpha(0.5)),
      of<ASGD>("ASGD.2", ASGDOptions().t0(20).weight_decay(0.1)),
      of<ASGD>("ASGD.3", ASGDOptions(0.001).maximize(true)),
      of<Rprop>("Rprop.0", RpropOptions()),
      of<Rprop>("Rprop.1", RpropOptions(0.1).etas({0.3, 1.5})),
      of<Rprop>("Rprop.2", RpropOptions().step_sizes({1e-3, 0.05})),
      of<Rprop>("Rprop.3", RpropOptions(0.001).maximize(true)),
  };
}

std::vector<ScheduleCase> schedule_cases() {
  CyclicLROptions triangular, triangular2, exp_range;
  triangular.step_size_up = triangular2.step_size_up = exp_range.step_size_up = 20;
  triangular.step_size_down = 30;
  triangular2.mode = "triangular2";
  exp_range.mode = "exp_range";
  exp_range.gamma = 0.99;
  OneCycleLROptions linear, three_phase;
  linear.pct_start = 0.2;
  linear.anneal_strategy = "linear";
  three_phase.three_phase = true;
  return {
      {"StepLR", make<StepLR>(30, 0.5)},
      {"MultiStepLR", make<MultiStepLR>(Milestones{10, 50, 50, 120}, 0.3)},
      {"ConstantLR", make<ConstantLR>(0.25, 40)},
      {"LinearLR", make<LinearLR>(0.1, 0.9, 50)},
      {"ExponentialLR", make<ExponentialLR>(0.97)},
      {"PolynomialLR", make<PolynomialLR>(150, 2.0)},
      {"CosineAnnealingLR", make<CosineAnnealingLR>(40, 0.001)},
      {"CosineAnnealingWarmRestarts", make<CosineAnnealingWarmRestarts>(10, 2, 0.001)},
      {"CyclicLR.triangular", make<CyclicLR>(0.01, 0.1, triangular), true},
      {"CyclicLR.triangular2", make<CyclicLR>(0.01, 0.1, triangular2), true},
      {"CyclicLR.exp_range", make<CyclicLR>(0.01, 0.1, exp_range), true},
      {"OneCycleLR", make<OneCycleLR>(0.5, 201), true},
      {"OneCycleLR.linear", make<OneCycleLR>(0.5, 201, linear), true},
      {"OneCycleLR.three_phase", make<OneCycleLR>(0.5, 201, three_phase), true},
      {"LambdaLR", make<LambdaLR>([](int64_t t) { return std::pow(0.95, t); })},
      {"MultiplicativeLR", make<MultiplicativeLR>([](int64_t t) { return 0.9 + 0.001 * static_cast<double>(t); })},
      {"SequentialLR",
       [](Optimizer& o) {
         return std::make_shared<SequentialLR>(
             o, Schedulers{std::make_shared<ConstantLR>(o, 0.1, 20), std::make_shared<ExponentialLR>(o, 0.9)},
             Milestones{30});
       }},
      {"SequentialLR.warmup",
       [](Optimizer& o) {
         return std::make_shared<SequentialLR>(
             o,
             Schedulers{std::make_shared<LinearLR>(o, 0.1, 1.0, 10), std::make_shared<CosineAnnealingLR>(o, 50),
                        std::make_shared<StepLR>(o, 7, 0.9)},
             Milestones{10, 60});
       }},
      {"ChainedScheduler",
       [](Optimizer& o) {
         return std::make_shared<ChainedScheduler>(
             Schedulers{std::make_shared<ConstantLR>(o, 0.1, 20), std::make_shared<ExponentialLR>(o, 0.9)});
       }},
  };
}

}  // namespace wengert::test
