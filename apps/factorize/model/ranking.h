#pragma once

#include <factorize/model/model.h>

#include <array>
#include <functional>
#include <optional>
#include <tuple>
#include <unordered_set>
#include <vector>

namespace factorize {

/// The columns with the highest scores of one row, the highest first.
struct BestColumns {
  std::vector<int64_t> columns;
  std::vector<double> scores;  ///< without the row's level
};

/// Rows of a matrix, each made 1 long, or left 0.
wengert::Tensor directions_of(const wengert::Tensor& rows);
/// The rows of directions (n, k) that point most as one of them does, without itself, and their cosines: the highest
/// first, at most `count`.
std::tuple<wengert::Tensor, wengert::Tensor> most_alike(const wengert::Tensor& directions, int64_t position,
                                                        int64_t count);

/// Appends the columns of a row that are not to be ranked.
using LeaveOut = std::function<void(int64_t row, std::vector<int64_t>& columns)>;

/// Ranks columns for rows of factors (r, k), by products of many rows at once, and hands them on row by row.
/// count: how many of each, at most.
void for_each_ranked(const Predictor& predictor, const wengert::Tensor& factors, int64_t count,
                     const LeaveOut& leave_out, const std::function<void(int64_t row, const BestColumns&)>& take);

/// The columns that are right for some rows.
struct Relevant {
  std::vector<int64_t> rows;                         ///< that have any
  std::vector<std::unordered_set<int64_t>> columns;  ///< of each of them
};
/// Of entries that stand row by row: those with values from `least` on, or all.
Relevant relevant_of(const wengert::Tensor& rows, const wengert::Tensor& columns, const wengert::Tensor& values,
                     std::optional<double> least);

/// A mean over rows, with the standard deviation that it has as such.
struct MeanOfRows {
  double sum = 0, squares = 0;
  int64_t count = 0;

  void add(double x);
  double mean() const { return sum / static_cast<double>(count); }
  double deviation() const;
};

/// What the first N columns of the rows come to: precision, hits / N; recall, hits / relevant ones; NDCG, the hits by
/// 1 / log2(rank + 1), as a part of what the best order would have; MAP, the mean of the precisions at the hits; hit
/// rate, whether there is any.
struct RankingMeasures {
  static constexpr std::array<const char*, 5> kNames{"precision", "recall", "ndcg", "map", "hit rate"};
  static constexpr size_t kNdcg = 2;
  std::array<MeanOfRows, 5> means;
  double coverage = 0;  ///< the part of the columns that stand among the first N of any row
};
/// leave_out: of the rows by their place in `relevant`.
RankingMeasures ranking_measures(const Predictor& predictor, const Relevant& relevant, int64_t count,
                                 const LeaveOut& leave_out);

}  // namespace factorize
