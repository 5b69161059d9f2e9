#pragma once

#include <wengert/ops/ops.h>

namespace wengert {

namespace ops {
/// Writes `result` into `out`, which takes its shape; `op` is for errors.
/// Throws where one of the tensors requires grad while grad mode is on, or out's dtype cannot hold the result.
Tensor& write_out(const char* op, Tensor& out, TensorList inputs, const std::function<Tensor()>& result);
}  // namespace ops

// Operations that write their result into a tensor that is there, as libtorch's of the same names. Nothing is recorded.

inline Tensor& add_out(Tensor& out, const Tensor& a, const Tensor& b, Scalar alpha = 1) {
  return ops::write_out("add", out, {a, b}, [&] { return add(a, b, alpha); });
}
inline Tensor& sub_out(Tensor& out, const Tensor& a, const Tensor& b, Scalar alpha = 1) {
  return ops::write_out("sub", out, {a, b}, [&] { return sub(a, b, alpha); });
}
inline Tensor& mul_out(Tensor& out, const Tensor& a, const Tensor& b) {
  return ops::write_out("mul", out, {a, b}, [&] { return mul(a, b); });
}
inline Tensor& div_out(Tensor& out, const Tensor& a, const Tensor& b) {
  return ops::write_out("div", out, {a, b}, [&] { return div(a, b); });
}
inline Tensor& pow_out(Tensor& out, const Tensor& a, const Tensor& b) {
  return ops::write_out("pow", out, {a, b}, [&] { return pow(a, b); });
}
inline Tensor& mm_out(Tensor& out, const Tensor& a, const Tensor& b) {
  return ops::write_out("mm", out, {a, b}, [&] { return mm(a, b); });
}
inline Tensor& bmm_out(Tensor& out, const Tensor& a, const Tensor& b) {
  return ops::write_out("bmm", out, {a, b}, [&] { return bmm(a, b); });
}
inline Tensor& matmul_out(Tensor& out, const Tensor& a, const Tensor& b) {
  return ops::write_out("matmul", out, {a, b}, [&] { return matmul(a, b); });
}
inline Tensor& maximum_out(Tensor& out, const Tensor& a, const Tensor& b) {
  return ops::write_out("maximum", out, {a, b}, [&] { return maximum(a, b); });
}
inline Tensor& minimum_out(Tensor& out, const Tensor& a, const Tensor& b) {
  return ops::write_out("minimum", out, {a, b}, [&] { return minimum(a, b); });
}
inline Tensor& neg_out(Tensor& out, const Tensor& x) {
  return ops::write_out("neg", out, {x}, [&] { return neg(x); });
}
inline Tensor& abs_out(Tensor& out, const Tensor& x) {
  return ops::write_out("abs", out, {x}, [&] { return abs(x); });
}
inline Tensor& sqrt_out(Tensor& out, const Tensor& x) {
  return ops::write_out("sqrt", out, {x}, [&] { return sqrt(x); });
}
inline Tensor& exp_out(Tensor& out, const Tensor& x) {
  return ops::write_out("exp", out, {x}, [&] { return exp(x); });
}
inline Tensor& log_out(Tensor& out, const Tensor& x) {
  return ops::write_out("log", out, {x}, [&] { return log(x); });
}
inline Tensor& sin_out(Tensor& out, const Tensor& x) {
  return ops::write_out("sin", out, {x}, [&] { return sin(x); });
}
inline Tensor& cos_out(Tensor& out, const Tensor& x) {
  return ops::write_out("cos", out, {x}, [&] { return cos(x); });
}
inline Tensor& tanh_out(Tensor& out, const Tensor& x) {
  return ops::write_out("tanh", out, {x}, [&] { return tanh(x); });
}
inline Tensor& sigmoid_out(Tensor& out, const Tensor& x) {
  return ops::write_out("sigmoid", out, {x}, [&] { return sigmoid(x); });
}
inline Tensor& sum_out(Tensor& out, const Tensor& x, IntArrayRef dims, bool keepdim = false) {
  return ops::write_out("sum", out, {x}, [&] { return sum(x, dims, keepdim); });
}
inline Tensor& mean_out(Tensor& out, const Tensor& x, IntArrayRef dims, bool keepdim = false) {
  return ops::write_out("mean", out, {x}, [&] { return mean(x, dims, keepdim); });
}
inline Tensor& cat_out(Tensor& out, TensorList tensors, int64_t dim = 0) {
  return ops::write_out("cat", out, tensors, [&] { return cat(tensors, dim); });
}
inline Tensor& stack_out(Tensor& out, TensorList tensors, int64_t dim = 0) {
  return ops::write_out("stack", out, tensors, [&] { return stack(tensors, dim); });
}

}  // namespace wengert
