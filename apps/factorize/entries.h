#pragma once

#include <factorize/input/data.h>
#include <wengert/ops/sparse_matrix.h>

namespace factorize {

enum class Duplicates { kMean, kLast, kSum, kError };

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

/// data: for the ids in errors. Means weigh as much as all the values that they stand for.
/// Throws wengert::Error where there are duplicates and none are to be.
Entries entries_of(const Ratings& ratings, const Data& data, Duplicates duplicates, wengert::ScalarType dtype);

/// Of a matrix with missing elements, NaN.
Entries entries_of(const wengert::Tensor& matrix);

/// What is kept for a test: part of the entries, drawn at random, from each row, or the last by time.
enum class Holdout { kRandom, kRows, kTime };

/// Moves a part of the ratings out. Throws wengert::Error where nothing would be left, or there are no times.
Ratings take_out(Ratings& ratings, double part, Holdout holdout, uint64_t seed);

}  // namespace factorize
