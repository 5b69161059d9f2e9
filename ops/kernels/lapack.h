#pragma once

#include <cstdint>
#include <vector>

namespace wengert::kernels {

// LAPACK on one column-major matrix without gaps. T: float or double. Those that may fail
// return LAPACK's info: 0 where all went well, i > 0 where the i-th pivot or minor is to blame.

/// What a routine needs besides its operands; kept from one matrix to the next of the same shape.
template <class T>
struct Workspace {
  std::vector<T> numbers;
  std::vector<int> integers;
};

/// X = A⁻¹ B.   a (n, n): becomes its LU factors.   b (n, m): becomes X.
template <class T>
int lapack_solve(int64_t n, int64_t m, T* a, T* b, Workspace<T>& workspace);

/// P A = L U.   a (n, n): becomes the factors.   swaps (n): the row that each row was exchanged with, from 1.
template <class T>
int lapack_lu(int64_t n, T* a, int* swaps);

/// A = L Lᵀ.   a (n, n), of which the lower triangle is read: becomes L there.
template <class T>
int lapack_cholesky(int64_t n, T* a);

/// X = A⁻¹ B for an upper triangular A.   a (n, n), b (n, m): becomes X; infinite or NaN where A is singular. (BLAS's.)
template <class T>
void lapack_solve_upper(int64_t n, int64_t m, const T* a, T* b);

/// A = U diag(s) Vᵀ, k = min(n, m).   a (n, m): destroyed.   u (n, k), s (k), falling, vt (k, m); without u and vt
/// where these are null.
template <class T>
int lapack_svd(int64_t n, int64_t m, T* a, T* u, T* s, T* vt, Workspace<T>& workspace);

/// A = Q R, k = min(n, m).   a (n, m): R in the upper triangle.   q (n, k).
template <class T>
void lapack_qr(int64_t n, int64_t m, T* a, T* q, Workspace<T>& workspace);

/// A = V diag(w) Vᵀ for a symmetric A, of which one triangle is read.   a (n, n): becomes V.   w (n), rising.
template <class T>
int lapack_eigh(int64_t n, T* a, T* w, bool lower, Workspace<T>& workspace);

}  // namespace wengert::kernels
