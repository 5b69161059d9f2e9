#pragma once

#include <factorize/model/model.h>

#include <optional>

namespace factorize {

/// Finds the factors and the bias of rows from what is known of them, all else of the model being held: a row's half of
/// a sweep of alternating least squares, for rows that the fit has not seen.
///
/// A row with entries e at columns j minimizes
///
///     sum_e w_e loss(D_e, level_j + b + x F_j) + sum_e h_e x V_j x' + penalty_b b^2 + x diag(penalties) x'
///
/// with V the variances of the model's F, h half the curvature that is expected of the losses. Losses that are not
/// squared are replaced by parabolas again and again, until the row stays where it is.
class RowSolver {
 public:
  /// The predictor must live longer. Throws wengert::Error for a model whose rows have no such loss (bpr).
  explicit RowSolver(const Predictor& predictor);

  /// What became of n rows with entries at m of the model's columns.
  struct Rows {
    wengert::Tensor bias, factors;  ///< (n), zeros without biases; (n, k)
    wengert::Tensor level;          ///< (n): what the model adds to all elements of each, its bias among it
    // For each entry, where the row ended: the left side of its equations is a sum of weight f f', the right one of
    // target f. See parts_of_score().
    wengert::Tensor weights, targets;  ///< (nnz)
  };
  /// entries: (n, m); columns: Long (m), the model's position of each.
  Rows solve(const Entries& entries, const wengert::Tensor& columns) const;

  /// How much each of a row's entries adds to its scores for other columns (Hu, Koren and Volinsky 2008, section 5):
  /// the factors are sums over the entries, H^-1 sum_e target_e f_e, and so scores are.
  ///
  /// entries: those of one row, of pattern (1, m), solved as `row`; wanted: Long (p), columns of the model.
  /// Returns (p, nnz), in the pattern's order. Throws wengert::Error for nonnegative factors, which are no such sums.
  wengert::Tensor parts_of_score(const Entries& entries, const wengert::Tensor& columns, const Rows& row,
                                 const wengert::Tensor& wanted) const;

 private:
  // 1 for the bias, where there are any, and the factors of some columns: (m, k + 1) or (m, k).
  wengert::Tensor features_of(const wengert::Tensor& columns) const;
  wengert::Tensor ridge(const Entries& entries, const wengert::Tensor& columns, const wengert::Tensor& weights) const;

  const Predictor& predictor_;
  wengert::Tensor gram_;       // of all columns' factors, where all pairs count
  wengert::Tensor penalties_;  // (k + 1) or (k)
  bool has_biases_, are_pairs_known_;
};

}  // namespace factorize
