#pragma once

#include <cstdint>

namespace wengert::kernels {

// Least squares for each line of a sparse matrix (as in sparse_lines.h): line i, whose entries e lie at places[e], has
// the equations
//
//     (base + sum_e w_e f f' + diag(ridge_i)) x_i = b_i,    f = row places[e] of the features, w_e = weights[at[e]].
//
// Elements of a row follow each other; rows lie `stride` apart.
template <class T>
struct Rows {
  T* data = nullptr;
  int64_t stride = 0;

  T* operator[](int64_t i) const { return data + i * stride; }
};

template <class T, class Index>
struct NormalEquations {
  int64_t lines;
  int64_t k;                        ///< unknowns of a line
  const int64_t* starts = nullptr;  ///< null where there are no entries
  const Index* places = nullptr;
  const Index* at = nullptr;   ///< null for e itself
  const T* weights = nullptr;  ///< null for ones
  const T* base = nullptr;     ///< (k, k); null for zeros
  Rows<const T> features{};    ///< k columns
  Rows<const T> ridge{};       ///< stride 0: the same for all
  Rows<const T> right{};       ///< b
  Rows<const T> least{};  ///< where not null: x_i minimizes x' A x / 2 - b' x among those with x_i >= least_i, nearly
  T* solution = nullptr;  ///< (lines, k)
  T* diagonal = nullptr;  ///< of each line's matrix: (lines, k)
};

/// By Cholesky's factorization; where a pivot is nothing beside its diagonal element, that unknown is 0. Lines are
/// shared among threads, and none is cut. T: float, double; Index: int32_t, int64_t.
template <class T, class Index>
void solve_lines(const NormalEquations<T, Index>& equations);

}  // namespace wengert::kernels
