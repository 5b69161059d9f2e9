#include <wengert/ops/elementwise/functions.h>

#include <cmath>

namespace wengert {
namespace ops {
namespace {

template <class F>
Tensor compare(const Tensor& first, const Tensor& second, const F& f) {
  const NoGradGuard no_grad;
  const Operands operands(first, second);
  Tensor out = empty_result(operands.a, operands.b, kBool);
  dispatch(operands.a.dtype(), [&]<class T>() { apply<bool, T, T>(out, operands.a, operands.b, f); });
  return out;
}

template <class F>
Tensor compare(const Tensor& first, Scalar number, const F& f) {
  const NoGradGuard no_grad;
  const Tensor a = first.to(result_type(first, number));
  Tensor out = empty_as(a, kBool);
  dispatch(a.dtype(), [&]<class T>() { apply<bool, T>(out, a, [f, y = number.to<T>()](T x) { return f(x, y); }); });
  return out;
}

constexpr auto equal_to = [](auto x, auto y) { return x == y; };
constexpr auto not_equal_to = [](auto x, auto y) { return x != y; };
constexpr auto less = [](auto x, auto y) { return x < y; };
constexpr auto less_equal = [](auto x, auto y) { return x <= y; };
constexpr auto greater = [](auto x, auto y) { return x > y; };
constexpr auto greater_equal = [](auto x, auto y) { return x >= y; };

bool all_true(const Tensor& condition) {
  const Tensor flat = condition.contiguous();
  const bool* data = flat.data_ptr<bool>();
  return std::all_of(data, data + flat.numel(), [](bool holds) { return holds; });
}

// Whether condition(a, b), which gives bools, holds for all elements; for large tensors part by part.
template <class Condition>
bool holds_everywhere(const Tensor& a, const Tensor& b, const Condition& condition) {
  constexpr int64_t kPart = 1 << 18;  // elements
  if (a.numel() <= kPart || a.sizes() != b.sizes() || !a.is_contiguous() || !b.is_contiguous())
    return all_true(condition(a, b));
  const NoGradGuard no_grad;
  const Tensor x = a.view(-1), y = b.view(-1);
  for (int64_t i = 0; i < x.numel(); i += kPart) {
    const int64_t size = std::min(kPart, x.numel() - i);
    if (!all_true(condition(x.narrow(0, i, size), y.narrow(0, i, size)))) return false;
  }
  return true;
}

template <class T>
bool is_close(T a, T b, double rtol, double atol, bool equal_nan) {
  if (a == b) return true;
  if constexpr (std::is_floating_point_v<T>) {
    if (std::isnan(a) && std::isnan(b)) return equal_nan;
  }
  const double difference = std::abs(static_cast<double>(a) - static_cast<double>(b));
  return std::isfinite(difference) && difference <= atol + rtol * std::abs(static_cast<double>(b));
}

}  // namespace
}  // namespace ops

using namespace ops;

Tensor eq(const Tensor& a, const Tensor& b) { return unrecorded("eq", compare(a, b, equal_to)); }
Tensor eq(const Tensor& a, Scalar b) { return unrecorded("eq", compare(a, b, equal_to)); }
Tensor ne(const Tensor& a, const Tensor& b) { return unrecorded("ne", compare(a, b, not_equal_to)); }
Tensor ne(const Tensor& a, Scalar b) { return unrecorded("ne", compare(a, b, not_equal_to)); }
Tensor lt(const Tensor& a, const Tensor& b) { return unrecorded("lt", compare(a, b, less)); }
Tensor lt(const Tensor& a, Scalar b) { return unrecorded("lt", compare(a, b, less)); }
Tensor le(const Tensor& a, const Tensor& b) { return unrecorded("le", compare(a, b, less_equal)); }
Tensor le(const Tensor& a, Scalar b) { return unrecorded("le", compare(a, b, less_equal)); }
Tensor gt(const Tensor& a, const Tensor& b) { return unrecorded("gt", compare(a, b, greater)); }
Tensor gt(const Tensor& a, Scalar b) { return unrecorded("gt", compare(a, b, greater)); }
Tensor ge(const Tensor& a, const Tensor& b) { return unrecorded("ge", compare(a, b, greater_equal)); }
Tensor ge(const Tensor& a, Scalar b) { return unrecorded("ge", compare(a, b, greater_equal)); }

Tensor isfinite(const Tensor& x) {
  Tensor out = empty_as(x, kBool);
  dispatch(x.dtype(), [&]<class T>() {
    apply<bool, T>(out, x, [](T v) {
      if constexpr (std::is_floating_point_v<T>) return std::isfinite(v);
      return true;
    });
  });
  return unrecorded("isfinite", out);
}

bool equal(const Tensor& a, const Tensor& b) {
  return a.sizes() == b.sizes() && holds_everywhere(a, b, [](const Tensor& x, const Tensor& y) { return eq(x, y); });
}

Tensor isclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  check(a.dtype() == b.dtype(), "{} did not match {}", a.dtype(), b.dtype());
  check(rtol >= 0, "rtol must be greater than or equal to zero, but got {}", rtol);
  check(atol >= 0, "atol must be greater than or equal to zero, but got {}", atol);
  return unrecorded("isclose", compare(a, b, [=](auto x, auto y) { return is_close(x, y, rtol, atol, equal_nan); }));
}

bool allclose(const Tensor& a, const Tensor& b, double rtol, double atol, bool equal_nan) {
  return holds_everywhere(a, b, [=](const Tensor& x, const Tensor& y) { return isclose(x, y, rtol, atol, equal_nan); });
}

Tensor operator==(const Tensor& a, const Tensor& b) { return eq(a, b); }
Tensor operator==(const Tensor& a, Scalar b) { return eq(a, b); }
Tensor operator!=(const Tensor& a, const Tensor& b) { return ne(a, b); }
Tensor operator!=(const Tensor& a, Scalar b) { return ne(a, b); }
Tensor operator<(const Tensor& a, const Tensor& b) { return lt(a, b); }
Tensor operator<(const Tensor& a, Scalar b) { return lt(a, b); }
Tensor operator<=(const Tensor& a, const Tensor& b) { return le(a, b); }
Tensor operator<=(const Tensor& a, Scalar b) { return le(a, b); }
Tensor operator>(const Tensor& a, const Tensor& b) { return gt(a, b); }
Tensor operator>(const Tensor& a, Scalar b) { return gt(a, b); }
Tensor operator>=(const Tensor& a, const Tensor& b) { return ge(a, b); }
Tensor operator>=(const Tensor& a, Scalar b) { return ge(a, b); }

}  // namespace wengert
