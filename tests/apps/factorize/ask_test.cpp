#include <apps/factorize/command.h>
#include <apps/factorize/read.h>
#include <factorize/ask/evaluation.h>
#include <factorize/fit/alternation.h>
#include <factorize/fit/fit.h>
#include <factorize/model/entry_losses.h>
#include <factorize/model/ranking.h>
#include <factorize/model/row_solver.h>
#include <factorize/model/saved_model.h>
#include <fmt/format.h>
#include <support/inputs.h>
#include <wengert/wengert.h>

#include <nlohmann/json.hpp>
#include <cmath>
#include <numeric>
#include <set>
#include <sstream>

namespace factorize {
namespace {

using wengert::Tensor;
using wengert::test::TemporaryFolder;

constexpr int64_t kRows = 40, kColumns = 30;

// Entries of a matrix of rank 2 with biases, where drawn; of Double.
Entries planted(LossKind loss = LossKind::kSquared, bool with_weights = false) {
  wengert::manual_seed(3);
  const auto numbers = [](int64_t n, int64_t m) { return wengert::randn({n, m}, wengert::kDouble); };
  Tensor all =
      0.5 * numbers(kRows, 1) + 0.5 * numbers(1, kColumns) + wengert::mm(numbers(kRows, 2), numbers(2, kColumns));
  all = all + 0.3 * numbers(kRows, kColumns);
  if (loss == LossKind::kLogistic) all = (all > 0).to(wengert::kDouble);
  if (loss == LossKind::kPoisson) all = all.exp().round();
  Entries entries = entries_of(
      wengert::where(wengert::rand({kRows, kColumns}) < 0.5, all, wengert::full_like(all, std::nan(""))).contiguous());
  if (with_weights) {
    entries.weights = wengert::rand(entries.values.sizes(), wengert::kDouble) + 0.5;
    entries.count = entries.weights.sum().item<double>();
  }
  return entries;
}

Tensor all_columns(const Model& model) { return wengert::arange(model.columns()); }

// How far the nearest column of b is from each of a, at most: their order does not count.
double distance_of_columns(const Tensor& a, const Tensor& b) {
  double most = 0;
  for (int64_t l = 0; l < a.size(1); ++l) {
    const Tensor differences = (b - a.narrow(1, l, 1)).square().sum(0);
    most = std::max(most, std::sqrt(differences.min().item<double>()));
  }
  return most;
}

TEST(RowSolver, IsHalfASweepOfTheFit) {
  for (const bool from_data : {false, true}) {
    for (const bool by_count : {false, true}) {
      for (const Feedback feedback : {Feedback::kExplicit, Feedback::kAls}) {
        if (from_data && (by_count || feedback == Feedback::kAls)) continue;
        for (const bool nonnegative : {false, true}) {
          Entries entries = planted(LossKind::kSquared, true);
          if (feedback == Feedback::kAls || nonnegative) entries.values = entries.values.abs();
          FitOptions options;
          options.dtype = wengert::kDouble;
          options.rank = 2;
          if (!from_data) options.l2 = 0.7;
          options.l2_by_count = by_count;
          options.feedback = feedback;
          options.nonnegative = nonnegative;
          options.alpha = 2;
          const Share share(entries);
          Alternation als(share, options);
          als.fit_biases(nullptr);
          als.add_factors(2);
          for (int i = 0; i < 3; ++i) als.sweep();
          FitResult before, after;
          als.put_model(before, 2);
          before.feedback = feedback;
          before.alpha = 2;
          before.nonnegative = nonnegative;
          before.penalties_by_count = by_count;
          als.sweep();
          als.put_model(after, 2);
          const Predictor predictor(before);
          const RowSolver::Rows rows = RowSolver(predictor).solve(entries, all_columns(before));
          // The sweeps over nonnegative elements begin elsewhere, and end near the same place.
          const double bound = nonnegative ? 2e-2 : 1e-9;
          EXPECT_LT(distance_of_columns(rows.factors, after.C), bound) << from_data << by_count << nonnegative;
          if (after.row_bias.defined()) {
            EXPECT_TRUE(allclose(rows.bias, after.row_bias, 1e-9, 1e-9));
          }
        }
      }
    }
  }
}

TEST(RowSolver, EndsWhereTheSlopeIsNothing) {
  for (const LossKind loss : {LossKind::kHuber, LossKind::kLogistic, LossKind::kPoisson}) {
    const Entries entries = planted(loss, true);
    FitOptions options;
    options.dtype = wengert::kDouble;
    options.rank = 2;
    options.l2 = 1;
    options.loss = loss;
    options.huber_delta = 0.4;
    options.iterations = 5;
    const FitResult model = fit(entries, nullptr, options, false);
    const Predictor predictor(model);
    const RowSolver::Rows rows = RowSolver(predictor).solve(entries, all_columns(model));
    const Tensor x = rows.factors.clone().requires_grad_(), b = rows.bias.clone().requires_grad_();
    const Tensor at = wengert::mm(x, model.F) + b.unsqueeze(1) + model.column_bias.unsqueeze(0) + model.mean;
    const Tensor positions = rows_of(entries.pattern) * kColumns + entries.pattern.col_indices();
    const Tensor of_entries = losses_of(entries.values, at.reshape({-1}).index_select(0, positions), loss, 0.4);
    (entries.weighted(of_entries).sum() + x.square().sum() + b.square().sum()).backward();
    EXPECT_LT(x.grad().abs().max().item<double>(), 1e-3) << static_cast<int>(loss);
    EXPECT_LT(b.grad().abs().max().item<double>(), 1e-3) << static_cast<int>(loss);
  }
}

TEST(RowSolver, FindsTheRowsOfWholeMatricesAgain) {
  wengert::manual_seed(5);
  const Tensor D =
      wengert::mm(wengert::randn({30, 4}, wengert::kDouble), wengert::randn({4, 20}, wengert::kDouble)) + 7;
  for (const Center center : {Center::kNone, Center::kGlobal, Center::kRows, Center::kColumns}) {
    FitOptions options;
    options.rank = 3;
    options.dtype = wengert::kDouble;
    options.l2 = 0.5;
    options.center = center;
    const FitResult model = fit(D, options, false);
    const Predictor predictor(model);
    const RowSolver::Rows rows = RowSolver(predictor).solve(entries_of(D), all_columns(model));
    EXPECT_TRUE(allclose(rows.factors, model.C, 1e-9, 1e-9)) << static_cast<int>(center);
    EXPECT_TRUE(allclose(rows.level, predictor.row_levels())) << static_cast<int>(center);
  }
}

TEST(RowSolver, DoesNotMindTheUnits) {
  const double unit = 0x1p40;
  for (const LossKind loss : {LossKind::kSquared, LossKind::kAbsolute}) {
    const Entries entries = planted(loss);
    FitOptions options;
    options.dtype = wengert::kDouble;
    options.loss = loss;
    const FitResult model = fit(entries, nullptr, options, false);
    Entries larger = entries;
    larger.values = entries.values * unit;
    const FitResult larger_model = fit(larger, nullptr, options, false);
    const Predictor predictor(model), larger_predictor(larger_model);
    const RowSolver::Rows rows = RowSolver(predictor).solve(entries, all_columns(model)),
                          larger_rows = RowSolver(larger_predictor).solve(larger, all_columns(larger_model));
    EXPECT_TRUE(allclose(larger_rows.factors, rows.factors * std::sqrt(unit), 1e-6, 1e-6 * std::sqrt(unit)));
    EXPECT_TRUE(allclose(larger_rows.bias, rows.bias * unit, 1e-6, 1e-6 * unit));
  }
}

TEST(RowSolver, ScoresAreTheSumsOfTheirParts) {
  for (const Feedback feedback : {Feedback::kExplicit, Feedback::kAls}) {
    Entries all = planted();
    if (feedback == Feedback::kAls) all.values = all.values.abs();
    FitOptions options;
    options.dtype = wengert::kDouble;
    options.rank = 3;
    options.feedback = feedback;
    const FitResult model = fit(all, nullptr, options, false);
    const Predictor predictor(model);
    const RowSolver solver(predictor);
    const Tensor columns = wengert::tensor({3, 7, 11, 29}), wanted = wengert::tensor({0, 5});
    const Entries own = one_row(wengert::tensor({1.0, 2.0, 0.5, 1.5}, wengert::kDouble));
    const RowSolver::Rows row = solver.solve(own, columns);
    const Tensor parts = solver.parts_of_score(own, columns, row, wanted);
    ASSERT_EQ(parts.sizes(), wengert::IntArrayRef({2, 4}));
    const Tensor scores = wengert::mm(row.factors, model.F).squeeze(0).index_select(0, wanted);
    EXPECT_TRUE(allclose(parts.sum(1), scores, 1e-9, 1e-9));
  }
}

TEST(RowSolver, RefusesModelsWithoutLeastSquares) {
  Model model;
  model.C = wengert::zeros({2, 1});
  model.F = wengert::zeros({1, 2});
  const Predictor predictor(model);
  EXPECT_THROW(RowSolver{predictor}, wengert::Error);
}

TEST(SavedModel, ComesBackAsItWas) {
  const TemporaryFolder folder;
  const Entries entries = planted(LossKind::kSquared, true), validation = planted();
  FitOptions options;
  options.dtype = wengert::kDouble;
  options.loss = LossKind::kHuber;
  options.huber_delta = 0.3;
  options.l2_by_count = true;
  const FitResult model = fit(entries, nullptr, options, false);
  std::vector<std::string> ids;
  for (int64_t j = 0; j < kColumns; ++j) ids.push_back(fmt::format("a name, of {}", j));
  const Share share(entries, validation);
  save_model(folder.path(), model, {}, ids, &share);
  const SavedModel saved = load_model(folder.path());
  for_each_tensor(model, [&](const std::string& name, const Tensor& tensor) {
    for_each_tensor(saved.model, [&](const std::string& other, const Tensor& loaded) {
      if (name == other) {
        EXPECT_TRUE(tensor.defined() ? equal(tensor, loaded) : !loaded.defined()) << name;
      }
    });
  });
  EXPECT_EQ(saved.model.mean, model.mean);
  EXPECT_EQ(saved.model.loss, LossKind::kHuber);
  EXPECT_EQ(saved.model.huber_delta, 0.3);
  EXPECT_TRUE(saved.model.penalties_by_count);
  EXPECT_EQ(saved.rows[0], "1");
  EXPECT_EQ(saved.rows.position_of("40"), 39);
  EXPECT_THROW(saved.rows.position_of("41"), wengert::Error);
  EXPECT_EQ(saved.columns.position_of("a name, of 7"), 7);
  EXPECT_TRUE(equal(saved.fitted->values, entries.values));
  EXPECT_TRUE(equal(saved.fitted->weights, entries.weights));
  EXPECT_TRUE(equal(saved.validated->columns, validation.pattern.col_indices()));
  EXPECT_FALSE(saved.validated->weights.defined());
}

TEST(Names, TellTheNearest) {
  const Names names("column", {"The Godfather", "Jaws", "Alien", "Aliens"}, 4);
  try {
    names.position_of("Alein");
    FAIL();
  } catch (const wengert::Error& error) {
    EXPECT_STREQ(error.what(), "there is no column Alein; the nearest are: Alien, Aliens, Jaws");
  }
}

// By a plain sort of all scores.
TEST(Evaluation, IsThatOfPlainLoops) {
  const TemporaryFolder folder;
  const Entries entries = planted();
  FitOptions options;
  options.dtype = wengert::kDouble;
  const FitResult model = fit(entries, nullptr, options, false);
  const Share share(entries);
  save_model(folder.path(), model, {}, {}, &share);
  const SavedModel saved = load_model(folder.path());
  // What is known is asked in some rows, together with others.
  Ratings asked;
  wengert::manual_seed(8);
  const Tensor drawn = wengert::rand({kRows, kColumns});
  std::set<std::pair<int64_t, int64_t>> known;
  const Tensor rows = rows_of(entries.pattern), columns = entries.pattern.col_indices();
  for (int64_t e = 0; e < entries.size(); ++e) known.emplace(rows[e].item<int64_t>(), columns[e].item<int64_t>());
  for (int32_t i = 0; i < kRows; i += 2) {
    for (int32_t j = 0; j < kColumns; ++j) {
      if (known.contains({i, j}) || drawn.index({i, j}).item<double>() > 0.2) continue;
      asked.rows.push_back(i);
      asked.columns.push_back(j);
      asked.values.push_back(static_cast<float>(j % 5));
    }
  }
  Data data;
  data.rows = kRows;
  data.columns = kColumns;
  data.content = asked;
  RankingOptions ranking;
  ranking.count = 5;
  ranking.least = 2;
  const std::vector<Measure> measures = evaluate(saved, asked_entries(data, saved, Duplicates::kMean), ranking);

  const Tensor scores = wengert::mm(model.C, model.F) + model.column_bias.unsqueeze(0);
  const Tensor predicted = scores + model.row_bias.unsqueeze(1) + model.mean;
  double squares = 0;
  for (size_t e = 0; e < asked.size(); ++e) {
    squares += std::pow(predicted.index({asked.rows[e], asked.columns[e]}).item<double>() - asked.values[e], 2);
  }
  std::vector<double> sums(5);
  std::set<int64_t> recommended;
  int64_t count = 0;
  for (int64_t i = 0; i < kRows; ++i) {
    std::set<int64_t> relevant;
    for (size_t e = 0; e < asked.size(); ++e) {
      if (asked.rows[e] == i && asked.values[e] >= 2) relevant.insert(asked.columns[e]);
    }
    if (relevant.empty()) continue;
    ++count;
    std::vector<int64_t> order;
    for (int64_t j = 0; j < kColumns; ++j) {
      if (!known.contains({i, j})) order.push_back(j);
    }
    std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
      return scores.index({i, a}).item<double>() > scores.index({i, b}).item<double>();
    });
    order.resize(std::min<size_t>(order.size(), 5));
    double hits = 0, gain = 0, ideal = 0, average = 0;
    for (size_t r = 0; r < order.size(); ++r) {
      recommended.insert(order[r]);
      if (!relevant.contains(order[r])) continue;
      average += ++hits / static_cast<double>(r + 1);
      gain += 1 / std::log2(r + 2);
    }
    for (size_t r = 0; r < std::min<size_t>(relevant.size(), 5); ++r) ideal += 1 / std::log2(r + 2);
    const double all = static_cast<double>(relevant.size());
    const double values[] = {hits / 5, hits / all, gain / ideal, average / std::min(all, 5.0), hits > 0 ? 1.0 : 0.0};
    for (size_t v = 0; v < 5; ++v) sums[v] += values[v];
  }
  std::map<std::string, Measure> by_name;
  for (const Measure& measure : measures) by_name[measure.name] = measure;
  EXPECT_NEAR(*by_name["rmse"].value, std::sqrt(squares / static_cast<double>(asked.size())), 1e-9);
  const char* names[] = {"precision@5", "recall@5", "ndcg@5", "map@5", "hit rate@5"};
  for (size_t v = 0; v < 5; ++v) {
    const Measure& measure = by_name[names[v]];
    EXPECT_NEAR(*measure.value, sums[v] / static_cast<double>(count), 1e-12) << names[v];
    EXPECT_LT(*measure.low, *measure.value);
    EXPECT_GT(*measure.high, *measure.value);
    EXPECT_TRUE(measure.popularity && measure.biases);
  }
  EXPECT_NEAR(*by_name["coverage@5"].value, static_cast<double>(recommended.size()) / kColumns, 1e-12);

