#include <gtest/gtest.h>
#include <support/inputs.h>
#include <wengert/ops/sparse_matrix.h>

#include <array>

namespace wengert {
namespace {

using optim::RowGaussNewton;
using optim::RowGaussNewtonOptions;
using test::arbitrary;
using test::error_of;
using test::same_bits;

// A factorization of a matrix with holes, one of its rows without entries.
struct Problem {
  Problem(int64_t n, int64_t m, int64_t k, ScalarType dtype) {
    manual_seed(1);
    Tensor present = rand({n, m}) < 0.4;
    present.select(0, n / 2).fill_(false);
    const Tensor at = present.nonzero();
    pattern.emplace(at.select(1, 0).contiguous(), at.select(1, 1).contiguous(), n, m);
    values = arbitrary({pattern->nnz()}, -1, 1, 3, dtype);
    weights = arbitrary({pattern->nnz()}, 0.5, 2, 4, dtype);
    P = arbitrary({n, k}, 0, 1, 5, dtype).requires_grad_();
    F = arbitrary({m, k}, -1, 1, 6, dtype).requires_grad_();
    l2 = arbitrary({n, k}, 0.1, 1, 7, dtype);
  }
  Tensor loss() const {
    return (weights * (values - sampled_mm(P, F.t(), *pattern)).square()).sum() + (l2 * P.square()).sum();
  }
  RowGaussNewtonOptions options() const {
    return RowGaussNewtonOptions().features(F.detach()).pattern(*pattern).weights(weights).l2(l2);
  }
  Tensor gradient() const { return autograd::grad({loss()}, {P})[0]; }

