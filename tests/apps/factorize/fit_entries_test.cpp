#include <factorize/fit/als.h>
#include <factorize/fit/bpr.h>
#include <factorize/fit/fit.h>
#include <factorize/model/entry_losses.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <support/inputs.h>
#include <support/temporary_folder.h>

#include <cmath>
#include <filesystem>

namespace factorize {
namespace {

using wengert::SparseMatrix;
using wengert::SparsePattern;
using wengert::Tensor;
using wengert::test::same_bits;

// Ratings of a model that is known: mean, biases, factors, noise; and others that nobody sees.
struct Planted {
  explicit Planted(int64_t n = 300, int64_t m = 200, int64_t rank = 3, double noise = 0.3, double part = 0.3,
                   wengert::ScalarType dtype = wengert::kFloat) {
    wengert::manual_seed(11);
    const auto numbers = [&](int64_t rows, int64_t columns) { return wengert::randn({rows, columns}, dtype); };
    Tensor all = 3 + 0.5 * numbers(n, 1) + 0.5 * numbers(1, m);
    if (rank > 0) all = all + wengert::mm(numbers(n, rank), numbers(rank, m)) * 0.5;
    all = all + noise * numbers(n, m);
    const Tensor drawn = wengert::rand({n, m});
    known = pick(all, drawn < part);
    hidden = pick(all, drawn > 0.9);
  }
  static Entries pick(const Tensor& all, const Tensor& where) {
    const Tensor holes = wengert::where(where, all, wengert::full_like(all, std::nan("")));
    return entries_of(holes.contiguous());
  }
  double test_rmse(const FitResult& result) const { return std::sqrt(squared_error(result, hidden) / hidden.count); }

