#pragma once

#include <wengert/ops/sparse_matrix.h>
#include <wengert/optim/optimizer.h>

#include <optional>

namespace wengert::optim {

/// What RowGaussNewton is to know of a factor's loss beside its gradient. For a factor P (n, k) the loss is to be
///
///     sum_e l_e(P_i . f_j) + sum_j (P_i . f_j)^2 [if whole] + sum P^2 l2,    e at (i, j) over the pattern's entries,
///
/// up to terms without P. Each member has a getter, and a setter that returns the options.
class RowGaussNewtonOptions final : public OptimizerCloneableOptions<RowGaussNewtonOptions> {
 public:
  RowGaussNewtonOptions(double lr = 1) : lr_(lr) {}  // NOLINT: implicit as in libtorch

  const double& lr() const { return lr_; }  ///< part of the step that is taken: 1, or less to damp it
  double& lr() { return lr_; }
  RowGaussNewtonOptions& lr(double lr) { return lr_ = lr, *this; }
  const Tensor& features() const { return features_; }  ///< f, (m, k): the other factor, read when a step is made
  RowGaussNewtonOptions& features(Tensor features) { return features_ = std::move(features), *this; }
  const std::optional<SparsePattern>& pattern() const { return pattern_; }  ///< (n, m); none: only `whole` counts
  RowGaussNewtonOptions& pattern(SparsePattern pattern) { return pattern_ = std::move(pattern), *this; }
  /// Half of l_e'', (nnz), or a bound above it; undefined: ones, as of a squared error.
  const Tensor& weights() const { return weights_; }
  RowGaussNewtonOptions& weights(Tensor weights) { return weights_ = std::move(weights), *this; }
  const bool& whole() const { return whole_; }  ///< whether all pairs have a squared error, beside the entries'
  RowGaussNewtonOptions& whole(bool whole) { return whole_ = whole, *this; }
  /// f' f of all features, (k, k), where those that are given are not all; undefined: of those.
  const Tensor& gram() const { return gram_; }
  RowGaussNewtonOptions& gram(Tensor gram) { return gram_ = std::move(gram), *this; }
  const Tensor& l2() const { return l2_; }  ///< at least 0: (k), or (n, k) with one for each element; undefined: 0
  RowGaussNewtonOptions& l2(Tensor l2) { return l2_ = std::move(l2), *this; }
  const bool& nonnegative() const { return nonnegative_; }  ///< elements stay at 0 or above
  bool& nonnegative() { return nonnegative_; }
  RowGaussNewtonOptions& nonnegative(bool nonnegative) { return nonnegative_ = nonnegative, *this; }
  const int64_t& first_column() const { return first_column_; }  ///< columns before it stay as they are
  RowGaussNewtonOptions& first_column(int64_t first_column) { return first_column_ = first_column, *this; }
  const std::optional<int64_t>& columns() const { return columns_; }  ///< how many from there on; none: all
  RowGaussNewtonOptions& columns(std::optional<int64_t> columns) { return columns_ = columns, *this; }
  /// Columns that are solved for at once, the others being held; each block calls the closure.
  const int64_t& block() const { return block_; }
  RowGaussNewtonOptions& block(int64_t block) { return block_ = block, *this; }

  void check() const override;
  void fields(serialize::Fields& fields) override;  ///< lr: the rest is the model's
  bool operator==(const RowGaussNewtonOptions&) const = delete;

 private:
  double lr_;
  Tensor features_, weights_, gram_, l2_;
  std::optional<SparsePattern> pattern_;
  bool whole_ = false, nonnegative_ = false;
  int64_t first_column_ = 0, block_ = 128;
  std::optional<int64_t> columns_;
};

/// What RowGaussNewton leaves for a parameter.
class RowGaussNewtonParamState final : public OptimizerCloneableParamState<RowGaussNewtonParamState> {
 public:
  /// The diagonals of the matrices of the last step, of the parameter's shape; 1 / it estimates each element's
  /// variance, in units of the noise's.
  const Tensor& curvature() const { return curvature_; }
  Tensor& curvature() { return curvature_; }

  void fields(serialize::Fields& fields) override;

 private:
  Tensor curvature_;
};

/// Steps for factors of a matrix, which use that the loss falls apart into one for each row: row i moves by
///
///     P_i <- P_i - lr H_i^-1 g_i / 2,    H_i = F' F [if whole] + sum_e w_e f_j f_j' + diag(l2_i),
///
/// g_i being the gradient and 2 H_i the Gauss-Newton matrix of the row. With a squared error the step leads to the
/// minimum for that factor: with the other factor's by turns it is alternating least squares; with lr below 1 and whole
/// matrices it is ScaledGD (Tong, Ma, Chi: Accelerating Ill-Conditioned Low-Rank Matrix Estimation via Scaled Gradient
/// Descent, 2021). By blocks of columns it is iALS++ (Rendle et al.: iALS++: Speeding up Matrix Factorization with
/// Subspace Optimization, 2021).
///
/// Where `nonnegative`, the quadratic model is minimized over elements of at least 0, by turns for each (as in HALS:
/// Cichocki and Phan, 2009).
class RowGaussNewton final : public Optimizer {
 public:
  /// Each group has options of its own. Throws wengert::Error for options that do not fit.
  explicit RowGaussNewton(std::vector<OptimizerParamGroup> groups, RowGaussNewtonOptions defaults = {})
      : Optimizer(std::move(groups), std::make_unique<RowGaussNewtonOptions>(std::move(defaults))) {}
  explicit RowGaussNewton(std::vector<Tensor> params, RowGaussNewtonOptions defaults)
      : RowGaussNewton(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, std::move(defaults)) {}

  /// A step for each group in turn. The closure is called before each, and for each block; only that group's parameters
  /// want gradients meanwhile. Without a closure, all groups and blocks step by the gradients that are there.
  Tensor step(LossClosure closure = nullptr) override;

 private:
  std::unique_ptr<OptimizerParamState> new_state() const override {
    return std::make_unique<RowGaussNewtonParamState>();
  }
};

}  // namespace wengert::optim
