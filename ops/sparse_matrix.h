#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <memory>
#include <optional>

namespace wengert {

// Matrices most of whose entries are missing or 0, for factorization: a pattern says where there are entries and is
// constant; the values are a Tensor (nnz), in the pattern's order, and have gradients as any other.

/// Where a matrix (n, m) has entries: its positions by rows (CSR) and by columns (CSC), so that work can be cut by
/// either. Copies share them.
class SparsePattern {
 public:
  /// rows, columns: Long (nnz), in any order. Throws where a position lies outside or is there twice.
  SparsePattern(const Tensor& rows, const Tensor& columns, int64_t n, int64_t m);
  SparsePattern(ArrayRef<int32_t> rows, ArrayRef<int32_t> columns, int64_t n, int64_t m);

  struct Coalesced;
  /// The same, where positions may be there several times.
  static Coalesced coalesced(ArrayRef<int32_t> rows, ArrayRef<int32_t> columns, int64_t n, int64_t m);

  int64_t rows() const;     ///< n
  int64_t columns() const;  ///< m
  int64_t nnz() const;
  /// Values are row by row, and in a row by columns: value e belongs to position order()[e] of those given. Long (nnz).
  const Tensor& order() const;
  Tensor crow_indices() const;  ///< where each row begins in the values, and where the last ends: Long (n + 1)
  Tensor col_indices() const;   ///< Long (nnz)
  /// Of the transpose. The values keep their order, which is column by column then.
  SparsePattern t() const;

  struct Orders;
  const Orders& orders() const { return *orders_; }
  bool is_transposed() const { return transposed_; }

 private:
  SparsePattern(std::shared_ptr<const Orders> orders, bool transposed);

  std::shared_ptr<const Orders> orders_;
  bool transposed_ = false;
};

/// A pattern of positions that were given several times. Those of value e are order[starts[e]] to order[starts[e + 1]],
/// in the order in which they were given.
struct SparsePattern::Coalesced {
  SparsePattern pattern;  ///< its order() has the first for each value
  Tensor order;           ///< Long, as many as were given
  Tensor starts;          ///< Long (nnz + 1)
};

/// A constant pattern with values, which may have gradients.
class SparseMatrix {
 public:
  /// values: (nnz), Float or Double, in the pattern's order.
  SparseMatrix(SparsePattern pattern, Tensor values);

  const SparsePattern& pattern() const { return pattern_; }
  const Tensor& values() const { return values_; }
  SparseMatrix t() const { return {pattern_.t(), values_}; }
  /// The product with a dense matrix (m, p): (n, p). Differentiable in the values and the matrix.
  Tensor mm(const Tensor& dense) const;
  /// dim 0: the sums of the columns (m); dim 1: those of the rows (n).
  Tensor sum(int64_t dim) const;
  Tensor to_dense() const;

 private:
  SparsePattern pattern_;
  Tensor values_;
};

/// The product C F of dense matrices (n, k) and (k, m) at the pattern's entries only: (nnz), in the pattern's order.
Tensor sampled_mm(const Tensor& c, const Tensor& f, const SparsePattern& pattern);

/// The sum over the target's entries of weight (value - (C F)_ij)^2: a scalar. One pass where sampled_mm() and what
/// follows from it are several, with a temporary of the values' size each.
/// weights: (nnz), constant; undefined: ones. Differentiable in C (n, k), F (k, m) and the target's values.
Tensor sampled_squared_error(const Tensor& c, const Tensor& f, const SparseMatrix& target, const Tensor& weights = {});

/// Least squares for each row i of a pattern (n, m): the solution x_i of
///
///     (base + sum_e w_e f_j f_j' + diag(ridge_i)) x_i = right_i,   e at (i, j) over the row's entries.
///
/// Has no gradient; optim::RowGaussNewton takes its steps with it.
struct RowEquations {
  std::optional<SparsePattern> pattern;  ///< none: no entries
  Tensor weights;                        ///< (nnz); undefined: ones
  Tensor base;                           ///< (k, k); undefined: zeros
  Tensor features;                       ///< f, (m, k)
  Tensor ridge;                          ///< (n, k) or (k)
  Tensor right;                          ///< (n, k)
  Tensor least;  ///< (n, k) or undefined: the x_i with x_i >= least_i that minimizes x' A x / 2 - right_i' x, nearly
};
struct RowSolutions {
  Tensor x;         ///< (n, k)
  Tensor diagonal;  ///< of each row's matrix: (n, k)
};
RowSolutions solve_rows(const RowEquations& equations);

}  // namespace wengert
