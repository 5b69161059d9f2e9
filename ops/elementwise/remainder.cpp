#include <wengert/ops/elementwise/functions.h>
#include <wengert/ops/elementwise/in_place.h>

#include <cmath>

// Functions of two tensors beyond sum, product and power: division with rounding, remainders, angles; G = dL/dy.

namespace wengert {
namespace ops {
namespace {

void check_no_zero(const Tensor& dividend, const Tensor& divisor) {
  if (dividend.numel() == 0) return;
  const bool whole = isIntegralType(result_type(dividend, divisor), true);
  check(!whole || all(divisor != 0).item<bool>(), "ZeroDivisionError");
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
constexpr auto remainder_function(const char* name, const char* rounding, F f) {
  return binary_function<Domain::kNumber, kOfNone, kOfBoth>(
      name, f, [](const Tensor& g, const Tensor&, const Tensor&) { return g; },
      [rounding](const Tensor& g, const Tensor& a, const Tensor& b) { return -g * div(a, b, rounding); });
}
constexpr auto kRemainder = remainder_function("RemainderBackward0", "floor", python_remainder);
constexpr auto kFmod = remainder_function("FmodBackward0", "trunc", c_remainder);

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
  const Tensor out = down ? compute_new<Domain::kNumber>("div_floor", a, b, floor_quotient)
                          : compute_new<Domain::kNumber>("div_trunc", a, b, trunc_quotient);
  return record<Broadcast<2>>("DivBackward2", out, {a, b}, saving(), kZeroGradient, kZeroGradient);
}
Tensor div(const Tensor& a, Scalar b, std::optional<std::string_view> rounding_mode) {
  return rounding_mode ? div(a, as_tensor(b, a), rounding_mode) : div(a, b);
}
Tensor floor_divide(const Tensor& a, const Tensor& b) { return div(a, b, "floor"); }
Tensor floor_divide(const Tensor& a, Scalar b) { return div(a, b, "floor"); }

Tensor remainder(const Tensor& a, const Tensor& b) {
  check_no_zero(a, b);
  return binary(kRemainder, a, b);
}
Tensor remainder(const Tensor& a, Scalar b) { return remainder(a, as_tensor(b, a)); }
Tensor fmod(const Tensor& a, const Tensor& b) {
  check_no_zero(a, b);
  return binary(kFmod, a, b);
}
Tensor fmod(const Tensor& a, Scalar b) { return fmod(a, as_tensor(b, a)); }

// y = the angle of (b, a).   VJP:   da = G b / (a^2 + b^2),   db = -G a / (a^2 + b^2).
Tensor atan2(const Tensor& first, const Tensor& second) {
  const auto [a, b] = Operands(first, second, computed_type<Domain::kReal>(first, second));
  const Tensor out = compute_new<Domain::kReal>("atan2", a, b, [](auto y, auto x) { return std::atan2(y, x); });
  return record<Broadcast<2>>("Atan2Backward0", out, {a, b}, saving(a, b), [](const Backward& c) -> Gradients {
    const Tensor a = c.saved(0), b = c.saved(1), g = c.grad() / (a * a + b * b);
    return {c.needs(0) ? g * b : Tensor(), c.needs(1) ? -g * a : Tensor()};
  });
}

// y = x ln y, and 0 where x is 0 (unless y is NaN).   VJP:   dx = G ln y,   dy = G x / y.
constexpr auto kXlogy = binary_function<Domain::kReal, kOfBoth, kOfBoth>(
    "XlogyBackward0", [](auto x, auto y) { return x == 0 && !std::isnan(y) ? decltype(x)(0) : x * std::log(y); },
    [](const Tensor& g, const Tensor& x, const Tensor& y) {
      return g * where(logical_and(x == 0, y <= 0), zeros({}, g.options()), log(y));
    },
    [](const Tensor& g, const Tensor& x, const Tensor& y) { return g * x / y; });
Tensor xlogy(const Tensor& x, const Tensor& y) { return binary(kXlogy, x, y); }

Tensor& Tensor::div_(const Tensor& other, std::optional<std::string_view> rounding_mode) const {
  return replace(*this, [&](const Tensor& x) { return wengert::div(x, other, rounding_mode); });
}
Tensor& Tensor::div_(Scalar other, std::optional<std::string_view> rounding_mode) const {
  return replace(*this, [&](const Tensor& x) { return wengert::div(x, other, rounding_mode); });
}
Tensor& Tensor::floor_divide_(const Tensor& other) const { return div_(other, "floor"); }
Tensor& Tensor::floor_divide_(Scalar other) const { return div_(other, "floor"); }
Tensor& Tensor::remainder_(const Tensor& other) const {
  check_no_zero(*this, other);
  return binary_in_place(kRemainder, *this, other);
}
Tensor& Tensor::remainder_(Scalar other) const { return remainder_(as_tensor(other, *this)); }
Tensor& Tensor::fmod_(const Tensor& other) const {
  check_no_zero(*this, other);
  return binary_in_place(kFmod, *this, other);
}
Tensor& Tensor::fmod_(Scalar other) const { return fmod_(as_tensor(other, *this)); }
Tensor& Tensor::atan2_(const Tensor& other) const {
  return replace(*this, [&](const Tensor& x) { return wengert::atan2(x, other); });
}

Tensor operator%(const Tensor& a, const Tensor& b) { return remainder(a, b); }
Tensor operator%(const Tensor& a, Scalar b) { return remainder(a, b); }

}  // namespace wengert
