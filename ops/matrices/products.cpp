#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/elementwise/arithmetic.h>
#include <wengert/ops/elementwise/in_place.h>
#include <wengert/ops/ops.h>

// Outer products, and products that are added to something.

namespace wengert {
namespace ops {
namespace {

void check_operands(const Tensor& x, const Tensor& product, const char* op) {
  check(is_expandable_to(x.sizes(), product.sizes()),
        "{}: The expanded size of the tensor must match the existing size. Target sizes: {}.  Tensor sizes: {}", op,
        product.sizes(), x.sizes());
  check(x.dtype() == product.dtype(), "{}: self and mat2 must have the same dtype, but got {} and {}", op, x.dtype(),
        product.dtype());
}

// y = beta x + alpha P, for a product P of a and b.   VJP:   dx = beta G;   da, db as of alpha P.
// beta = 0: x is left out, NaN and all.
template <class Product, class GradA, class GradB>
Tensor add_product(const char* name, const Tensor& x, const Tensor& a, const Tensor& b, Scalar beta, Scalar alpha,
                   const Product& product, const GradA& grad_a, const GradB& grad_b) {
  Tensor y;
  {
    const NoGradGuard no_grad;
    y = product(a, b);
    check_operands(x, y, name);
    if (!alpha.equal(1)) y.mul_(alpha);
    if (!beta.equal(0)) y.add_(x, beta);
  }
  const ToSave for_b = ToSave(a).for_gradients_of(b), for_a = ToSave(b).for_gradients_of(a);
  return record<Broadcast<3>>(
      name, y, {x, a, b}, saving(for_b, for_a), [beta](const Backward& c) { return scaled(c.grad(), beta); },
      [=](const Backward& c) { return scaled(grad_a(c.grad(), c.saved(1)), alpha); },
      [=](const Backward& c) { return scaled(grad_b(c.grad(), c.saved(0)), alpha); });
}

}  // namespace
}  // namespace ops

using namespace ops;

Tensor outer(const Tensor& a, const Tensor& b) {
  check(a.dim() == 1, "outer: Expected 1-D argument self, but got {}-D", a.dim());
  check(b.dim() == 1, "outer: Expected 1-D argument vec2, but got {}-D", b.dim());
  return a.unsqueeze(1) * b;
}

// y = beta x + alpha A B.   VJP:   dA = alpha G Bᵀ,   dB = alpha Aᵀ G.
Tensor addmm(const Tensor& x, const Tensor& a, const Tensor& b, Scalar beta, Scalar alpha) {
  return add_product(
      "AddmmBackward0", x, a, b, beta, alpha, [](const Tensor& a, const Tensor& b) { return mm(a, b); },
      [](const Tensor& g, const Tensor& b) { return mm(g, b.t()); },
      [](const Tensor& g, const Tensor& a) { return mm(a.t(), g); });
}
// y = beta x + alpha A v.   VJP:   dA = alpha G vᵀ,   dv = alpha Aᵀ G.
Tensor addmv(const Tensor& x, const Tensor& a, const Tensor& v, Scalar beta, Scalar alpha) {
  return add_product(
      "AddmvBackward0", x, a, v, beta, alpha, [](const Tensor& a, const Tensor& v) { return mv(a, v); },
      [](const Tensor& g, const Tensor& v) { return outer(g, v); },
      [](const Tensor& g, const Tensor& a) { return mv(a.t(), g); });
}
// The same as addmm for every matrix of a batch.
Tensor baddbmm(const Tensor& x, const Tensor& a, const Tensor& b, Scalar beta, Scalar alpha) {
  return add_product(
      "BaddbmmBackward0", x, a, b, beta, alpha, [](const Tensor& a, const Tensor& b) { return bmm(a, b); },
      [](const Tensor& g, const Tensor& b) { return bmm(g, b.transpose(1, 2)); },
      [](const Tensor& g, const Tensor& a) { return bmm(a.transpose(1, 2), g); });
}

// y[i r + k, j s + l] = a[i, j] b[k, l], for b of r rows and s columns.
Tensor kron(const Tensor& a, const Tensor& b) {
  const auto dims = static_cast<size_t>(std::max(a.dim(), b.dim()));
  std::vector<int64_t> a_shape(2 * dims, 1), b_shape(2 * dims, 1), shape(dims, 1);
  const size_t a_lead = dims - a.sizes().size(), b_lead = dims - b.sizes().size();
  for (size_t d = 0; d < a.sizes().size(); ++d) a_shape[2 * (a_lead + d)] = a.sizes()[d];
  for (size_t d = 0; d < b.sizes().size(); ++d) b_shape[2 * (b_lead + d) + 1] = b.sizes()[d];
  for (size_t d = 0; d < dims; ++d) shape[d] = a_shape[2 * d] * b_shape[2 * d + 1];
  return own_tensor((a.reshape(a_shape) * b.reshape(b_shape)).reshape(shape));
}

Tensor& Tensor::addmm_(const Tensor& a, const Tensor& b, Scalar beta, Scalar alpha) const {
  return replace(*this, [&](const Tensor& x) { return wengert::addmm(x, a, b, beta, alpha); });
}
Tensor& Tensor::addmv_(const Tensor& a, const Tensor& v, Scalar beta, Scalar alpha) const {
  return replace(*this, [&](const Tensor& x) { return wengert::addmv(x, a, v, beta, alpha); });
}
Tensor& Tensor::baddbmm_(const Tensor& a, const Tensor& b, Scalar beta, Scalar alpha) const {
  return replace(*this, [&](const Tensor& x) { return wengert::baddbmm(x, a, b, beta, alpha); });
}

}  // namespace wengert
