#pragma once

#include <cstdint>
#include <vector>

namespace wengert::kernels {

// Work at the entries of a sparse matrix, line by line: those of line i are starts[i] to starts[i + 1], `places` says
// where each is in its line. Matrices are row by row without gaps, with k columns. T: float, double; Index: int32_t,
// int64_t. Lines are shared among threads; none is cut, so that the bits do not depend on their number.

/// out[e] = row i of a . row places[e] of b, for each entry e of line i.
template <class T, class Index>
void sampled_products(T* out, const T* a, const T* b, int64_t k, const std::vector<int64_t>& starts,
                      const Index* places);

/// The same product away from values[e], times weights[e] (null: 1), is out[e]; errors[i] is the sum over line i of
/// weights[e] times the square of the difference.
template <class T, class Index>
void sampled_residuals(T* out, double* errors, const T* values, const T* weights, const T* a, const T* b, int64_t k,
                       const std::vector<int64_t>& starts, const Index* places);

/// Row i of out = the sum over the entries e of line i of weights[at[e]] times row places[e] of b. at: null for e
/// itself.
template <class T, class Index>
void weighted_sums(T* out, const T* weights, const T* b, int64_t k, const std::vector<int64_t>& starts,
                   const Index* places, const Index* at);

}  // namespace wengert::kernels
