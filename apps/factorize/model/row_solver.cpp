#include <factorize/model/entry_losses.h>
#include <factorize/model/row_solver.h>
#include <wengert/wengert.h>

#include <cmath>

namespace factorize {

using wengert::SparseMatrix;
using wengert::Tensor;

namespace {

// Minus half the slope of each entry's loss, by the tape.
Tensor descent_of(const Entries& entries, const Tensor& x, const Model& model) {
  const wengert::AutoGradMode with_grad(true);
  const Tensor at = x.detach().requires_grad_(true);
  entries.weighted(losses_of(entries.values, at, model.loss, model.huber_delta)).sum().backward();
  return at.grad() * -0.5;
}

}  // namespace

RowSolver::RowSolver(const Predictor& predictor)
    : predictor_(predictor),
      has_biases_(predictor.model().row_bias.defined()),
      are_pairs_known_(predictor.model().feedback == Feedback::kAls) {
  const wengert::NoGradGuard no_grad;
  const Model& model = predictor.model();
  if (!model.row_penalties.defined()) {
    throw wengert::Error("new rows have no least squares in a model of --implicit bpr");
  }
  if (are_pairs_known_) gram_ = wengert::mm(model.F, predictor.column_factors());
  // Where there is no penalty, factors that are nothing leave a row's equations open.
  const Tensor few = wengert::full_like(model.row_penalties, 1e-7 * model.F.square().mean().item<double>());
  few[0] = 1e-7;
  const Tensor penalties = wengert::where(model.row_penalties == 0, few, model.row_penalties);
  penalties_ = has_biases_ ? penalties : penalties.narrow(0, 1, model.rank());
}

Tensor RowSolver::features_of(const Tensor& columns) const {
  Tensor factors = predictor_.column_factors().index_select(0, columns);
  if (!has_biases_) return factors;
  return wengert::cat({wengert::ones({columns.numel(), 1}, factors.options()), factors}, 1);
}

// Of all rows, (k), or of each, (n, k): the penalties, and what the variances of F add to them.
Tensor RowSolver::ridge(const Entries& entries, const Tensor& columns, const Tensor& weights) const {
  const Model& model = predictor_.model();
  const Tensor ones = wengert::ones_like(entries.values);
  Tensor ridge = penalties_;
  if (model.penalties_by_count) ridge = SparseMatrix(entries.pattern, ones).sum(1).unsqueeze(1) * ridge;
  if (!model.column_variances.defined()) return ridge;
  Tensor variances = model.column_variances.t().index_select(0, columns);
  if (has_biases_) variances = wengert::cat({wengert::zeros({columns.numel(), 1}, variances.options()), variances}, 1);
  const Tensor expected = model.expected_curvature > 0 ? entries.weighted(ones * model.expected_curvature) : weights;
  return ridge + SparseMatrix(entries.pattern, expected).mm(variances);
}

RowSolver::Rows RowSolver::solve(const Entries& entries, const Tensor& columns) const {
  const wengert::NoGradGuard no_grad;
  const Model& model = predictor_.model();
  const wengert::SparsePattern& pattern = entries.pattern;
  wengert::RowEquations equations;
  equations.pattern = pattern;
  equations.features = features_of(columns);
  equations.base = gram_;
  const int64_t n = pattern.rows();
  const auto options = equations.features.options();
  const Tensor ones = wengert::ones_like(entries.values);
  // Of whole matrices without their rows' means a new row has its own.
  Tensor level = wengert::full({n}, model.mean, options);
  if (model.offset.defined() && model.offset.size(1) == 1) {
    const bool is_of_rows = model.offset.size(0) > 1;
    level = is_of_rows ? SparseMatrix(pattern, entries.values).sum(1) / SparseMatrix(pattern, ones).sum(1).clamp_min(1)
                       : level + model.offset.squeeze();
  }
  const Tensor level_at = sums_at(pattern, level, predictor_.column_levels().index_select(0, columns));
  const auto solved = [&](const Tensor& weights, const Tensor& targets) {
    equations.weights = weights;
    equations.ridge = ridge(entries, columns, weights);
    equations.right = SparseMatrix(pattern, targets).mm(equations.features);
    if (model.nonnegative) equations.least = wengert::zeros_like(equations.right);
    return wengert::solve_rows(equations).x;
  };

  Rows rows;
  Tensor x;
  if (are_pairs_known_) {
    rows.weights = entries.values * model.alpha;
    rows.targets = rows.weights + 1;
    x = solved(rows.weights, rows.targets);
  } else if (model.loss == LossKind::kSquared) {
    rows.weights = entries.weighted(ones);
    rows.targets = entries.weighted(entries.values - level_at);
    x = solved(rows.weights, rows.targets);
  } else {
    constexpr int kMostSteps = 100;
    constexpr double kStays = 1e-6;
    x = wengert::zeros({n, equations.features.size(1)}, options);
    Tensor product = wengert::zeros_like(entries.values);
    for (int i = 0; i < kMostSteps; ++i) {
      const Tensor at = level_at + product, before = product;
      rows.weights = entries.weighted(curvatures_of(entries.values, at, model.loss, model.huber_delta));
      rows.targets = rows.weights * product + descent_of(entries, at, model);
      x = solved(rows.weights, rows.targets);
      product = wengert::sampled_mm(x, equations.features.t(), pattern);
      if ((product - before).norm().item<double>() <= kStays * product.norm().item<double>()) break;
    }
  }
  rows.factors = has_biases_ ? x.narrow(1, 1, model.rank()).contiguous() : x;
  rows.bias = has_biases_ ? x.select(1, 0).contiguous() : wengert::zeros({n}, options);
  rows.level = level + rows.bias;
  return rows;
}

Tensor RowSolver::parts_of_score(const Entries& entries, const Tensor& columns, const Rows& row,
                                 const Tensor& wanted) const {
  const wengert::NoGradGuard no_grad;
  const Model& model = predictor_.model();
  if (model.nonnegative) throw wengert::Error("the scores of a model of --nonnegative are no sums over entries");
  const int64_t count = wanted.numel(), nnz = entries.size();
  // The row's equations as often as there are columns, each with a column's factors at the right.
  const Tensor positions = entries.pattern.col_indices();
  wengert::RowEquations equations;
  equations.pattern = wengert::SparsePattern(wengert::arange(count).repeat_interleave(nnz), positions.repeat({count}),
                                             count, columns.numel());
  equations.weights = row.weights.repeat({count});
  equations.base = gram_;
  equations.features = features_of(columns);
  equations.ridge = ridge(entries, columns, row.weights);
  if (equations.ridge.dim() == 2) equations.ridge = equations.ridge.expand({count, -1}).contiguous();
  // The score leaves the bias out.
  Tensor right = predictor_.column_factors().index_select(0, wanted);
  if (has_biases_) right = wengert::cat({wengert::zeros({count, 1}, right.options()), right}, 1);
  equations.right = right;
  const Tensor images = wengert::solve_rows(equations).x;
  const Tensor features = equations.features.index_select(0, positions);
  return wengert::mm(images, features.t()) * row.targets.unsqueeze(0);
}

}  // namespace factorize