  // Among few others the relevant ones come first more often.
  ranking.candidates = 3;
  for (const Measure& measure : evaluate(saved, asked_entries(data, saved, Duplicates::kMean), ranking)) {
    if (measure.name == "recall@5") {
      EXPECT_GT(*measure.value, *by_name["recall@5"].value);
    }
  }
}

// The commands, on the ratings that the documentation uses.
class Ask : public Command {
 protected:
  void SetUp() override {
    model_ = folder_.path() / "model";
    const Outcome fit = run("fit " + std::string(TEST_DATA_DIR) + "/ratings.csv --holdout 0.1 --out " + model_);
    ASSERT_EQ(fit.status, 0) << fit.err;
  }
  // The fields of each line but the first.
  static std::vector<std::vector<std::string>> rows_of(const std::string& csv) {
    std::vector<std::vector<std::string>> rows;
    std::istringstream lines(csv);
    std::string line, field;
    std::getline(lines, line);
    while (std::getline(lines, line)) {
      std::istringstream fields(line);
      rows.emplace_back();
      while (std::getline(fields, field, ',')) rows.back().push_back(field);
    }
    return rows;
  }
  std::vector<std::vector<std::string>> ask(const std::string& arguments) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << arguments << "\n" << outcome.err;
    EXPECT_EQ(outcome.err, "") << arguments;
    return rows_of(outcome.out);
  }
  std::string model_;
};

