#include <gtest/gtest.h>
#include <torch/torch.h>
#include <wengert/wengert.h>

#include <cmath>
#include <random>

// libtorch's optimizers beside ours: random options, 150 steps in float64, parameters to 1e-12.

namespace differential {
namespace {

constexpr int kCases = 40, kSteps = 150;

// Numbers of a case; the same in both libraries.
class Draw {
 public:
  explicit Draw(uint32_t seed) : engine_(seed) {}
  double between(double low, double high) { return low + (high - low) * static_cast<double>(engine_()) / 0x1p32; }
  double logarithmic(double low, double high) { return std::exp(between(std::log(low), std::log(high))); }
  bool coin() { return engine_() % 2 == 0; }

 private:
  std::mt19937 engine_;
};

struct Libtorch {
  using Tensor = torch::Tensor;
  using SGD = torch::optim::SGD;
  using SGDOptions = torch::optim::SGDOptions;
  using Adam = torch::optim::Adam;
  using AdamOptions = torch::optim::AdamOptions;
  using AdamW = torch::optim::AdamW;
  using AdamWOptions = torch::optim::AdamWOptions;
  using Adagrad = torch::optim::Adagrad;
  using AdagradOptions = torch::optim::AdagradOptions;
  using RMSprop = torch::optim::RMSprop;
  using RMSpropOptions = torch::optim::RMSpropOptions;
  using LBFGS = torch::optim::LBFGS;
  using LBFGSOptions = torch::optim::LBFGSOptions;
  static Tensor parameter(const std::vector<double>& values) {
    return torch::tensor(values, torch::dtype(torch::kDouble)).requires_grad_();
  }
};

struct Wengert {
  using Tensor = wengert::Tensor;
  using SGD = wengert::optim::SGD;
  using SGDOptions = wengert::optim::SGDOptions;
  using Adam = wengert::optim::Adam;
  using AdamOptions = wengert::optim::AdamOptions;
  using AdamW = wengert::optim::AdamW;
  using AdamWOptions = wengert::optim::AdamWOptions;
  using Adagrad = wengert::optim::Adagrad;
  using AdagradOptions = wengert::optim::AdagradOptions;
  using RMSprop = wengert::optim::RMSprop;
  using RMSpropOptions = wengert::optim::RMSpropOptions;
  using LBFGS = wengert::optim::LBFGS;
  using LBFGSOptions = wengert::optim::LBFGSOptions;
  static Tensor parameter(const std::vector<double>& values) {
    return wengert::tensor(wengert::ArrayRef<double>(values), wengert::kDouble).requires_grad_();
  }
};

struct Steps {
  std::vector<double> parameters;
  int evaluations = 0;
};

// Descends, with the optimizer that make(parameters) makes, on a convex loss, where the two libraries' roundings
// do not grow; with `noise`, also where an optimizer that divides by the gradients so far would come
// to rest, and then any rounding would. LBFGS calls the closure as it likes, the others once.
template <class Library, class Make>
Steps run(Draw& draw, int steps, bool noise, const Make& make) {
  std::vector<double> start, target;
  for (int i = 0; i < 6; ++i) {
    start.push_back(draw.between(-2, 2));
    target.push_back(draw.between(-1, 1));
  }
  const typename Library::Tensor x = Library::parameter(start), y = Library::parameter({target[0], target[1]}),
                                 to = Library::parameter(target).detach();
  auto optimizer = make(std::vector<typename Library::Tensor>{x, y});
  Steps result;
  for (int i = 0; i < steps; ++i) {
    std::vector<double> pushed(6);
    for (double& push : pushed) push = noise ? draw.between(-3, 3) : 0;
    const auto push = Library::parameter(pushed).detach();
    optimizer->step([&] {
      ++result.evaluations;
      optimizer->zero_grad();
      auto loss = (x.pow(4) / 4 + x * x / 2 - (to + push) * x).sum() + (y * y - y + push.narrow(0, 0, 2) * y).sum();
      loss.backward();
      return loss;
    });
  }
  for (const auto& p : {x, y}) {
    for (int64_t i = 0; i < p.numel(); ++i) result.parameters.push_back(p.template data_ptr<double>()[i]);
  }
  return result;
}

template <class Library>
Steps sgd(uint32_t seed) {
  Draw draw(seed);
  typename Library::SGDOptions options(draw.logarithmic(1e-3, 0.03));
  if (draw.coin()) options.momentum(draw.between(0.1, 0.95));
  if (draw.coin()) options.weight_decay(draw.between(0, 0.5));
  if (options.momentum() > 0 && draw.coin()) {
    options.nesterov(true);
  } else {
    options.dampening(draw.between(0, 0.9));
  }
  return run<Library>(draw, kSteps, true, [&](auto p) { return std::make_unique<typename Library::SGD>(p, options); });
}

template <class Library, class Optimizer, class Options>
Steps adam(uint32_t seed) {
  Draw draw(seed);
  Options options(draw.logarithmic(1e-4, 0.3));
  const double beta1 = draw.between(0, 0.95), beta2 = draw.between(0.5, 0.9999);
  options.betas({beta1, beta2}).eps(draw.logarithmic(1e-10, 1e-2)).amsgrad(draw.coin());
  if (draw.coin()) options.weight_decay(draw.between(0, 0.5));
  return run<Library>(draw, kSteps, true, [&](auto p) { return std::make_unique<Optimizer>(p, options); });
}

template <class Library>
Steps adagrad(uint32_t seed) {
  Draw draw(seed);
  typename Library::AdagradOptions options(draw.logarithmic(1e-3, 0.5));
  options.lr_decay(draw.between(0, 0.1)).eps(draw.logarithmic(1e-12, 1e-3));
  if (draw.coin()) options.initial_accumulator_value(draw.between(0, 2));
  if (draw.coin()) options.weight_decay(draw.between(0, 0.5));
  return run<Library>(draw, kSteps, true,
                      [&](auto p) { return std::make_unique<typename Library::Adagrad>(p, options); });
}

template <class Library>
Steps rmsprop(uint32_t seed) {
  Draw draw(seed);
  typename Library::RMSpropOptions options(draw.logarithmic(1e-4, 0.05));
  options.alpha(draw.between(0.5, 0.999)).eps(draw.logarithmic(1e-8, 1e-2)).centered(draw.coin());
  if (draw.coin()) options.momentum(draw.between(0, 0.9));
  if (draw.coin()) options.weight_decay(draw.between(0, 0.5));
  return run<Library>(draw, kSteps, true,
                      [&](auto p) { return std::make_unique<typename Library::RMSprop>(p, options); });
}

// Fewer steps: each takes up to 20 directions, and at the minimum itself the two libraries round their own ways.
template <class Library>
Steps lbfgs(uint32_t seed) {
  Draw draw(seed);
  typename Library::LBFGSOptions options(draw.between(0.3, 1));
  options.max_iter(1 + static_cast<int64_t>(draw.between(0, 4)))
      .history_size(1 + static_cast<int64_t>(draw.between(0, 6)));
  if (draw.coin()) options.line_search_fn("strong_wolfe");
  return run<Library>(draw, 4, false, [&](auto p) { return std::make_unique<typename Library::LBFGS>(p, options); });
}

using Run = Steps (*)(uint32_t seed);
struct Pair {
  const char* name;
  Run libtorch, wengert;
};

class Optimizers : public testing::TestWithParam<Pair> {};

TEST_P(Optimizers, TakeTheStepsOfLibtorch) {
  for (uint32_t seed = 0; seed < kCases; ++seed) {
    const Steps expected = GetParam().libtorch(seed), found = GetParam().wengert(seed);
    EXPECT_EQ(found.evaluations, expected.evaluations) << "seed " << seed;
    for (size_t i = 0; i < expected.parameters.size(); ++i) {
      ASSERT_TRUE(std::isfinite(expected.parameters[i])) << "seed " << seed;
      ASSERT_NEAR(found.parameters[i], expected.parameters[i], 1e-12 * std::max(1.0, std::abs(expected.parameters[i])))
          << "seed " << seed << ", element " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, Optimizers,
                         testing::Values(Pair{"SGD", sgd<Libtorch>, sgd<Wengert>},
                                         Pair{"Adam", adam<Libtorch, Libtorch::Adam, Libtorch::AdamOptions>,
                                              adam<Wengert, Wengert::Adam, Wengert::AdamOptions>},
                                         Pair{"AdamW", adam<Libtorch, Libtorch::AdamW, Libtorch::AdamWOptions>,
                                              adam<Wengert, Wengert::AdamW, Wengert::AdamWOptions>},
                                         Pair{"Adagrad", adagrad<Libtorch>, adagrad<Wengert>},
                                         Pair{"RMSprop", rmsprop<Libtorch>, rmsprop<Wengert>},
                                         Pair{"LBFGS", lbfgs<Libtorch>, lbfgs<Wengert>}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace differential