  Entries known = pick(wengert::zeros({1, 1}), wengert::ones({1, 1}, wengert::kBool)), hidden = known;
};

TEST(FitEntries, DefaultsComeNearTheNoise) {
  const Planted planted;
  const FitResult result = fit(planted.known, nullptr, {}, false);
  EXPECT_EQ(result.stop, Stop::kConverged);
  EXPECT_LT(planted.test_rmse(result), 1.1 * 0.3);
  EXPECT_EQ(result.used_rank, 3);  // of the 14 that it begins with
  EXPECT_TRUE(result.factors_help);
  EXPECT_NEAR(*result.noise, 0.09, 0.01);
}

// Squares of such values are no numbers of float32.
TEST(FitEntries, DoesNotMindTheUnits) {
  const Planted planted(60, 50, 2);
  for (const auto& [optimizer, loss] : {std::pair(OptimizerKind::kAls, LossKind::kSquared),
                                        {OptimizerKind::kAls, LossKind::kHuber},
                                        {OptimizerKind::kAls, LossKind::kAbsolute},
                                        {OptimizerKind::kAdam, LossKind::kSquared}}) {
    for (const bool with_l2 : {false, true}) {
      FitOptions options;
      options.optimizer = optimizer;
      options.loss = loss;
      options.iterations = 30;
      if (with_l2) options.l2 = 2;
      const FitResult expected = fit(planted.known, &planted.hidden, options, false);
      for (const int power : {-36, 36}) {
        const double unit = std::ldexp(1.0, 2 * power);
        if (with_l2) {
          options.l2 = loss == LossKind::kAbsolute ? 2 : 2 * unit;
          options.l2_bias = loss == LossKind::kAbsolute ? 2 / unit : 2;
        }
        options.huber_delta = unit;
        Entries known = planted.known, hidden = planted.hidden;
        known.values = known.values * unit;
        hidden.values = hidden.values * unit;
        const FitResult result = fit(known, &hidden, options, false);
        EXPECT_EQ(result.iterations, expected.iterations);
        EXPECT_TRUE(equal(result.C, expected.C * std::ldexp(1.0, power)));
        EXPECT_TRUE(equal(result.column_bias, expected.column_bias * unit));
        EXPECT_EQ(result.mean, expected.mean * unit);
        EXPECT_EQ(result.squared_error, expected.squared_error * unit * unit);
        EXPECT_EQ(*result.validation_rmse, *expected.validation_rmse * unit);
        EXPECT_EQ(squared_error(result, hidden), squared_error(expected, planted.hidden) * unit * unit);
        const double of_loss = loss == LossKind::kAbsolute ? unit : unit * unit;
        EXPECT_EQ(result.losses.back(), expected.losses.back() * of_loss);
        EXPECT_EQ(result.noise.value_or(0), expected.noise.value_or(0) * of_loss);
      }
    }
  }
}

// The noise ends where the digits do. Half of the absolute losses' fits once ended at rows and columns of which a third
// were taken for outliers; one or two in a hundred still do, which ones depends on last digits.
TEST(FitEntries, EndsWhereAModelExplainsAll) {
  int fits_of_absolute = 0, with_outliers = 0;
  const Tensor rows = wengert::arange(40, wengert::kFloat).unsqueeze(1), columns = wengert::arange(30, wengert::kFloat);
  const Tensor all_of[] = {wengert::full({40, 30}, 3.5), wengert::zeros({40, 30}), rows + columns, rows * columns};
  for (const uint64_t seed : {0, 2, 4, 7}) {
    wengert::manual_seed(seed);
    const Tensor drawn = wengert::rand({40, 30}) < 0.6;
    for (const Tensor& all : all_of) {
      for (const auto loss : {LossKind::kSquared, LossKind::kHuber, LossKind::kAbsolute}) {
        for (const bool biases : {true, false}) {
          SCOPED_TRACE(testing::Message() << "seed " << seed << ", matrix " << (&all - all_of) << ", loss "
                                          << static_cast<int>(loss) << (biases ? ", biases" : ""));
          FitOptions options;
          options.loss = loss;
          options.biases = biases;
          const Entries entries = Planted::pick(all, drawn);
          const FitResult result = fit(entries, nullptr, options, false);
          EXPECT_EQ(result.stop, Stop::kConverged);
          const double error = std::sqrt(result.squared_error / result.count) / (1 + all.max().item<double>());
          if (loss == LossKind::kAbsolute) {
            // Absolute errors are small at nearly all entries, which says less of their squares. And weights grow as
            // these shrink: how long that takes depends on last digits, too, some hundred sweeps or a few thousand.
            ++fits_of_absolute;
            with_outliers += error < 0.02 ? 0 : 1;
          } else {
            EXPECT_LT(error, 1e-6);
            EXPECT_LE(result.iterations, 100);
          }
          if (loss == LossKind::kSquared) {
            EXPECT_EQ(result.factors_help, result.used_rank > 0);
          }
        }
      }
    }
  }
  EXPECT_LE(with_outliers, fits_of_absolute / 8);
}

TEST(FitEntries, SaysWhereFactorsDoNotHelp) {
  const Planted planted(300, 200, 0, 0.5);
  const FitResult result = fit(planted.known, nullptr, {}, false);
  EXPECT_FALSE(result.factors_help);
  EXPECT_LT(planted.test_rmse(result), 1.05 * 0.5);
  FitOptions biases;
  biases.rank = 1;
  biases.l2 = 1e9;
  biases.l2_bias = 1;
  EXPECT_LT(planted.test_rmse(result), 1.002 * planted.test_rmse(fit(planted.known, nullptr, biases, false)));
}

TEST(FitEntries, AddsFactorsWhileTheyAreOfUse) {
  const Planted planted(400, 350, 20, 0.1, 0.6);
  FitOptions options;
  options.rank = 40;
  const FitResult result = fit(planted.known, nullptr, options, false);
  EXPECT_EQ(result.C.size(1), 40);
  EXPECT_GE(result.used_rank, 20);
  EXPECT_LT(planted.test_rmse(result), 0.2);
}

// What is documented as the loss, of a model.
Tensor documented_loss(const Entries& entries, const FitOptions& options, double mean,
                       const std::vector<Tensor>& model) {
  const Tensor &C = model[0], &F = model[1], &b = model[2], &c = model[3];
  const Tensor rows = wengert::cat({b.unsqueeze(1), C, wengert::ones({C.size(0), 1}, C.options())}, 1),
               columns = wengert::cat({wengert::ones({F.size(1), 1}, F.options()), F.t(), c.unsqueeze(1)}, 1);
  const Tensor x = wengert::sampled_mm(rows, columns.t(), entries.pattern) + mean;
  return losses_of(entries.values, x, options.loss, options.huber_delta).sum() +
         *options.l2 * (C.square().sum() + F.square().sum()) + *options.l2_bias * (b.square().sum() + c.square().sum());
}

// At the end the gradient of the documented loss is nothing, whichever optimizer and loss.
TEST(FitEntries, ReachesAMinimumOfTheDocumentedLoss) {
  const Planted planted(40, 30, 2, 0.3, 0.5, wengert::kDouble);
  for (const LossKind loss : {LossKind::kSquared, LossKind::kHuber, LossKind::kLogistic, LossKind::kPoisson}) {
    for (const OptimizerKind optimizer : {OptimizerKind::kAls, OptimizerKind::kAdam, OptimizerKind::kLbfgs}) {
      Entries entries = planted.known;
      if (loss == LossKind::kLogistic) entries.values = (entries.values > 3).to(wengert::kDouble);
      if (loss == LossKind::kPoisson) entries.values = entries.values.relu().round();
      FitOptions options;
      options.dtype = wengert::kDouble;
      options.rank = 2;
      options.l2 = 2;
      options.l2_bias = 1;
      options.loss = loss;
      options.huber_delta = 0.3;
      options.optimizer = optimizer;
      options.tolerance = optimizer == OptimizerKind::kAls ? 1e-10 : 1e-9;
      const FitResult result = fit(entries, nullptr, options, false);
      std::vector<Tensor> model{result.C, result.F, result.row_bias, result.column_bias};
      for (Tensor& part : model) part = part.detach().clone().requires_grad_();
      double largest = 0;
      for (const Tensor& gradient :
           wengert::autograd::grad({documented_loss(entries, options, result.mean, model)}, model)) {
        largest = std::max(largest, gradient.abs().max().item<double>());
      }
      EXPECT_LT(largest, 0.02) << static_cast<int>(loss) << " " << static_cast<int>(optimizer);
    }
  }
}

TEST(FitEntries, AbsoluteErrorsMindNoOutliers) {
  const Planted planted(200, 150, 2, 0.1);
  Entries spoiled = planted.known;
  spoiled.values = spoiled.values + (wengert::rand_like(spoiled.values) < 0.05).to(wengert::kFloat) * 20;
  FitOptions options;
  options.rank = 2;
  const double squared = planted.test_rmse(fit(spoiled, nullptr, options, false));
  options.loss = LossKind::kAbsolute;
  options.l2 = 1;
  EXPECT_LT(planted.test_rmse(fit(spoiled, nullptr, options, false)), 0.5 * squared);
}

TEST(FitEntries, NonnegativeFactorsAre) {
  const Planted planted;
  for (const OptimizerKind optimizer : {OptimizerKind::kAls, OptimizerKind::kAdam}) {
    FitOptions options;
    options.nonnegative = true;
    options.rank = 5;
    options.optimizer = optimizer;
    options.iterations = 300;
    const FitResult result = fit(planted.known, nullptr, options, false);
    EXPECT_GE(result.C.min().item<double>(), 0);
    EXPECT_GE(result.F.min().item<double>(), 0);
    EXPECT_FALSE(result.row_bias.defined());
    EXPECT_LT(planted.test_rmse(result), 1.2);
  }
}

TEST(FitEntries, WithoutBiasesThereAreNone) {
  FitOptions options;
  options.biases = false;
  const FitResult result = fit(Planted().known, nullptr, options, false);
  EXPECT_EQ(result.mean, 0);
  EXPECT_FALSE(result.row_bias.defined());
  EXPECT_GE(result.used_rank, 4);  // mean and biases take two of their own
  EXPECT_LT(Planted().test_rmse(result), 1.1 * 0.3);
}

// All pairs count, those without an entry as 0: the loss of dense matrices.
TEST(FitEntries, ImplicitFeedbackReachesAMinimum) {
  const Planted planted(30, 20, 2, 0.3, 0.3, wengert::kDouble);
  Entries entries = planted.known;
  entries.values = entries.values.abs();
  FitOptions options;
  options.dtype = wengert::kDouble;
  options.feedback = Feedback::kAls;
  options.alpha = 2;
  options.rank = 3;
  options.l2 = 0.5;
  options.tolerance = 1e-12;
  const FitResult result = fit(entries, nullptr, options, false);
  const Tensor counts = SparseMatrix(entries.pattern, entries.values).to_dense();
  const Tensor C = result.C.detach().clone().requires_grad_(), F = result.F.detach().clone().requires_grad_();
  const Tensor loss = ((1 + 2 * counts) * ((counts > 0).to(wengert::kDouble) - wengert::mm(C, F)).square()).sum() +
                      0.5 * (C.square().sum() + F.square().sum());
  EXPECT_NEAR(loss.item<double>(), result.losses.back(), 1e-4 * result.losses.back());
  for (const Tensor& gradient : wengert::autograd::grad({loss}, {C, F})) {
    EXPECT_LT(gradient.abs().max().item<double>(), 1e-3);
  }
}

// Two groups of rows that like two groups of columns.
TEST(FitEntries, BprRanksWhatIsLikedFirst) {
  wengert::manual_seed(5);
  const int64_t n = 60, m = 40;
  Tensor liked = wengert::rand({n, m}) < 0.4;
  Tensor same = wengert::zeros({n, m}, wengert::kBool);
  same.narrow(0, 0, n / 2).narrow(1, 0, m / 2).fill_(true);
  same.narrow(0, n / 2, n / 2).narrow(1, m / 2, m / 2).fill_(true);
  liked = wengert::logical_and(liked, same);
  FitOptions options;
  options.feedback = Feedback::kBpr;
  options.rank = 4;
  options.iterations = 20;
  const Entries entries = Planted::pick(wengert::ones({n, m}), liked);
  const FitResult result = fit(entries, nullptr, options, false);
  const Tensor scores = wengert::mm(result.C, result.F) + result.column_bias;
  const Tensor of_same = wengert::masked_select(scores, same),
               of_others = wengert::masked_select(scores, same.logical_not());
  // Also what nobody was seen to like, in the same group.
  EXPECT_GT(of_same.mean().item<double>() - of_others.mean().item<double>(), 1);
  EXPECT_LT(result.losses.back(), 0.6 * result.losses.front());
  EXPECT_TRUE(equal(result.C, fit(entries, nullptr, options, false).C));
}

TEST(FitEntries, GivesTheSameBitsOnAnyNumberOfThreads) {
  const Planted planted(1500, 900, 3, 0.3, 0.1);
  const int before = wengert::get_num_threads();
  std::vector<Tensor> first;
  for (const int threads : {1, 2, 2, 3, 8}) {
    wengert::set_num_threads(threads);
    const FitResult result = fit(planted.known, nullptr, {}, false);
    const std::vector<Tensor> model{result.C, result.F, result.row_bias, result.column_bias};
    if (first.empty()) first = model;
    EXPECT_TRUE(same_bits(first, model)) << threads;
  }
  wengert::set_num_threads(before);
}

TEST(FitEntries, TheValidationKeepsTheBest) {
  const Planted planted(100, 80, 2, 0.5, 0.2);
  for (const OptimizerKind optimizer : {OptimizerKind::kAls, OptimizerKind::kAdam}) {
    FitOptions options;
    options.rank = 10;
    options.l2 = 0.3;  // which fits the noise sooner or later
    options.l2_bias = 1;
    options.patience = 3;
    options.optimizer = optimizer;
    options.tolerance = 0;
    const FitResult result = fit(planted.known, &planted.hidden, options, false);
    EXPECT_EQ(result.stop, Stop::kValidation);
    EXPECT_LT(result.best_iteration, result.iterations);
    EXPECT_NEAR(planted.test_rmse(result), *result.validation_rmse, 1e-6);
    EXPECT_LT(*result.validation_rmse, 1);
  }
}

// A run that is stopped after any step and goes on ends with the bits of one that was not.
TEST(FitEntries, GoesOnFromACheckpointToTheSameBits) {
  const Planted planted(60, 50, 2, 0.3, 0.4);
  const wengert::test::TemporaryFolder folder;
  struct Case {
    const char* name;
    FitOptions options;
    bool validated;
  };
  std::vector<Case> cases{{"als", {}, false},    {"validated", {}, true}, {"huber", {}, false},
                          {"l2", {}, false},     {"adam", {}, false},     {"lbfgs", {}, false},
                          {"cosine", {}, false}, {"bpr", {}, false},      {"stages", {}, false}};
  cases[1].options.patience = 100;  // to the last iteration
  cases[2].options.loss = LossKind::kHuber;
  cases[3].options.l2 = 1;
  cases[4].options.optimizer = OptimizerKind::kAdam;
  cases[5].options.optimizer = OptimizerKind::kLbfgs;
  cases[6].options.optimizer = OptimizerKind::kSgd;
  cases[6].options.schedule = Schedule::kPlateau;
  cases[7].options.feedback = Feedback::kBpr;
  cases[8].options.rank = 30;
  const Processes alone;
  for (Case& c : cases) {
    c.options.tolerance = 0;
    const Entries* validation = c.validated ? &planted.hidden : nullptr;
    const auto run = [&](int64_t iterations, bool resume) {
      c.options.iterations = iterations;
      Checkpoint checkpoint(alone, folder.path() / c.name, 0, "run");
      if (resume) checkpoint.resume();
      EXPECT_EQ(checkpoint.resumed().has_value(), resume);
      return fit(planted.known, validation, c.options, {false, &checkpoint});
    };
    run(7, false);
    run(9, true);
    const FitResult resumed = run(20, true);
    c.options.iterations = 20;
    const FitResult whole = fit(planted.known, validation, c.options, false);
    EXPECT_TRUE(same_bits({whole.C, whole.F}, {resumed.C, resumed.F})) << c.name;
    EXPECT_EQ(whole.losses, resumed.losses) << c.name;
    EXPECT_EQ(whole.iterations, resumed.iterations) << c.name;
    // Where nothing is left to do, too.
    const FitResult again = run(20, true);
    EXPECT_TRUE(same_bits({whole.C, whole.F, whole.row_bias}, {again.C, again.F, again.row_bias})) << c.name;
    EXPECT_EQ(whole.mean, again.mean) << c.name;
  }
  Checkpoint other(alone, folder.path() / "als", 0, "another run");
  EXPECT_ERROR(other.resume(), "the checkpoint is another run's (run); this one is another run");
}

TEST(FitEntries, RefusesValuesThatALossIsNotMadeFor) {
  Entries entries = Planted().known;
  FitOptions options;
  options.loss = LossKind::kLogistic;
  EXPECT_ERROR(fit(entries, nullptr, options, false), "--loss logistic: values are from");
  entries.values = -entries.values.abs();
  options.loss = LossKind::kPoisson;
  EXPECT_ERROR(fit(entries, nullptr, options, false), "--loss poisson: there is a value of -");
}

}  // namespace
}  // namespace factorize