TEST_F(Ask, EvaluateSaysWhatTheFitSaid) {
  const auto metrics = nlohmann::json::parse(content_of(model_ + "/metrics.json"));
  const auto rows = ask("evaluate " + model_ + " " + model_ + "/holdout.csv");
  ASSERT_EQ(rows.at(0).at(0), "rmse");
  EXPECT_NEAR(std::stod(rows[0][1]), metrics["test_rmse"].get<double>(), 1e-5);
  EXPECT_EQ(rows.at(7).at(0), "coverage@10");
  const auto json = nlohmann::json::parse(run("evaluate " + model_ + " " + model_ + "/holdout.csv --json").out);
  EXPECT_EQ(json[0]["measure"], "rmse");
  EXPECT_TRUE(json[0]["popularity"].is_null());
}

TEST_F(Ask, EntriesOfUnknownRowsAreLeftOutAloud) {
  const std::string file = folder_.file("asked.csv", "user,item,rating\nuser1,item1,3\nnobody,item1,3\n");
  const Outcome outcome = run("evaluate " + model_ + " " + file);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_NE(outcome.err.find("1 of 2 entries are left out"), std::string::npos) << outcome.err;
  expect_failure("evaluate " + model_ + " " + folder_.file("none.csv", "user,item,rating\na,b,3\n"), 1,
                 "no entry is of");
}

