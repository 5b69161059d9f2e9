#include <wengert/ops/elementwise/chosen.h>
#include <wengert/ops/elementwise/functions.h>
#include <wengert/ops/elementwise/in_place.h>
#include <wengert/ops/elementwise/within.h>

// Operations that choose among elements, and pass the gradient to the one that was chosen; G = dL/dy.

namespace wengert {
namespace ops {
namespace {

Tensor zero_like_scalar(const Tensor& g) { return zeros({}, g.options()); }

// Without branches, so that compilers make vector code of them. A NaN, the first one, comes through.
constexpr auto kLarger = [](auto a, auto b) { return a != a || !(a < b || b != b) ? a : b; };
constexpr auto kSmaller = [](auto a, auto b) { return a != a || !(b < a || b != b) ? a : b; };

// What one of two operands gets of G.
struct GradientOfExtreme {
  bool larger;
  template <class T>
  T operator()(const T& g, const T& mine, const T& other) const {
    const auto loses = larger ? mine < other : mine > other;
    return where(mine == other, g / 2, where(loses, 0, g));
  }
};

// y = larger (or smaller) of a and b.   VJP:   the larger (smaller) gets G; equal ones get half each.
Tensor extreme(const char* name, const Tensor& first, const Tensor& second, bool larger) {
  const auto [a, b] = Operands(first, second);
  const Tensor out =
      larger ? compute_new<Domain::kAny>(name, a, b, kLarger) : compute_new<Domain::kAny>(name, a, b, kSmaller);
  const OnePass<GradientOfExtreme> gradient = one_pass(GradientOfExtreme{larger});
  return record<Broadcast<2>>(
      name, out, {a, b}, saving(a, b),
      [gradient](const Backward& c) { return gradient(c.grad(), c.saved(0), c.saved(1)); },
      [gradient](const Backward& c) { return gradient(c.grad(), c.saved(1), c.saved(0)); });
}

struct ClampGradient {
  Scalar low, high;
  template <class T>
  T operator()(const T& g, const T& x) const {
    const auto zero = number_for(g, 0);
    return where(x >= number_for(x, low), where(x <= number_for(x, high), g, zero), zero);
  }
};

constexpr const char* kClampNode = "ClampBackward1";

// y = x within [low, high], either of which may be missing.   VJP:   dx = G where x is within, else 0.
auto clamp_function(std::optional<Scalar> low, std::optional<Scalar> high, const char* name) {
  check(low || high, "torch.clamp: At least one of 'min' or 'max' must not be None");
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  return from_input<Domain::kNumber>(name, Within(low, high),
                                     one_pass(ClampGradient{low.value_or(-kInfinity), high.value_or(kInfinity)}));
}

ScalarType clamped_type(const Tensor& x, std::optional<Scalar> low, std::optional<Scalar> high) {
  ScalarType dtype = x.dtype();
  if (low) dtype = promoteTypes(dtype, result_type(x, *low));
  if (high) dtype = promoteTypes(dtype, result_type(x, *high));
  return dtype;
}

Tensor clamped(const Tensor& x, std::optional<Scalar> low, std::optional<Scalar> high, const char* node) {
  return unary(clamp_function(low, high, node), x.to(clamped_type(x, low, high)));
}

void check_mask(const Tensor& mask) {
  check(mask.dtype() == kBool, "masked_fill_ only supports boolean masks, but got mask with dtype {}", mask.dtype());
}

Tensor filled(const Tensor& x, const Tensor& mask, const Tensor& value) {
  const NoGradGuard no_grad;
  return where(mask, value, x);
}
constexpr auto kGradientOutsideMask = [](const Backward& b) -> Tensor { return where(b.saved(0), 0, b.grad()); };

}  // namespace
}  // namespace ops

using namespace ops;

// y = a where the condition holds, else b.   VJP:   da = G where it holds, else 0;   db the other way round.
Tensor where(const Tensor& condition, const Tensor& first, const Tensor& second) {
  check(condition.dtype() == kBool, "where expected condition to be a boolean tensor, but got a tensor with dtype {}",
        condition.dtype());
  const auto [a, b] = Operands(first, second);
  const Tensor out = empty_broadcast({condition, a, b}, a.dtype());
  dispatch(a.dtype(), [&, &a = a, &b = b]<class T>() { apply<T, bool, T, T>(out, condition, a, b, kChosen); });
  return record<Broadcast<2>>(
      "WhereBackward0", out, {a, b}, saving(condition),
      [](const Backward& c) { return where(c.saved(0), c.grad(), zero_like_scalar(c.grad())); },
      [](const Backward& c) { return where(c.saved(0), zero_like_scalar(c.grad()), c.grad()); });
}

Tensor where(const Tensor& condition, const Tensor& a, Scalar b) {
  return where(condition, a, full({}, b, result_type(a, b)));
}
Tensor where(const Tensor& condition, Scalar a, const Tensor& b) {
  return where(condition, full({}, a, result_type(b, a)), b);
}
Tensor where(const Tensor& condition, Scalar a, Scalar b) {
  const Tensor like = full({}, a, a.isFloatingPoint() ? get_default_dtype() : a.type());
  return where(condition, like, full({}, b, result_type(like, b)));
}

std::vector<Tensor> where(const Tensor& condition) { return unbind(nonzero(condition), 1); }

Tensor maximum(const Tensor& a, const Tensor& b) { return extreme("MaximumBackward0", a, b, true); }
Tensor minimum(const Tensor& a, const Tensor& b) { return extreme("MinimumBackward0", a, b, false); }
Tensor& maximum_out(Tensor& out, const Tensor& a, const Tensor& b) {
  return binary_out<Domain::kAny>("maximum", kLarger, out, a, b);
}
Tensor& minimum_out(Tensor& out, const Tensor& a, const Tensor& b) {
  return binary_out<Domain::kAny>("minimum", kSmaller, out, a, b);
}

Tensor clamp(const Tensor& x, std::optional<Scalar> min, std::optional<Scalar> max) {
  return clamped(x, min, max, kClampNode);
}
Tensor clamp_min(const Tensor& x, Scalar min) { return clamped(x, min, std::nullopt, "ClampMinBackward0"); }
Tensor clamp_max(const Tensor& x, Scalar max) { return clamped(x, std::nullopt, max, "ClampMaxBackward0"); }

// y = min(max(x, low), high).   VJP:   dx = G where low <= x <= high; dlow = G where x < low < high;
// dhigh = G where x > high or high < low; else 0.
Tensor clamp(const Tensor& x, const std::optional<Tensor>& lower, const std::optional<Tensor>& upper) {
  const Tensor min = lower.value_or(Tensor()), max = upper.value_or(Tensor());
  check(min.defined() || max.defined(), "torch.clamp: At least one of 'min' or 'max' must not be None");
  ScalarType dtype = x.dtype();
  if (min.defined()) dtype = promoteTypes(dtype, result_type(x, min));
  if (max.defined()) dtype = promoteTypes(dtype, result_type(x, max));
  const Tensor a = x.to(dtype), low = min.defined() ? min.to(dtype) : min, high = max.defined() ? max.to(dtype) : max;
  Tensor out;
  {
    const NoGradGuard no_grad;
    out = low.defined() ? maximum(a, low) : a;
    out = high.defined() ? minimum(out, high) : out;
  }
  return record<Broadcast<3>>("ClampBackward0", out, {a, low, high}, saving(a, low, high),
                              [](const Backward& c) -> Gradients {
                                const Tensor &g = c.grad(), a = c.saved(0), low = c.saved(1), high = c.saved(2);
                                const Tensor zero = zero_like_scalar(g);
                                Tensor da, dlow, dhigh;
                                if (c.needs(0)) {
                                  da = low.defined() ? where(a < low, zero, g) : g;
                                  if (high.defined()) da = where(a > high, zero, da);
                                }
                                if (c.needs(1)) {
                                  dlow = where(a < low, g, zero);
                                  if (high.defined()) dlow = where(low < high, dlow, zero);
                                }
                                if (c.needs(2))
                                  dhigh = where(low.defined() ? logical_or(a > high, high < low) : a > high, g, zero);
                                return {da, dlow, dhigh};
                              });
}

// y = value where the mask holds, else x.   VJP:   dx = G where it does not;   dvalue = the sum of G where it does.
Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value) {
  check_mask(mask);
  const Tensor y = filled(x, mask, full({}, value, x.options()));
  return record<Broadcast<1>>("MaskedFillBackward0", y, {x}, saving(mask), kGradientOutsideMask);
}
Tensor masked_fill(const Tensor& x, const Tensor& mask, const Tensor& value) {
  check_mask(mask);
  check(value.dim() == 0,
        "masked_fill_ only supports a 0-dimensional value tensor, but got tensor with {} dimension(s).", value.dim());
  const Tensor number = value.to(x.dtype());
  return record<Broadcast<2>>("MaskedFillBackward1", filled(x, mask, number), {x, number}, saving(mask),
                              kGradientOutsideMask,
                              [](const Backward& b) { return where(b.saved(0), b.grad(), 0).sum(); });
}

Tensor& Tensor::clamp_(const std::optional<Tensor>& min, const std::optional<Tensor>& max) const {
  return replace(*this, [&](const Tensor& x) { return wengert::clamp(x, min, max); });
}
Tensor& Tensor::clamp_(std::optional<Scalar> min, std::optional<Scalar> max) const {
  check_can_cast(clamped_type(*this, min, max), dtype());
  return unary_in_place(clamp_function(min, max, kClampNode), *this);
}
Tensor& Tensor::clamp_min_(Scalar min) const { return clamp_(min); }
Tensor& Tensor::clamp_max_(Scalar max) const { return clamp_(std::nullopt, max); }
Tensor& Tensor::masked_fill_(const Tensor& mask, Scalar value) const {
  check_writable(*this, mask);
  return copy_(wengert::masked_fill(*this, mask, value));
}
Tensor& Tensor::masked_fill_(const Tensor& mask, const Tensor& value) const {
  check_writable(*this, mask);
  return copy_(wengert::masked_fill(*this, mask, value));
}

}  // namespace wengert