  Tensor values, weights, P, F, l2;
  std::optional<SparsePattern> pattern;
};

// A closure of this loss.
template <class Loss>
optim::Optimizer::LossClosure closure_of(optim::Optimizer& optimizer, const Loss& loss) {
  return [&optimizer, loss] {
    optimizer.zero_grad();
    const Tensor value = loss();
    value.backward();
    return value;
  };
}

double largest(const Tensor& x) { return x.abs().max().item<double>(); }

TEST(RowGaussNewton, AStepLeadsToTheMinimum) {
  for (const auto dtype : {kFloat, kDouble}) {
    for (const auto& [n, m, k] : {std::array<int64_t, 3>{5, 8, 1}, {9, 40, 7}, {40, 300, 16}, {12, 700, 35}}) {
      const Problem problem(n, m, k, dtype);
      RowGaussNewton optimizer({problem.P}, problem.options());
      const double before = largest(problem.gradient());
      optimizer.step(closure_of(optimizer, [&] { return problem.loss(); }));
      EXPECT_LT(largest(problem.gradient()), (dtype == kFloat ? 1e-4 : 1e-12) * before) << n << " " << m << " " << k;
      EXPECT_LT(largest(problem.P.select(0, n / 2)),
                dtype == kFloat ? 1e-6 : 1e-14);  // where nothing is known the penalty decides
    }
  }
}

TEST(RowGaussNewton, TakesThePartOfAStepThatLrSays) {
  const Problem problem(9, 30, 4, kDouble), half(9, 30, 4, kDouble);
  const Tensor start = problem.P.detach().clone();
  RowGaussNewton optimizer({problem.P}, problem.options()), damped({half.P}, half.options().lr(0.5));
  optimizer.step(closure_of(optimizer, [&] { return problem.loss(); }));
  damped.step(closure_of(damped, [&] { return half.loss(); }));
  EXPECT_ALLCLOSE(half.P.detach(), (start + problem.P.detach()) / 2);
}

TEST(RowGaussNewton, AlternatesBetweenFactors) {
  const Problem problem(30, 20, 3, kDouble);
  const Tensor of_F = arbitrary({3}, 0.2, 1, 8);
  const auto loss = [&] { return problem.loss() + (of_F * problem.F.square()).sum(); };
  std::vector<optim::OptimizerParamGroup> groups;
  groups.emplace_back(std::vector<Tensor>{problem.P},
                      std::make_unique<RowGaussNewtonOptions>(problem.options().features(problem.F.detach())));
  groups.emplace_back(std::vector<Tensor>{problem.F},
                      std::make_unique<RowGaussNewtonOptions>(
                          problem.options().features(problem.P.detach()).pattern(problem.pattern->t()).l2(of_F)));
  RowGaussNewton optimizer(groups);
  const auto closure = closure_of(optimizer, loss);
  double last = loss().item<double>();
  for (int sweep = 0; sweep < 5000; ++sweep) {
    optimizer.step(closure);
    const double now = loss().item<double>();
    EXPECT_LE(now, last * (1 + 1e-10));
    last = now;
  }
  const std::vector<Tensor> gradients = autograd::grad({loss()}, {problem.P, problem.F});
  EXPECT_LT(largest(gradients[0]), 1e-5);
  EXPECT_LT(largest(gradients[1]), 1e-5);
  EXPECT_TRUE(problem.P.requires_grad() && problem.F.requires_grad());
}

TEST(RowGaussNewton, BlocksOfColumnsLeadThereByTurns) {
  const Problem problem(20, 60, 7, kDouble), whole(20, 60, 7, kDouble);
  RowGaussNewton optimizer({problem.P}, problem.options().block(3)), at_once({whole.P}, whole.options());
  at_once.step(closure_of(at_once, [&] { return whole.loss(); }));
  int calls = 0;
  const auto closure = closure_of(optimizer, [&] { return ++calls, problem.loss(); });
  optimizer.step(closure);
  EXPECT_EQ(calls, 3);
  EXPECT_LT(largest(problem.gradient().narrow(1, 6, 1)), 1e-12);  // of the last block
  for (int turn = 0; turn < 200; ++turn) optimizer.step(closure);
  EXPECT_ALLCLOSE(problem.P.detach(), whole.P.detach());
}

TEST(RowGaussNewton, LeavesTheOtherColumns) {
  const Problem problem(9, 30, 5, kDouble);
  const Tensor start = problem.P.detach().clone();
  RowGaussNewton optimizer({problem.P}, problem.options().first_column(1).columns(3));
  optimizer.step(closure_of(optimizer, [&] { return problem.loss(); }));
  const Tensor P = problem.P.detach();
  EXPECT_TRUE(P.select(1, 0).equal(start.select(1, 0)) && P.select(1, 4).equal(start.select(1, 4)));
  EXPECT_LT(largest(problem.gradient().narrow(1, 1, 3)), 1e-12);
}

// All pairs, and beside them entries that weigh more: implicit feedback (Hu, Koren, Volinsky, 2008).
TEST(RowGaussNewton, CountsAllPairsWhereWhole) {
  const Problem problem(12, 25, 4, kDouble);
  const SparseMatrix more(*problem.pattern, problem.weights);
  const Tensor confidence = more.to_dense() + 1, wanted = (more.to_dense() > 0).to(kDouble);
  const auto loss = [&] {
    return (confidence * (wanted - mm(problem.P, problem.F.t())).square()).sum() +
           (problem.l2 * problem.P.square()).sum();
  };
  RowGaussNewton optimizer({problem.P}, problem.options().whole(true));
  optimizer.step(closure_of(optimizer, loss));
  EXPECT_LT(largest(autograd::grad({loss()}, {problem.P})[0]), 1e-10);
}

TEST(RowGaussNewton, StepsOfAWholeMatrixNeedNoPattern) {
  for (const bool nonnegative : {false, true}) {
    const Tensor D = arbitrary({30, 50}, -1, 1, 1), F = arbitrary({50, 6}, -1, 1, 2);
    const Tensor P = arbitrary({30, 6}, 0, 1, 3).requires_grad_();
    const auto loss = [&] { return (D - mm(P, F.t())).square().sum(); };
    RowGaussNewton optimizer({P}, RowGaussNewtonOptions().features(F).whole(true).nonnegative(nonnegative));
    const auto closure = closure_of(optimizer, loss);
    for (int step = 0; step < (nonnegative ? 20 : 1); ++step) optimizer.step(closure);
    const Tensor gradient = autograd::grad({loss()}, {P})[0];
    if (!nonnegative) {
      EXPECT_LT(largest(gradient), 1e-10);
      continue;
    }
    EXPECT_GE(P.min().item<double>(), 0);
    EXPECT_GE(gradient.min().item<double>(), -1e-4);
    EXPECT_LT(largest(P * gradient), 1e-4);
    EXPECT_GT((P == 0).sum().item<int64_t>(), 20);
  }
}

TEST(RowGaussNewton, NonnegativeRowsOfAPatternReachTheirMinimum) {
  const Problem problem(20, 60, 5, kFloat);
  RowGaussNewton optimizer({problem.P}, problem.options().nonnegative(true));
  const auto closure = closure_of(optimizer, [&] { return problem.loss(); });
  for (int step = 0; step < 20; ++step) optimizer.step(closure);
  const Tensor gradient = problem.gradient();
  EXPECT_GE(problem.P.min().item<double>(), 0);
  EXPECT_GE(gradient.min().item<double>(), -1e-3);
  EXPECT_LT(largest(problem.P * gradient), 1e-3);
}

TEST(RowGaussNewton, WithoutAPenaltyUnknownsOfWhichNothingIsKnownStay) {
  const Problem problem(9, 12, 8, kDouble);  // rows have fewer entries than unknowns
  RowGaussNewton optimizer({problem.P}, problem.options().l2({}));
  const auto loss = [&] {
    return (problem.weights * (problem.values - sampled_mm(problem.P, problem.F.t(), *problem.pattern)).square()).sum();
  };
  const Tensor start = problem.P.detach().clone();
  optimizer.step(closure_of(optimizer, loss));
  EXPECT_LT(loss().item<double>(), 1e-12);
  EXPECT_TRUE(problem.P.detach().select(0, 4).equal(start.select(0, 4)));
}

TEST(RowGaussNewton, GivesTheSameBitsOnAnyNumberOfThreads) {
  std::vector<Tensor> first;
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    const Problem problem(700, 500, 18, kFloat);
    RowGaussNewton optimizer({problem.P}, problem.options());
    optimizer.step(closure_of(optimizer, [&] { return problem.loss(); }));
    const auto& state = static_cast<const optim::RowGaussNewtonParamState&>(*optimizer.state().begin()->second);
    const std::vector<Tensor> results{problem.P.detach(), state.curvature()};
    if (first.empty()) first = results;
    EXPECT_TRUE(same_bits(first, results)) << threads;
  }
  set_num_threads(1);
}

TEST(RowGaussNewton, LeavesTheDiagonalsOfItsMatrices) {
  const Problem problem(9, 30, 4, kDouble);
  RowGaussNewton optimizer({problem.P}, problem.options());
  optimizer.step(closure_of(optimizer, [&] { return problem.loss(); }));
  const auto& state = static_cast<const optim::RowGaussNewtonParamState&>(*optimizer.state().begin()->second);
  EXPECT_ALLCLOSE(state.curvature(),
                  SparseMatrix(*problem.pattern, problem.weights).mm(problem.F.detach().square()) + problem.l2);
}

TEST(RowGaussNewton, RefusesWhatDoesNotFit) {
  const Problem problem(9, 30, 4, kDouble);
  EXPECT_ERROR(RowGaussNewton({problem.P}, RowGaussNewtonOptions().pattern(*problem.pattern)), "no features");
  EXPECT_ERROR(RowGaussNewton({problem.P}, problem.options().lr(-1)), "Invalid learning rate: -1");
  EXPECT_ERROR(RowGaussNewton({problem.P}, problem.options().block(0)), "Invalid block: 0");
  const auto step = [&](const RowGaussNewtonOptions& options) {
    const Problem fresh(9, 30, 4, kDouble);
    RowGaussNewton optimizer({fresh.P}, options);
    optimizer.step(closure_of(optimizer, [&] { return fresh.loss(); }));
  };
  EXPECT_ERROR(step(problem.options().columns(5)), "has no columns up to 5");
  EXPECT_ERROR(step(problem.options().features(zeros({29, 4}, kDouble))), "expected features");
  EXPECT_ERROR(step(problem.options().weights(zeros({3}, kDouble))), "expected weights");
  EXPECT_ERROR(step(problem.options().l2(zeros({3, 4}, kDouble))), "expected a ridge");
  EXPECT_ERROR(step(problem.options().pattern(problem.pattern->t())), "does not go with");
}

}  // namespace
}  // namespace wengert
