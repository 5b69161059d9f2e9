#include <ops/gradient_table.h>
#include <support/inputs.h>

namespace wengert::test {

void add_arithmetic_rows(GradientRows& rows) {
  using BinaryOp = std::function<Tensor(const Tensor&, const Tensor&)>;
  const std::vector<std::pair<const char*, BinaryOp>> binary{
      {"add", [](const Tensor& a, const Tensor& b) { return add(a, b, 1.5); }},
      {"sub", [](const Tensor& a, const Tensor& b) { return sub(a, b, 1.5); }},
      {"rsub", [](const Tensor& a, const Tensor& b) { return rsub(a, b, 1.5); }},
      {"mul", [](const Tensor& a, const Tensor& b) { return mul(a, b); }},
      {"div", [](const Tensor& a, const Tensor& b) { return div(a, b); }},
      {"pow", [](const Tensor& a, const Tensor& b) { return pow(a, b); }},
      {"atan2", [](const Tensor& a, const Tensor& b) { return atan2(a, b); }},
      {"xlogy", [](const Tensor& a, const Tensor& b) { return xlogy(a, b); }},
      {"lerp", [](const Tensor& a, const Tensor& b) { return lerp(a, b, 0.3); }}};
  for (const auto& [op, f] : binary) {
    const GradientRows::Operation call = [f = f](const Inputs& in) { return f(in[0], in[1]); };
    rows.row(op, "same_shape", {positive({3, 4}), positive({3, 4}, 1)}, call);
    rows.row(op, "broadcast_right", {positive({3, 4}), positive({4}, 1)}, call);
    rows.row(op, "broadcast_left", {positive({3, 1}), positive({3, 4}, 1)}, call);
    rows.row(op, "broadcast_both", {positive({3, 1, 2}), positive({1, 4, 1}, 1)}, call);
    rows.row(op, "scalar_tensor", {positive({3, 4}), positive({}, 1)}, call);
  }
  rows.row("add", "number", {real({3, 4})}, [](const Inputs& in) { return add(in[0], 2.5, 2); });
  rows.row("sub", "number", {real({3, 4})}, [](const Inputs& in) { return sub(in[0], 2.5, 2); });
  rows.row("rsub", "number", {real({3, 4})}, [](const Inputs& in) { return rsub(in[0], 2.5, 2); });
  rows.row("mul", "number", {real({3, 4})}, [](const Inputs& in) { return mul(in[0], 2.5); });
  rows.row("div", "number", {real({3, 4})}, [](const Inputs& in) { return div(in[0], 2.5); });
  rows.row("mul", "of_a_tensor_with_itself", {real({3, 4})}, [](const Inputs& in) { return mul(in[0], in[0]); });
  rows.row("div", "number_by_tensor", {positive({3, 4})}, [](const Inputs& in) { return 2.5 / in[0]; });
  rows.row("pow", "square", {real({3, 4})}, [](const Inputs& in) { return pow(in[0], 2); });
  rows.row("pow", "cube", {real({3, 4})}, [](const Inputs& in) { return pow(in[0], 3); });
  rows.row("pow", "real_exponent", {positive({3, 4})}, [](const Inputs& in) { return pow(in[0], 1.7); });
  rows.row("pow", "negative_exponent", {positive({3, 4})}, [](const Inputs& in) { return pow(in[0], -2); });
  rows.row("pow", "exponent_zero", {real({3, 4})}, [](const Inputs& in) { return pow(in[0], 0); })
      .without_second_gradient();
  rows.row("pow", "of_a_number", {real({3, 4})}, [](const Inputs& in) { return pow(2.5, in[0]); });
  rows.in_place_row("add_", "", {real({3, 4}), real({4}, 1)}, [](const Inputs& in) { return in[0].add_(in[1], 1.5); });
  rows.in_place_row("sub_", "", {real({3, 4}), real({4}, 1)}, [](const Inputs& in) { return in[0].sub_(in[1], 1.5); });
  rows.in_place_row("mul_", "", {real({3, 4}), real({4}, 1)}, [](const Inputs& in) { return in[0].mul_(in[1]); });
  rows.in_place_row("div_", "", {real({3, 4}), positive({4}, 1)}, [](const Inputs& in) { return in[0].div_(in[1]); });
  rows.in_place_row("pow_", "", {positive({3, 4}), real({4}, 1)}, [](const Inputs& in) { return in[0].pow_(in[1]); });
  rows.in_place_row("add_", "number", {real({3, 4})}, [](const Inputs& in) { return in[0].add_(2.5); });
  rows.in_place_row("sub_", "number", {real({3, 4})}, [](const Inputs& in) { return in[0].sub_(2.5); });
  rows.in_place_row("mul_", "number", {real({3, 4})}, [](const Inputs& in) { return in[0].mul_(2.5); });
  rows.in_place_row("div_", "number", {real({3, 4})}, [](const Inputs& in) { return in[0].div_(2.5); });
  rows.in_place_row("pow_", "number", {positive({3, 4})}, [](const Inputs& in) { return in[0].pow_(2.5); });

  // Quotients with a rest, away from where the whole part jumps.
  const Inputs quotient{tensor({{3.3, -3.4, 2.7}, {5.2, -1.2, 4.4}}, kDouble), tensor({2.0, 1.1, -1.3}, kDouble)};
  using BinaryFunction = Tensor (*)(const Tensor&, const Tensor&);
  using BinaryMethod = Tensor& (Tensor::*)(const Tensor&) const;
  struct WithRest {
    const char* op;
    BinaryFunction function;
    const char* method_name;
    BinaryMethod method;
  };
  for (const WithRest& f : {WithRest{"remainder", remainder, "remainder_", &Tensor::remainder_},
                            WithRest{"fmod", fmod, "fmod_", &Tensor::fmod_},
                            WithRest{"floor_divide", floor_divide, "floor_divide_", &Tensor::floor_divide_}}) {
    rows.row(f.op, "", quotient, [f](const Inputs& in) { return f.function(in[0], in[1]); }).without_second_gradient();
    rows.in_place_row(f.method_name, "", quotient, [f](const Inputs& in) { return (in[0].*f.method)(in[1]); })
        .without_second_gradient();
  }
  rows.row("remainder", "number", {quotient[0]}, [](const Inputs& in) { return remainder(in[0], 1.45); })
      .without_second_gradient();
  rows.row("fmod", "number", {quotient[0]}, [](const Inputs& in) { return fmod(in[0], 1.45); })
      .without_second_gradient();
  for (const char* mode : {"floor", "trunc"}) {
    rows.row("div", mode, quotient, [mode](const Inputs& in) { return div(in[0], in[1], mode); })
        .without_second_gradient();
  }
  rows.in_place_row("div_", "floor", quotient, [](const Inputs& in) { return in[0].div_(in[1], "floor"); })
      .without_second_gradient();
  rows.in_place_row("atan2_", "", {positive({3, 4}), real({4}, 1)},
                    [](const Inputs& in) { return in[0].atan2_(in[1]); });

  rows.row("lerp", "far_end", {real({3, 4}), real({4}, 1)}, [](const Inputs& in) { return lerp(in[0], in[1], 0.8); });
  rows.row("lerp", "tensor", {real({3, 4}), real({4}, 1), real({3, 1}, 2)},
           [](const Inputs& in) { return lerp(in[0], in[1], in[2]); });
  rows.in_place_row("lerp_", "", {real({3, 4}), real({4}, 1)},
                    [](const Inputs& in) { return in[0].lerp_(in[1], 0.3); });
  rows.in_place_row("lerp_", "tensor", {real({3, 4}), real({4}, 1), real({3, 1}, 2)},
                    [](const Inputs& in) { return in[0].lerp_(in[1], in[2]); });
  const Inputs three{real({3, 4}), real({4}, 1), positive({3, 1}, 2)};
  rows.row("addcmul", "", three, [](const Inputs& in) { return addcmul(in[0], in[1], in[2], 1.5); });
  rows.row("addcdiv", "", three, [](const Inputs& in) { return addcdiv(in[0], in[1], in[2], 1.5); });
  rows.in_place_row("addcmul_", "", three, [](const Inputs& in) { return in[0].addcmul_(in[1], in[2], 1.5); });
  rows.in_place_row("addcdiv_", "", three, [](const Inputs& in) { return in[0].addcdiv_(in[1], in[2], 1.5); });
}

}  // namespace wengert::test
