#include <wengert/ops/arithmetic.h>
#include <wengert/ops/elementwise.h>
#include <wengert/ops/formula.h>

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

void compute(const Tensor& out, const Tensor& base, const Tensor& exponent) {
  dispatch(out.dtype(), [&]<class T>() { apply<T, T, T>(out, base, exponent, [](T x, T e) { return power(x, e); }); });
}

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

// c = a^r for a number r.   VJP:   da = G r a^(r-1).
class PowByNumberBackward final : public Node {
 public:
  PowByNumberBackward(const Tensor& base, Scalar exponent) : base_(base), exponent_(exponent) {}
  Gradients apply(Gradients grads) override {
    const Tensor& g = grads[0];
    if (exponent_.equal(0)) return {zeros_like(g)};
    const Tensor base = base_.unpack();
    const double r = exponent_.toDouble();
    return Gradients::of(mul_scaled(g, r == 2 ? base : base.pow(r - 1), r));
  }
  std::string name() const override { return "PowBackward0"; }
  void release_variables() override { base_.release(); }

 private:
  SavedTensor base_;
  Scalar exponent_;
};

// c = a^e.
class PowBackward final : public Node {
 public:
  PowBackward(const Tensor& base, const Tensor& exponent)
      : to_base_(base), to_exponent_(exponent), base_(base), exponent_(exponent) {}
  void save_result(SavedTensor result) { result_ = std::move(result); }
  Gradients apply(Gradients grads) override {
    const Tensor& g = grads[0];
    const Tensor base = base_.unpack(), exponent = exponent_.unpack();
    return {needs_grad(0) ? to_base_.sum(grad_of_base(g, base, exponent)) : Tensor(),
            needs_grad(1) ? to_exponent_.sum(grad_of_exponent(g, base, exponent, result_.unpack(this))) : Tensor()};
  }
  std::string name() const override { return "PowBackward1"; }
  void release_variables() override {
    base_.release();
    exponent_.release();
    result_.release();
  }

 private:
  BroadcastOf to_base_, to_exponent_;
  SavedTensor base_, exponent_, result_;
};

// c = r^e for a number r.
class PowOfNumberBackward final : public Node {
 public:
  PowOfNumberBackward(Scalar base, const Tensor& exponent) : base_(base), exponent_(exponent) {}
  void save_result(SavedTensor result) { result_ = std::move(result); }
  Gradients apply(Gradients grads) override {
    const Tensor base = full({}, base_, grads[0].options());
    return {grad_of_exponent(grads[0], base, exponent_.unpack(), result_.unpack(this))};
  }
  std::string name() const override { return "PowBackward2"; }
  void release_variables() override {
    exponent_.release();
    result_.release();
  }

 private:
  Scalar base_;
  SavedTensor exponent_, result_;
};

void check_not_bool(ScalarType dtype) { check(dtype != kBool, "\"pow\" not implemented for 'Bool'"); }

void check_whole_exponent(ScalarType base, Scalar exponent) {
  check(!isIntegralType(base, true) || !exponent.isIntegral(true) || exponent.toLong() >= 0,
        "Integers to negative integer powers are not allowed.");
}

}  // namespace
}  // namespace ops

using namespace ops;

Tensor pow(const Tensor& base, Scalar exponent) {
  check_whole_exponent(base.dtype(), exponent);
  if (const ScalarType dtype = result_type(base, exponent); dtype != base.dtype()) return pow(base.to(dtype), exponent);
  Tensor out = empty(base.sizes(), base.options());
  compute(out, base, exponent);
  return autograd::record<PowByNumberBackward>(std::move(out), {base}, base, exponent);
}

Tensor pow(const Tensor& first, const Tensor& second) {
  const ScalarType dtype = result_type(first, second);
  check_not_bool(dtype);
  const Tensor base = first.to(dtype), exponent = second.to(dtype);
  Tensor out = empty(broadcast_shapes(base.sizes(), exponent.sizes()), dtype);
  compute(out, base, exponent);
  if (autograd::must_record({base, exponent})) {
    auto node = autograd::make_node<PowBackward>({base, exponent}, base, exponent);
    if (exponent.requires_grad()) node->save_result(SavedTensor::output(out));
    autograd::set_history(out, std::move(node));
  }
  return out;
}

Tensor pow(Scalar base, const Tensor& input) {
  const Tensor exponent = input.to(result_type(input, base));
  Tensor out = empty(exponent.sizes(), exponent.options());
  compute(out, full({}, base, exponent.options()), exponent);
  if (autograd::must_record({exponent})) {
    auto node = autograd::make_node<PowOfNumberBackward>({exponent}, base, exponent);
    node->save_result(SavedTensor::output(out));
    autograd::set_history(out, std::move(node));
  }
  return out;
}

Tensor Tensor::pow(Scalar exponent) const { return wengert::pow(*this, exponent); }
Tensor Tensor::pow(const Tensor& exponent) const { return wengert::pow(*this, exponent); }

Tensor& Tensor::pow_(Scalar exponent) const {
  check_whole_exponent(dtype(), exponent);
  check_can_cast(result_type(*this, exponent), dtype());
  check_writable(*this);
  const Tensor before = requires_grad() && GradMode::is_enabled() ? clone() : *this;
  auto node = autograd::begin_in_place<PowByNumberBackward>(*this, {*this}, before, exponent);
  compute(*this, *this, exponent);
  return autograd::end_in_place(*this, node);
}

Tensor& Tensor::pow_(const Tensor& other) const {
  const ScalarType result = result_type(*this, other);
  check_not_bool(result);
  check_can_cast(result, dtype());
  check_writable(*this, other);
  const bool recorded = autograd::must_record({*this, other});
  const Tensor before = recorded ? clone() : *this;
  auto node = autograd::begin_in_place<PowBackward>(*this, {*this, other}, before, other);
  {
    const NoGradGuard no_grad;
    const Tensor base = to(result);
    const Tensor out = base.is_same(*this) ? *this : base;
    compute(out, base, other.to(result));
    if (!out.is_same(*this)) copy_(out);
  }
  Tensor& self = autograd::end_in_place(*this, node);
  if (node && other.requires_grad()) node->save_result(SavedTensor::output(*this));
  return self;
}

}  // namespace wengert
