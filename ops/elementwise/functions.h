#pragma once

#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/elementwise/write_out.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/out.h>
#include <wengert/ops/promotion.h>

// The form of elementwise functions of one tensor and of two.

namespace wengert::ops {

// --- Functions of one tensor ---------------------------------------------------------------------------
// Such a function is one statement that says all there is to it:
//
//     // y = e^x.   VJP, for G = dL/dy:   dx = G y.
//     constexpr auto kExp = from_output<Domain::kReal>(
//         "ExpBackward0", [](auto x) { return std::exp(x); },
//         [](const Tensor& g, const Tensor& y) { return g * y; });
//
//     Tensor exp(const Tensor& x) { return unary(kExp, x); }
//     Tensor& Tensor::exp_() const { return unary_in_place(kExp, *this); }

/// A choice between two elements, written as that between tensors' is.
template <std::floating_point T>
constexpr T where(bool condition, std::type_identity_t<T> a, T b) {
  return condition ? a : b;
}
/// A number for a formula of such elements, or of tensors.
template <std::floating_point T>
T number_for(T, Scalar number) {
  return number.to<T>();
}
inline Scalar number_for(const Tensor&, Scalar number) { return number; }

/// A gradient's formula of sums, products, quotients and choices, which says the same of tensors and of their elements.
/// Where it is to be recorded it is used on the tensors; else on the elements, in one pass over memory.
template <class F>
struct OnePass {
  [[no_unique_address]] F f;
  template <class... Tensors>
  Tensor operator()(const Tensor& g, const Tensors&... others) const {
    const bool plain = isFloatingType(g.dtype()) && !g.is_sparse() && ((others.dtype() == g.dtype()) && ...) &&
                       !autograd::must_record({g, others...});
    if (!plain) return f(g, others...);
    Tensor out = empty_broadcast({g, others...}, g.dtype());
    dispatch_floating(g.dtype(), "backward", [&]<class T>() { run<T>(out, others..., g); });
    return out;
  }

