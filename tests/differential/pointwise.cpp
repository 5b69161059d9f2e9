#include <differential/operation.h>

namespace differential {

void add_pointwise(Operations& operations) {
  const auto unary = [&](const char* name, auto f, auto change) {
    // Of the trigamma function, the derivative of digamma, libtorch 1.13 gives nine digits; in floats, four.
    const double roughness = std::string(name) == "digamma" ? 1e9 : 1;
    operations.add(name, {Kind::kAny}, [f](const auto& in, const Numbers&) { return f(in[0]); }).roughness = roughness;
    operations
        .add_in_place(std::string(name) + "_", {Kind::kAny},
                      [change](const auto& in, const Numbers&) { change(in[0]); })
        .roughness = roughness;
  };
  unary(
      "neg", [](const auto& x) { return x.neg(); }, [](auto x) { x.neg_(); });
  unary(
      "abs", [](const auto& x) { return x.abs(); }, [](auto x) { x.abs_(); });
  unary(
      "sign", [](const auto& x) { return x.sign(); }, [](auto x) { x.sign_(); });
  unary(
      "square", [](const auto& x) { return x.square(); }, [](auto x) { x.square_(); });
  unary(
      "sqrt", [](const auto& x) { return x.sqrt(); }, [](auto x) { x.sqrt_(); });
  unary(
      "rsqrt", [](const auto& x) { return x.rsqrt(); }, [](auto x) { x.rsqrt_(); });
  unary(
      "reciprocal", [](const auto& x) { return x.reciprocal(); }, [](auto x) { x.reciprocal_(); });
  unary(
      "exp", [](const auto& x) { return x.exp(); }, [](auto x) { x.exp_(); });
  unary(
      "expm1", [](const auto& x) { return x.expm1(); }, [](auto x) { x.expm1_(); });
  unary(
      "log", [](const auto& x) { return x.log(); }, [](auto x) { x.log_(); });
  unary(
      "log1p", [](const auto& x) { return x.log1p(); }, [](auto x) { x.log1p_(); });
  unary(
      "log2", [](const auto& x) { return x.log2(); }, [](auto x) { x.log2_(); });
  unary(
      "log10", [](const auto& x) { return x.log10(); }, [](auto x) { x.log10_(); });
  unary(
      "sin", [](const auto& x) { return x.sin(); }, [](auto x) { x.sin_(); });
  unary(
      "cos", [](const auto& x) { return x.cos(); }, [](auto x) { x.cos_(); });
  unary(
      "tan", [](const auto& x) { return x.tan(); }, [](auto x) { x.tan_(); });
  unary(
      "asin", [](const auto& x) { return x.asin(); }, [](auto x) { x.asin_(); });
  unary(
      "acos", [](const auto& x) { return x.acos(); }, [](auto x) { x.acos_(); });
  unary(
      "atan", [](const auto& x) { return x.atan(); }, [](auto x) { x.atan_(); });
  unary(
      "sinh", [](const auto& x) { return x.sinh(); }, [](auto x) { x.sinh_(); });
  unary(
      "cosh", [](const auto& x) { return x.cosh(); }, [](auto x) { x.cosh_(); });
  unary(
      "tanh", [](const auto& x) { return x.tanh(); }, [](auto x) { x.tanh_(); });
  unary(
      "sigmoid", [](const auto& x) { return x.sigmoid(); }, [](auto x) { x.sigmoid_(); });
  unary(
      "relu", [](const auto& x) { return x.relu(); }, [](auto x) { x.relu_(); });
  unary(
      "floor", [](const auto& x) { return x.floor(); }, [](auto x) { x.floor_(); });
  unary(
      "ceil", [](const auto& x) { return x.ceil(); }, [](auto x) { x.ceil_(); });
  unary(
      "round", [](const auto& x) { return x.round(); }, [](auto x) { x.round_(); });
  unary(
      "trunc", [](const auto& x) { return x.trunc(); }, [](auto x) { x.trunc_(); });
  unary(
      "frac", [](const auto& x) { return x.frac(); }, [](auto x) { x.frac_(); });
  unary(
      "erf", [](const auto& x) { return x.erf(); }, [](auto x) { x.erf_(); });
  unary(
      "erfc", [](const auto& x) { return x.erfc(); }, [](auto x) { x.erfc_(); });
  unary(
      "lgamma", [](const auto& x) { return x.lgamma(); }, [](auto x) { x.lgamma_(); });
  unary(
      "digamma", [](const auto& x) { return x.digamma(); }, [](auto x) { x.digamma_(); });
  unary(
      "clamp", [](const auto& x) { return x.clamp(-0.5, 0.75); }, [](auto x) { x.clamp_(-0.5, 0.75); });
  unary(
      "zero", [](const auto& x) { return zeros_like(x); }, [](auto x) { x.zero_(); });

  const auto activation = [&](const char* name, auto f) -> Operation& {
    return operations.add(name, {Kind::kReal}, [f](const auto& in, const Numbers& n) { return f(in[0], n); });
  };
  activation("log_sigmoid", [](const auto& x, const Numbers&) { return log_sigmoid(x); });
  activation("silu", [](const auto& x, const Numbers&) { return silu(x); });
  activation("gelu", [](const auto& x, const Numbers& n) { return gelu(x, n.flag(0) ? "tanh" : "none"); });
  // Near 0 libtorch loses the digits that the 1 in e^x - 1 takes.
  activation("elu", [](const auto& x, const Numbers& n) { return elu(x, 1 + n.real * n.real); }).constant = 1;
  activation("leaky_relu", [](const auto& x, const Numbers&) { return leaky_relu(x, 0.05); });
  activation("softplus", [](const auto& x, const Numbers&) { return softplus(x, 1.5, 2); });
  activation("hardtanh", [](const auto& x, const Numbers&) { return hardtanh(x); });
  operations
      .add("polygamma", {Kind::kReal},
           [](const auto& in, const Numbers& n) { return polygamma(n.below(0, 3), in[0].abs() + 0.25); })
      .roughness = 1e9;

  const auto binary = [&](const char* name, auto f) {
    operations.add(name, {Kind::kAny, Kind::kAny}, [f](const auto& in, const Numbers&) { return f(in[0], in[1]); });
  };
  binary("add", [](const auto& a, const auto& b) { return a + b; });
  binary("sub", [](const auto& a, const auto& b) { return a - b; });
  binary("mul", [](const auto& a, const auto& b) { return a * b; });
  binary("div", [](const auto& a, const auto& b) { return a / b; });
  binary("pow", [](const auto& a, const auto& b) { return a.pow(b); });
  binary("div_floor", [](const auto& a, const auto& b) { return div(a, b, "floor"); });
  binary("div_trunc", [](const auto& a, const auto& b) { return div(a, b, "trunc"); });
  binary("remainder", [](const auto& a, const auto& b) { return a.remainder(b); });
  binary("fmod", [](const auto& a, const auto& b) { return a.fmod(b); });
  binary("maximum", [](const auto& a, const auto& b) { return maximum(a, b); });
  binary("minimum", [](const auto& a, const auto& b) { return minimum(a, b); });
  binary("atan2", [](const auto& a, const auto& b) { return a.atan2(b); });
  binary("xlogy", [](const auto& a, const auto& b) { return xlogy(a, b); });
  binary("eq", [](const auto& a, const auto& b) { return a == b; });
  binary("ne", [](const auto& a, const auto& b) { return a != b; });
  binary("lt", [](const auto& a, const auto& b) { return a < b; });
  binary("ge", [](const auto& a, const auto& b) { return a >= b; });
  binary("logical_and", [](const auto& a, const auto& b) { return logical_and(a, b); });
  binary("logical_or", [](const auto& a, const auto& b) { return logical_or(a, b); });
  binary("logical_xor", [](const auto& a, const auto& b) { return logical_xor(a, b); });
  binary("bitwise_and", [](const auto& a, const auto& b) { return a & b; });
  binary("bitwise_or", [](const auto& a, const auto& b) { return a | b; });
  binary("bitwise_xor", [](const auto& a, const auto& b) { return a ^ b; });
  binary("mul_with_itself", [](const auto& a, const auto&) { return a * a; });

  const auto with_number = [&](const char* name, auto f) {
    operations.add(name, {Kind::kAny}, [f](const auto& in, const Numbers& n) {
      // A whole number as an integer, or as a real one.
      const double x = n.real;
      return x == std::floor(x) && n.flag(0) ? f(in[0], static_cast<int64_t>(x)) : f(in[0], x);
    });
  };
  with_number("add_number", [](const auto& a, auto x) { return a + x; });
  with_number("sub_number", [](const auto& a, auto x) { return a - x; });
  with_number("mul_number", [](const auto& a, auto x) { return a * x; });
  with_number("div_number", [](const auto& a, auto x) { return a / x; });
  // libtorch's number / whole numbers throws, and its number - whole numbers is rounded.
  operations.add("rsub_number", {Kind::kReal}, [](const auto& in, const Numbers& n) { return n.real - in[0]; });
  operations.add("number_div", {Kind::kReal}, [](const auto& in, const Numbers& n) { return n.real / in[0]; });
  with_number("pow_number", [](const auto& a, auto x) { return a.pow(x); });
  with_number("number_pow", [](const auto& a, auto x) { return pow(x, a); });
  with_number("remainder_number", [](const auto& a, auto x) { return a.remainder(x); });
  with_number("fmod_number", [](const auto& a, auto x) { return a.fmod(x); });
  with_number("lt_number", [](const auto& a, auto x) { return a < x; });
  with_number("clamp_min", [](const auto& a, auto x) { return a.clamp_min(x); });
  with_number("clamp_max", [](const auto& a, auto x) { return a.clamp_max(x); });

  const auto change = [&](const char* name, auto f) {
    operations.add_in_place(name, {Kind::kAny, Kind::kAny},
                            [f](const auto& in, const Numbers& n) { f(in[0], in[1], n); });
  };
  change("add_", [](auto a, const auto& b, const Numbers&) { a.add_(b, 2); });
  change("sub_", [](auto a, const auto& b, const Numbers&) { a.sub_(b); });
  change("add_expanded_", [](auto a, const auto& operand, const Numbers& n) {
    const auto b = operand.clone();  // what a may be a part of: then each library reads what it has written, or not
    a.add_(n.flag(0) && b.dim() > 0 ? b.narrow(-1, 0, 1).expand_as(a) : b.sum().expand_as(a));
  });
  change("mul_", [](auto a, const auto& b, const Numbers&) { a.mul_(b); });
  change("div_", [](auto a, const auto& b, const Numbers&) { a.div_(b); });
  change("pow_", [](auto a, const auto& b, const Numbers&) { a.pow_(b); });
  change("copy_", [](auto a, const auto& b, const Numbers&) { a.copy_(b.clone()); });
  change("atan2_", [](auto a, const auto& b, const Numbers&) { a.atan2_(b); });
  change("remainder_", [](auto a, const auto& b, const Numbers&) { a.remainder_(b); });
  change("add_number_", [](auto a, const auto&, const Numbers& n) { a.add_(n.real); });
  change("mul_number_", [](auto a, const auto&, const Numbers& n) { a.mul_(n.real); });
  change("fill_", [](auto a, const auto&, const Numbers& n) { a.fill_(n.real); });
  operations.add_in_place("masked_fill_", {Kind::kAny, Kind::kBool}, [](const auto& in, const Numbers& n) {
    auto x = in[0];
    x.masked_fill_(in[1], n.real);
  });
  operations.add_in_place("addcmul_", {Kind::kReal, Kind::kReal, Kind::kReal}, [](const auto& in, const Numbers& n) {
    auto x = in[0];
    x.addcmul_(in[1], in[2], n.real);
  });
  operations.add_in_place("lerp_", {Kind::kReal, Kind::kReal}, [](const auto& in, const Numbers&) {
    auto x = in[0];
    x.lerp_(in[1], 0.25);
  });

  operations.add("where", {Kind::kBool, Kind::kAny, Kind::kAny},
                 [](const auto& in, const Numbers&) { return where(in[0], in[1], in[2]); });
  operations.add("masked_fill", {Kind::kAny, Kind::kBool},
                 [](const auto& in, const Numbers& n) { return in[0].masked_fill(in[1], n.real); });
  operations.add("lerp", {Kind::kReal, Kind::kReal},
                 [](const auto& in, const Numbers& n) { return lerp(in[0], in[1], n.real); });
  operations.add("lerp_tensor", {Kind::kReal, Kind::kReal, Kind::kReal},
                 [](const auto& in, const Numbers&) { return lerp(in[0], in[1], in[2]); });
  operations.add("addcmul", {Kind::kAny, Kind::kAny, Kind::kAny},
                 [](const auto& in, const Numbers& n) { return addcmul(in[0], in[1], in[2], n.real); });
  operations.add("addcdiv", {Kind::kReal, Kind::kReal, Kind::kReal},
                 [](const auto& in, const Numbers& n) { return addcdiv(in[0], in[1], in[2], n.real); });
  operations.add("clamp_tensors", {Kind::kReal, Kind::kReal, Kind::kReal},
                 [](const auto& in, const Numbers&) {  // Of x's shape, or libtorch's gradient throws.
                   return clamp(in[0] + in[1].detach() * 0 + in[2].detach() * 0, in[1], in[2]);
                 });
  operations.add("logical_not", {Kind::kAny}, [](const auto& in, const Numbers&) { return logical_not(in[0]); });
  operations.add("bitwise_not", {Kind::kAny}, [](const auto& in, const Numbers&) { return ~in[0]; });
  operations.add("isnan", {Kind::kAny}, [](const auto& in, const Numbers&) { return isnan(in[0]); });
  operations.add("isfinite", {Kind::kAny}, [](const auto& in, const Numbers&) { return isfinite(in[0]); });
  operations.add("to_float", {Kind::kAny}, [](const auto& in, const Numbers& n) {
    return in[0].to(floating_dtype<std::decay_t<decltype(in[0])>>(n.flag(0)));
  });
  operations.add("detach", {Kind::kAny}, [](const auto& in, const Numbers&) { return in[0].detach(); });
  operations.add("clone", {Kind::kAny}, [](const auto& in, const Numbers&) { return in[0].clone(); });
}

}  // namespace differential
