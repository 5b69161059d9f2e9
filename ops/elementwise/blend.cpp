#include <wengert/ops/elementwise/functions.h>
#include <wengert/ops/elementwise/in_place.h>

#include <cmath>

// A tensor and part of another, or of a product or quotient of two; G = dL/dy.

namespace wengert {
namespace ops {
namespace {

// A tensor, two that are multiplied or divided, and the factor of that, in one dtype.
struct ThreeOperands {
  ThreeOperands(const Tensor& first, const Tensor& second, const Tensor& third, Scalar number, const char* op) {
    const ScalarType dtype = result_type(first, second, third);
    check(dtype != kBool, "\"{}\" not implemented for 'Bool'", op);
    x = first.to(dtype);
    a = second.to(dtype);
    b = third.to(dtype);
    value = isFloatingType(dtype) ? number : Scalar(number.toLong());
  }
  Tensor x, a, b;
  Scalar value;
};

}  // namespace
}  // namespace ops

using namespace ops;

// y = a + w (b - a), computed from the nearer end.   VJP:   da = G (1 - w),   db = G w.
Tensor lerp(const Tensor& a, const Tensor& b, Scalar weight) {
  check(a.dtype() == b.dtype(), "expected dtype {} for `end` but got dtype {}", a.dtype(), b.dtype());
  const double w = weight.toDouble();
  const Tensor out =
      std::abs(w) < 0.5
          ? compute_new<Domain::kFloating>("lerp_kernel_scalar", a, b,
                                           [w]<class T>(T x, T y) { return x + (y - x) * static_cast<T>(w); })
          : compute_new<Domain::kFloating>("lerp_kernel_scalar", a, b,
                                           [w]<class T>(T x, T y) { return y - (y - x) * static_cast<T>(1 - w); });
  return record<Broadcast<2>>(
      "LerpBackward0", out, {a, b}, saving(), [w](const Backward& c) { return c.grad() * (1 - w); },
      [w](const Backward& c) { return c.grad() * w; });
}

// The same, elementwise.   VJP:   dw = G (b - a).
Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight) {
  check(a.dtype() == b.dtype(), "expected dtype {} for `end` but got dtype {}", a.dtype(), b.dtype());
  check(a.dtype() == weight.dtype(), "expected dtype {} for `weight` but got dtype {}", a.dtype(), weight.dtype());
  const Tensor out = empty_broadcast({a, b, weight}, a.dtype());
  dispatch_floating(a.dtype(), "lerp_kernel_tensor", [&]<class T>() {
    apply<T, T, T, T>(out, a, b, weight, [](T x, T y, T w) {
      const T from_x = x + (y - x) * w, from_y = y - (y - x) * (1 - w);
      return std::abs(w) < T(0.5) ? from_x : from_y;
    });
  });
  return record<Broadcast<3>>(
      "LerpBackward1", out, {a, b, weight},
      saving(ToSave(a).for_gradients_of(weight), ToSave(b).for_gradients_of(weight),
             ToSave(weight).for_gradients_of(a, b)),
      [](const Backward& c) { return c.grad() * (1 - c.saved(2)); },
      [](const Backward& c) { return c.grad() * c.saved(2); },
      [](const Backward& c) { return c.grad() * (c.saved(1) - c.saved(0)); });
}

// y = x + v a b.   VJP:   dx = G,   da = v G b,   db = v G a.
Tensor addcmul(const Tensor& first, const Tensor& second, const Tensor& third, Scalar number) {
  const auto [x, a, b, value] = ThreeOperands(first, second, third, number, "addcmul_cpu_out");
  const Tensor out = empty_broadcast({x, a, b}, x.dtype());
  dispatch_numbers(x.dtype(), "addcmul_cpu_out", [&, &x = x, &a = a, &b = b, &value = value]<class T>() {
    apply<T, T, T, T>(out, x, a, b, [v = value.to<T>()](T x, T a, T b) { return x + a * v * b; });
  });
  return record<Broadcast<3>>(
      "AddcmulBackward0", out, {x, a, b}, saving(ToSave(a).for_gradients_of(b), ToSave(b).for_gradients_of(a)),
      [](const Backward& c) { return c.grad(); },
      [value = value](const Backward& c) { return c.grad() * (c.saved(1) * value); },
      [value = value](const Backward& c) { return c.grad() * (c.saved(0) * value); });
}

// y = x + v a / b.   VJP:   dx = G,   da = v G / b,   db = -v G a / b^2.
Tensor addcdiv(const Tensor& first, const Tensor& second, const Tensor& third, Scalar number) {
  check(!isIntegralType(second.dtype(), true) || !isIntegralType(third.dtype(), true),
        "Integer division with addcdiv is no longer supported, and in a future release addcdiv will perform a true "
        "division of tensor1 and tensor2. The historic addcdiv behavior can be implemented as (input + value * "
        "torch.trunc(tensor1 / tensor2)).to(input.dtype) for integer inputs and as (input + value * tensor1 / "
        "tensor2) for float inputs. The future addcdiv behavior is just the latter implementation: (input + value * "
        "tensor1 / tensor2), for all dtypes.");
  const auto [x, a, b, value] = ThreeOperands(first, second, third, number, "addcdiv_cpu_out");
  const Tensor out = empty_broadcast({x, a, b}, x.dtype());
  dispatch_floating(x.dtype(), "addcdiv_cpu_out", [&, &x = x, &a = a, &b = b, &value = value]<class T>() {
    apply<T, T, T, T>(out, x, a, b, [v = value.to<T>()](T x, T a, T b) { return x + a * v / b; });
  });
  return record<Broadcast<3>>(
      "AddcdivBackward0", out, {x, a, b}, saving(ToSave(a).for_gradients_of(b), ToSave(b).for_gradients_of(a, b)),
      [](const Backward& c) { return c.grad(); },
      [value = value](const Backward& c) { return c.grad() * (value / c.saved(1)); },
      [value = value](const Backward& c) {
        const Tensor b = c.saved(1);
        return -c.grad() * (c.saved(0) * value / (b * b));
      });
}

Tensor& Tensor::addcmul_(const Tensor& a, const Tensor& b, Scalar value) const {
  return replace(*this, [&](const Tensor& x) { return wengert::addcmul(x, a, b, value); });
}
Tensor& Tensor::addcdiv_(const Tensor& a, const Tensor& b, Scalar value) const {
  return replace(*this, [&](const Tensor& x) { return wengert::addcdiv(x, a, b, value); });
}
Tensor& Tensor::lerp_(const Tensor& end, Scalar weight) const {
  return replace(*this, [&](const Tensor& x) { return wengert::lerp(x, end, weight); });
}
Tensor& Tensor::lerp_(const Tensor& end, const Tensor& weight) const {
  return replace(*this, [&](const Tensor& x) { return wengert::lerp(x, end, weight); });
}

}  // namespace wengert