TEST_F(Ask, PredictTakesPairsAndTriples) {
  const std::string pairs = folder_.file("pairs.csv", "user,item\nuser7,item30\nuser1,item2\nuser7,item30\n");
  const std::string triples = folder_.file("triples.csv", "user7,item30,NA\nuser1,item2,4\n");
  const auto rows = ask("predict " + model_ + " " + pairs);
  ASSERT_EQ(rows.size(), 3u);
  EXPECT_EQ(rows[0][0], "user7");
  EXPECT_EQ(rows[0][1], "item30");
  EXPECT_EQ(rows[2][2], rows[0][2]);
  const auto of_triples = ask("predict " + model_ + " " + triples);
  ASSERT_EQ(of_triples.size(), 2u);
  EXPECT_EQ(of_triples[1][2], rows[1][2]);
  expect_failure("predict " + model_ + " " + folder_.file("wrong.csv", "user7,item30\nuser7,item3O\n"), 1,
                 "there is no column item3O; the nearest are: item3");
}

TEST_F(Ask, RecommendLeavesOutWhatWasSeen) {
  std::set<std::string> seen;
  std::set<std::pair<std::string, std::string>> held_out;
  for (const auto& row : rows_of(content_of(model_ + "/holdout.csv"))) held_out.emplace(row[0], row[1]);
  for (const auto& row : rows_of(content_of(std::string(TEST_DATA_DIR) + "/ratings.csv"))) {
    if (row[0] == "user7" && !held_out.contains({row[0], row[1]})) seen.insert(row[1]);
  }
  const auto rows = ask("recommend " + model_ + " --row user7 -n 500");
  ASSERT_EQ(rows.size() + seen.size(), 198u);
  for (size_t r = 0; r < rows.size(); ++r) {
    EXPECT_FALSE(seen.contains(rows[r][2])) << rows[r][2];
    EXPECT_EQ(rows[r][1], std::to_string(r + 1));
    if (r > 0) {
      EXPECT_LE(std::stod(rows[r][3]), std::stod(rows[r - 1][3]));
    }
  }
  EXPECT_EQ(ask("recommend " + model_ + " --row user7 -n 500 --with-seen").size(), 198u);
  // The scores are predictions; and all rows' are those of each.
  const std::string pair = folder_.file("pair.csv", "user7," + rows[0][2] + "\n");
  EXPECT_NEAR(std::stod(ask("predict " + model_ + " " + pair)[0][2]), std::stod(rows[0][3]), 1e-5);
  const auto all = ask("recommend " + model_ + " -n 3");
  ASSERT_EQ(all.size(), 900u);
  const auto found = std::find_if(all.begin(), all.end(), [](const auto& row) { return row[0] == "user7"; });
  EXPECT_EQ((*found)[2], rows[0][2]);
  expect_failure("recommend " + model_ + " --row usr7", 1, "there is no row usr7; the nearest are: user7");
}

