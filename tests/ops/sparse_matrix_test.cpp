#include <gtest/gtest.h>
#include <support/inputs.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <thread>

namespace wengert {
namespace {

using test::arbitrary;
using test::error_of;
using test::same_bits;

// Positions of an n x m matrix, `each` of its entries in a hundred, in no order, with lines that have none.
struct Positions {
  Tensor rows, columns;
};
Positions some_positions(int64_t n, int64_t m, int64_t each) {
  manual_seed(2);
  Tensor chosen = rand({n, m}) * 100 < each;
  if (n > 2) chosen.select(0, 1).fill_(false);
  if (m > 2) chosen.select(1, m - 1).fill_(false);
  const Tensor positions = chosen.nonzero();
  const Tensor shuffled = positions.index_select(0, randperm(positions.size(0)));
  return {shuffled.select(1, 0).contiguous(), shuffled.select(1, 1).contiguous()};
}

std::vector<int32_t> positions_below(int32_t size, int64_t count) {
  const Tensor drawn = randint(size, {count}, kLong);
  const auto* first = drawn.data_ptr<int64_t>();
  return {first, first + count};
}

Tensor dense_of(const Positions& at, const Tensor& values_as_given, int64_t n, int64_t m) {
  return index_put(zeros({n, m}, values_as_given.options()), {at.rows, at.columns}, values_as_given);
}

TEST(SparsePattern, OrdersPositionsByRowsAndColumns) {
  const SparsePattern pattern(tensor({2, 0, 2, 0}, kLong), tensor({3, 1, 0, 0}, kLong), 3, 4);
  EXPECT_EQ(pattern.nnz(), 4);
  EXPECT_EQ(test::values(pattern.order()), (std::vector<double>{3, 1, 2, 0}));
  EXPECT_EQ(test::values(pattern.crow_indices()), (std::vector<double>{0, 2, 2, 4}));
  EXPECT_EQ(test::values(pattern.col_indices()), (std::vector<double>{0, 1, 0, 3}));
  EXPECT_EQ(pattern.t().rows(), 4);
  EXPECT_EQ(pattern.t().t().columns(), 4);
}

TEST(SparsePattern, RefusesPositionsOutsideOrTwice) {
  const auto error = [](const Tensor& rows, const Tensor& columns) {
    return error_of([&] { SparsePattern(rows, columns, 3, 4); });
  };
  const Tensor none = zeros({0}, kLong);
  EXPECT_EQ(error(tensor({0, 3}, kLong), tensor({0, 0}, kLong)), "SparsePattern: row 3 is not within 0 and 2");
  EXPECT_EQ(error(tensor({0, 1}, kLong), tensor({0, -1}, kLong)), "SparsePattern: column -1 is not within 0 and 3");
  EXPECT_EQ(error(tensor({1, 0, 1}, kLong), tensor({2, 0, 2}, kLong)), "SparsePattern: position (1, 2) is there twice");
  EXPECT_NE(error(tensor({1.0}), tensor({1}, kLong)).find("expected two Long vectors"), std::string::npos);
  EXPECT_EQ(error_of([&] { SparsePattern(none, none, -1, 2); }), "SparsePattern: a matrix can't be -1 x 2");
  EXPECT_EQ(SparsePattern(none, none, 0, 0).nnz(), 0);
}

TEST(SparseMatrix, DoesWhatTheDenseOneDoes) {
  for (const auto& [n, m, k] : {std::array<int64_t, 3>{7, 9, 3}, {1, 5, 1}, {40, 3, 33}, {200, 300, 16}, {4, 4, 0}}) {
    for (const auto dtype : {kFloat, kDouble}) {
      const Positions at = some_positions(n, m, 30);
      const SparsePattern pattern(at.rows, at.columns, n, m);
      const Tensor given = arbitrary({at.rows.numel()}, -1, 1, 1, dtype),
                   values = given.index_select(0, pattern.order());
      const SparseMatrix sparse(pattern, values);
      const Tensor dense = dense_of(at, given, n, m);
      EXPECT_TRUE(equal(sparse.to_dense(), dense));
      EXPECT_TRUE(equal(sparse.t().to_dense(), dense.t()));
      const auto expect_close = [tolerance = dtype == kFloat ? 1e-4 : 1e-12](const Tensor& x, const Tensor& expected) {
        EXPECT_TRUE(allclose(x, expected, 0, tolerance)) << x << "\n" << expected;
      };
      const Tensor right = arbitrary({m, k}, -1, 1, 2, dtype), left = arbitrary({n, k}, -1, 1, 3, dtype);
      expect_close(sparse.mm(right), mm(dense, right));
      expect_close(sparse.t().mm(left), mm(dense.t(), left));
      expect_close(sparse.sum(0), dense.sum(0));
      expect_close(sparse.sum(-1), dense.sum(1));
      const Tensor product = mm(left, right.t());
      const Tensor sampled = index(product, {at.rows, at.columns}).index_select(0, pattern.order());
      expect_close(sampled_mm(left, right.t(), pattern), sampled);
      expect_close(sampled_mm(right, left.t(), pattern.t()), sampled);
    }
  }
}

TEST(SparseMatrix, RefusesOperandsThatDoNotGoWithIt) {
  const SparsePattern pattern(tensor({0, 1}, kLong), tensor({2, 0}, kLong), 2, 3);
  EXPECT_EQ(error_of([&] { SparseMatrix(pattern, ones({3})); }),
            "SparseMatrix: expected 2 values of Float or Double, got Float [3]");
  const SparseMatrix sparse(pattern, ones({2}));
  EXPECT_EQ(error_of([&] {
              sparse.mm(ones({2, 2}));
            }),
            "SparseMatrix::mm: the matrix is 2 x 3; expected a dense one of 3 rows, got [2, 2]");
  EXPECT_NE(error_of([&] { sparse.mm(ones({3, 2}, kDouble)); }).find("expected both dtypes"), std::string::npos);
  EXPECT_EQ(error_of([&] {
              sampled_mm(ones({2, 4}), ones({4, 2}), pattern);
            }),
            "sampled_mm: a pattern of 2 x 3 does not go with factors [2, 4] and [4, 2]");
  EXPECT_NE(error_of([&] {
              sampled_mm(ones({2, 4}), ones({4, 3}, kDouble), pattern);
            }).find("dtypes"),
            std::string::npos);
}

// Rows and columns are shared among threads by their entries, and none is cut.
TEST(SparseMatrix, ThreadsChangeNoBit) {
  constexpr int64_t kRows = 3000, kColumns = 500, kRank = 24;
  const Positions at = some_positions(kRows, kColumns, 10);
  const SparsePattern pattern(at.rows, at.columns, kRows, kColumns);
  const Tensor C = arbitrary({kRows, kRank}, -1, 1, 0, kFloat).requires_grad_(),
               F = arbitrary({kRank, kColumns}, -1, 1, 1, kFloat).requires_grad_();
  const Tensor ratings = arbitrary({pattern.nnz()}, 1, 5, 2, kFloat);
  const auto step = [&] {
    const Tensor product = sampled_mm(C, F, pattern);
    const Tensor loss = (ratings - product).square().sum();
    std::vector<Tensor> results = autograd::grad({loss}, {C, F});
    results.push_back(product.detach());
    return results;
  };
  set_num_threads(1);
  const std::vector<Tensor> expected = step();
  for (const int threads : {2, 3, 8}) {
    set_num_threads(threads);
    EXPECT_TRUE(same_bits(step(), expected)) << threads;
  }
  set_num_threads(2);
  std::array<bool, 4> right{};
  std::vector<std::thread> threads;
  for (bool& mine : right) threads.emplace_back([&] { mine = same_bits(step(), expected); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, (std::array{true, true, true, true}));
  set_num_threads(1);
}

// At the size that is timed, beside sums in double precision, entry by entry.
TEST(SparseMatrix, OfAMillionEntriesComesNearExactSums) {
  constexpr int64_t kRows = 6000, kColumns = 3700, kRank = 16;
  manual_seed(4);
  const Tensor drawn = randint(0, kRows * kColumns, {1000000}, kLong);
  std::vector<int32_t> rows, columns;
  for (int64_t e = 0; e < drawn.numel(); ++e) {
    rows.push_back(static_cast<int32_t>(drawn.data_ptr<int64_t>()[e] / kColumns));
    columns.push_back(static_cast<int32_t>(drawn.data_ptr<int64_t>()[e] % kColumns));
  }
  const SparsePattern pattern = SparsePattern::coalesced(rows, columns, kRows, kColumns).pattern;
  EXPECT_LT(pattern.nnz(), 990000);
  const Tensor C = randn({kRows, kRank}).requires_grad_(), F = randn({kRank, kColumns}).requires_grad_();
  const Tensor values = randn({pattern.nnz()}), weights = rand({pattern.nnz()});
  const Tensor loss = sampled_squared_error(C, F, SparseMatrix(pattern, values), weights);
  const std::vector<Tensor> gradients = autograd::grad({loss}, {C, F});

  std::vector<double> of_C(kRows * kRank), of_F(kRank * kColumns);
  const Tensor starts = pattern.crow_indices(), places = pattern.col_indices();
  const auto *start = starts.data_ptr<int64_t>(), *place = places.data_ptr<int64_t>();
  const float *c = C.data_ptr<float>(), *f = F.data_ptr<float>();
  double exact = 0;
  for (int64_t i = 0; i < kRows; ++i) {
    for (int64_t e = start[i]; e < start[i + 1]; ++e) {
      double difference = values.data_ptr<float>()[e];
      for (int64_t l = 0; l < kRank; ++l) difference -= double{c[i * kRank + l]} * f[l * kColumns + place[e]];
      const double weighted = weights.data_ptr<float>()[e] * difference;
      exact += weighted * difference;
      for (int64_t l = 0; l < kRank; ++l) {
        of_C[static_cast<size_t>(i * kRank + l)] -= 2 * weighted * f[l * kColumns + place[e]];
        of_F[static_cast<size_t>(l * kColumns + place[e])] -= 2 * weighted * c[i * kRank + l];
      }
    }
  }
  EXPECT_NEAR(loss.item<double>() / exact, 1, 1e-6);
  const auto largest_difference = [](const Tensor& x, const std::vector<double>& expected) {
    double largest = 0;
    const std::vector<double> found = test::values(x);
    for (size_t i = 0; i < found.size(); ++i) largest = std::max(largest, std::abs(found[i] - expected[i]));
    return largest;
  };
  EXPECT_LT(largest_difference(gradients[0], of_C), 2e-3);  // of sums of some 160 terms of size 10
  EXPECT_LT(largest_difference(gradients[1], of_F), 2e-3);
}

TEST(SparsePattern, CoalescesPositionsThatAreThereTwice) {
  const std::vector<int32_t> rows{2, 0, 2, 0, 2}, columns{1, 3, 1, 0, 1};
  const auto [pattern, order, starts] = SparsePattern::coalesced(rows, columns, 3, 4);
  EXPECT_EQ(pattern.nnz(), 3);
  EXPECT_EQ(test::values(order), (std::vector<double>{3, 1, 0, 2, 4}));
  EXPECT_EQ(test::values(starts), (std::vector<double>{0, 1, 2, 5}));
  EXPECT_EQ(test::values(pattern.order()), (std::vector<double>{3, 1, 0}));  // the first of each
  EXPECT_EQ(test::values(pattern.col_indices()), (std::vector<double>{0, 3, 1}));
  EXPECT_ERROR(SparsePattern(rows, columns, 3, 4), "position (2, 1) is there twice");
}

// Sizes that are sorted by several threads, in several pieces, by one digit and by two.
TEST(SparsePattern, CoalescesAsAStableSortDoes) {
  const int threads = get_num_threads();
  for (const auto& [n, m] : {std::array<int32_t, 2>{300, 5000}, {5000, 300}, {2048, 2049}}) {
    manual_seed(4);
    constexpr int64_t kGiven = 200'003;
    const std::vector<int32_t> rows = positions_below(n, kGiven), columns = positions_below(m, kGiven);
    std::vector<int64_t> order(kGiven);
    std::iota(order.begin(), order.end(), int64_t{0});
    const auto position = [&](int64_t e) {
      return std::pair(rows[static_cast<size_t>(e)], columns[static_cast<size_t>(e)]);
    };
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return position(a) < position(b); });
    std::vector<int64_t> starts, sums(static_cast<size_t>(m));
    for (int64_t p = 0; p < kGiven; ++p) {
      const int64_t e = order[static_cast<size_t>(p)];
      if (p > 0 && position(order[static_cast<size_t>(p - 1)]) == position(e)) continue;
      sums[static_cast<size_t>(position(e).second)] += position(e).first * static_cast<int64_t>(starts.size());
      starts.push_back(p);
    }
    starts.push_back(kGiven);
    for (const int count : {1, 3}) {
      set_num_threads(count);
      const auto sorted = SparsePattern::coalesced(rows, columns, n, m);
      EXPECT_TRUE(equal(sorted.order, tensor(order)));
      EXPECT_TRUE(equal(sorted.starts, tensor(starts)));
      // By columns: the sum of row times value, which all are whole numbers.
      const SparseMatrix matrix(sorted.pattern, arange(sorted.pattern.nnz(), kDouble));
      const Tensor by_columns = matrix.t().mm(arange(n, kDouble).unsqueeze(1)).squeeze(1);
      EXPECT_TRUE(equal(by_columns, tensor(sums).to(kDouble)));
    }
    set_num_threads(threads);
  }
}

TEST(SampledSquaredError, RefusesWhatDoesNotGoTogether) {
  const SparsePattern pattern(tensor({0, 1}, kLong), tensor({2, 0}, kLong), 2, 3);
  const SparseMatrix target(pattern, ones({2}));
  const Tensor c = ones({2, 4}), f = ones({4, 3});
  EXPECT_ERROR(sampled_squared_error(c, ones({4, 2}), target), "sampled_squared_error: a pattern of 2 x 3 does not go");
  EXPECT_ERROR(sampled_squared_error(c.to(kDouble), f.to(kDouble), target), "factors of Double do not go with values");
  EXPECT_ERROR(sampled_squared_error(c, f, target, ones({3})), "expected 2 weights of Float, got [3] of Float");
  EXPECT_ERROR(sampled_squared_error(c, f, target, ones({2}, requires_grad())), "weights are constant");
  EXPECT_EQ(sampled_squared_error(c, f.clone().requires_grad_(), target).grad_fn()->name(),
            "SampledSquaredErrorBackward0");
}

TEST(SparseMatrix, NamesItsNodes) {
  const SparsePattern pattern(tensor({0, 1}, kLong), tensor({2, 0}, kLong), 2, 3);
  const Tensor y = sampled_mm(ones({2, 2}, requires_grad()), ones({2, 3}), pattern);
  EXPECT_EQ(y.grad_fn()->name(), "SampledMmBackward0");
  EXPECT_EQ(SparseMatrix(pattern, y).mm(ones({3, 1})).grad_fn()->name(), "SparseMmBackward0");
}

}  // namespace
}  // namespace wengert
