#include <apps/factorize/command.h>
#include <apps/factorize/read.h>
#include <factorize/fit/mean_of_fits.h>
#include <factorize/fit/tune.h>
#include <factorize/model/row_solver.h>
#include <fmt/format.h>
#include <support/inputs.h>
#include <support/planted_pairs.h>
#include <wengert/wengert.h>

#include <nlohmann/json.hpp>
#include <cmath>
#include <csignal>
#include <thread>

namespace factorize {
namespace {

using wengert::Tensor;

// Entries of a matrix of rank 3 with biases and noise, and others of the same.
struct Planted {
  Planted() {
    wengert::manual_seed(4);
    const auto numbers = [](int64_t n, int64_t m) { return wengert::randn({n, m}); };
    const Tensor all = 3 + 0.5 * numbers(120, 1) + 0.5 * numbers(1, 80) +
                       0.5 * wengert::mm(numbers(120, 3), numbers(3, 80)) + 0.5 * numbers(120, 80);
    const Tensor drawn = wengert::rand(all.sizes());
    known = pick(all, drawn < 0.3);
    validation = pick(all, drawn > 0.9);
    hidden = pick(all, drawn.gt(0.6).logical_and(drawn < 0.9));
  }
  static Entries pick(const Tensor& all, const Tensor& where) {
    return entries_of(wengert::where(where, all, wengert::full_like(all, std::nan(""))).contiguous());
  }
  Entries known = pick(wengert::zeros({1, 1}), wengert::ones({1, 1}, wengert::kBool)), validation = known,
          hidden = known;
};

double rmse(const Model& model, const Entries& entries) {
  return std::sqrt(squared_error(model, entries) / entries.count);
}

TEST(MeanOfFits, PredictsTheMeanOfThePredictions) {
  const Planted planted;
  FitOptions options;
  std::vector<FitResult> fits;
  Tensor sum;
  const Tensor rows = wengert::arange(120), columns = wengert::arange(80).repeat({2}).narrow(0, 0, 120).contiguous();
  for (const uint64_t seed : {0, 1000, 2000}) {
    options.seed = seed;
    fits.push_back(fit(planted.known, nullptr, options, false));
    const Tensor predicted = Predictor(fits.back()).at(rows, columns);
    sum = sum.defined() ? sum + predicted : predicted;
  }
  const FitResult mean = mean_of(fits, Share(planted.known, planted.validation));
  EXPECT_TRUE(allclose(Predictor(mean).at(rows, columns), sum / 3, 1e-4, 1e-4));
  EXPECT_NEAR(*mean.validation_rmse, rmse(mean, planted.validation), 1e-9);
  EXPECT_EQ(mean.rank(), mean.used_rank);
  options.seed = 0;
  options.fits = 3;
  const FitResult several = fit_several(Share(planted.known), options, false);
  EXPECT_TRUE(equal(several.C, mean.C));
  EXPECT_TRUE(equal(several.row_bias, mean.row_bias));
  // A row that is folded in comes near what it was.
  const Predictor predictor(mean);
  const RowSolver::Rows again = RowSolver(predictor).solve(planted.known, wengert::arange(80));
  Model folded = mean;
  folded.C = again.factors;
  folded.row_bias = again.bias;
  EXPECT_LT(rmse(folded, planted.hidden), 1.03 * rmse(mean, planted.hidden));
}

TEST(Fit, BeginsWithAModelWhereThePenaltiesAreFixed) {
  const Planted planted;
  FitOptions options;
  options.l2 = 2;
  options.rank = 4;
  options.tolerance = 0;
  options.iterations = 6;
  const FitResult whole = fit(planted.known, nullptr, options, false);
  options.iterations = 3;
  const FitResult half = fit(planted.known, nullptr, options, false);
  const FitResult both = fit(planted.known, nullptr, options, Running().with_start(&half));
  EXPECT_NEAR(both.losses.back(), whole.losses.back(), 1e-4 * whole.losses.back());
  options.iterations = 1;
  EXPECT_LT(fit(planted.known, nullptr, options, Running().with_start(&both)).losses.back(), half.losses.back());
}

TEST(Tune, FindsWhatDoesBestOnTheValidation) {
  const Planted planted;
  int shown = 0;
  const Tuning tuning = tune(Share(planted.known, planted.validation), {}, true, 10, [&](const Trial& trial) {
    ++shown;
    EXPECT_GT(trial.measure, 0.4);
  });
  EXPECT_EQ(shown, static_cast<int>(tuning.trials.size()));
  EXPECT_GT(shown, 10);
  double best = 1e9;
  for (const Trial& trial : tuning.trials) {
    EXPECT_EQ(trial.is_best, trial.measure < best);
    best = std::min(best, trial.measure);
  }
  EXPECT_EQ(tuning.measure, best);
  EXPECT_TRUE(tuning.is_error);
  // With the settings the measure is come to again; and what is open does no better.
  const FitResult again = fit_several(Share(planted.known, planted.validation), tuning.best, false);
  EXPECT_NEAR(rmse(again, planted.validation), best, 0.02 * best);
  EXPECT_LT(rmse(again, planted.hidden), 1.01 * rmse(fit(planted.known, nullptr, {}, false), planted.hidden));
}

TEST(Tune, LeavesWhatIsGiven) {
  const Planted planted;
  FitOptions options;
  options.rank = 2;
  options.l2 = 3;
  options.optimizer = OptimizerKind::kAls;
  const Tuning tuning = tune(Share(planted.known, planted.validation), options, true, 1, [](const Trial&) {});
  for (const Trial& trial : tuning.trials) {
    EXPECT_EQ(trial.options.rank, 2);
    EXPECT_EQ(trial.options.l2, 3.0);
    EXPECT_EQ(trial.options.optimizer, OptimizerKind::kAls);
  }
}

TEST(Tune, DescendsWhereARateIsGiven) {
  const Planted planted;
  FitOptions options;
  options.lr = 0.1;
  for (const Trial& trial :
       tune(Share(planted.known, planted.validation), options, true, 1, [](const Trial&) {}).trials) {
    EXPECT_EQ(trial.options.optimizer, OptimizerKind::kSgd);
    EXPECT_EQ(trial.options.lr, 0.1);
  }
}

// Rows prefer columns for reasons: a model that finds them ranks better than popularity does.
TEST(Implicit, RanksPlantedPairsHalfAsWellAgainAsPopularity) {
  const wengert::test::PlantedPairs planted = wengert::test::planted_pairs(2500, 1000, 110000, 8, 1);
  std::string text;
  for (size_t e = 0; e < planted.rows.size(); ++e) {
    text += fmt::format("{},{}\n", planted.rows[e], planted.columns[e]);
  }
  const wengert::test::TemporaryFolder folder;
  const std::string file = folder.file("pairs.csv", text), model = folder.path() / "model";
  const std::string program = FACTORIZE_PROGRAM;
  ASSERT_EQ(std::system((program + " fit " + file +
                         " --columns 1,2 --implicit als --quiet --holdout 0.2 --holdout-by row " + "--out " + model)
                            .c_str()),
            0);
  const std::string out = folder.path() / "measures.json";
  ASSERT_EQ(
      std::system((program + " evaluate " + model + " " + model + "/holdout.csv -n 20 --json --out " + out).c_str()),
      0);
  int seen = 0;
  for (const auto& measure : nlohmann::json::parse(content_of(out))) {
    const std::string name = measure["measure"];
    if (name != "ndcg@20" && name != "recall@20") continue;
    ++seen;
    EXPECT_GE(measure["low"].get<double>(), 1.5 * measure["popularity"].get<double>()) << measure;
  }
  EXPECT_EQ(seen, 2);
}

class TuneCommand : public Command {};

// It took the third sweep for the last of these splits, with more than 0.67 each.
TEST_F(TuneCommand, AFitDoesNotEndWhereTheNoiseTurns) {
  const std::string out = folder_.path() / "model";
  for (const int seed : {0, 1, 2}) {
    ASSERT_EQ(run(fmt::format("fit {}/ratings.csv --holdout 0.1 --validation 0.1 --seed {} --out {}", TEST_DATA_DIR,
                              seed, out))
                  .status,
              0);
    EXPECT_LT(nlohmann::json::parse(content_of(out + "/metrics.json"))["test_rmse"].get<double>(), 0.64) << seed;
  }
}

TEST_F(TuneCommand, WritesTheTableAndTheBestModel) {
  const std::string out = folder_.path() / "tuned";
  int64_t lines = 0;
  for (const int budget : {1, 8, 40}) {  // seconds: a busy machine needs more of them
    const Outcome outcome =
        run(fmt::format("fit {}/ratings.csv --tune --budget {} --holdout 0.1 --out {}", TEST_DATA_DIR, budget, out));
    EXPECT_EQ(outcome.status, 0) << outcome.err;
    EXPECT_NE(outcome.out.find("  best"), std::string::npos);
    const std::string table = content_of(out + "/tune.csv");
    EXPECT_EQ(table.find("seconds,optimizer,rank,l2,lr,alpha,fits,iterations,validation_rmse,best\n"), 0u);
    lines = std::count(table.begin(), table.end(), '\n');
    if (lines > 3) break;
  }
  EXPECT_GT(lines, 3);
  const auto metrics = nlohmann::json::parse(content_of(out + "/metrics.json"));
  EXPECT_LT(metrics["test_rmse"].get<double>(), 0.64);
  EXPECT_EQ(metrics["entries"], 7200);  // the validation's are among them again
}

TEST_F(TuneCommand, TunesWholeMatricesAndTablesWithHoles) {
  const Outcome whole = run("fit " + std::string(TEST_DATA_DIR) + "/volcano.csv --center global --tune --budget 1");
  EXPECT_EQ(whole.status, 0) << whole.err;
  EXPECT_NE(whole.out.find("relative error"), std::string::npos);
  std::string table;
  for (int i = 0; i < 30; ++i) {
    for (int j = 0; j < 20; ++j)
      table += fmt::format("{}{}", j > 0 ? "," : "", (i + j) % 7 == 0 ? "NA" : std::to_string(i * j % 13));
    table += '\n';
  }
  const Outcome holes = run("fit " + folder_.file("holes.csv", table) + " --tune --budget 1");
  EXPECT_EQ(holes.status, 0) << holes.err;
}

TEST_F(TuneCommand, AnInterruptKeepsTheBestSoFar) {
  const std::string out = folder_.path() / "tuned", log = folder_.path() / "log";
  const std::string program =
      std::string(FACTORIZE_PROGRAM) + " fit " + TEST_DATA_DIR + "/ratings.csv --tune --budget 600 --out " + out;
  // Interrupted once there is a trial.
  const std::string script = program + " > " + log + " & pid=$!; until grep -q best " + log +
                             "; do sleep 0.05; done; kill -INT $pid; wait $pid";
  const int status = std::system(("bash -c '" + script + "'").c_str());
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_NE(content_of(out + "/tune.csv"), "");
  EXPECT_NE(content_of(out + "/factors.safetensors"), "");
}

}  // namespace
}  // namespace factorize
