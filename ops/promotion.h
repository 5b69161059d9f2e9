#pragma once

#include <wengert/autograd/tensor/tensor.h>

namespace wengert {

// The dtype of an operation's result. Operands count by rank: tensors with dimensions, then tensors without,
// then plain numbers. A lower rank raises the dtype only when it is of a higher kind (bool < whole < real),
// so that `float tensor * 2.5` and `float tensor * double scalar tensor` stay float.

// What result_type() is where it is not plainly a's dtype.
ScalarType promoted_type(const Tensor& a, const Tensor& b);
ScalarType promoted_type(const Tensor& a, Scalar b);

[[gnu::always_inline]] inline ScalarType result_type(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() ? a.dtype() : promoted_type(a, b);
}
ScalarType result_type(const Tensor& a, const Tensor& b, const Tensor& c);
[[gnu::always_inline]] inline ScalarType result_type(const Tensor& a, Scalar b) {
  return isFloatingType(a.dtype()) ? a.dtype() : promoted_type(a, b);
}

/// The default dtype for whole numbers and bools, a floating-point dtype unchanged.
[[gnu::always_inline]] inline ScalarType to_floating(ScalarType dtype) {
  return isFloatingType(dtype) ? dtype : get_default_dtype();
}

}  // namespace wengert
