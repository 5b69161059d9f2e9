#include <apps/factorize/read.h>
#include <factorize/fit/fit.h>
#include <factorize/fit/report.h>
#include <gtest/gtest.h>
#include <support/inputs.h>

#include <cmath>

// The least error that any rank can reach is known: that of the truncated singular value decomposition (Eckart and
// Young, 1936). LAPACK computes it here.
extern "C" void dgesdd_(const char* jobz, const int* m, const int* n, double* a, const int* lda, double* s, double* u,
                        const int* ldu, double* vt, const int* ldvt, double* work, const int* lwork, int* iwork,
                        int* info);

namespace factorize {
namespace {

using wengert::Tensor;

std::vector<double> singular_values(const Tensor& matrix) {
  // LAPACK reads the row-major matrix as its transpose, whose singular values are the same.
  std::vector<double> a = wengert::test::values(matrix);
  const int m = static_cast<int>(matrix.size(1)), n = static_cast<int>(matrix.size(0)), least = std::min(m, n), one = 1;
  std::vector<double> s(static_cast<size_t>(least)), work(1 << 18);
  std::vector<int> iwork(static_cast<size_t>(8 * least));
  const int lwork = static_cast<int>(work.size());
  int info = 0;
  dgesdd_("N", &m, &n, a.data(), &m, s.data(), nullptr, &one, nullptr, &one, work.data(), &lwork, iwork.data(), &info);
  EXPECT_EQ(info, 0);
  return s;
}

double least_relative_error(const Tensor& matrix, int64_t rank) {
  double all = 0, rest = 0;
  const std::vector<double> s = singular_values(matrix);
  for (size_t i = 0; i < s.size(); ++i) {
    all += s[i] * s[i];
    if (i >= static_cast<size_t>(rank)) rest += s[i] * s[i];
  }
  return std::sqrt(rest / all);
}

double relative_error(const Tensor& matrix, const FitResult& result) {
  return std::sqrt(result.squared_error / matrix.square().sum().item<double>());
}

Tensor data(const std::string& name) { return read_matrix(std::string(TEST_DATA_DIR) + "/" + name); }

FitOptions with_rank(int64_t rank) {
  FitOptions options;
  options.rank = rank;
  return options;
}

class RealData : public testing::TestWithParam<std::tuple<std::string, uint64_t>> {};

TEST_P(RealData, ReachesTheTruncatedSvdWithoutTuning) {
  const auto& [file, seed] = GetParam();
  const Tensor matrix = data(file);
  FitOptions options = with_rank(5);
  options.seed = seed;
  const double least = least_relative_error(matrix, 5);
  EXPECT_LE(relative_error(matrix, fit(matrix, options, false)), 1.001 * least);
  options.optimizer = OptimizerKind::kSgd;
  EXPECT_LE(relative_error(matrix, fit(matrix, options, false)), 1.01 * least);
}
INSTANTIATE_TEST_SUITE_P(Fit, RealData,
                         testing::Combine(testing::Values<std::string>("volcano.csv", "golub.csv"),
                                          testing::Values(0, 1, 2)));

TEST(Fit, RecoversAMatrixOfLowRank) {
  const Tensor matrix = wengert::mm(wengert::test::arbitrary({20, 3}), wengert::test::arbitrary({3, 15}, -1, 1, 1));
  FitOptions options = with_rank(3);
  options.dtype = wengert::kDouble;
  options.tolerance = 0;
  EXPECT_LT(relative_error(matrix, fit(matrix, options, false)), 1e-6);
}

TEST(Fit, AdamGoesOnUntilItHasWhatSvdHas) {
  // U diag(s) V' and noise, s from 1 to 1/100: at one rate Adam's loss rises and falls long before that.
  wengert::manual_seed(1);
  const int64_t n = 200, m = 150, rank = 8;
  const auto basis = [&](int64_t rows) {
    return std::get<0>(wengert::linalg_qr(wengert::randn({rows, rank}, wengert::kDouble)));
  };
  const Tensor s = wengert::logspace(0, -2, rank, 10, wengert::kDouble) * std::sqrt(static_cast<double>(n * m));
  const Tensor matrix = wengert::mm(basis(n) * s, basis(m).t()) + 0.02 * wengert::randn({n, m}, wengert::kDouble);
  FitOptions options = with_rank(rank);
  options.optimizer = OptimizerKind::kAdam;
  const FitResult result = fit(matrix, options, false);
  EXPECT_EQ(result.stop, Stop::kConverged);
  EXPECT_LE(relative_error(matrix, result), 1.005 * least_relative_error(matrix, rank));
}

// In single precision each sweep lets the loss fall by some millionths, which are rounding.
TEST(Fit, AlsEndsWhereRoundingIsAllThatMoves) {
  wengert::manual_seed(2);
  const int64_t n = 400, m = 300, rank = 10;
  const Tensor s = wengert::logspace(0, -2, rank, 10) * 10;
  const Tensor matrix =
      wengert::mm(wengert::randn({n, rank}) * s, wengert::randn({rank, m})) + 0.02 * wengert::randn({n, m});
  const FitResult result = fit(matrix, with_rank(rank), false);
  EXPECT_EQ(result.stop, Stop::kConverged);
  EXPECT_LT(result.iterations, 30);
  const Tensor exact = matrix.to(wengert::kDouble);
  EXPECT_LE(relative_error(exact, result), 1.001 * least_relative_error(exact, rank));
}

TEST(Fit, GivesTheSameBitsOnAnyNumberOfThreads) {
  const Tensor matrix = wengert::test::arbitrary({700, 400});
  const int before = wengert::get_num_threads();
  FitOptions options = with_rank(20);
  options.iterations = 20;
  for (const auto optimizer : {OptimizerKind::kAls, OptimizerKind::kSgd}) {
    options.optimizer = optimizer;
    std::vector<FitResult> results;
    for (const int threads : {1, 2, 2, 2, 2, 2, 2, 2, 2, 3}) {
      wengert::set_num_threads(threads);
      results.push_back(fit(matrix, options, false));
      EXPECT_TRUE(wengert::equal(results.back().C, results.front().C));
      EXPECT_TRUE(wengert::equal(results.back().F, results.front().F));
    }
  }
  wengert::set_num_threads(before);
}

TEST(Fit, DoesNotMindTheUnits) {
  const Tensor matrix = data("volcano.csv");
  const double error = relative_error(matrix, fit(matrix, with_rank(3), false));
  for (const double unit : {1e-9, 1e9}) {
    EXPECT_NEAR(relative_error(matrix * unit, fit(matrix * unit, with_rank(3), false)), error, 1e-4);
  }
}

// Squares of such values are no numbers of float32.
TEST(Fit, DoesNotMindUnitsWhoseSquaresOverflow) {
  const Tensor matrix = data("volcano.csv") / 256;
  for (const auto optimizer : {OptimizerKind::kAls, OptimizerKind::kAdam}) {
    FitOptions options = with_rank(3);
    options.optimizer = optimizer;
    options.iterations = 50;
    options.l2 = 0.5;
    options.center = Center::kRows;
    const FitResult expected = fit(matrix, options, false);
    for (const int power : {-40, 40}) {
      const double unit = std::ldexp(1.0, 2 * power);
      options.l2 = 0.5 * unit;
      const FitResult result = fit(matrix * unit, options, false);
      EXPECT_NEAR(result.squared_error / (unit * unit), expected.squared_error, 1e-9 * expected.squared_error);
      EXPECT_TRUE(equal(result.C, expected.C * std::ldexp(1.0, power)));
      EXPECT_TRUE(equal(result.offset, expected.offset * unit));
      EXPECT_NEAR(result.losses.back() / (unit * unit), expected.losses.back(), 1e-9 * expected.losses.back());
      EXPECT_NEAR(*metrics_of({}, matrix * unit, result).explained_variance,
                  *metrics_of({}, matrix, expected).explained_variance, 1e-6);
    }
  }
}

TEST(Fit, EveryOptimizerInitAndDtypeWorks) {
  const Tensor matrix = data("volcano.csv");
  const double least = least_relative_error(matrix, 3);
  for (const auto optimizer : {OptimizerKind::kSgd, OptimizerKind::kAdam}) {
    for (const auto init : {Init::kNormal, Init::kUniform}) {
      for (const auto dtype : {wengert::kFloat, wengert::kDouble}) {
        FitOptions options = with_rank(3);
        options.optimizer = optimizer;
        options.init = init;
        options.dtype = dtype;
        const FitResult result = fit(matrix, options, false);
        EXPECT_LE(relative_error(matrix, result), 1.02 * least);
        EXPECT_EQ(result.C.dtype(), dtype);
      }
    }
  }
}

TEST(Fit, EveryOptimizerComesNearTheSvd) {
  const Tensor matrix = data("volcano.csv");
  const double least = least_relative_error(matrix, 3);
  for (const auto& [name, optimizer] : optimizer_names()) {
    FitOptions options = with_rank(3);
    options.optimizer = optimizer;
    const FitResult result = fit(matrix, options, false);
    EXPECT_LE(relative_error(matrix, result), 1.02 * least) << name;
  }
}

TEST(Fit, EveryScheduleComesNearTheSvd) {
  const Tensor matrix = data("volcano.csv");
  const double least = least_relative_error(matrix, 3);
  for (const auto& [name, schedule] : schedule_names()) {
    FitOptions options = with_rank(3);
    options.optimizer = OptimizerKind::kAdam;
    options.schedule = schedule;
    options.iterations = 2000;
    const FitResult result = fit(matrix, options, false);
    EXPECT_LE(relative_error(matrix, result), 1.02 * least) << name;
  }
}

TEST(Fit, CentersByTheMeanAskedFor) {
  const Tensor matrix = data("volcano.csv");
  const std::vector<std::pair<Center, Tensor>> cases{{Center::kGlobal, matrix.mean({0, 1}, true)},
                                                     {Center::kRows, matrix.mean(1, true)},
                                                     {Center::kColumns, matrix.mean(0, true)}};
  for (const auto& [center, mean] : cases) {
    FitOptions options = with_rank(2);
    options.center = center;
    const FitResult result = fit(matrix, options, false);
    EXPECT_TRUE(equal(result.offset, mean));
    const Tensor centered = matrix - mean;
    const double least = least_relative_error(centered, 2) * std::sqrt(centered.square().sum().item<double>());
    EXPECT_LE(std::sqrt(result.squared_error), 1.01 * least);
  }
}

TEST(Fit, NonnegativeFactorsAre) {
  const Tensor matrix = data("golub.csv");
  FitOptions options = with_rank(3);
  options.nonnegative = true;
  const FitResult result = fit(matrix, options, false);
  EXPECT_TRUE(equal(result.C, result.C.relu()));
  EXPECT_TRUE(equal(result.F, result.F.relu()));
  EXPECT_LT(relative_error(matrix, result), 1.1 * least_relative_error(matrix, 3));
}

// With the penalty l (|C|^2 + |F|^2) the best approximation has singular values max(s_i - l, 0) (Srebro, Rennie and
// Jaakkola, 2004), whatever the scale.
TEST(Fit, L2ShrinksTheSingularValues) {
  const Tensor matrix = data("volcano.csv");
  const std::vector<double> s = singular_values(matrix);
  FitOptions options = with_rank(2);
  options.l2 = 100;
  const FitResult result = fit(matrix, options, false);
  double expected = 2 * *options.l2 * *options.l2;
  for (size_t i = 2; i < s.size(); ++i) expected += s[i] * s[i];
  EXPECT_NEAR(result.squared_error / expected, 1, 0.01);
}

TEST(Fit, WithoutScaleIsTheNotebooksDescent) {
  const Tensor matrix = wengert::test::arbitrary({3, 4}, 0, 1);
  FitOptions options = with_rank(2);
  options.scale = Scale::kNone;
  options.momentum = 0;
  options.iterations = 10;
  const FitResult result = fit(matrix, options, false);
  EXPECT_EQ(result.scale, 1);
  EXPECT_EQ(learning_rate(options), 0.001);
  EXPECT_EQ(result.losses.size(), 11u);
  for (size_t i = 1; i < result.losses.size(); ++i) EXPECT_LT(result.losses[i], result.losses[i - 1]);
}

TEST(Fit, StopsWhenTheLossNoLongerFalls) {
  const Tensor matrix = data("volcano.csv");
  FitOptions options = with_rank(1);
  options.optimizer = OptimizerKind::kSgd;
  const FitResult stopped = fit(matrix, options, false);
  EXPECT_EQ(stopped.stop, Stop::kConverged);
  EXPECT_LT(stopped.iterations, options.iterations);
  options.tolerance = 0;
  options.iterations = stopped.iterations + 300;
  EXPECT_EQ(fit(matrix, options, false).iterations, options.iterations);
}

// At the default rate the first seed's factors are thrown out; all reach what the singular values allow.
TEST(Fit, BeginsAgainAtASmallerRateWhereADefaultDiverges) {
  wengert::manual_seed(0);
  const Tensor matrix = wengert::rand({3, 4}).to(wengert::kDouble);
  const Tensor left_out = std::get<1>(wengert::linalg_svd(matrix, false)).select(0, 2);
  int slower = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    FitOptions options;
    options.rank = 2;
    options.seed = seed;
    options.optimizer = OptimizerKind::kSgd;
    const FitResult result = fit(matrix, options, false);
    EXPECT_EQ(result.stop, Stop::kConverged) << seed;
    EXPECT_NEAR(std::sqrt(result.squared_error), left_out.item<double>(), 1e-4) << seed;
    slower += result.lr < learning_rate(options);
  }
  EXPECT_GT(slower, 0);
}

TEST(Fit, KeepsTheLastFiniteFactorsWhenItDiverges) {
  const Tensor matrix = data("volcano.csv");
  FitOptions options = with_rank(2);
  options.lr = 50;
  const FitResult result = fit(matrix, options, false);
  EXPECT_EQ(result.stop, Stop::kDiverged);
  EXPECT_GT(result.iterations, 0);
  EXPECT_TRUE(wengert::equal(wengert::isfinite(result.C), wengert::ones_like(result.C, wengert::kBool)));
  EXPECT_TRUE(std::isfinite(result.squared_error));
}

TEST(Fit, IsReproducible) {
  const Tensor matrix = data("volcano.csv");
  FitOptions options = with_rank(2);
  const FitResult a = fit(matrix, options, false), b = fit(matrix, options, false);
  EXPECT_TRUE(equal(a.C, b.C));
  options.seed = 5;
  EXPECT_FALSE(equal(a.C, fit(matrix, options, false).C));
}

TEST(Fit, OfAMatrixOfZerosIsZero) {
  const FitResult result = fit(wengert::zeros({4, 3}, wengert::kDouble), with_rank(2), false);
  EXPECT_LT(result.squared_error, 1e-3);
}

TEST(Fit, RefusesAnImpossibleRank) {
  for (const int64_t rank : {-1, 0, 4}) {
    EXPECT_ERROR(fit(wengert::zeros({4, 3}, wengert::kDouble), with_rank(rank), false),
                 "is impossible for a 4 x 3 matrix: expected 1 to 3");
  }
}

}  // namespace
}  // namespace factorize
