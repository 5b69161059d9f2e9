#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/kernels/sparse_lines.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/sparse_matrix.h>

#include <algorithm>
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

// starts[i]: how many of `lines` are below i.
template <class Get>
std::vector<int64_t> starts_of(int64_t count, int64_t lines, const Get& line) {
  std::vector<int64_t> starts(static_cast<size_t>(lines) + 1);
  for (int64_t e = 0; e < count; ++e) ++starts[static_cast<size_t>(line(e)) + 1];
  std::partial_sum(starts.begin(), starts.end(), starts.begin());
  return starts;
}

// Calls put(e, its place) for e in 0 .. count-1 so that lines come one after the other, each in the order of e.
template <class Get, class Put>
void distribute(int64_t count, std::vector<int64_t> next, const Get& line, const Put& put) {
  for (int64_t e = 0; e < count; ++e) put(e, next[static_cast<size_t>(line(e))]++);
}

template <class Index>
BothWays<Index> both_ways(const int64_t* rows, const int64_t* columns, int64_t nnz, int64_t n, int64_t m,
                          int64_t* order) {
  const auto size = static_cast<size_t>(nnz);
  BothWays<Index> both;
  // Sorted by columns first, and then, as that keeps what is equal in order, by rows: each row is sorted.
  std::vector<Index> by_column(size);
  const auto column = [columns](int64_t e) { return columns[e]; };
  both.by_columns.starts = starts_of(nnz, m, column);
  distribute(nnz, both.by_columns.starts, column,
             [&](int64_t e, int64_t at) { by_column[static_cast<size_t>(at)] = static_cast<Index>(e); });
  const auto row = [&](int64_t i) { return rows[by_column[static_cast<size_t>(i)]]; };
  both.by_rows.starts = starts_of(nnz, n, row);
  both.by_rows.places.resize(size);
  both.by_columns.places.resize(size);
  both.by_columns.values.resize(size);
  distribute(nnz, both.by_rows.starts, row, [&](int64_t i, int64_t at) {
    const auto e = static_cast<int64_t>(by_column[static_cast<size_t>(i)]);
    order[at] = e;
    both.by_rows.places[static_cast<size_t>(at)] = static_cast<Index>(columns[e]);
    both.by_columns.places[static_cast<size_t>(i)] = static_cast<Index>(rows[e]);
    both.by_columns.values[static_cast<size_t>(i)] = static_cast<Index>(at);
  });
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t e = both.by_rows.starts[static_cast<size_t>(i)] + 1;
         e < both.by_rows.starts[static_cast<size_t>(i) + 1]; ++e) {
      const Index place = both.by_rows.places[static_cast<size_t>(e)];
      check(both.by_rows.places[static_cast<size_t>(e) - 1] != place, "SparsePattern: position ({}, {}) is there twice",
            i, place);
    }
  }
  return both;
}

void check_positions(const Tensor& positions, int64_t size, const char* what) {
  const auto* at = positions.data_ptr<int64_t>();
  if (kernels::simd::all_within(at, positions.numel(), size)) return;
  const auto* outside =
      std::find_if(at, at + positions.numel(), [size](int64_t position) { return position < 0 || position >= size; });
  fail("SparsePattern: {} {} is not within 0 and {}", what, *outside, size - 1);
}

// Rows one after the other, each without gaps.
Tensor in_rows(const Tensor& x) { return x.contiguous(); }

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
    compute_product(y, pattern, values.contiguous(), in_rows(b));
  }
  return record(
      "SparseMmBackward0", y, {values, b},
      saving(ToSave(values).for_gradients_of(b), ToSave(b).for_gradients_of(values)),
      [pattern](const Backward& c) { return sampled_mm(c.grad(), c.saved(1).t(), pattern); },
      [pattern](const Backward& c) { return sparse_mm(pattern.t(), c.saved(0), c.grad()); });
}

}  // namespace

SparsePattern::SparsePattern(const Tensor& rows, const Tensor& columns, int64_t n, int64_t m) {
  const NoGradGuard no_grad;
  check(rows.dim() == 1 && rows.sizes() == columns.sizes() && rows.dtype() == kLong && columns.dtype() == kLong,
        "SparsePattern: expected two Long vectors of one size, got {} {} and {} {}", rows.dtype(), rows.sizes(),
        columns.dtype(), columns.sizes());
  check(n >= 0 && m >= 0, "SparsePattern: a matrix can't be {} x {}", n, m);
  const Tensor r = rows.contiguous(), c = columns.contiguous();
  check_positions(r, n, "row");
  check_positions(c, m, "column");
  const int64_t nnz = r.numel();
  auto orders = std::make_shared<Orders>(Orders{n, m, nnz, empty({nnz}, kLong), {}});
  const auto sort = [&]<class Index>(Index) {
    orders->lines =
        both_ways<Index>(r.data_ptr<int64_t>(), c.data_ptr<int64_t>(), nnz, n, m, orders->order.data_ptr<int64_t>());
  };
  std::max({n, m, nnz}) <= INT32_MAX ? sort(int32_t{}) : sort(int64_t{});
  orders_ = std::move(orders);
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
  check(c.dim() == 2 && f.dim() == 2 && c.size(1) == f.size(0) && c.size(0) == pattern.rows() &&
            f.size(1) == pattern.columns(),
        "sampled_mm: a pattern of {} x {} does not go with factors {} and {}", pattern.rows(), pattern.columns(),
        c.sizes(), f.sizes());
  check(c.dtype() == f.dtype(), "sampled_mm: expected both dtypes to be the same, got {} and {}", c.dtype(), f.dtype());
  Tensor y = empty({pattern.nnz()}, c.options());
  {
    const NoGradGuard no_grad;
    compute_sampled(y, in_rows(c), in_rows(f.t()), pattern);
  }
  return record(
      "SampledMmBackward0", y, {c, f}, saving(ToSave(c).for_gradients_of(f), ToSave(f).for_gradients_of(c)),
      [pattern](const Backward& b) { return sparse_mm(pattern, b.grad(), b.saved(1).t()); },
      [pattern](const Backward& b) { return sparse_mm(pattern.t(), b.grad(), b.saved(0)).t(); });
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

}  // namespace wengert
