#include <wengert/ops/elementwise/functions.h>

#include <cmath>

// Truth values and bits; none has a gradient.

namespace wengert {
namespace ops {
namespace {

// Anything but 0 is true.
template <class F>
Tensor logical(const Tensor& a, const Tensor& b, F f) {
  const NoGradGuard no_grad;
  const Operands operands(a, b, kBool);
  Tensor out = empty_result(a, b, kBool);
  apply<bool, bool, bool>(out, operands.a, operands.b, f);
  return out;
}

template <class F>
Tensor bitwise(const char* name, const Tensor& first, const Tensor& second, F f) {
  const ScalarType dtype = result_type(first, second);
  check(isIntegralType(dtype, true), "\"{}\" not implemented for '{}'", name, dtype);
  const auto [a, b] = Operands(first, second, dtype);
  Tensor out = empty_result(a, b, dtype);
  if (dtype == kBool) {
    apply<bool, bool, bool>(out, a, b, [f](bool x, bool y) { return static_cast<bool>(f(x, y)); });
  } else {
    apply<int64_t, int64_t, int64_t>(out, a, b, [f](int64_t x, int64_t y) -> int64_t { return f(x, y); });
  }
  return out;
}

template <class F>
Tensor classify(const Tensor& x, F f) {
  Tensor out = empty_as(x, kBool);
  dispatch(x.dtype(), [&]<class T>() {
    apply<bool, T>(out, x, [=](T v) {
      if constexpr (std::is_floating_point_v<T>) {
        return f(v);
      } else {
        return false;
      }
    });
  });
  return out;
}

}  // namespace
}  // namespace ops

using namespace ops;

Tensor logical_and(const Tensor& a, const Tensor& b) {
  return unrecorded("logical_and", logical(a, b, [](bool x, bool y) { return x && y; }));
}
Tensor logical_or(const Tensor& a, const Tensor& b) {
  return unrecorded("logical_or", logical(a, b, [](bool x, bool y) { return x || y; }));
}
Tensor logical_xor(const Tensor& a, const Tensor& b) {
  return unrecorded("logical_xor", logical(a, b, [](bool x, bool y) { return x != y; }));
}
Tensor logical_not(const Tensor& x) {
  Tensor out = empty_as(x, kBool);
  if (x.dtype() == kBool) {
    apply<uint8_t, uint8_t>(out, x, [](uint8_t v) { return static_cast<uint8_t>(v ^ 1); });  // a bool is a byte, 0 or 1
  } else {
    dispatch(x.dtype(), [&]<class T>() { apply<bool, T>(out, x, [](T v) { return v == T(0); }); });
  }
  return unrecorded("logical_not", out);
}

Tensor bitwise_and(const Tensor& a, const Tensor& b) {
  return unrecorded("bitwise_and", bitwise("bitwise_and", a, b, [](auto x, auto y) { return x & y; }));
}
Tensor bitwise_or(const Tensor& a, const Tensor& b) {
  return unrecorded("bitwise_or", bitwise("bitwise_or", a, b, [](auto x, auto y) { return x | y; }));
}
Tensor bitwise_xor(const Tensor& a, const Tensor& b) {
  return unrecorded("bitwise_xor", bitwise("bitwise_xor", a, b, [](auto x, auto y) { return x ^ y; }));
}
Tensor bitwise_not(const Tensor& x) {
  if (x.dtype() == kBool) return logical_not(x);
  return bitwise_xor(x, full({}, -1, kLong));
}

Tensor isnan(const Tensor& x) {
  return unrecorded("isnan", classify(x, [](auto v) { return std::isnan(v); }));
}
Tensor isinf(const Tensor& x) {
  return unrecorded("isinf", classify(x, [](auto v) { return std::isinf(v); }));
}

Tensor operator&(const Tensor& a, const Tensor& b) { return bitwise_and(a, b); }
Tensor operator|(const Tensor& a, const Tensor& b) { return bitwise_or(a, b); }
Tensor operator^(const Tensor& a, const Tensor& b) { return bitwise_xor(a, b); }

}  // namespace wengert
