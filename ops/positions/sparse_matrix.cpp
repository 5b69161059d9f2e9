#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/kernels/normal_equations.h>
#include <wengert/ops/kernels/sparse_lines.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/sparse_matrix.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <variant>

// Products with sparse matrices. A line is a row or a column. Values lie in the order of the rows; by columns, each
// position comes with the number of its value. Both directions of each product are cut by lines of its result, so that
// nothing is written by two threads, and the bits do not depend on their number.

namespace wengert {

using namespace ops;

namespace {

// Positions along lines: of those of line i, starts[i] to starts[i + 1], each has its place in the line and its value.
template <class Index>
struct Lines {
  std::vector<int64_t> starts;
  std::vector<Index> places;
  std::vector<Index> values;  // empty where they are in order
};

template <class Index>
struct BothWays {
  Lines<Index> by_rows, by_columns;
};

}  // namespace

struct SparsePattern::Orders {
  int64_t n, m, nnz;
  Tensor order;  // of the positions given
  std::variant<BothWays<int32_t>, BothWays<int64_t>> lines;
};

namespace {

template <class Index>
struct Entry {
  Index row, column, given;  // its position among those given
};

// Sorts by one of the members, which are below `size`, digit by digit from the lowest; what is equal keeps its order.
template <class Index>
void sort_by(Index Entry<Index>::*key, int64_t size, std::vector<Entry<Index>>& entries,
             std::vector<Entry<Index>>& spare) {
  constexpr int kBits = 11;  // of a digit: as many places as a cache has room for are written by turns
  for (int shift = 0; (size - 1) >> shift > 0; shift += kBits) {
    const auto digit = [=](const Entry<Index>& entry) {
      return static_cast<size_t>(entry.*key >> shift) & ((size_t{1} << kBits) - 1);
    };
    std::array<size_t, (size_t{1} << kBits) + 1> next{};
    for (const Entry<Index>& entry : entries) ++next[digit(entry) + 1];
    std::partial_sum(next.begin(), next.end(), next.begin());
    for (const Entry<Index>& entry : entries) spare[next[digit(entry)]++] = entry;
    entries.swap(spare);
  }
}

// starts[i]: how many of the lines are below i.
std::vector<int64_t> starts_from_counts(std::vector<int64_t> counts) {
  counts.insert(counts.begin(), 0);
  std::partial_sum(counts.begin(), counts.end(), counts.begin());
  return counts;
}

// order: for each position given, in the order of the values, its number among them. starts: null where none may be
// there twice; else gets where each value's begin there, and where the last's end.
template <class Index, class Given>
BothWays<Index> both_ways(ArrayRef<Given> rows, ArrayRef<Given> columns, int64_t n, int64_t m, int64_t* order,
                          std::vector<int64_t>* starts) {
  std::vector<Entry<Index>> entries(rows.size());
  for (size_t e = 0; e < entries.size(); ++e) {
    entries[e] = {static_cast<Index>(rows[e]), static_cast<Index>(columns[e]), static_cast<Index>(e)};
  }
  const auto before = [](const Entry<Index>& a, const Entry<Index>& b) {
    return std::pair(a.row, a.column) < std::pair(b.row, b.column);
  };
  if (!std::is_sorted(entries.begin(), entries.end(), before)) {
    std::vector<Entry<Index>> spare(entries.size());
    sort_by(&Entry<Index>::column, m, entries, spare);
    sort_by(&Entry<Index>::row, n, entries, spare);
  }

  size_t size = 0;
  for (size_t e = 0; e < entries.size(); ++e) {
    const auto [row, column, position] = entries[e];
    order[e] = position;
    if (e == 0 || before(entries[size - 1], entries[e])) {
      if (starts != nullptr) starts->push_back(static_cast<int64_t>(e));
      entries[size++] = entries[e];
    } else {
      check(starts != nullptr, "SparsePattern: position ({}, {}) is there twice", row, column);
    }
  }
  entries.resize(size);
  if (starts != nullptr) starts->push_back(static_cast<int64_t>(rows.size()));

  BothWays<Index> both;
  both.by_rows.places.resize(size);
  std::vector<int64_t> in_row(static_cast<size_t>(n)), in_column(static_cast<size_t>(m));
  for (size_t e = 0; e < size; ++e) {
    both.by_rows.places[e] = entries[e].column;
    ++in_row[static_cast<size_t>(entries[e].row)];
    ++in_column[static_cast<size_t>(entries[e].column)];
  }
  both.by_rows.starts = starts_from_counts(std::move(in_row));
  both.by_columns.starts = starts_from_counts(std::move(in_column));
  both.by_columns.places.resize(size);
  both.by_columns.values.resize(size);
  std::vector<int64_t> next = both.by_columns.starts;
  for (size_t e = 0; e < size; ++e) {
    const auto at = static_cast<size_t>(next[static_cast<size_t>(entries[e].column)]++);
    both.by_columns.places[at] = entries[e].row;
    both.by_columns.values[at] = static_cast<Index>(e);
  }
  return both;
}

template <class Index>
void check_positions(ArrayRef<Index> positions, int64_t size, const char* what) {
  const auto outside = std::find_if(positions.begin(), positions.end(),
                                    [size](Index position) { return position < 0 || position >= size; });
  if (outside != positions.end()) fail("SparsePattern: {} {} is not within 0 and {}", what, *outside, size - 1);
}

// order: where the positions given go; starts: see both_ways().
template <class Given>
std::shared_ptr<SparsePattern::Orders> orders_of(ArrayRef<Given> rows, ArrayRef<Given> columns, int64_t n, int64_t m,
                                                 const Tensor& order, std::vector<int64_t>* starts) {
  check(rows.size() == columns.size(), "SparsePattern: there are {} rows and {} columns", rows.size(), columns.size());
  check(n >= 0 && m >= 0, "SparsePattern: a matrix can't be {} x {}", n, m);
  check_positions(rows, n, "row");
  check_positions(columns, m, "column");
  auto orders = std::make_shared<SparsePattern::Orders>(SparsePattern::Orders{n, m, 0, order, {}});
  const auto sort = [&]<class Index>(Index) {
    BothWays<Index> both = both_ways<Index>(rows, columns, n, m, order.template data_ptr<int64_t>(), starts);
    orders->nnz = static_cast<int64_t>(both.by_rows.places.size());
    orders->lines = std::move(both);
  };
  std::max({n, m, static_cast<int64_t>(rows.size())}) <= INT32_MAX ? sort(int32_t{}) : sort(int64_t{});
  return orders;
}

// Room for as many whole numbers.
Tensor order_for(size_t given) {
  const NoGradGuard no_grad;
  return empty({static_cast<int64_t>(given)}, kLong);
}

ArrayRef<int64_t> elements_of(const Tensor& positions) {
  return {positions.data_ptr<int64_t>(), static_cast<size_t>(positions.numel())};
}

void check_factors(const char* op, const Tensor& c, const Tensor& f, const SparsePattern& pattern) {
  check(c.dim() == 2 && f.dim() == 2 && c.size(1) == f.size(0) && c.size(0) == pattern.rows() &&
            f.size(1) == pattern.columns(),
        "{}: a pattern of {} x {} does not go with factors {} and {}", op, pattern.rows(), pattern.columns(), c.sizes(),
        f.sizes());
  check(c.dtype() == f.dtype(), "{}: expected both dtypes to be the same, got {} and {}", op, c.dtype(), f.dtype());
}

// y = the dot products of rows of a and b at the pattern's entries.
void compute_sampled(const Tensor& y, const Tensor& a, const Tensor& b, const SparsePattern& pattern) {
  // That of the transpose is the same with a and b exchanged.
  const Tensor &left = pattern.is_transposed() ? b : a, &right = pattern.is_transposed() ? a : b;
  std::visit(
      [&](const auto& lines) {
        dispatch_floating(y.dtype(), "sampled_mm", [&]<class T>() {
          const auto& by_rows = lines.by_rows;
          kernels::sampled_products(y.data_ptr<T>(), left.data_ptr<T>(), right.data_ptr<T>(), left.size(1),
                                    by_rows.starts, by_rows.places.data());
        });
      },
      pattern.orders().lines);
}

// y = the sparse matrix times b.
void compute_product(const Tensor& y, const SparsePattern& pattern, const Tensor& values, const Tensor& b) {
  std::visit(
      [&](const auto& both) {
        dispatch_floating(y.dtype(), "sparse mm", [&]<class T>() {
          const auto& lines = pattern.is_transposed() ? both.by_columns : both.by_rows;
          kernels::weighted_sums(y.data_ptr<T>(), values.data_ptr<T>(), b.data_ptr<T>(), b.size(1), lines.starts,
                                 lines.places.data(), lines.values.empty() ? nullptr : lines.values.data());
        });
      },
      pattern.orders().lines);
}

// Y = S B, S having these values.   Shapes: values (nnz), B (m, p) -> (n, p).
// VJP, for G = dL/dY:   dvalues = (G B') at the entries,   dB = S' G.
Tensor sparse_mm(const SparsePattern& pattern, const Tensor& values, const Tensor& b) {
  check(b.dim() == 2 && b.size(0) == pattern.columns(),
        "SparseMatrix::mm: the matrix is {} x {}; expected a dense one of {} rows, got {}", pattern.rows(),
        pattern.columns(), pattern.columns(), b.sizes());
  check(b.dtype() == values.dtype(), "SparseMatrix::mm: expected both dtypes to be the same, got {} and {}",
        values.dtype(), b.dtype());
  Tensor y = empty({pattern.rows(), b.size(1)}, b.options());
  {
    const NoGradGuard no_grad;
    compute_product(y, pattern, values.contiguous(), b.contiguous());
  }
  return record(
      "SparseMmBackward0", y, {values, b},
      saving(ToSave(values).for_gradients_of(b), ToSave(b).for_gradients_of(values)),
      [pattern](const Backward& c) { return sampled_mm(c.grad(), c.saved(1).t(), pattern); },
      [pattern](const Backward& c) { return sparse_mm(pattern.t(), c.saved(0), c.grad()); });
}

}  // namespace

SparsePattern::SparsePattern(const Tensor& rows, const Tensor& columns, int64_t n, int64_t m) {
  check(rows.dim() == 1 && rows.sizes() == columns.sizes() && rows.dtype() == kLong && columns.dtype() == kLong,
        "SparsePattern: expected two Long vectors of one size, got {} {} and {} {}", rows.dtype(), rows.sizes(),
        columns.dtype(), columns.sizes());
  const Tensor r = rows.contiguous(), c = columns.contiguous();
  orders_ = orders_of(elements_of(r), elements_of(c), n, m, order_for(elements_of(r).size()), nullptr);
}

SparsePattern::SparsePattern(ArrayRef<int32_t> rows, ArrayRef<int32_t> columns, int64_t n, int64_t m)
    : orders_(orders_of(rows, columns, n, m, order_for(rows.size()), nullptr)) {}

SparsePattern::Coalesced SparsePattern::coalesced(ArrayRef<int32_t> rows, ArrayRef<int32_t> columns, int64_t n,
                                                  int64_t m) {
  const NoGradGuard no_grad;
  const Tensor order = order_for(rows.size());
  std::vector<int64_t> starts;
  const std::shared_ptr<Orders> orders = orders_of(rows, columns, n, m, order, &starts);
  const Tensor all_starts = tensor(ArrayRef<int64_t>(starts));
  if (orders->nnz < order.numel()) orders->order = order.index_select(0, all_starts.narrow(0, 0, orders->nnz));
  return {SparsePattern(orders, false), order, all_starts};
}

SparsePattern::SparsePattern(std::shared_ptr<const Orders> orders, bool transposed)
    : orders_(std::move(orders)), transposed_(transposed) {}

int64_t SparsePattern::rows() const { return transposed_ ? orders_->m : orders_->n; }
int64_t SparsePattern::columns() const { return transposed_ ? orders_->n : orders_->m; }
int64_t SparsePattern::nnz() const { return orders_->nnz; }
const Tensor& SparsePattern::order() const { return orders_->order; }
SparsePattern SparsePattern::t() const { return {orders_, !transposed_}; }

Tensor SparsePattern::crow_indices() const {
  check(!transposed_, "crow_indices: the values of a transpose are column by column");
  return std::visit([](const auto& both) { return tensor(ArrayRef<int64_t>(both.by_rows.starts)); }, orders_->lines);
}

Tensor SparsePattern::col_indices() const {
  check(!transposed_, "col_indices: the values of a transpose are column by column");
  Tensor indices = empty({nnz()}, kLong);
  std::visit(
      [&](const auto& both) {
        std::copy(both.by_rows.places.begin(), both.by_rows.places.end(), indices.data_ptr<int64_t>());
      },
      orders_->lines);
  return indices;
}

// y_e = sum_l C_il F_lj for the entry e at (i, j).   Shapes: C (n, k), F (k, m) -> (nnz).
// VJP, for G the sparse matrix with values dL/dy:   dC = G F',   dF = C' G.
Tensor sampled_mm(const Tensor& c, const Tensor& f, const SparsePattern& pattern) {
  check_factors("sampled_mm", c, f, pattern);
  Tensor y = empty({pattern.nnz()}, c.options());
  {
    const NoGradGuard no_grad;
    compute_sampled(y, c.contiguous(), f.t().contiguous(), pattern);
  }
  return record(
      "SampledMmBackward0", y, {c, f}, saving(ToSave(c).for_gradients_of(f), ToSave(f).for_gradients_of(c)),
      [pattern](const Backward& b) { return sparse_mm(pattern, b.grad(), b.saved(1).t()); },
      [pattern](const Backward& b) { return sparse_mm(pattern.t(), b.grad(), b.saved(0)).t(); });
}

namespace {

// r_e = weight_e (value_e - (C F)_e), and the sum of weight_e (value_e - (C F)_e)^2.
Tensor compute_residuals(const Tensor& r, const Tensor& a, const Tensor& b, const SparseMatrix& target,
                         const Tensor& weights) {
  const SparsePattern& pattern = target.pattern();
  const Tensor &left = pattern.is_transposed() ? b : a, &right = pattern.is_transposed() ? a : b;
  const Tensor values = target.values().contiguous(), all_weights = weights.defined() ? weights.contiguous() : weights;
  std::vector<double> errors(static_cast<size_t>(left.size(0)));
  std::visit(
      [&](const auto& lines) {
        dispatch_floating(r.dtype(), "sampled_squared_error", [&]<class T>() {
          const auto& by_rows = lines.by_rows;
          kernels::sampled_residuals(r.data_ptr<T>(), errors.data(), values.data_ptr<T>(),
                                     all_weights.defined() ? all_weights.data_ptr<T>() : nullptr, left.data_ptr<T>(),
                                     right.data_ptr<T>(), left.size(1), by_rows.starts, by_rows.places.data());
        });
      },
      pattern.orders().lines);
  return full({}, std::accumulate(errors.begin(), errors.end(), 0.0), r.options());
}

}  // namespace

// L = sum_e w_e (v_e - (C F)_e)^2.   Shapes: C (n, k), F (k, m), v (nnz) -> ().
// VJP, for G = dL/dL and R the sparse matrix of r_e = w_e (v_e - (C F)_e):   dC = -2 G R F',   dF = -2 G C' R,
// dv = 2 G r.
Tensor sampled_squared_error(const Tensor& c, const Tensor& f, const SparseMatrix& target, const Tensor& weights) {
  const SparsePattern& pattern = target.pattern();
  check_factors("sampled_squared_error", c, f, pattern);
  check(target.values().dtype() == c.dtype(), "sampled_squared_error: factors of {} do not go with values of {}",
        c.dtype(), target.values().dtype());
  if (weights.defined()) {
    check(weights.sizes() == target.values().sizes() && weights.dtype() == c.dtype(),
          "sampled_squared_error: expected {} weights of {}, got {} of {}", pattern.nnz(), c.dtype(), weights.sizes(),
          weights.dtype());
    check(!weights.requires_grad(), "sampled_squared_error: weights are constant");
  }
  Tensor r = empty({pattern.nnz()}, c.options()), loss;
  {
    const NoGradGuard no_grad;
    loss = compute_residuals(r, c.contiguous(), f.t().contiguous(), target, weights);
  }
  // What is saved of r has no history; where the gradients are to have one, it is computed again.
  const auto residuals = [pattern, weights](const Backward& b) {
    if (!GradMode::is_enabled()) return b.saved(3);
    const Tensor difference = b.saved(2) - sampled_mm(b.saved(0), b.saved(1), pattern);
    return weights.defined() ? weights * difference : difference;
  };
  return record(
      "SampledSquaredErrorBackward0", loss, {c, f, target.values()}, saving(c, f, target.values(), r),
      [=](const Backward& b) { return sparse_mm(pattern, residuals(b), b.saved(1).t()) * (-2 * b.grad()); },
      [=](const Backward& b) { return sparse_mm(pattern.t(), residuals(b), b.saved(0)).t() * (-2 * b.grad()); },
      [=](const Backward& b) { return residuals(b) * (2 * b.grad()); });
}

SparseMatrix::SparseMatrix(SparsePattern pattern, Tensor values)
    : pattern_(std::move(pattern)), values_(std::move(values)) {
  check(values_.dim() == 1 && values_.numel() == pattern_.nnz() && isFloatingType(values_.dtype()),
        "SparseMatrix: expected {} values of Float or Double, got {} {}", pattern_.nnz(), values_.dtype(),
        values_.sizes());
}

Tensor SparseMatrix::mm(const Tensor& dense) const { return sparse_mm(pattern_, values_, dense); }

Tensor SparseMatrix::sum(int64_t dim) const {
  check(dim >= -2 && dim < 2, "SparseMatrix::sum: dim {} is none of a matrix", dim);
  const SparsePattern lines = dim == 1 || dim == -1 ? pattern_ : pattern_.t();
  return sparse_mm(lines, values_, ones({lines.columns(), 1}, values_.options())).squeeze(1);
}

Tensor SparseMatrix::to_dense() const { return mm(eye(pattern_.columns(), values_.options())); }

namespace {

template <class T>
kernels::Rows<const T> rows_of(const Tensor& x) {
  if (!x.defined()) return {nullptr, 0};
  return {x.data_ptr<T>(), x.dim() == 1 ? 0 : x.stride(0)};
}

// With rows whose elements follow each other.
Tensor with_whole_rows(const Tensor& x) { return !x.defined() || x.stride(-1) == 1 ? x : x.contiguous(); }

template <class T, class Index>
void solve(kernels::NormalEquations<T, Index> equations, const RowEquations& given) {
  const Tensor weights = given.weights.defined() ? given.weights.contiguous() : Tensor();
  const Tensor base = given.base.defined() ? given.base.contiguous() : Tensor();
  const Tensor features = with_whole_rows(given.features), ridge = with_whole_rows(given.ridge),
               right = with_whole_rows(given.right), least = with_whole_rows(given.least);
  equations.weights = weights.defined() ? weights.data_ptr<T>() : nullptr;
  equations.base = base.defined() ? base.data_ptr<T>() : nullptr;
  equations.features = rows_of<T>(features);
  equations.ridge = rows_of<T>(ridge);
  equations.right = rows_of<T>(right);
  equations.least = rows_of<T>(least);
  kernels::solve_lines(equations);
}

}  // namespace

RowSolutions solve_rows(const RowEquations& equations) {
  const NoGradGuard no_grad;
  const Tensor& right = equations.right;
  check(right.defined() && right.dim() == 2, "solve_rows: expected right sides (n, k)");
  const int64_t n = right.size(0), k = right.size(1);
  const auto check_shape = [&](const char* what, const Tensor& x, std::vector<int64_t> sizes) {
    check(x.sizes() == ArrayRef<int64_t>(sizes) && x.dtype() == right.dtype(),
          "solve_rows: expected {} of {} and {}, got {} and {}", what, right.dtype(), ArrayRef<int64_t>(sizes),
          x.dtype(), x.sizes());
  };
  const Tensor& ridge = equations.ridge;
  check(ridge.defined(), "solve_rows: there is no ridge");
  ridge.dim() == 1 ? check_shape("a ridge", ridge, {k}) : check_shape("a ridge", ridge, {n, k});
  if (equations.base.defined()) check_shape("a base", equations.base, {k, k});
  if (equations.least.defined()) check_shape("bounds", equations.least, {n, k});
  RowSolutions solutions{empty({n, k}, right.options()), empty({n, k}, right.options())};
  dispatch_floating(right.dtype(), "solve_rows", [&]<class T>() {
    T *x = solutions.x.data_ptr<T>(), *diagonal = solutions.diagonal.data_ptr<T>();
    if (!equations.pattern) {
      solve<T, int32_t>({.lines = n, .k = k, .solution = x, .diagonal = diagonal}, equations);
      return;
    }
    const SparsePattern& pattern = *equations.pattern;
    check(pattern.rows() == n, "solve_rows: a pattern of {} rows does not go with {} right sides", pattern.rows(), n);
    check_shape("features", equations.features, {pattern.columns(), k});
    if (equations.weights.defined()) check_shape("weights", equations.weights, {pattern.nnz()});
    std::visit(
        [&]<class Index>(const BothWays<Index>& both) {
          const Lines<Index>& lines = pattern.is_transposed() ? both.by_columns : both.by_rows;
          solve<T, Index>({.lines = n,
                           .k = k,
                           .starts = lines.starts.data(),
                           .places = lines.places.data(),
                           .at = lines.values.empty() ? nullptr : lines.values.data(),
                           .solution = x,
                           .diagonal = diagonal},
                          equations);
        },
        pattern.orders().lines);
  });
  return solutions;
}

}  // namespace wengert