TEST_F(Ask, RecommendExplains) {
  const auto rows = ask("recommend " + model_ + " --row user7 -n 2 --explain");
  ASSERT_GE(rows.size(), 2u);
  EXPECT_EQ(rows[0].size(), 6u);
  EXPECT_GT(std::stod(rows[0][5]), 0);
}

TEST_F(Ask, SimilarIsCosine) {
  const wengert::Tensor F = read_matrix(model_ + "/F.npy");
  const auto rows = ask("similar " + model_ + " item30 -n 1000");
  ASSERT_EQ(rows.size(), 197u);
  std::vector<std::string> ids;
  std::istringstream lines(content_of(model_ + "/column_ids.txt"));
  for (std::string line; std::getline(lines, line);) ids.push_back(line);
  const auto vector = [&](const std::string& id) {
    return F.select(1, std::find(ids.begin(), ids.end(), id) - ids.begin());
  };
  const wengert::Tensor a = vector("item30"), b = vector(rows[0][2]);
  EXPECT_NEAR(std::stod(rows[0][3]), (a.dot(b) / (a.norm() * b.norm())).item<double>(), 1e-5);
  EXPECT_EQ(ask("similar " + model_ + " user3 --of rows -n 4").size(), 4u);
}

TEST_F(Ask, FoldInOfARowsOwnEntriesIsNearTheRow) {
  std::string own;
  std::set<std::pair<std::string, std::string>> held_out;
  for (const auto& row : rows_of(content_of(model_ + "/holdout.csv"))) held_out.emplace(row[0], row[1]);
  for (const auto& row : rows_of(content_of(std::string(TEST_DATA_DIR) + "/ratings.csv"))) {
    if (row[0] == "user7" && !held_out.contains({row[0], row[1]})) own += "me," + row[1] + "," + row[2] + "\n";
  }
  const std::string file = folder_.file("me.csv", own);
  const auto rows = ask("fold-in " + model_ + " " + file);
  ASSERT_EQ(rows.size(), 1u);
  EXPECT_EQ(rows[0][0], "me");
  // What is recommended is what the row in the model gets, nearly.
  const auto recommended = ask("fold-in " + model_ + " " + file + " --recommend 5"),
             expected = ask("recommend " + model_ + " --row user7 -n 5");
  ASSERT_EQ(recommended.size(), 5u);
  EXPECT_NEAR(std::stod(recommended[0][3]), std::stod(expected[0][3]), 0.05);
  expect_failure("fold-in " + model_ + " " + folder_.file("wrong.csv", "me,itm30,3\n"), 1, "there is no column itm30");
}

