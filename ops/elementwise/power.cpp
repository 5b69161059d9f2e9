#include <wengert/ops/elementwise/arithmetic.h>
#include <wengert/ops/elementwise/functions.h>

#include <cmath>

// c = a^e, where base, exponent or both are tensors.
//
//     dc/da = e a^(e-1), and 0 where e = 0 (also at a = 0, where the formula would give 0 * inf)
//     dc/de = a^e ln a,  and 0 where a = 0 and e >= 0 (the limit, where the formula would give 0 * -inf)

namespace wengert {
namespace ops {
namespace {

// Whole numbers, by repeated squaring. With a negative exponent only 1 and -1 have whole powers.
int64_t power(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
  uint64_t result = 1, factor = static_cast<uint64_t>(base);
  for (; exponent != 0; exponent >>= 1, factor *= factor) {
    if (exponent & 1) result *= factor;
  }
  return static_cast<int64_t>(result);
}
bool power(bool base, bool exponent) { return base || !exponent; }
float power(float base, float exponent) { return std::pow(base, exponent); }
double power(double base, double exponent) { return std::pow(base, exponent); }

constexpr auto kPower = [](auto x, auto e) { return power(x, e); };

// The exponents that occur most are cheaper done by hand.
void compute(const Tensor& out, const Tensor& base, Scalar exponent) {
  dispatch(out.dtype(), [&]<class T>() {
    const T e = exponent.to<T>();
    if constexpr (std::is_floating_point_v<T>) {
      if (e == T(2)) {
        return apply<T, T>(out, base, with_simd<Simd::kSquare>([](T x) { return x * x; }));
      }
      if (e == T(1)) return apply<T, T>(out, base, [](T x) { return x; });
      if (e == T(3)) return apply<T, T>(out, base, [](T x) { return x * x * x; });
      if (e == T(0.5)) return apply<T, T>(out, base, [](T x) { return std::sqrt(x); });
      if (e == T(-1)) return apply<T, T>(out, base, [](T x) { return T(1) / x; });
      if (e == T(-2)) return apply<T, T>(out, base, [](T x) { return T(1) / (x * x); });
      // Of -0 this is -inf, as libtorch has it; std::pow gives inf.
      if (e == T(-0.5)) return apply<T, T>(out, base, [](T x) { return T(1) / std::sqrt(x); });
    }
    apply<T, T>(out, base, [e](T x) { return power(x, e); });
  });
}

Tensor grad_of_base(const Tensor& g, const Tensor& base, const Tensor& exponent) {
  const Tensor zero = zeros({}, g.options());
  return where(exponent == 0, zero, g * (exponent * base.pow(exponent - 1)));
}

Tensor grad_of_exponent(const Tensor& g, const Tensor& base, const Tensor& exponent, const Tensor& result) {
  const Tensor zero = zeros({}, g.options());
  const Tensor at_limit = where(base == 0, exponent >= 0, zeros({}, kBool));
  return g * where(at_limit, zero, result * base.log());
}

// The gradient of c = a^r for a number r:   da = G r a^(r-1).
auto of_power(Scalar exponent) {
  return [exponent](const Backward& b) -> Tensor {
    if (exponent.equal(0)) return zeros_like(b.grad());
    const Tensor base = b.saved(0);
    const double r = exponent.toDouble();
    return mul_scaled(b.grad(), r == 2 ? base : base.pow(r - 1), r);
  };
}

// The gradients of c = a^e; saved are a, e and c.
constexpr auto kOfBase = [](const Backward& b) { return grad_of_base(b.grad(), b.saved(0), b.saved(1)); };
constexpr auto kOfExponent = [](const Backward& b) {
  return grad_of_exponent(b.grad(), b.saved(0), b.saved(1), b.saved(2));
};

void check_not_bool(ScalarType dtype) { check(dtype != kBool, "\"pow\" not implemented for 'Bool'"); }

void check_whole_exponent(ScalarType base, Scalar exponent) {
  check(!isIntegralType(base, true) || !exponent.isIntegral(true) || exponent.toLong() >= 0,
        "Integers to negative integer powers are not allowed.");
}

}  // namespace
}  // namespace ops

using namespace ops;

// y = x^p.   VJP:   dx = G p x^(p - 1), and 0 for p = 0.
Tensor pow(const Tensor& base, Scalar exponent) {
  check_whole_exponent(base.dtype(), exponent);
  if (const ScalarType dtype = result_type(base, exponent); dtype != base.dtype()) return pow(base.to(dtype), exponent);
  Tensor out = empty_as(base, base.dtype());
  compute(out, base, exponent);
  return record("PowBackward0", std::move(out), {base}, saving(base), of_power(exponent));
}

// y = x^p.   VJP:   dx = G p x^(p - 1),   dp = G y ln x, and 0 where p is 0 or x is 0 and p is not negative.
Tensor pow(const Tensor& first, const Tensor& second) {
  const auto [base, exponent] = Operands(first, second);
  check_not_bool(base.dtype());
  const Tensor out = compute_new<Domain::kAny>("pow", base, exponent, kPower);
  return record<Broadcast<2>>("PowBackward1", out, {base, exponent},
                              saving(base, exponent, ToSave::output(out).for_gradients_of(exponent)), kOfBase,
                              kOfExponent);
}

Tensor& pow_out(Tensor& out, const Tensor& base, const Tensor& exponent) {
  check_not_bool(result_type(base, exponent));
  return binary_out<Domain::kAny>("pow", kPower, out, base, exponent);
}

// y = number^p.   VJP:   dp = G y ln number.
Tensor pow(Scalar base, const Tensor& input) {
  const Tensor exponent = input.to(result_type(input, base));
  Tensor out = empty_as(exponent, exponent.dtype());
  compute_binary<Domain::kAny>("pow", out, full({}, base, exponent.options()), exponent, kPower);
  return record("PowBackward2", out, {exponent}, saving(exponent, ToSave::output(out)), [base](const Backward& b) {
    return grad_of_exponent(b.grad(), full({}, base, b.grad().options()), b.saved(0), b.saved(1));
  });
}

Tensor& Tensor::pow_(Scalar exponent) const {
  check_whole_exponent(dtype(), exponent);
  check_can_cast(result_type(*this, exponent), dtype());
  check_writable(*this);
  return record_in_place(
      "PowBackward0", *this, {*this}, saving(ToSave::copy(*this)), [&] { compute(*this, *this, exponent); },
      of_power(exponent));
}

Tensor& Tensor::pow_(const Tensor& other) const {
  check_not_bool(result_type(*this, other));
  return record_in_place<Broadcast<2>>(
      "PowBackward1", *this, {*this, other},
      saving(ToSave::copy(*this), other, ToSave::output(*this).for_gradients_of(other)),
      [&] { compute_in_place<Domain::kAny>("pow", *this, other, kPower); }, kOfBase, kOfExponent);
}

}  // namespace wengert
