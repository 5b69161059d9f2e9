#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/kernels/normal_equations.h>
#include <wengert/ops/kernels/parallel.h>
#include <wengert/ops/kernels/sparse_lines.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/sparse_matrix.h>

#include <algorithm>
#include <array>
#include <memory>
#include <numeric>
#include <utility>
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
  std::unique_ptr<Index[]> places;
  std::unique_ptr<Index[]> values;  // null where they are in order
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

template <class Index>
using EntryArray = std::unique_ptr<Entry<Index>[]>;

// Calls work(piece, begin, end) for pieces that together are [0, size), on several threads.
template <class Work>
void for_pieces(int64_t size, const Work& work) {
  kernels::parallel_tasks((size + kernels::kParallelGrain - 1) / kernels::kParallelGrain, [&](int64_t piece) {
    const int64_t begin = piece * kernels::kParallelGrain;
    work(static_cast<size_t>(piece), begin, std::min(size, begin + kernels::kParallelGrain));
  });
}

// For how many e is_counted(e) holds before each piece of [0, size), and, at the end, in all.
template <class IsCounted>
std::vector<int64_t> counts_before(int64_t size, const IsCounted& is_counted) {
  std::vector<int64_t> counts(static_cast<size_t>(size / kernels::kParallelGrain + 2));
  for_pieces(size, [&](size_t piece, int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; ++e) counts[piece + 1] += is_counted(e) ? 1 : 0;
  });
  std::partial_sum(counts.begin(), counts.end(), counts.begin());
  return counts;
}

// Sorts by one of the members, which are below `lines`, digit by digit from the lowest; what is equal keeps its order,
// so that the pieces in which it is done can't be told from the result.
template <class Index>
void sort_by(Index Entry<Index>::*key, int64_t lines, int64_t size, EntryArray<Index>& entries,
             EntryArray<Index>& spare) {
  constexpr int kBits = 11;  // of a digit: as many places as a cache has room for are written by turns
  using Places = std::array<Index, size_t{1} << kBits>;
  std::vector<Places> next(static_cast<size_t>(size / kernels::kParallelGrain + 1));
  for (int shift = 0; (lines - 1) >> shift > 0; shift += kBits) {
    const auto digit = [=](const Entry<Index>& entry) {
      return static_cast<size_t>(entry.*key >> shift) & ((size_t{1} << kBits) - 1);
    };
    for_pieces(size, [&](size_t piece, int64_t begin, int64_t end) {
      next[piece].fill(0);
      for (int64_t e = begin; e < end; ++e) ++next[piece][digit(entries[e])];
    });
    Index place = 0;
    for (size_t d = 0; d < next[0].size(); ++d) {
      for (Places& of_piece : next) place += std::exchange(of_piece[d], place);
    }
    for_pieces(size, [&](size_t piece, int64_t begin, int64_t end) {
      for (int64_t e = begin; e < end; ++e) spare[next[piece][digit(entries[e])]++] = entries[e];
    });
    entries.swap(spare);
  }
}

// Where in entries that are sorted by a member those of each line begin, and where the last's end.
template <class Index>
std::vector<int64_t> starts_of(Index Entry<Index>::*key, int64_t lines, int64_t size,
                               const EntryArray<Index>& entries) {
  std::vector<int64_t> starts(static_cast<size_t>(lines + 1), size);
  for_pieces(size, [&](size_t, int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; ++e) {
      for (int64_t line = e == 0 ? 0 : entries[e - 1].*key + int64_t{1}; line <= entries[e].*key; ++line) {
        starts[static_cast<size_t>(line)] = e;
      }
    }
  });
  return starts;
}

