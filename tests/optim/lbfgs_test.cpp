#include <gtest/gtest.h>
#include <optim/torch_figures.h>
#include <support/inputs.h>

namespace wengert::optim {
namespace {

using test::expect_torch_figures;
using test::values;

TEST(Lbfgs, TakesTheStepsOfPyTorchWithAsManyEvaluations) {
  const std::vector<LBFGSOptions> options{LBFGSOptions(), LBFGSOptions(0.5).max_iter(4),
                                          LBFGSOptions().line_search_fn("strong_wolfe"),
                                          LBFGSOptions(0.8).line_search_fn("strong_wolfe").history_size(3).max_iter(5)};
  for (size_t i = 0; i < options.size(); ++i) {
    const Tensor x = tensor({-1.5, 2.0}, dtype(kDouble).requires_grad(true));
    LBFGS optimizer({x}, options[i]);
    std::vector<double> found;
    double calls = 0;
    for (int step = 0; step < 6; ++step) {
      const Tensor loss = optimizer.step([&] {
        ++calls;
        optimizer.zero_grad();
        const Tensor value = (1 - x[0]).square() + 10 * (x[1] - x[0].square()).square();
        value.backward();
        return value;
      });
      found.push_back(loss.item<double>());
      for (const double value : values(x)) found.push_back(value);
      found.push_back(calls);
    }
    expect_torch_figures("LBFGS." + std::to_string(i), found);
  }
}

TEST(Lbfgs, RefusesWhatItCannotDo) {
  const Tensor x = ones({2}, requires_grad()), y = ones({2}, requires_grad());
  EXPECT_THROW(LBFGS({OptimizerParamGroup({x}), OptimizerParamGroup({y})}), Error);
  EXPECT_THROW(LBFGS({x}).step(nullptr), Error);
  LBFGS optimizer({x}, LBFGSOptions().line_search_fn("armijo"));
  EXPECT_THROW(optimizer.step([&] { return x.sum(); }), Error);
}

}  // namespace
}  // namespace wengert::optim
