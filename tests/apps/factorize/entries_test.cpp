#include <factorize/fit/fit.h>
#include <factorize/model/holdout.h>
#include <gtest/gtest.h>
#include <support/inputs.h>

#include <algorithm>
#include <set>

namespace factorize {
namespace {

using wengert::test::values;
using Values = std::vector<double>;

// (0, 1) is there three times.
Ratings some_ratings() { return {{0, 1, 0, 2, 0}, {1, 0, 1, 2, 1}, {2, 5, 4, 7, 9}, {}, {}}; }

Data three_by_three() {
  Data data;
  data.name = "m";
  data.rows = data.columns = 3;
  return data;
}

Entries with(Duplicates duplicates, const Ratings& ratings = some_ratings()) {
  return entries_of(ratings, three_by_three(), duplicates, wengert::kDouble);
}

TEST(Entries, OfDuplicates) {
  EXPECT_EQ(values(with(Duplicates::kLast).values), (Values{9, 5, 7}));
  EXPECT_EQ(values(with(Duplicates::kSum).values), (Values{15, 5, 7}));
  EXPECT_FALSE(with(Duplicates::kLast).weights.defined());
  EXPECT_EQ(with(Duplicates::kLast).duplicates, 2);
  const Entries mean = with(Duplicates::kMean);
  EXPECT_EQ(values(mean.values), (Values{5, 5, 7}));
  EXPECT_EQ(values(mean.weights), (Values{3, 1, 1}));
  EXPECT_EQ(mean.count, 5);
  EXPECT_EQ(mean.squares_within, 9 + 1 + 16);
  EXPECT_ERROR(with(Duplicates::kError), "m: there are several values for row 1, column 2");
  Ratings ratings = some_ratings();
  ratings.weights = {1, 2, 3, 4, 0};
  EXPECT_EQ(values(with(Duplicates::kMean, ratings).values), (Values{3.5, 5, 7}));
  EXPECT_EQ(values(with(Duplicates::kMean, ratings).weights), (Values{4, 2, 4}));
  ratings.weights = {0, 0, 0, 0, 0};
  EXPECT_ERROR(with(Duplicates::kMean, ratings), "m: all weights are 0");
}

// Whatever becomes of them, the errors of all values are known.
TEST(Entries, MeansHaveTheErrorOfAllTheirValues) {
  FitResult model;
  wengert::manual_seed(3);
  model.C = wengert::randn({3, 2}, wengert::kDouble);
  model.F = wengert::randn({2, 3}, wengert::kDouble);
  const wengert::Tensor predicted = wengert::mm(model.C, model.F);
  const Ratings ratings = some_ratings();
  double expected = 0;
  for (size_t e = 0; e < ratings.size(); ++e) {
    const double x = predicted[ratings.rows[e]][ratings.columns[e]].item<double>();
    expected += (ratings.values[e] - x) * (ratings.values[e] - x);
  }
  EXPECT_NEAR(squared_error(model, with(Duplicates::kMean)), expected, 1e-12);
}

TEST(Entries, OfAMatrixWithHoles) {
  const double hole = std::nan("");
  const Entries entries = entries_of(wengert::tensor({1.0, hole, 3.0, hole, hole, 6.0}).reshape({2, 3}));
  EXPECT_EQ(values(entries.values), (Values{1, 3, 6}));
  EXPECT_EQ(values(entries.pattern.col_indices()), (Values{0, 2, 2}));
}

// 40 rows; row i has i + 1 entries. Their values are their times, all different, in no order.
Ratings many_ratings() {
  Ratings ratings;
  for (int row = 0; row < 40; ++row) {
    for (int column = 0; column <= row; ++column) {
      ratings.rows.push_back(row);
      ratings.columns.push_back(column);
      ratings.values.push_back(static_cast<float>(ratings.values.size() * 619 % 821));
      ratings.times.push_back(static_cast<double>(ratings.values.back()));
    }
  }
  return ratings;
}

std::multiset<std::tuple<int, int, float>> all_of(const Ratings& a, const Ratings& b) {
  std::multiset<std::tuple<int, int, float>> all;
  for (const Ratings* some : {&a, &b}) {
    for (size_t e = 0; e < some->size(); ++e) all.emplace(some->rows[e], some->columns[e], some->values[e]);
  }
  return all;
}

TEST(TakeOut, TakesThePartThatIsAskedFor) {
  const Ratings all = many_ratings();
  for (const Holdout holdout : {Holdout::kRandom, Holdout::kRows, Holdout::kTime}) {
    Ratings rest = many_ratings();
    const Ratings out = take_out(rest, 0.25, holdout, 1);
    EXPECT_NEAR(static_cast<double>(out.size()), 0.25 * static_cast<double>(all.size()), 20);
    EXPECT_EQ(all_of(out, rest), all_of(all, {}));
    EXPECT_EQ(out.times.size(), out.size());
    if (holdout == Holdout::kRows) {
      for (int row = 0; row < 40; ++row) {
        EXPECT_EQ(std::count(out.rows.begin(), out.rows.end(), row), (row + 1) / 4) << row;
      }
    }
    if (holdout == Holdout::kTime) {
      EXPECT_GE(*std::min_element(out.times.begin(), out.times.end()),
                *std::max_element(rest.times.begin(), rest.times.end()));
    }
    Ratings again = many_ratings(), other = many_ratings();
    EXPECT_EQ(take_out(again, 0.25, holdout, 1).columns, out.columns);
    EXPECT_EQ(take_out(other, 0.25, holdout, 2).columns == out.columns, holdout == Holdout::kTime);
  }
}

TEST(TakeOut, RefusesWhatLeavesNothing) {
  Ratings ratings = some_ratings();
  EXPECT_ERROR(take_out(ratings, 0.01, Holdout::kRandom, 0), "--holdout 0.01 takes 0 of 5 entries");
  EXPECT_ERROR(take_out(ratings, 0.99, Holdout::kRandom, 0), "takes 5 of 5");
  EXPECT_ERROR(take_out(ratings, 0.5, Holdout::kTime, 0), "the file has no times");
}

}  // namespace
}  // namespace factorize
