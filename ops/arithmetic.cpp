#include <wengert/autograd/accumulate_grad.h>
#include <wengert/ops/arithmetic.h>
#include <wengert/ops/elementwise.h>
#include <wengert/ops/formula.h>
#include <wengert/ops/sparse.h>

// Sum, difference, product and quotient, of tensors and of a tensor and a number.
//
// Where an operand was broadcast, its gradient is the sum over all places where it was used: sum_to_size.

namespace wengert {
namespace ops {
namespace {

// out = f(a, b), elements computed in `dtype`.
template <class F>
void compute(const Tensor& out, const Tensor& a, const Tensor& b, ScalarType dtype, const F& f) {
  dispatch(dtype, [&]<class T>() { apply<T, T, T>(out, a, b, f); });
}

template <class F>
Tensor compute_new(const Tensor& a, const Tensor& b, const F& f) {
  Tensor out =
      a.sizes() == b.sizes() ? empty(a.sizes(), a.dtype()) : empty(broadcast_shapes(a.sizes(), b.sizes()), a.dtype());
  compute(out, a, b, a.dtype(), f);
  return out;
}

// A function of two elements with a number in the place of the second.
template <class F, class T>
struct WithNumber {
  F f;
  T number;
  T operator()(T x) const { return f(x, number); }
  void run(T* out, const T* x, int64_t count) const {
    if constexpr (kernels::has_simd_kernel<F, T>) {
      kernels::simd::kernels<T>().binary(F::kSimd, out, x, true, &number, false, count);
    } else {
      for (int64_t i = 0; i < count; ++i) out[i] = f(x[i], number);
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
  Tensor out = empty(a.sizes(), a.dtype());
  compute(out, a, number, f);
  return out;
}

// self <- f(self, other), computed in the dtype that both promote to (at least `least`), and cast back.
template <class F>
void compute_in_place(const Tensor& self, const Tensor& other, const F& f, ScalarType least = kBool) {
  const ScalarType dtype = promoteTypes(result_type(self, other), least);
  check_can_cast(dtype, self.dtype());
  check_writable(self, other);
  if (self.dtype() == dtype && other.dtype() == dtype) return compute(self, self, other, dtype, f);
  const NoGradGuard no_grad;
  const Tensor b = other.to(dtype);
  if (self.dtype() == dtype) return compute(self, self, b, dtype, f);
  const Tensor result = self.to(dtype);
  compute(result, result, b, dtype, f);
  dispatch(self.dtype(), [&]<class To>() {
    dispatch(dtype, [&]<class From>() { apply<To, From>(self, result, [](From v) { return static_cast<To>(v); }); });
  });
}

template <class F>
void compute_in_place(const Tensor& self, Scalar number, const F& f, ScalarType least = kBool) {
  const ScalarType dtype = promoteTypes(result_type(self, number), least);
  check_can_cast(dtype, self.dtype());
  check_writable(self);
  compute(self, self, number, f);
}

struct Plus {
  static constexpr auto kSimd = kernels::simd::Binary::kAdd;
  template <class T>
  T operator()(T x, T y) const {
    return static_cast<T>(x + y);
  }
};
struct Minus {
  static constexpr auto kSimd = kernels::simd::Binary::kSubtract;
  template <class T>
  T operator()(T x, T y) const {
    return static_cast<T>(x - y);
  }
};
struct Times {
  static constexpr auto kSimd = kernels::simd::Binary::kMultiply;
  template <class T>
  T operator()(T x, T y) const {
    return static_cast<T>(x * y);
  }
};
struct OverReal {
  static constexpr auto kSimd = kernels::simd::Binary::kDivide;
  template <class T>
  T operator()(T x, T y) const {
    if constexpr (std::is_floating_point_v<T>) {
      return x / y;
    } else {
      return T(0);  // never run: division is done in floating point
    }
  }
};
constexpr Plus plus;
constexpr Minus minus;
constexpr Times times;
constexpr OverReal over_real;

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

// c = a + alpha b.   VJP, for G = dL/dc:   da = G,   db = alpha G.
class AddBackward final : public Node {
 public:
  AddBackward(const Tensor& a, const Tensor& b, Scalar alpha, const char* name)
      : a_(a), b_(b), alpha_(alpha), name_(name) {}
  Gradients apply(Gradients grads) override {
    Tensor da = needs_grad(0) ? a_.sum(grads[0]) : Tensor();
    Tensor db = needs_grad(1) ? b_.sum(scaled(std::move(grads[0]), alpha_)) : Tensor();
    return Gradients::of(std::move(da), std::move(db));
  }
  std::string name() const override { return name_; }

 private:
  BroadcastOf a_, b_;
  Scalar alpha_;
  const char* name_;  // a difference is a sum with -alpha
};

// c = s a + r, for numbers s and r.   VJP:   da = s G.
class LinearBackward final : public Node {
 public:
  LinearBackward(Scalar slope, const char* name) : slope_(slope), name_(name) {}
  Gradients apply(Gradients grads) override { return Gradients::of(scaled(std::move(grads[0]), slope_)); }
  std::string name() const override { return name_; }

 private:
  Scalar slope_;
  const char* name_;
};

// c = f a b, for a number f.   VJP:   da = f G b,   db = f G a.
class MulBackward final : public Node {
 public:
  MulBackward(const Tensor& a, const Tensor& b, Scalar factor = 1) : a_shape_(a), b_shape_(b), factor_(factor) {
    if (b.requires_grad()) a_ = a;
    if (a.requires_grad()) b_ = b;
  }
  Gradients apply(Gradients grads) override {
    const auto times = [this, &g = grads[0]](const Tensor& x) {
      return factor_.equal(1) ? g * x : mul_scaled(g, x, factor_);
    };
    return Gradients::of(needs_grad(0) ? a_shape_.sum(times(b_.unpack())) : Tensor(),
                         needs_grad(1) ? b_shape_.sum(times(a_.unpack())) : Tensor());
  }
  std::string name() const override { return "MulBackward0"; }
  void release_variables() override {
    a_.release();
    b_.release();
  }

 private:
  BroadcastOf a_shape_, b_shape_;
  Scalar factor_;
  SavedTensor a_, b_;
};

// c = a / b.   VJP:   da = G / b,   db = -G (a / b) / b.
class DivBackward final : public Node {
 public:
  DivBackward(const Tensor& a, const Tensor& b) : a_shape_(a), b_shape_(b), b_(b) {
    if (b.requires_grad()) a_ = a;
  }
  Gradients apply(Gradients grads) override {
    const Tensor& g = grads[0];
    const Tensor b = b_.unpack();
    return {needs_grad(0) ? a_shape_.sum(g / b) : Tensor(),
            needs_grad(1) ? b_shape_.sum(-g * (a_.unpack() / b / b)) : Tensor()};
  }
  std::string name() const override { return "DivBackward0"; }
  void release_variables() override {
    a_.release();
    b_.release();
  }

 private:
  BroadcastOf a_shape_, b_shape_;
  SavedTensor a_, b_;
};

// c = a / r, for a number r.   VJP:   da = G / r.
class DivByNumberBackward final : public Node {
 public:
  explicit DivByNumberBackward(Scalar divisor) : divisor_(divisor) {}
  Gradients apply(Gradients grads) override { return {grads[0] / divisor_}; }
  std::string name() const override { return "DivBackward1"; }

 private:
  Scalar divisor_;
};

// a + alpha b, or with -alpha a - alpha b, for operands of one dtype.
Tensor add_or_subtract(const Tensor& a, const Tensor& b, Scalar alpha, bool subtract) {
  Tensor out;
  if (alpha.equal(1)) {
    out = subtract ? compute_new(a, b, minus) : compute_new(a, b, plus);
  } else {
    const Scalar factor = subtract ? -alpha : alpha;
    out = compute_new(a, b, PlusScaled{factor});
  }
  return autograd::record<AddBackward>(std::move(out), {a, b}, a, b, subtract ? -alpha : alpha,
                                       subtract ? "SubBackward0" : "AddBackward0");
}

Tensor& add_or_subtract_in_place(const Tensor& self, const Tensor& other, Scalar alpha, bool subtract) {
  const Scalar factor = subtract ? -alpha : alpha;
  auto node = autograd::begin_in_place<AddBackward>(self, {self, other}, self, other, factor,
                                                    subtract ? "SubBackward0" : "AddBackward0");
  if (alpha.equal(1)) {
    subtract ? compute_in_place(self, other, minus) : compute_in_place(self, other, plus);
  } else {
    compute_in_place(self, other, PlusScaled{factor});
  }
  return autograd::end_in_place(self, node);
}

// An operand's original for a Node that saves it, when the operand is about to be overwritten.
Tensor before_change(const Tensor& self, bool saved) { return saved && GradMode::is_enabled() ? self.clone() : self; }

Scalar product(Scalar a, Scalar b) {
  if (a.isFloatingPoint() || b.isFloatingPoint()) return a.toDouble() * b.toDouble();
  return a.toLong() * b.toLong();
}

}  // namespace

Tensor mul_scaled(const Tensor& a, const Tensor& b, Scalar factor) {
  return autograd::record<MulBackward>(compute_new(a, b, TimesScaled{factor}), {a, b}, a, b, factor);
}

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
  compute(g, g, factor, times);  // nobody has seen it: no new version
  return g;
}

}  // namespace ops

using namespace ops;

void autograd::add_elements(const Tensor& to, const Tensor& from) {
  compute(to, to, from, to.dtype(), plus);
  to.impl()->storage->bump_version();
}

Tensor add(const Tensor& a, const Tensor& b, Scalar alpha) {
  if (a.is_sparse() || b.is_sparse()) return add_sparse(a, b, alpha);
  const ScalarType dtype = result_type(a, b);
  check_alpha(dtype, alpha);
  if (a.dtype() != b.dtype()) return add(a.to(dtype), b.to(dtype), alpha);
  return add_or_subtract(a, b, alpha, false);
}

Tensor add(const Tensor& input, Scalar b, Scalar alpha) {
  const Tensor a = input.to(result_type(input, b));
  check_alpha(a.dtype(), alpha);
  return autograd::record<LinearBackward>(compute_new(a, product(b, alpha), plus), {a}, 1, "AddBackward1");
}

Tensor sub(const Tensor& a, const Tensor& b, Scalar alpha) {
  check_not_bool(a.dtype(), b.dtype());
  const ScalarType dtype = result_type(a, b);
  check_alpha(dtype, alpha);
  if (a.dtype() != b.dtype()) return sub(a.to(dtype), b.to(dtype), alpha);
  return add_or_subtract(a, b, alpha, true);
}

Tensor sub(const Tensor& input, Scalar b, Scalar alpha) {
  check_not_bool(input.dtype(), b.type());
  const Tensor a = input.to(result_type(input, b));
  check_alpha(a.dtype(), alpha);
  return autograd::record<LinearBackward>(compute_new(a, product(b, alpha), minus), {a}, 1, "SubBackward1");
}

Tensor rsub(const Tensor& a, const Tensor& b, Scalar alpha) { return sub(b, a, alpha); }

Tensor rsub(const Tensor& input, Scalar b, Scalar alpha) {
  check_not_bool(input.dtype(), b.type());
  const Tensor a = input.to(result_type(input, b));
  check_alpha(a.dtype(), alpha);
  Tensor out =
      compute_new(a, b, [alpha](auto x, auto y) { return static_cast<decltype(x)>(y - alpha.to<decltype(x)>() * x); });
  return autograd::record<LinearBackward>(out, {a}, -alpha, "RsubBackward1");
}

Tensor mul(const Tensor& a, const Tensor& b) {
  if (a.dtype() != b.dtype()) {
    const ScalarType dtype = result_type(a, b);
    return mul(a.to(dtype), b.to(dtype));
  }
  return autograd::record<MulBackward>(compute_new(a, b, times), {a, b}, a, b);
}

Tensor mul(const Tensor& a, Scalar b) {
  if (a.is_sparse()) return scale_sparse(a, b);
  if (const ScalarType dtype = result_type(a, b); dtype != a.dtype()) return mul(a.to(dtype), b);
  return autograd::record<LinearBackward>(compute_new(a, b, times), {a}, b, "MulBackward1");
}

Tensor div(const Tensor& a, const Tensor& b) {
  const ScalarType dtype = to_floating(result_type(a, b));
  if (a.dtype() != dtype || b.dtype() != dtype) return div(a.to(dtype), b.to(dtype));
  return autograd::record<DivBackward>(compute_new(a, b, over_real), {a, b}, a, b);
}

Tensor div(const Tensor& a, Scalar b) {
  if (!a.is_floating_point()) return div(a.to(to_floating(result_type(a, b))), b);
  return autograd::record<DivByNumberBackward>(compute_new(a, b, over_real), {a}, b);
}

Tensor Tensor::add(const Tensor& other, Scalar alpha) const { return wengert::add(*this, other, alpha); }
Tensor Tensor::add(Scalar other, Scalar alpha) const { return wengert::add(*this, other, alpha); }
Tensor Tensor::sub(const Tensor& other, Scalar alpha) const { return wengert::sub(*this, other, alpha); }
Tensor Tensor::sub(Scalar other, Scalar alpha) const { return wengert::sub(*this, other, alpha); }
Tensor Tensor::mul(const Tensor& other) const { return wengert::mul(*this, other); }
Tensor Tensor::mul(Scalar other) const { return wengert::mul(*this, other); }
Tensor Tensor::div(const Tensor& other) const { return wengert::div(*this, other); }
Tensor Tensor::div(Scalar other) const { return wengert::div(*this, other); }

Tensor& Tensor::add_(const Tensor& other, Scalar alpha) const {
  if (is_sparse() || other.is_sparse()) {
    autograd::begin_in_place<AddBackward>(*this, {*this}, *this, *this, alpha, "AddBackward0");
    add_sparse_in_place(*this, other, alpha);
    return autograd::end_in_place(*this, nullptr);
  }
  check_alpha(result_type(*this, other), alpha);
  return add_or_subtract_in_place(*this, other, alpha, false);
}

Tensor& Tensor::add_(Scalar other, Scalar alpha) const {
  check_alpha(result_type(*this, other), alpha);
  auto node = autograd::begin_in_place<LinearBackward>(*this, {*this}, 1, "AddBackward1");
  compute_in_place(*this, product(other, alpha), plus);
  return autograd::end_in_place(*this, node);
}

Tensor& Tensor::sub_(const Tensor& other, Scalar alpha) const {
  check_not_bool(dtype(), other.dtype());
  check_alpha(result_type(*this, other), alpha);
  return add_or_subtract_in_place(*this, other, alpha, true);
}

Tensor& Tensor::sub_(Scalar other, Scalar alpha) const {
  check_not_bool(dtype(), other.type());
  check_alpha(result_type(*this, other), alpha);
  auto node = autograd::begin_in_place<LinearBackward>(*this, {*this}, 1, "SubBackward1");
  compute_in_place(*this, product(other, alpha), minus);
  return autograd::end_in_place(*this, node);
}

Tensor& Tensor::mul_(const Tensor& other) const {
  auto node =
      autograd::begin_in_place<MulBackward>(*this, {*this, other}, before_change(*this, other.requires_grad()), other);
  compute_in_place(*this, other, times);
  return autograd::end_in_place(*this, node);
}

Tensor& Tensor::mul_(Scalar other) const {
  if (is_sparse()) {
    assign_sparse(*this, scale_sparse(*this, other));
    return autograd::end_in_place(*this, nullptr);
  }
  auto node = autograd::begin_in_place<LinearBackward>(*this, {*this}, other, "MulBackward1");
  compute_in_place(*this, other, times);
  return autograd::end_in_place(*this, node);
}

Tensor& Tensor::div_(const Tensor& other) const {
  auto node =
      autograd::begin_in_place<DivBackward>(*this, {*this, other}, before_change(*this, other.requires_grad()), other);
  compute_in_place(*this, other, over_real, to_floating(result_type(*this, other)));
  return autograd::end_in_place(*this, node);
}

Tensor& Tensor::div_(Scalar other) const {
  auto node = autograd::begin_in_place<DivByNumberBackward>(*this, {*this}, other);
  compute_in_place(*this, other, over_real, to_floating(result_type(*this, other)));
  return autograd::end_in_place(*this, node);
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
