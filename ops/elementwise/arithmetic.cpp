#include <wengert/autograd/tape/accumulate_grad.h>
#include <wengert/ops/elementwise/arithmetic.h>
#include <wengert/ops/elementwise/functions.h>
#include <wengert/ops/sparse.h>

// Sum, difference, product and quotient, of tensors and of a tensor and a number; G = dL/dc.

namespace wengert {
namespace ops {
namespace {

using kernels::BinaryKernel;

struct Plus : BinaryKernel<kernels::simd::Binary::kAdd> {
  template <class T>
  T operator()(T x, T y) const {
    return static_cast<T>(x + y);
  }
};
struct Minus : BinaryKernel<kernels::simd::Binary::kSubtract> {
  template <class T>
  T operator()(T x, T y) const {
    return static_cast<T>(x - y);
  }
};
struct Times : BinaryKernel<kernels::simd::Binary::kMultiply> {
  template <class T>
  T operator()(T x, T y) const {
    return static_cast<T>(x * y);
  }
};
struct Over : BinaryKernel<kernels::simd::Binary::kDivide> {
  template <class T>
  T operator()(T x, T y) const {
    if constexpr (std::is_floating_point_v<T>) {
      return x / y;
    } else {
      return T(0);  // never run: division is done in floating point
    }
  }
};

// x + factor y.
struct PlusScaled {
  Scalar factor;
  template <class T>
  T operator()(T x, T y) const {
    return static_cast<T>(x + factor.to<T>() * y);
  }
  template <std::floating_point T>
  void run(T* out, const T* x, bool x_moves, const T* y, bool y_moves, int64_t count) const {
    kernels::simd::kernels<T>().add_scaled(out, x, x_moves, y, y_moves, factor.to<T>(), count);
  }
};

// factor x y.
struct TimesScaled {
  Scalar factor;
  template <class T>
  T operator()(T x, T y) const {
    return static_cast<T>(factor.to<T>() * x * y);
  }
  template <std::floating_point T>
  void run(T* out, const T* x, bool x_moves, const T* y, bool y_moves, int64_t count) const {
    kernels::simd::kernels<T>().multiply_scaled(out, x, x_moves, y, y_moves, factor.to<T>(), count);
  }
};

constexpr auto kGradient = [](const Tensor& g, const Tensor&, const Tensor&) { return g; };
struct ScaledGradient {
  Scalar factor;
  Tensor operator()(Tensor g, const Tensor&, const Tensor&) const { return scaled(std::move(g), factor); }
};

// c = a + b.   VJP:   da = G,   db = G.
constexpr auto kAdd = binary_function<Domain::kAny, kOfNone, kOfNone>(
    "AddBackward0", Plus(), kGradient, [](Tensor g, const Tensor&, const Tensor&) { return g; });

// c = a - b.   VJP:   da = G,   db = -G.
constexpr auto kSub = binary_function<Domain::kAny, kOfNone, kOfNone>(
    "SubBackward0", Minus(), kGradient,
    [](Tensor g, const Tensor&, const Tensor&) { return scaled(std::move(g), -1); });

// c = a + factor b.   VJP:   da = G,   db = factor G.
auto scaled_sum(const char* name, Scalar factor) {
  return binary_function<Domain::kAny, kOfNone, kOfNone>(name, PlusScaled{factor}, kGradient, ScaledGradient{factor});
}
auto scaled_add(Scalar alpha) { return scaled_sum("AddBackward0", alpha); }
auto scaled_sub(Scalar alpha) { return scaled_sum("SubBackward0", -alpha); }

// c = a b.   VJP:   da = G b,   db = G a.
constexpr auto kMul = binary_function<Domain::kAny, kOfB, kOfA>(
    "MulBackward0", Times(), [](const Tensor& g, const Tensor&, const Tensor& b) { return g * b; },
    [](const Tensor& g, const Tensor& a, const Tensor&) { return g * a; });

// c = f a b, for a number f.   VJP:   da = f G b,   db = f G a.
auto scaled_product(Scalar factor) {
  return binary_function<Domain::kAny, kOfB, kOfA>(
      "MulBackward0", TimesScaled{factor},
      [factor](const Tensor& g, const Tensor&, const Tensor& b) { return mul_scaled(g, b, factor); },
      [factor](const Tensor& g, const Tensor& a, const Tensor&) { return mul_scaled(g, a, factor); });
}

// c = a / b.   VJP:   da = G / b,   db = -G (a / b) / b.
constexpr auto kDiv = binary_function<Domain::kReal, kOfB, kOfBoth>(
    "DivBackward0", Over(), [](const Tensor& g, const Tensor&, const Tensor& b) { return g / b; },
    one_pass([](const auto& g, const auto& a, const auto& b) { return -g * (a / b / b); }));

// A function of two elements with a number in the place of the second.
template <class F, class T>
struct WithNumber {
  F f;
  T number;
  T operator()(T x) const { return f(x, number); }
  void run(T* out, const T* x, int64_t count) const {
    if constexpr (kernels::has_run<F, T, T, T>) {
      f.run(out, x, true, &number, false, count);
    } else {
      kernels::do_plain_loop<1, 0>(out, count, f, x, &number);
    }
  }
};

// out = f(a, number), elements and number in a's dtype.
template <class F>
void compute(const Tensor& out, const Tensor& a, Scalar number, const F& f) {
  dispatch(a.dtype(), [&]<class T>() { apply<T, T>(out, a, WithNumber<F, T>{f, number.to<T>()}); });
}

template <class F>
Tensor compute_new(const Tensor& a, Scalar number, const F& f) {
  Tensor out = empty_as(a, a.dtype());
  compute(out, a, number, f);
  return out;
}

// self <- f(self, number), where that is of a dtype which self can hold.
template <class F>
void compute_in_place(const Tensor& self, Scalar number, const F& f, ScalarType dtype) {
  check_can_cast(dtype, self.dtype());
  check_writable(self);
  compute(self, self, number, f);
}

// The gradient of c = s a + r, for numbers s and r:   da = s G.
auto linear(Scalar slope) {
  return [slope](const Backward& c) -> Tensor { return scaled(c.take_grad(), slope); };
}
// The gradient of c = a / r:   da = G / r.
auto divided_by(Scalar divisor) {
  return [divisor](const Backward& c) -> Tensor { return c.grad() / divisor; };
}

void check_alpha(ScalarType dtype, Scalar alpha) {
  check(dtype == kBool || !alpha.isBoolean(), "Boolean alpha only supported for Boolean results.");
  check(isFloatingType(dtype) || alpha.isIntegral(true),
        "For integral input tensors, argument alpha must not be a floating point number.");
}

void check_not_bool(ScalarType a, ScalarType b) {
  check(a != kBool || b != kBool,
        "Subtraction, the `-` operator, with two bool tensors is not supported. Use the `^` or `logical_xor()` "
        "operator instead.");
  check(a != kBool && b != kBool,
        "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, use "
        "the `~` or `logical_not()` operator instead.");
}

Scalar product(Scalar a, Scalar b) {
  if (a.isFloatingPoint() || b.isFloatingPoint()) return a.toDouble() * b.toDouble();
  return a.toLong() * b.toLong();
}

// A quotient by a number is real.
ScalarType quotient_type(const Tensor& a, Scalar b) { return to_floating(result_type(a, b)); }

}  // namespace

Tensor mul_scaled(const Tensor& a, const Tensor& b, Scalar factor) { return binary(scaled_product(factor), a, b); }

Tensor scaled_difference(const Tensor& g, const Tensor& x, const Tensor& t, Scalar factor) {
  const bool one_pass = !GradMode::is_enabled() && g.dim() == 0 && isFloatingType(g.dtype()) &&
                        g.dtype() == x.dtype() && x.dtype() == t.dtype() && x.sizes() == t.sizes() &&
                        x.is_contiguous() && t.is_contiguous();
  if (!one_pass) return mul_scaled(g, x - t, factor);
  Tensor out = empty(x.sizes(), x.dtype());
  dispatch_floating(out.dtype(), "sub", [&]<class T>() {
    kernels::for_each_run<4>(
        {out.numel(), {1, 1, 1, 0}}, {elements<T>(out), elements<T>(x), elements<T>(t), elements<T>(g)},
        [factor = factor.to<T>()](char* const* at, int64_t count) {
          kernels::simd::kernels<T>().scale_difference(reinterpret_cast<T*>(at[0]), reinterpret_cast<const T*>(at[1]),
                                                       true, reinterpret_cast<const T*>(at[2]), true,
                                                       factor * *reinterpret_cast<const T*>(at[3]), count);
        });
  });
  return out;
}

Tensor scaled(Tensor g, Scalar factor) {
  if (factor.equal(1)) return g;
  if (GradMode::is_enabled() || !autograd::owned_alone(g)) return g * factor;
  compute(g, g, factor, Times());  // nobody has seen it: no new version
  return g;
}

}  // namespace ops

using namespace ops;

void autograd::add_elements(const Tensor& to, const Tensor& from) {
  compute_binary<Domain::kAny>("add", to, to, from, Plus());
  to.impl()->storage->bump_version();
}

Tensor add(const Tensor& a, const Tensor& b, Scalar alpha) {
  if (a.is_sparse() || b.is_sparse()) return add_sparse(a, b, alpha);
  check_alpha(result_type(a, b), alpha);
  return alpha.equal(1) ? binary(kAdd, a, b) : binary(scaled_add(alpha), a, b);
}
Tensor& add_out(Tensor& out, const Tensor& a, const Tensor& b, Scalar alpha) {
  if (a.is_sparse() || b.is_sparse()) return write_out("add", out, {a, b}, [&] { return add(a, b, alpha); });
  check_alpha(result_type(a, b), alpha);
  return alpha.equal(1) ? binary_out<Domain::kAny>("add", Plus(), out, a, b)
                        : binary_out<Domain::kAny>("add", scaled_add(alpha).forward, out, a, b);
}
Tensor& Tensor::add_(const Tensor& other, Scalar alpha) const {
  if (is_sparse() || other.is_sparse()) {
    autograd::begin_in_place(*this, {*this});
    add_sparse_in_place(*this, other, alpha);
    return autograd::end_in_place(*this);
  }
  check_alpha(result_type(*this, other), alpha);
  return alpha.equal(1) ? binary_in_place(kAdd, *this, other) : binary_in_place(scaled_add(alpha), *this, other);
}

// c = a + alpha number.   VJP:   da = G.
Tensor add(const Tensor& input, Scalar b, Scalar alpha) {
  const Tensor a = input.to(result_type(input, b));
  check_alpha(a.dtype(), alpha);
  return record("AddBackward1", compute_new(a, product(b, alpha), Plus()), {a}, saving(), linear(1));
}
Tensor& Tensor::add_(Scalar other, Scalar alpha) const {
  const ScalarType dtype = result_type(*this, other);
  check_alpha(dtype, alpha);
  return record_in_place(
      "AddBackward1", *this, {*this}, saving(), [&] { compute_in_place(*this, product(other, alpha), Plus(), dtype); },
      linear(1));
}

Tensor sub(const Tensor& a, const Tensor& b, Scalar alpha) {
  check_not_bool(a.dtype(), b.dtype());
  check_alpha(result_type(a, b), alpha);
  return alpha.equal(1) ? binary(kSub, a, b) : binary(scaled_sub(alpha), a, b);
}
Tensor& sub_out(Tensor& out, const Tensor& a, const Tensor& b, Scalar alpha) {
  check_not_bool(a.dtype(), b.dtype());
  check_alpha(result_type(a, b), alpha);
  return alpha.equal(1) ? binary_out<Domain::kAny>("sub", Minus(), out, a, b)
                        : binary_out<Domain::kAny>("sub", scaled_sub(alpha).forward, out, a, b);
}
Tensor& Tensor::sub_(const Tensor& other, Scalar alpha) const {
  check_not_bool(dtype(), other.dtype());
  check_alpha(result_type(*this, other), alpha);
  return alpha.equal(1) ? binary_in_place(kSub, *this, other) : binary_in_place(scaled_sub(alpha), *this, other);
}

// c = a - alpha number.   VJP:   da = G.
Tensor sub(const Tensor& input, Scalar b, Scalar alpha) {
  check_not_bool(input.dtype(), b.type());
  const Tensor a = input.to(result_type(input, b));
  check_alpha(a.dtype(), alpha);
  return record("SubBackward1", compute_new(a, product(b, alpha), Minus()), {a}, saving(), linear(1));
}
Tensor& Tensor::sub_(Scalar other, Scalar alpha) const {
  const ScalarType dtype = result_type(*this, other);
  check_not_bool(this->dtype(), other.type());
  check_alpha(dtype, alpha);
  return record_in_place(
      "SubBackward1", *this, {*this}, saving(), [&] { compute_in_place(*this, product(other, alpha), Minus(), dtype); },
      linear(1));
}

Tensor rsub(const Tensor& a, const Tensor& b, Scalar alpha) { return sub(b, a, alpha); }
// c = number - alpha a.   VJP:   da = -alpha G.
Tensor rsub(const Tensor& input, Scalar b, Scalar alpha) {
  check_not_bool(input.dtype(), b.type());
  const Tensor a = input.to(result_type(input, b));
  check_alpha(a.dtype(), alpha);
  Tensor out =
      compute_new(a, b, [alpha](auto x, auto y) { return static_cast<decltype(x)>(y - alpha.to<decltype(x)>() * x); });
  return record("RsubBackward1", std::move(out), {a}, saving(), linear(-alpha));
}

Tensor mul(const Tensor& a, const Tensor& b) { return binary(kMul, a, b); }
Tensor& mul_out(Tensor& out, const Tensor& a, const Tensor& b) {
  return binary_out<Domain::kAny>("mul", kMul.forward, out, a, b);
}
Tensor& Tensor::mul_(const Tensor& other) const { return binary_in_place(kMul, *this, other); }

// c = number a.   VJP:   da = number G.
Tensor mul(const Tensor& a, Scalar b) {
  if (a.is_sparse()) return scale_sparse(a, b);
  if (const ScalarType dtype = result_type(a, b); dtype != a.dtype()) return mul(a.to(dtype), b);
  return record("MulBackward1", compute_new(a, b, Times()), {a}, saving(), linear(b));
}
Tensor& Tensor::mul_(Scalar other) const {
  if (is_sparse()) {
    assign_sparse(*this, scale_sparse(*this, other));
    return autograd::end_in_place(*this);
  }
  return record_in_place(
      "MulBackward1", *this, {*this}, saving(),
      [&] { compute_in_place(*this, other, Times(), result_type(*this, other)); }, linear(other));
}

Tensor div(const Tensor& a, const Tensor& b) { return binary(kDiv, a, b); }
Tensor& div_out(Tensor& out, const Tensor& a, const Tensor& b) {
  return binary_out<Domain::kReal>("div", kDiv.forward, out, a, b);
}
Tensor& Tensor::div_(const Tensor& other) const { return binary_in_place(kDiv, *this, other); }

// c = a / number.   VJP:   da = G / number.
Tensor div(const Tensor& a, Scalar b) {
  if (!a.is_floating_point()) return div(a.to(quotient_type(a, b)), b);
  return record("DivBackward1", compute_new(a, b, Over()), {a}, saving(), divided_by(b));
}
Tensor& Tensor::div_(Scalar other) const {
  return record_in_place(
      "DivBackward1", *this, {*this}, saving(),
      [&] { compute_in_place(*this, other, Over(), quotient_type(*this, other)); }, divided_by(other));
}

Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
Tensor operator+(const Tensor& a, Scalar b) { return add(a, b); }
Tensor operator+(Scalar a, const Tensor& b) { return add(b, a); }
Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
Tensor operator-(const Tensor& a, Scalar b) { return sub(a, b); }
Tensor operator-(Scalar a, const Tensor& b) { return rsub(b, a); }
Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
Tensor operator*(const Tensor& a, Scalar b) { return mul(a, b); }
Tensor operator*(Scalar a, const Tensor& b) { return mul(b, a); }
Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
Tensor operator/(const Tensor& a, Scalar b) { return div(a, b); }
Tensor operator/(Scalar a, const Tensor& b) { return mul(reciprocal(b), a); }

}  // namespace wengert