TEST_F(Ask, CompleteKeepsWhatIsKnownWithHeaderAndNames) {
  const std::string table = folder_.file("table.csv", "name,a,b,\"c, d\"\nx,1,2,3\ny,2,,6\nz,3,6,9\nw,NA,8,12.5\n");
  const std::string out = folder_.path() / "completed";
  ASSERT_EQ(run("fit " + table + " --rank 1 --out " + out).status, 0);
  const Outcome outcome = run("complete " + out);
  std::istringstream lines(outcome.out);
  std::string line;
  std::getline(lines, line);
  EXPECT_EQ(line, "row,a,b,\"c, d\"");
  std::getline(lines, line);
  EXPECT_EQ(line, "x,1,2,3");
  std::getline(lines, line);
  EXPECT_EQ(line.find("y,2,"), 0u);
  EXPECT_EQ(line.find("y,2,,"), std::string::npos);
  std::getline(lines, line);
  std::getline(lines, line);
  EXPECT_NE(line.find(",8,12.5"), std::string::npos);
}

TEST_F(Ask, InspectCompareAndExportSayWhatThereIs) {
  bool has_rows = false;
  for (const auto& row : ask("inspect " + model_)) has_rows = has_rows || (row[0] == "rows" && row[4] == "300");
  EXPECT_TRUE(has_rows);
  const auto compared = ask("compare " + model_ + " " + model_ + " --on " + model_ + "/holdout.csv");
  ASSERT_EQ(compared.size(), 2u);
  EXPECT_EQ(compared[0], compared[1]);
  const std::string out = folder_.path() / "exported";
  for (const char* as : {"csv", "npy", "safetensors", "word2vec"}) {
    EXPECT_EQ(run("export " + model_ + " --out " + out + " --inner --as " + as).status, 0) << as;
  }
  const SavedModel saved = load_model(model_);
  const wengert::Tensor rows = read_matrix(out + "/rows.npy"), columns = read_matrix(out + "/columns.npy");
  EXPECT_EQ(rows.sizes(), wengert::IntArrayRef({300, 15}));
  EXPECT_TRUE(equal(rows.select(1, 14), wengert::ones({300}, wengert::kDouble)));
  EXPECT_TRUE(equal(columns.select(1, 14), saved.model.column_bias.to(wengert::kDouble)));
  EXPECT_EQ(content_of(out + "/columns.txt").find("198 15\n"), 0u);
}

