#include <gtest/gtest.h>
#include <support/inputs.h>

namespace wengert::optim {
namespace {

using test::values;

// Functions that are hard for descent, from where they are usually started.
struct Problem {
  const char* name;
  double rate;  // at which plain descent is stable
  std::vector<double> start, minimum;
  std::function<Tensor(const Tensor&)> loss;
};

std::vector<Problem> problems() {
  return {{"Rosenbrock",
           1e-3,
           {-1.2, 1},
           {1, 1},
           [](const Tensor& x) { return (1 - x[0]).square() + 100 * (x[1] - x[0].square()).square(); }},
          {"Beale",
           5e-3,
           {1, 1},
           {3, 0.5},
           [](const Tensor& x) {
             return (1.5 - x[0] + x[0] * x[1]).square() + (2.25 - x[0] + x[0] * x[1].square()).square() +
                    (2.625 - x[0] + x[0] * x[1].pow(3)).square();
           }},
          {"bowl of condition 1e4", 1e-4, {1, 1}, {0, 0}, [](const Tensor& x) {
             return 0.5 * (x[0].square() + 1e4 * x[1].square());
           }}};
}

void expect_minimum(const Problem& problem, const char* name, int steps, double tolerance,
                    const std::function<std::unique_ptr<Optimizer>(const Tensor&)>& make) {
  const Tensor x = tensor(problem.start, dtype(kDouble).requires_grad(true));
  const auto optimizer = make(x);
  for (int i = 0; i < steps; ++i) {
    optimizer->step([&] {
      optimizer->zero_grad();
      const Tensor loss = problem.loss(x);
      loss.backward();
      return loss;
    });
  }
  for (size_t i = 0; i < 2; ++i)
    EXPECT_NEAR(values(x)[i], problem.minimum[i], tolerance) << name << ", " << problem.name;
}

template <class O, class Options>
std::function<std::unique_ptr<Optimizer>(const Tensor&)> of(const Options& options) {
  return [options](const Tensor& x) { return std::make_unique<O>(std::vector<Tensor>{x}, options); };
}

TEST(Convergence, OfLbfgsOnHardProblems) {
  for (const Problem& problem : problems()) {
    expect_minimum(problem, "LBFGS", 10, 1e-4, of<LBFGS>(LBFGSOptions().line_search_fn("strong_wolfe")));
  }
}

TEST(Convergence, OfStepwiseMethodsOnHardProblems) {
  for (const Problem& problem : problems()) {
    expect_minimum(problem, "SGD", 40000, 1e-2, of<SGD>(SGDOptions(problem.rate).momentum(0.9)));
    expect_minimum(problem, "Adam", 10000, 1e-3, of<Adam>(AdamOptions(0.01)));
    expect_minimum(problem, "AdamW", 10000, 1e-3, of<AdamW>(AdamWOptions(0.01).weight_decay(0)));
    expect_minimum(problem, "Adam, amsgrad", 10000, 1e-2, of<Adam>(AdamOptions(0.02).amsgrad(true)));
    expect_minimum(problem, "Adamax", 20000, 1e-2, of<Adamax>(AdamaxOptions(0.02)));
    expect_minimum(problem, "NAdam", 20000, 2e-3, of<NAdam>(NAdamOptions(0.01)));
    expect_minimum(problem, "RAdam", 20000, 1e-2, of<RAdam>(RAdamOptions(1e-3)));
    expect_minimum(problem, "Adagrad", 40000, 1e-2, of<Adagrad>(AdagradOptions(0.5)));
    expect_minimum(problem, "RMSprop", 20000, 2e-2, of<RMSprop>(RMSpropOptions(1e-3)));
    expect_minimum(problem, "Adadelta", 100000, 7e-2, of<Adadelta>(AdadeltaOptions(0.05)));
    expect_minimum(problem, "ASGD", 80000, 2e-2, of<ASGD>(ASGDOptions(problem.rate).lambd(0)));
    expect_minimum(problem, "Rprop", 5000, 1e-2, of<Rprop>(RpropOptions(0.01)));
  }
}

}  // namespace
}  // namespace wengert::optim