// order: for each position given, in the order of the values, its number among them. starts: null where none may be
// there twice; else gets where each value's begin there, and where the last's end.
template <class Index, class Given>
BothWays<Index> both_ways(ArrayRef<Given> rows, ArrayRef<Given> columns, int64_t n, int64_t m, int64_t* order,
                          Tensor* starts) {
  const auto given = static_cast<int64_t>(rows.size());
  auto entries = std::make_unique_for_overwrite<Entry<Index>[]>(rows.size());
  auto spare = std::make_unique_for_overwrite<Entry<Index>[]>(rows.size());
  for_pieces(given, [&](size_t, int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; ++e) {
      const auto at = static_cast<size_t>(e);
      entries[at] = {static_cast<Index>(rows[at]), static_cast<Index>(columns[at]), static_cast<Index>(e)};
    }
  });
  const auto before = [](const Entry<Index>& a, const Entry<Index>& b) {
    return std::pair(a.row, a.column) < std::pair(b.row, b.column);
  };
  if (counts_before(given, [&](int64_t e) { return e > 0 && before(entries[e], entries[e - 1]); }).back() > 0) {
    sort_by(&Entry<Index>::column, m, given, entries, spare);
    sort_by(&Entry<Index>::row, n, given, entries, spare);
  }

  const auto is_first = [&](int64_t e) { return e == 0 || before(entries[e - 1], entries[e]); };
  const std::vector<int64_t> firsts = counts_before(given, is_first);
  const int64_t size = firsts.back();
  if (starts != nullptr) {
    *starts = empty({size + 1}, kLong);
    starts->data_ptr<int64_t>()[size] = given;
  } else if (size < given) {
    int64_t e = 0;
    while (is_first(e)) ++e;
    fail("SparsePattern: position ({}, {}) is there twice", entries[e].row, entries[e].column);
  }
  auto* start = starts == nullptr ? nullptr : starts->data_ptr<int64_t>();
  BothWays<Index> both;
  both.by_rows.places = std::make_unique_for_overwrite<Index[]>(static_cast<size_t>(size));
  // One entry of each position goes to the spare, with its value for what was given.
  for_pieces(given, [&](size_t piece, int64_t begin, int64_t end) {
    int64_t value = firsts[piece];
    for (int64_t e = begin; e < end; ++e) {
      const auto [row, column, position] = entries[e];
      order[e] = position;
      if (!is_first(e)) continue;
      if (start != nullptr) start[value] = e;
      both.by_rows.places[value] = column;
      spare[value] = {row, column, static_cast<Index>(value)};
      ++value;
    }
  });
  both.by_rows.starts = starts_of(&Entry<Index>::row, n, size, spare);
  sort_by(&Entry<Index>::column, m, size, spare, entries);
  both.by_columns.starts = starts_of(&Entry<Index>::column, m, size, spare);
  both.by_columns.places = std::make_unique_for_overwrite<Index[]>(static_cast<size_t>(size));
  both.by_columns.values = std::make_unique_for_overwrite<Index[]>(static_cast<size_t>(size));
  for_pieces(size, [&](size_t, int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; ++e) {
      both.by_columns.places[e] = spare[e].row;
      both.by_columns.values[e] = spare[e].given;
    }
  });
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
                                                 const Tensor& order, Tensor* starts) {
  check(rows.size() == columns.size(), "SparsePattern: there are {} rows and {} columns", rows.size(), columns.size());
  check(n >= 0 && m >= 0, "SparsePattern: a matrix can't be {} x {}", n, m);
  check_positions(rows, n, "row");
  check_positions(columns, m, "column");
  auto orders = std::make_shared<SparsePattern::Orders>(SparsePattern::Orders{n, m, 0, order, {}});
  const auto sort = [&]<class Index>(Index) {
    BothWays<Index> both = both_ways<Index>(rows, columns, n, m, order.template data_ptr<int64_t>(), starts);
    orders->nnz = both.by_rows.starts.back();
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
                                    by_rows.starts, by_rows.places.get());
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
                                 lines.places.get(), lines.values.get());
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
  Tensor starts;
  const std::shared_ptr<Orders> orders = orders_of(rows, columns, n, m, order, &starts);
  if (orders->nnz < order.numel()) orders->order = order.index_select(0, starts.narrow(0, 0, orders->nnz));
  return {SparsePattern(orders, false), order, starts};
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
  std::visit([&](const auto& both) { std::copy_n(both.by_rows.places.get(), nnz(), indices.data_ptr<int64_t>()); },
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
                                     right.data_ptr<T>(), left.size(1), by_rows.starts, by_rows.places.get());
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
                           .places = lines.places.get(),
                           .at = lines.values.get(),
                           .solution = x,
                           .diagonal = diagonal},
                          equations);
        },
        pattern.orders().lines);
  });
  return solutions;
}

}  // namespace wengert
