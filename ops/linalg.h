#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <string_view>
#include <tuple>

namespace wengert {

// Solving and factorizing matrices. Each takes one matrix or batches of them (all dimensions but the last two), of
// floating point; A is square unless shapes are given.

/// X with A X = B.   B (*, n, m) or vectors (*, n). Throws where A is singular.
Tensor linalg_solve(const Tensor& a, const Tensor& b);
Tensor linalg_inv(const Tensor& a);  ///< A⁻¹. Throws where A is singular.
Tensor inverse(const Tensor& a);     ///< linalg_inv
/// L with A = L Lᵀ, or U with A = Uᵀ U if upper. Throws unless A is positive definite; reads one triangle.
Tensor linalg_cholesky(const Tensor& a, bool upper = false);
Tensor cholesky(const Tensor& a, bool upper = false);  ///< linalg_cholesky
Tensor linalg_det(const Tensor& a);
Tensor det(const Tensor& a);     ///< linalg_det
Tensor logdet(const Tensor& a);  ///< ln det A; -inf where it is 0, NaN below
/// (sign of the determinant, ln of its absolute value).
std::tuple<Tensor, Tensor> linalg_slogdet(const Tensor& a);
std::tuple<Tensor, Tensor> slogdet(const Tensor& a);  ///< linalg_slogdet
/// The thin decomposition A = U diag(S) Vᵀ.   A (*, n, m), k = min(n, m) -> U (*, n, k), S (*, k) falling,
/// Vᵀ (*, k, m). full_matrices is offered for square matrices, where it changes nothing. Gradients of U and V need
/// distinct singular values.
std::tuple<Tensor, Tensor, Tensor> linalg_svd(const Tensor& a, bool full_matrices = true);
/// The same with V (*, m, k) in place of Vᵀ.
std::tuple<Tensor, Tensor, Tensor> svd(const Tensor& a, bool some = true, bool compute_uv = true);
Tensor linalg_svdvals(const Tensor& a);  ///< S alone
/// A = Q R.   A (*, n, m), k = min(n, m) -> Q (*, n, k) of orthonormal columns, R (*, k, m) upper triangular.
std::tuple<Tensor, Tensor> linalg_qr(const Tensor& a, std::string_view mode = "reduced");
std::tuple<Tensor, Tensor> qr(const Tensor& a, bool some = true);  ///< linalg_qr
/// A = V diag(w) Vᵀ for a symmetric A, of which the triangle `uplo` is read -> w (*, n) rising, V (*, n, n).
/// The gradient of V needs distinct eigenvalues.
std::tuple<Tensor, Tensor> linalg_eigh(const Tensor& a, std::string_view uplo = "L");

/// libtorch's second set of names.
namespace linalg {
inline Tensor solve(const Tensor& a, const Tensor& b) { return linalg_solve(a, b); }
inline Tensor inv(const Tensor& a) { return linalg_inv(a); }
inline Tensor cholesky(const Tensor& a) { return linalg_cholesky(a); }
inline Tensor det(const Tensor& a) { return linalg_det(a); }
inline std::tuple<Tensor, Tensor> slogdet(const Tensor& a) { return linalg_slogdet(a); }
inline std::tuple<Tensor, Tensor, Tensor> svd(const Tensor& a, bool full_matrices) {
  return linalg_svd(a, full_matrices);
}
inline Tensor svdvals(const Tensor& a) { return linalg_svdvals(a); }
inline std::tuple<Tensor, Tensor> qr(const Tensor& a, std::string_view mode = "reduced") { return linalg_qr(a, mode); }
inline std::tuple<Tensor, Tensor> eigh(const Tensor& a, std::string_view uplo) { return linalg_eigh(a, uplo); }
}  // namespace linalg

}  // namespace wengert