// What a browser makes of pages, tests/report/run.py looks at.
TEST_F(Ask, NoNameEndsTheScriptThatHoldsIt) {
  const std::string table = folder_.file("table.csv", "name,a,b,c\n</script><b>,1,2,3\ny,2,,6\nz,3,6,9\n");
  const std::string page = folder_.path() / "page.html";
  ASSERT_EQ(run("fit " + table + " --rank 1 --report " + page).status, 0);
  const std::string content = content_of(page);
  EXPECT_EQ(content.find("</script><b>"), std::string::npos);
  EXPECT_NE(content.find("\\u003c/script>\\u003cb>"), std::string::npos);
  EXPECT_EQ(content.find("/*CONTENT*/"), std::string::npos);
}

TEST_F(Ask, APipeThatClosesIsNoError) {
  const std::string program = std::string(FACTORIZE_PROGRAM) + " complete " + model_;
  const std::string status = folder_.path() / "status";
  std::system(("(" + program + "; echo $? > " + status + ") | head -n 1 > /dev/null").c_str());
  EXPECT_EQ(content_of(status), "0\n");
}

TEST_F(Ask, SaysWhatIsWrong) {
  expect_failure("recommend " + std::string(folder_.path() / "nothing"), 1, "there is no model");
  expect_failure("similar " + model_, 2, "ID is required");
  expect_failure("recommend " + model_ + " -n 0", 2, "-n");
  expect_failure("recommend " + model_ + " --row user7 --out /dev/full", 1, "No space left");
  std::ofstream(model_ + "/row_ids.txt") << "one\n";
  expect_failure("recommend " + model_, 1, "there are 1 names; the model has 300 rows");
  std::ofstream(model_ + "/factors.safetensors") << "no model";
  expect_failure("recommend " + model_, 1, "safetensors");
}

}  // namespace
}  // namespace factorize
