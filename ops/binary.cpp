#include <wengert/ops/elementwise.h>
#include <wengert/ops/formula.h>
#include <wengert/ops/in_place.h>

#include <cmath>

// Functions of two tensors beyond sum, product and power: division with rounding, remainders, angles, and
// sums of products; G = dL/dy.

namespace wengert {
namespace ops {
namespace {

template <class F>
Tensor compute_new(const Tensor& a, const Tensor& b, const char* name, F f) {
  Tensor out = empty(broadcast_shapes(a.sizes(), b.sizes()), a.options());
  dispatch_numbers(a.dtype(), name, [&]<class T>() { apply<T, T, T>(out, a, b, f); });
  return out;
}

struct Operands {
  Operands(const Tensor& first, const Tensor& second) : Operands(first, second, result_type(first, second)) {}
  Operands(const Tensor& first, const Tensor& second, ScalarType dtype) : a(first.to(dtype)), b(second.to(dtype)) {}
  Tensor a, b;
};

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

void check_no_zero(const Tensor& dividend, const Tensor& divisor) {
  if (dividend.numel() == 0) return;
  check(!isIntegralType(divisor.dtype(), true) || all(divisor != 0).item<bool>(), "ZeroDivisionError");
}

// The quotient rounded down, as Python's //: the remainder has the divisor's sign.
constexpr auto floor_quotient = [](auto a, auto b) {
  using T = decltype(a);
  if constexpr (std::is_floating_point_v<T>) {
    if (b == 0) return a / b;
    const T remainder = std::fmod(a, b);
    T quotient = (a - remainder) / b;
    if (remainder != 0 && (b < 0) != (remainder < 0)) quotient -= 1;
    if (quotient == 0) return std::copysign(T(0), a / b);
    const T rounded = std::floor(quotient);
    return quotient - rounded > T(0.5) ? rounded + 1 : rounded;
  } else {
    const T quotient = a / b;
    return static_cast<T>(a % b != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient);
  }
};

constexpr auto trunc_quotient = [](auto a, auto b) {
  if constexpr (std::is_floating_point_v<decltype(a)>) {
    return std::trunc(a / b);
  } else {
    return a / b;
  }
};

constexpr auto python_remainder = [](auto a, auto b) {
  if constexpr (std::is_floating_point_v<decltype(a)>) {
    const auto remainder = std::fmod(a, b);
    return remainder != 0 && (b < 0) != (remainder < 0) ? remainder + b : remainder;
  } else {
    const auto remainder = a % b;
    return static_cast<decltype(a)>(remainder != 0 && (b < 0) != (remainder < 0) ? remainder + b : remainder);
  }
};

constexpr auto c_remainder = [](auto a, auto b) {
  if constexpr (std::is_floating_point_v<decltype(a)>) {
    return std::fmod(a, b);
  } else {
    return static_cast<decltype(a)>(a % b);
  }
};

// y = a - b [a / b], rounded one way or the other.   VJP:   da = G,   db = -G [a / b].
template <class F>
Tensor remainder_of(const char* name, const Tensor& first, const Tensor& second, const char* rounding, F f) {
  const Operands operands(first, second);
  const Tensor &a = operands.a, &b = operands.b;
  check_no_zero(a, b);
  const bool of_b = b.requires_grad();
  return record(name, compute_new(a, b, name, f), {a, b}, {ToSave::input_if(of_b, a), ToSave::input_if(of_b, b)},
                [rounding, to_a = BroadcastOf(a), to_b = BroadcastOf(b)](const Backward& c) -> Gradients {
                  const Tensor& g = c.grad();
                  return {c.needs(0) ? to_a.sum(g) : Tensor(),
                          c.needs(1) ? to_b.sum(-g * div(c.saved(0), c.saved(1), rounding)) : Tensor()};
                });
}

Tensor as_tensor(Scalar number, const Tensor& like) { return full({}, number, result_type(like, number)); }

}  // namespace
}  // namespace ops

using namespace ops;

// y = a / b, rounded.   VJP:   0, where it is rounded.
Tensor div(const Tensor& first, const Tensor& second, std::optional<std::string_view> rounding_mode) {
  if (!rounding_mode) return div(first, second);
  const bool down = *rounding_mode == "floor";
  check(down || *rounding_mode == "trunc",
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{}'", *rounding_mode);
  const auto [a, b] = Operands(first, second);
  check_no_zero(a, b);
  const Tensor out =
      down ? compute_new(a, b, "div_floor", floor_quotient) : compute_new(a, b, "div_trunc", trunc_quotient);
  return record("DivBackward2", out, {a, b}, {},
                [to_a = BroadcastOf(a), to_b = BroadcastOf(b)](const Backward& c) -> Gradients {
                  const Tensor zero = zeros_like(c.grad());
                  return {to_a.sum(zero), to_b.sum(zero)};
                });
}
Tensor div(const Tensor& a, Scalar b, std::optional<std::string_view> rounding_mode) {
  return rounding_mode ? div(a, as_tensor(b, a), rounding_mode) : div(a, b);
}
Tensor floor_divide(const Tensor& a, const Tensor& b) { return div(a, b, "floor"); }
Tensor floor_divide(const Tensor& a, Scalar b) { return div(a, b, "floor"); }

Tensor remainder(const Tensor& a, const Tensor& b) {
  return remainder_of("RemainderBackward0", a, b, "floor", python_remainder);
}
Tensor remainder(const Tensor& a, Scalar b) { return remainder(a, as_tensor(b, a)); }
Tensor fmod(const Tensor& a, const Tensor& b) { return remainder_of("FmodBackward0", a, b, "trunc", c_remainder); }
Tensor fmod(const Tensor& a, Scalar b) { return fmod(a, as_tensor(b, a)); }

// y = the angle of (b, a).   VJP:   da = G b / (a^2 + b^2),   db = -G a / (a^2 + b^2).
Tensor atan2(const Tensor& first, const Tensor& second) {
  const auto [a, b] = Operands(first, second, to_floating(result_type(first, second)));
  const Tensor out =
      compute_new(a, b, "atan2", [](auto y, auto x) { return static_cast<decltype(y)>(std::atan2(y, x)); });
  return record("Atan2Backward0", out, {a, b}, {a, b},
                [to_a = BroadcastOf(a), to_b = BroadcastOf(b)](const Backward& c) -> Gradients {
                  const Tensor a = c.saved(0), b = c.saved(1), g = c.grad() / (a * a + b * b);
                  return {c.needs(0) ? to_a.sum(g * b) : Tensor(), c.needs(1) ? to_b.sum(-g * a) : Tensor()};
                });
}

// y = a + w (b - a), computed from the nearer end.   VJP:   da = G (1 - w),   db = G w.
Tensor lerp(const Tensor& a, const Tensor& b, Scalar weight) {
  check(a.dtype() == b.dtype(), "expected dtype {} for `end` but got dtype {}", a.dtype(), b.dtype());
  const double w = weight.toDouble();
  Tensor out;
  {
    const NoGradGuard no_grad;
    const Tensor difference = b - a;
    out = std::abs(w) < 0.5 ? a + difference * w : b - difference * (1 - w);
  }
  return record(
      "LerpBackward0", out, {a, b}, {},
      [w, to_a = BroadcastOf(a), to_b = BroadcastOf(b)](const Backward& c) -> Gradients {
        return {c.needs(0) ? to_a.sum(c.grad() * (1 - w)) : Tensor(), c.needs(1) ? to_b.sum(c.grad() * w) : Tensor()};
      });
}

// The same, elementwise.   VJP:   dw = G (b - a).
Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight) {
  check(a.dtype() == b.dtype(), "expected dtype {} for `end` but got dtype {}", a.dtype(), b.dtype());
  check(a.dtype() == weight.dtype(), "expected dtype {} for `weight` but got dtype {}", a.dtype(), weight.dtype());
  Tensor out;
  {
    const NoGradGuard no_grad;
    const Tensor difference = b - a;
    out = where(weight.abs() < 0.5, a + difference * weight, b - difference * (1 - weight));
  }
  return record(
      "LerpBackward1", out, {a, b, weight},
      {ToSave::input_if(weight.requires_grad(), a), ToSave::input_if(weight.requires_grad(), b),
       ToSave::input_if(a.requires_grad() || b.requires_grad(), weight)},
      [to_a = BroadcastOf(a), to_b = BroadcastOf(b), to_w = BroadcastOf(weight)](const Backward& c) -> Gradients {
        const Tensor& g = c.grad();
        return {c.needs(0) ? to_a.sum(g * (1 - c.saved(2))) : Tensor(),
                c.needs(1) ? to_b.sum(g * c.saved(2)) : Tensor(),
                c.needs(2) ? to_w.sum(g * (c.saved(1) - c.saved(0))) : Tensor()};
      });
}

// x ln y, and 0 where x is 0 (unless y is NaN).   VJP:   dx = G ln y,   dy = G x / y.
Tensor xlogy(const Tensor& x, const Tensor& y) {
  const auto [a, b] = Operands(x, y, to_floating(result_type(x, y)));
  Tensor out;
  {
    const NoGradGuard no_grad;
    out = where(logical_and(a == 0, logical_not(isnan(b))), 0.0, a * log(b));
  }
  return record("XlogyBackward0", out, {a, b}, {a, b},
                [to_a = BroadcastOf(a), to_b = BroadcastOf(b)](const Backward& c) -> Gradients {
                  const Tensor &g = c.grad(), a = c.saved(0), b = c.saved(1);
                  const Tensor zero_factor = logical_and(a == 0, b <= 0);
                  return {c.needs(0) ? to_a.sum(g * where(zero_factor, zeros({}, g.options()), log(b))) : Tensor(),
                          c.needs(1) ? to_b.sum(g * a / b) : Tensor()};
                });
}

// y = x + v a b.   VJP:   dx = G,   da = v G b,   db = v G a.
Tensor addcmul(const Tensor& first, const Tensor& second, const Tensor& third, Scalar number) {
  const auto [x, a, b, value] = ThreeOperands(first, second, third, number, "addcmul_cpu_out");
  Tensor out;
  {
    const NoGradGuard no_grad;
    out = x + (value.equal(1) ? a * b : a * value * b);
  }
  return record("AddcmulBackward0", out, {x, a, b},
                {ToSave::input_if(b.requires_grad(), a), ToSave::input_if(a.requires_grad(), b)},
                [value = value, to_x = BroadcastOf(x), to_a = BroadcastOf(a),
                 to_b = BroadcastOf(b)](const Backward& c) -> Gradients {
                  const Tensor& g = c.grad();
                  return {c.needs(0) ? to_x.sum(g) : Tensor(),
                          c.needs(1) ? to_a.sum(g * (c.saved(1) * value)) : Tensor(),
                          c.needs(2) ? to_b.sum(g * (c.saved(0) * value)) : Tensor()};
                });
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
  Tensor out;
  {
    const NoGradGuard no_grad;
    out = x + (value.equal(1) ? a / b : a * value / b);
  }
  return record("AddcdivBackward0", out, {x, a, b},
                {ToSave::input_if(b.requires_grad(), a), ToSave::input_if(a.requires_grad() || b.requires_grad(), b)},
                [value = value, to_x = BroadcastOf(x), to_a = BroadcastOf(a),
                 to_b = BroadcastOf(b)](const Backward& c) -> Gradients {
                  const Tensor& g = c.grad();
                  const auto of_b = [&] {
                    const Tensor b = c.saved(1);
                    return to_b.sum(-g * (c.saved(0) * value / (b * b)));
                  };
                  return {c.needs(0) ? to_x.sum(g) : Tensor(),
                          c.needs(1) ? to_a.sum(g * (value / c.saved(1))) : Tensor(), c.needs(2) ? of_b() : Tensor()};
                });
}

Tensor Tensor::div(const Tensor& other, std::optional<std::string_view> rounding_mode) const {
  return wengert::div(*this, other, rounding_mode);
}
Tensor Tensor::div(Scalar other, std::optional<std::string_view> rounding_mode) const {
  return wengert::div(*this, other, rounding_mode);
}
Tensor Tensor::floor_divide(const Tensor& other) const { return wengert::floor_divide(*this, other); }
Tensor Tensor::floor_divide(Scalar other) const { return wengert::floor_divide(*this, other); }
Tensor Tensor::remainder(const Tensor& other) const { return wengert::remainder(*this, other); }
Tensor Tensor::remainder(Scalar other) const { return wengert::remainder(*this, other); }
Tensor Tensor::fmod(const Tensor& other) const { return wengert::fmod(*this, other); }
Tensor Tensor::fmod(Scalar other) const { return wengert::fmod(*this, other); }
Tensor Tensor::atan2(const Tensor& other) const { return wengert::atan2(*this, other); }
Tensor Tensor::lerp(const Tensor& end, Scalar weight) const { return wengert::lerp(*this, end, weight); }
Tensor Tensor::lerp(const Tensor& end, const Tensor& weight) const { return wengert::lerp(*this, end, weight); }
Tensor Tensor::xlogy(const Tensor& other) const { return wengert::xlogy(*this, other); }
Tensor Tensor::addcmul(const Tensor& a, const Tensor& b, Scalar value) const {
  return wengert::addcmul(*this, a, b, value);
}
Tensor Tensor::addcdiv(const Tensor& a, const Tensor& b, Scalar value) const {
  return wengert::addcdiv(*this, a, b, value);
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
Tensor& Tensor::div_(const Tensor& other, std::optional<std::string_view> rounding_mode) const {
  return replace(*this, [&](const Tensor& x) { return wengert::div(x, other, rounding_mode); });
}
Tensor& Tensor::div_(Scalar other, std::optional<std::string_view> rounding_mode) const {
  return replace(*this, [&](const Tensor& x) { return wengert::div(x, other, rounding_mode); });
}
Tensor& Tensor::floor_divide_(const Tensor& other) const { return div_(other, "floor"); }
Tensor& Tensor::floor_divide_(Scalar other) const { return div_(other, "floor"); }
Tensor& Tensor::remainder_(const Tensor& other) const {
  return replace(*this, [&](const Tensor& x) { return wengert::remainder(x, other); });
}
Tensor& Tensor::remainder_(Scalar other) const {
  return replace(*this, [&](const Tensor& x) { return wengert::remainder(x, other); });
}
Tensor& Tensor::fmod_(const Tensor& other) const {
  return replace(*this, [&](const Tensor& x) { return wengert::fmod(x, other); });
}
Tensor& Tensor::fmod_(Scalar other) const {
  return replace(*this, [&](const Tensor& x) { return wengert::fmod(x, other); });
}
Tensor& Tensor::atan2_(const Tensor& other) const {
  return replace(*this, [&](const Tensor& x) { return wengert::atan2(x, other); });
}

Tensor operator%(const Tensor& a, const Tensor& b) { return remainder(a, b); }
Tensor operator%(const Tensor& a, Scalar b) { return remainder(a, b); }

}  // namespace wengert
