#pragma once

#include <factorize/fit/fit.h>

// What both ways to fit a whole matrix begin with.

namespace factorize {

/// Throws wengert::Error where there is no rank, or a matrix of that size has no factors of it.
void check_rank(int64_t rows, int64_t columns, const FitOptions& options);

/// A whole matrix, of which each process has a block of rows, those of process 0 first.
struct RowBlocks {
  RowBlocks(const wengert::Tensor& own, const Running& running);

  const Processes& processes;
  wengert::Tensor own;  ///< (own n, m)
  int64_t rows;         ///< of all
  int64_t first;        ///< row of the own

  double sum(const wengert::Tensor& own_part) const { return processes.sum(own_part.sum().item<double>()); }
  /// The own rows of a tensor with all.
  wengert::Tensor own_of(const wengert::Tensor& all) const {
    return processes.are_several() ? all.narrow(0, first, own.size(0)).clone() : all;
  }
};

/// The mean to take off, of the matrix's dtype: (1, 1), (own n, 1) or (1, m); undefined for none.
wengert::Tensor mean_to_take_off(const RowBlocks& matrix, Center center);

}  // namespace factorize
