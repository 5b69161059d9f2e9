#pragma once

#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/ops.h>

namespace wengert {

// What libtorch calls by a second name, mostly NumPy's. The methods of these names are in class Tensor.

inline Tensor absolute(const Tensor& x) { return abs(x); }
inline Tensor arccos(const Tensor& x) { return acos(x); }
inline Tensor arcsin(const Tensor& x) { return asin(x); }
inline Tensor arctan(const Tensor& x) { return atan(x); }
inline Tensor negative(const Tensor& x) { return neg(x); }
inline Tensor fix(const Tensor& x) { return trunc(x); }
inline Tensor multiply(const Tensor& a, const Tensor& b) { return mul(a, b); }
inline Tensor multiply(const Tensor& a, Scalar b) { return mul(a, b); }
inline Tensor subtract(const Tensor& a, const Tensor& b) { return sub(a, b); }
inline Tensor subtract(const Tensor& a, Scalar b) { return sub(a, b); }
inline Tensor divide(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor divide(const Tensor& a, Scalar b) { return div(a, b); }
inline Tensor true_divide(const Tensor& a, const Tensor& b) { return div(a, b); }
inline Tensor true_divide(const Tensor& a, Scalar b) { return div(a, b); }
inline Tensor greater(const Tensor& a, const Tensor& b) { return gt(a, b); }
inline Tensor greater(const Tensor& a, Scalar b) { return gt(a, b); }
inline Tensor greater_equal(const Tensor& a, const Tensor& b) { return ge(a, b); }
inline Tensor greater_equal(const Tensor& a, Scalar b) { return ge(a, b); }
inline Tensor less(const Tensor& a, const Tensor& b) { return lt(a, b); }
inline Tensor less(const Tensor& a, Scalar b) { return lt(a, b); }
inline Tensor less_equal(const Tensor& a, const Tensor& b) { return le(a, b); }
inline Tensor less_equal(const Tensor& a, Scalar b) { return le(a, b); }
inline Tensor not_equal(const Tensor& a, const Tensor& b) { return ne(a, b); }
inline Tensor not_equal(const Tensor& a, Scalar b) { return ne(a, b); }
inline Tensor arctan2(const Tensor& a, const Tensor& b) { return atan2(a, b); }
inline Tensor clip(const Tensor& x, std::optional<Scalar> min = std::nullopt,
                   std::optional<Scalar> max = std::nullopt) {
  return clamp(x, min, max);
}
inline Tensor ger(const Tensor& a, const Tensor& b) { return outer(a, b); }
inline Tensor swapaxes(const Tensor& x, int64_t dim0, int64_t dim1) { return transpose(x, dim0, dim1); }
inline Tensor swapdims(const Tensor& x, int64_t dim0, int64_t dim1) { return transpose(x, dim0, dim1); }
inline Tensor moveaxis(const Tensor& x, int64_t source, int64_t destination) { return movedim(x, source, destination); }
inline Tensor ravel(const Tensor& x) { return x.ravel(); }
inline Tensor vdot(const Tensor& a, const Tensor& b) { return dot(a, b); }
inline Tensor adjoint(const Tensor& x) { return x.mT(); }
inline Tensor positive(const Tensor& x) { return x; }
inline Tensor conj(const Tensor& x) { return x; }
inline Tensor concat(TensorList tensors, int64_t dim = 0) { return cat(tensors, dim); }
inline Tensor concatenate(TensorList tensors, int64_t dim = 0) { return cat(tensors, dim); }
inline bool can_cast(ScalarType from, ScalarType to) { return canCast(from, to); }
inline ScalarType promote_types(ScalarType a, ScalarType b) { return promoteTypes(a, b); }
inline Tensor scalar_tensor(Scalar value, const TensorOptions& options = {}) {
  return full({}, value, options.has_dtype() ? options : options.dtype(get_default_dtype()));
}
inline bool is_floating_point(const Tensor& x) { return x.is_floating_point(); }
inline bool is_complex(const Tensor& x) { return x.is_complex(); }
inline bool is_nonzero(const Tensor& x) { return x.is_nonzero(); }
inline bool is_same_size(const Tensor& a, const Tensor& b) { return a.is_same_size(b); }

}  // namespace wengert
