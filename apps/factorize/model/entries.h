#pragma once

#include <factorize/input/data.h>
#include <wengert/ops/sparse_matrix.h>

namespace factorize {

/// The known entries of a matrix, each position once.
struct Entries {
  wengert::SparsePattern pattern;
  wengert::Tensor values;   ///< (nnz), in the pattern's order
  wengert::Tensor weights;  ///< (nnz); undefined: ones
  double count = 0;         ///< the sum of the weights
  /// Of means of several values: the weighted squares of their differences from it, which no model explains.
  double squares_within = 0;
  int64_t duplicates = 0;  ///< how many were given beside others at their position

  int64_t size() const { return pattern.nnz(); }
  wengert::Tensor weighted(const wengert::Tensor& x) const { return weights.defined() ? weights * x : x; }
};

/// The unit in which values are squared: a power of four, whose root is one of two, so that dividing by it changes no
/// digit. 1 where the largest is near enough to that.
double unit_of(const wengert::Tensor& values);
double unit_of(double largest);  ///< of values whose largest is this
/// The largest absolute value; 0 of none.
double largest_of(const wengert::Tensor& values);

/// The same with values in another unit.
Entries in_unit(const Entries& entries, double unit);

/// data: for the ids in errors. Means weigh as much as all the values that they stand for.
/// Throws wengert::Error where there are duplicates and none are to be.
Entries entries_of(const Ratings& ratings, const Data& data, Duplicates duplicates, wengert::ScalarType dtype);

/// Of a matrix with missing elements, NaN.
Entries entries_of(const wengert::Tensor& matrix);

/// Of either, as a file has it.
Entries entries_of(const Data& data, Duplicates duplicates, wengert::ScalarType dtype);

/// One row with these values, (nnz), in columns of its own, one each; weights: (nnz), or undefined.
Entries one_row(const wengert::Tensor& values, const wengert::Tensor& weights = {});

/// What each entry has of its row and its column together: of_rows (n) and of_columns (m) give (nnz).
wengert::Tensor sums_at(const wengert::SparsePattern& pattern, const wengert::Tensor& of_rows,
                        const wengert::Tensor& of_columns);

/// Entries row by row, to be looked up.
struct EntryRows {
  wengert::Tensor starts;   ///< Long (n + 1)
  wengert::Tensor columns;  ///< Long (nnz)
  wengert::Tensor values;   ///< (nnz)
  wengert::Tensor weights;  ///< (nnz); undefined: ones

  int64_t begin_of(int64_t row) const { return starts.data_ptr<int64_t>()[row]; }
  int64_t count_of(int64_t row) const { return begin_of(row + 1) - begin_of(row); }
  wengert::ArrayRef<int64_t> columns_of(int64_t row) const {
    return {columns.data_ptr<int64_t>() + begin_of(row), static_cast<size_t>(count_of(row))};
  }
};
EntryRows by_rows(const Entries& entries);

/// The row that each entry is in: Long (nnz).
wengert::Tensor rows_of(const wengert::SparsePattern& pattern);

}  // namespace factorize
