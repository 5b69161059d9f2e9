#include <ops/gradient_table.h>
#include <support/inputs.h>

namespace wengert::test {

void add_pointwise_rows(GradientRows& rows) {
  struct Unary {
    const char* op;
    Tensor (*function)(const Tensor&);
    Tensor& (Tensor::*method)() const;
    Tensor input;
    bool has_second_gradient = true;
  };
  const std::vector<Unary> unary{
      {"neg", neg, &Tensor::neg_, real({3, 4})},
      {"abs", abs, &Tensor::abs_, real({3, 4}), false},
      {"sign", sign, &Tensor::sign_, real({3, 4}), false},
      {"square", square, &Tensor::square_, real({3, 4})},
      {"sqrt", sqrt, &Tensor::sqrt_, positive({3, 4})},
      {"rsqrt", rsqrt, &Tensor::rsqrt_, positive({3, 4})},
      {"reciprocal", reciprocal, &Tensor::reciprocal_, positive({3, 4})},
      {"floor", floor, &Tensor::floor_, real({3, 4}), false},
      {"ceil", ceil, &Tensor::ceil_, real({3, 4}), false},
      {"trunc", trunc, &Tensor::trunc_, real({3, 4}), false},
      {"round", round, &Tensor::round_, real({3, 4}), false},
      {"frac", frac, &Tensor::frac_, real({3, 4}), false},
      {"exp", exp, &Tensor::exp_, real({3, 4})},
      {"expm1", expm1, &Tensor::expm1_, real({3, 4})},
      {"log", log, &Tensor::log_, positive({3, 4})},
      {"log1p", log1p, &Tensor::log1p_, positive({3, 4})},
      {"log2", log2, &Tensor::log2_, positive({3, 4})},
      {"log10", log10, &Tensor::log10_, positive({3, 4})},
      {"sin", sin, &Tensor::sin_, real({3, 4})},
      {"cos", cos, &Tensor::cos_, real({3, 4})},
      {"tan", tan, &Tensor::tan_, inside({3, 4})},
      {"asin", asin, &Tensor::asin_, inside({3, 4})},
      {"acos", acos, &Tensor::acos_, inside({3, 4})},
      {"atan", atan, &Tensor::atan_, real({3, 4})},
      {"sinh", sinh, &Tensor::sinh_, real({3, 4})},
      {"cosh", cosh, &Tensor::cosh_, real({3, 4})},
      {"tanh", tanh, &Tensor::tanh_, real({3, 4})},
      {"erf", erf, &Tensor::erf_, real({3, 4})},
      {"erfc", erfc, &Tensor::erfc_, real({3, 4})},
      {"lgamma", lgamma, &Tensor::lgamma_, positive({3, 4})},
      {"digamma", digamma, &Tensor::digamma_, positive({3, 4})},
      {"sigmoid", sigmoid, &Tensor::sigmoid_, real({3, 4})},
      {"relu", relu, &Tensor::relu_, real({3, 4}), false},
  };
  for (const Unary& u : unary) {
    rows.row(u.op, "", {u.input}, [f = u.function](const Inputs& in) { return f(in[0]); }).has_second_gradient =
        u.has_second_gradient;
    rows.in_place_row((std::string(u.op) + "_").c_str(), "", {u.input},
                      [method = u.method](const Inputs& in) { return (in[0].*method)(); })
        .has_second_gradient = u.has_second_gradient;
  }
  rows.row("where", "", {real({3, 4}), real({4}, 1)},
           [](const Inputs& in) { return where(in[0] * in[1] > 0, in[0], in[1]); });
  rows.row("where", "number", {real({3, 4})}, [](const Inputs& in) { return where(in[0] > 0, in[0], 2.0); });

  rows.row("polygamma", "", {positive({3, 4})}, [](const Inputs& in) { return polygamma(2, in[0]); });

  // Activations.
  rows.row("log_sigmoid", "", {real({3, 4})}, [](const Inputs& in) { return log_sigmoid(in[0]); });
  rows.row("silu", "", {real({3, 4})}, [](const Inputs& in) { return silu(in[0]); });
  rows.row("softsign", "", {real({3, 4})}, [](const Inputs& in) { return softsign(in[0]); });
  rows.row("softplus", "", {real({3, 4})}, [](const Inputs& in) { return softplus(in[0], 1.5, 1); });
  rows.row("gelu", "", {real({3, 4})}, [](const Inputs& in) { return gelu(in[0]); });
  rows.row("gelu", "tanh", {real({3, 4})}, [](const Inputs& in) { return gelu(in[0], "tanh"); });
  rows.row("elu", "", {real({3, 4})}, [](const Inputs& in) { return elu(in[0], 1.2, 0.9, 1.1); });
  rows.row("leaky_relu", "", {real({3, 4})}, [](const Inputs& in) { return leaky_relu(in[0]); })
      .without_second_gradient();
  rows.row("hardtanh", "", {real({3, 4})}, [](const Inputs& in) { return hardtanh(in[0]); }).without_second_gradient();
  rows.in_place_row("silu_", "", {real({3, 4})}, [](const Inputs& in) { return silu_(in[0]); });
  rows.in_place_row("elu_", "", {real({3, 4})}, [](const Inputs& in) { return elu_(in[0], 1.2); });
  rows.in_place_row("leaky_relu_", "", {real({3, 4})}, [](const Inputs& in) { return leaky_relu_(in[0]); })
      .without_second_gradient();
  rows.in_place_row("hardtanh_", "", {real({3, 4})}, [](const Inputs& in) { return hardtanh_(in[0]); })
      .without_second_gradient();

  // Choices. Without a second gradient: each passes one or the other on as it is.
  const auto choice = [&](const char* op, const char* variant, Inputs inputs, const GradientRows::Operation& f) {
    rows.row(op, variant, std::move(inputs), f).without_second_gradient();
  };
  const auto choice_in_place = [&](const char* op, const char* variant, Inputs inputs,
                                   const GradientRows::Operation& f) {
    rows.in_place_row(op, variant, std::move(inputs), f).without_second_gradient();
  };
  const Inputs bounded{real({3, 4}), arbitrary({4}, -1.2, -0.3, 1), arbitrary({3, 1}, 0.2, 1.1, 2)};
  choice("maximum", "", {real({3, 4}), real({4}, 1)}, [](const Inputs& in) { return maximum(in[0], in[1]); });
  choice("minimum", "", {real({3, 4}), real({4}, 1)}, [](const Inputs& in) { return minimum(in[0], in[1]); });
  choice("clamp", "", {real({3, 4})}, [](const Inputs& in) { return clamp(in[0], -0.5, 0.7); });
  choice("clamp", "tensors", bounded, [](const Inputs& in) { return clamp(in[0], in[1], in[2]); });
  choice("clamp", "lower_tensor", {bounded[0], bounded[1]}, [](const Inputs& in) { return clamp(in[0], in[1]); });
  choice("clamp_min", "", {real({3, 4})}, [](const Inputs& in) { return clamp_min(in[0], 0.3); });
  choice("clamp_max", "", {real({3, 4})}, [](const Inputs& in) { return clamp_max(in[0], 0.3); });
  choice_in_place("clamp_", "", {real({3, 4})}, [](const Inputs& in) { return in[0].clamp_(-0.5, 0.7); });
  choice_in_place("clamp_", "tensors", bounded, [](const Inputs& in) { return in[0].clamp_(in[1], in[2]); });
  choice_in_place("clamp_min_", "", {real({3, 4})}, [](const Inputs& in) { return in[0].clamp_min_(0.3); });
  choice_in_place("clamp_max_", "", {real({3, 4})}, [](const Inputs& in) { return in[0].clamp_max_(0.3); });
  choice("masked_fill", "", {real({3, 4})}, [](const Inputs& in) { return masked_fill(in[0], in[0] > 0.2, 1.5); });
  choice("masked_fill", "tensor", {real({3, 4}), real({}, 1)},
         [](const Inputs& in) { return masked_fill(in[0], in[0] > 0.2, in[1]); });
  choice_in_place("masked_fill_", "", {real({3, 4})},
                  [](const Inputs& in) { return in[0].masked_fill_(in[0] > 0.2, 1.5); });
  choice_in_place("masked_fill_", "tensor", {real({3, 4}), real({}, 1)},
                  [](const Inputs& in) { return in[0].masked_fill_(in[0] > 0.2, in[1]); });
}

}  // namespace wengert::test