 private:
  // Of elements; the gradient comes last, for loops that step through one operand alone are made for the first.
  template <std::floating_point T>
  struct OfElements {
    static constexpr bool seldom_broadcasts = true;
    F f;
    T operator()(T a, T g) const { return static_cast<T>(f(g, a)); }
    T operator()(T a, T b, T g) const { return static_cast<T>(f(g, a, b)); }
  };
  template <class T, class>
  using Of = T;
  template <class T, class... Tensors>
  void run(const Tensor& out, const Tensors&... operands) const {
    apply<T, Of<T, Tensors>...>(out, operands..., OfElements<T>{f});
  }
};
template <class F>
constexpr OnePass<F> one_pass(F f) {
  return {f};
}

/// What the gradient formula needs: x, or y = f(x), or neither.
enum class Saves { kInput, kOutput, kNothing };
/// kReal: whole numbers become floating point first. kFloating: floating point only. kNumber: the dtype
/// stays; not for bool. kAny: for all.
enum class Domain { kReal, kFloating, kNumber, kAny };

template <Saves saves, Domain domain, class Forward, class Vjp>
struct UnaryFunction {
  NodeName name;    // of its Node
  Forward forward;  // an element from an element
  Vjp vjp;          // dL/dx from G and what is saved
};

template <Domain domain, class Forward, class Vjp>
constexpr UnaryFunction<Saves::kInput, domain, Forward, Vjp> from_input(NodeName name, Forward forward, Vjp vjp) {
  return {name, forward, vjp};
}
template <Domain domain, class Forward, class Vjp>
constexpr UnaryFunction<Saves::kOutput, domain, Forward, Vjp> from_output(NodeName name, Forward forward, Vjp vjp) {
  return {name, forward, vjp};
}
/// For a VJP of G alone.
template <Domain domain, class Forward, class Vjp>
constexpr UnaryFunction<Saves::kNothing, domain, Forward, Vjp> from_nothing(NodeName name, Forward forward, Vjp vjp) {
  return {name, forward, vjp};
}

/// Calls loop for the type of this dtype's elements; throws with this name where the domain does not hold it.
template <Domain domain, class Loop>
void dispatch_in(ScalarType dtype, const char* name, const Loop& loop) {
  if constexpr (domain == Domain::kReal || domain == Domain::kFloating) {
    dispatch_floating(dtype, name, loop);
  } else if constexpr (domain == Domain::kNumber) {
    dispatch_numbers(dtype, name, loop);
  } else {
    dispatch(dtype, loop);
  }
}

using Simd = kernels::simd::Unary;

/// A forward function for whose float and double elements there is a SIMD kernel, which has these parameters.
template <Simd op, class F>
struct WithSimd : kernels::UnaryKernel<op> {
  constexpr WithSimd(F f, std::array<double, kernels::simd::kUnaryParameters> parameters)
      : kernels::UnaryKernel<op>{parameters}, f(f) {}
  F f;
  template <class T>
  T operator()(T x) const {
    return static_cast<T>(f(x));
  }
};
template <Simd op, class F>
constexpr WithSimd<op, F> with_simd(F f, std::array<double, kernels::simd::kUnaryParameters> parameters = {}) {
  return WithSimd<op, F>(f, parameters);
}

template <Saves saves, Domain domain, class Forward, class Vjp>
void compute_unary(const UnaryFunction<saves, domain, Forward, Vjp>& f, const Tensor& out, const Tensor& x) {
  const auto loop = [&]<class T>() {
    if constexpr (kernels::has_run<Forward, T, T>) {
      apply<T, T>(out, x, f.forward);
    } else {
      apply<T, T>(out, x, [forward = f.forward](T v) -> T { return static_cast<T>(forward(v)); });
    }
  };
  dispatch_in<domain>(x.dtype(), f.name, loop);
}

/// The formula of such a function's gradient, for record().
template <Saves saves, class Vjp>
struct UnaryFormula {
  [[no_unique_address]] Vjp vjp;
  Tensor operator()(const Backward& b) const {
    if constexpr (saves == Saves::kNothing) {
      return vjp(b.grad());
    } else {
      return vjp(b.grad(), b.saved(0));
    }
  }
};

/// What record() is to save of x and y = f(x).
template <Saves saves>
auto saved_of(ToSave x, const Tensor& y) {
  if constexpr (saves == Saves::kNothing) {
    return saving();
  } else {
    return saving(saves == Saves::kInput ? x : ToSave::output(y));
  }
}

/// y = f(x).
template <Saves saves, Domain domain, class Forward, class Vjp>
Tensor unary(const UnaryFunction<saves, domain, Forward, Vjp>& f, const Tensor& input) {
  const Tensor x = domain == Domain::kReal ? input.to(to_floating(input.dtype())) : input;
  const Tensor y = empty_as(x, x.dtype());
  compute_unary(f, y, x);
  return record(f.name, y, {x}, saved_of<saves>(x, y), UnaryFormula<saves, Vjp>{f.vjp});
}

/// x <- f(x).
template <Saves saves, Domain domain, class Forward, class Vjp>
Tensor& unary_in_place(const UnaryFunction<saves, domain, Forward, Vjp>& f, const Tensor& x) {
  if (domain == Domain::kReal) check_can_cast(to_floating(x.dtype()), x.dtype());
  check_writable(x);
  return record_in_place(
      f.name, x, {x}, saved_of<saves>(ToSave::copy(x), x), [&] { compute_unary(f, x, x); },
      UnaryFormula<saves, Vjp>{f.vjp});
}

/// out <- f(x), for an operation of that name.
template <Saves saves, Domain domain, class Forward, class Vjp>
Tensor& unary_out(const char* op, const UnaryFunction<saves, domain, Forward, Vjp>& f, Tensor& out, const Tensor& x) {
  const ScalarType dtype = domain == Domain::kReal ? to_floating(x.dtype()) : x.dtype();
  return write_out(op, out, {x}, x.sizes(), dtype, Writes::kElementwise,
                   [&](const Tensor& to) { compute_unary(f, to, x.to(dtype)); });
}

// --- Functions of two tensors --------------------------------------------------------------------------
// They are broadcast, and brought to one dtype. Such a function is one statement, too:
//
//     // c = a b.   VJP, for G = dL/dc:   da = G b,   db = G a.
//     constexpr auto kMul = binary_function<Domain::kAny, kOfB, kOfA>(
//         "MulBackward0", times, [](const Tensor& g, const Tensor&, const Tensor& b) { return g * b; },
//         [](const Tensor& g, const Tensor& a, const Tensor&) { return g * a; });
//
//     Tensor mul(const Tensor& a, const Tensor& b) { return binary(kMul, a, b); }
//     Tensor& Tensor::mul_(const Tensor& other) const { return binary_in_place(kMul, *this, other); }

/// Two operands in one dtype.
struct Operands {
  Operands(const Tensor& first, const Tensor& second) : Operands(first, second, result_type(first, second)) {}
  Operands(const Tensor& first, const Tensor& second, ScalarType dtype) : a(first.to(dtype)), b(second.to(dtype)) {}
  Tensor a, b;
};

/// A new tensor for the result of an elementwise operation.
[[gnu::always_inline]] inline Tensor empty_result(const Tensor& a, const Tensor& b, ScalarType dtype) {
  return a.sizes() == b.sizes() ? empty_as(a, dtype) : empty_broadcast({a, b}, dtype);
}

/// out = f(a, b), for operands of one dtype. `name`: for the error where the domain does not hold it.
template <Domain domain, class F>
void compute_binary(const char* name, const Tensor& out, const Tensor& a, const Tensor& b, const F& f) {
  dispatch_in<domain>(a.dtype(), name, [&]<class T>() { apply<T, T, T>(out, a, b, f); });
}

/// The dtype in which f(a, b) is computed.
template <Domain domain>
[[gnu::always_inline]] inline ScalarType computed_type(const Tensor& a, const Tensor& b) {
  const ScalarType dtype = result_type(a, b);
  return domain == Domain::kReal ? to_floating(dtype) : dtype;
}

/// f(a, b), without history, for operands of one dtype.
template <Domain domain, class F>
Tensor compute_new(const char* name, const Tensor& a, const Tensor& b, const F& f) {
  Tensor out = empty_result(a, b, a.dtype());
  compute_binary<domain>(name, out, a, b, f);
  return out;
}

/// What a gradient needs besides G: operands of the function.
enum Uses : uint8_t { kOfNone = 0, kOfA = 1, kOfB = 2, kOfBoth = 3 };

template <Domain domain, Uses of_da, Uses of_db, class Forward, class Da, class Db>
struct BinaryFunction {
  NodeName name;    // of its Node
  Forward forward;  // an element from two
  Da da;            // dL/da from G, a and b; undefined is what it does not use
  Db db;            // dL/db likewise; G may be written over, if nobody else holds it
};
template <Domain domain, Uses of_da, Uses of_db, class Forward, class Da, class Db>
constexpr BinaryFunction<domain, of_da, of_db, Forward, Da, Db> binary_function(NodeName name, Forward forward, Da da,
                                                                                Db db) {
  return {name, forward, da, db};
}

/// One of its operands, to be saved for the gradients that need it.
template <Uses of_da, Uses of_db>
[[gnu::always_inline]] inline ToSave save_operand(Uses operand, ToSave save, const Tensor& a, const Tensor& b) {
  return save.for_gradients_of((of_da & operand) != 0 ? &a : nullptr, (of_db & operand) != 0 ? &b : nullptr);
}

/// What record() is to save of them.
template <Uses of_da, Uses of_db>
[[gnu::always_inline]] inline auto saved_operands(ToSave a_to_save, const Tensor& a, const Tensor& b) {
  if constexpr ((of_da | of_db) == kOfNone) {
    return saving();
  } else {
    return saving(save_operand<of_da, of_db>(kOfA, a_to_save, a, b), save_operand<of_da, of_db>(kOfB, b, a, b));
  }
}

template <Uses uses>
Tensor saved_operand(const Backward& c, Uses operand) {
  return (uses & operand) != 0 ? c.saved(operand == kOfA ? 0 : 1) : Tensor();
}

/// The formulas of its gradients, for record().
template <Uses of_da, class Da>
struct FirstFormula {
  [[no_unique_address]] Da da;
  Tensor operator()(const Backward& c) const {
    return da(c.grad(), saved_operand<of_da>(c, kOfA), saved_operand<of_da>(c, kOfB));
  }
};
template <Uses of_db, class Db>
struct SecondFormula {
  [[no_unique_address]] Db db;
  Tensor operator()(const Backward& c) const {
    return db(c.take_grad(), saved_operand<of_db>(c, kOfA), saved_operand<of_db>(c, kOfB));
  }
};

/// f(a, b).
template <Domain domain, Uses of_da, Uses of_db, class Forward, class Da, class Db>
Tensor binary(const BinaryFunction<domain, of_da, of_db, Forward, Da, Db>& f, const Tensor& a, const Tensor& b) {
  if (const ScalarType dtype = computed_type<domain>(a, b); a.dtype() != dtype || b.dtype() != dtype) {
    return binary(f, a.to(dtype), b.to(dtype));
  }
  return record<Broadcast<2>>(f.name, compute_new<domain>(f.name, a, b, f.forward), {a, b},
                              saved_operands<of_da, of_db>(a, a, b), FirstFormula<of_da, Da>{f.da},
                              SecondFormula<of_db, Db>{f.db});
}

/// self <- f(self, other), computed in the dtype that both promote to, and cast back.
template <Domain domain, class F>
void compute_in_place(const char* name, const Tensor& self, const Tensor& other, const F& f) {
  const ScalarType dtype = computed_type<domain>(self, other);
  check_can_cast(dtype, self.dtype());
  check_writable(self, other);
  if (self.dtype() == dtype && other.dtype() == dtype) return compute_binary<domain>(name, self, self, other, f);
  const NoGradGuard no_grad;
  const Tensor b = other.to(dtype);
  if (self.dtype() == dtype) return compute_binary<domain>(name, self, self, b, f);
  const Tensor result = self.to(dtype);
  compute_binary<domain>(name, result, result, b, f);
  copy_elements(self, result);
}
template <Domain domain, Uses of_da, Uses of_db, class Forward, class Da, class Db>
Tensor& binary_in_place(const BinaryFunction<domain, of_da, of_db, Forward, Da, Db>& f, const Tensor& self,
                        const Tensor& other) {
  return record_in_place<Broadcast<2>>(
      f.name, self, {self, other}, saved_operands<of_da, of_db>(ToSave::copy(self), self, other),
      [&] { compute_in_place<domain>(f.name, self, other, f.forward); }, FirstFormula<of_da, Da>{f.da},
      SecondFormula<of_db, Db>{f.db});
}

/// out <- forward(a, b), for an operation of that name.
template <Domain domain, class Forward>
Tensor& binary_out(const char* op, const Forward& forward, Tensor& out, const Tensor& a, const Tensor& b) {
  const ScalarType dtype = computed_type<domain>(a, b);
  return write_out(op, out, {a, b}, broadcast_shapes(a.sizes(), b.sizes()), dtype, Writes::kElementwise,
                   [&](const Tensor& to) { compute_binary<domain>(op, to, a.to(dtype), b.to(dtype), forward); });
}

}  // namespace wengert::ops
