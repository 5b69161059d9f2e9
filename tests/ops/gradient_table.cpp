#include <ops/gradient_table.h>
#include <support/inputs.h>

namespace wengert::test {
namespace {

using Inputs = std::vector<Tensor>;
using Operation = std::function<Tensor(const Inputs&)>;

// Inputs away from 0 and from one another's singularities.
Tensor any(IntArrayRef sizes, int salt = 0) { return arbitrary(sizes, -1.5, 1.5, salt); }
Tensor positive(IntArrayRef sizes, int salt = 0) { return arbitrary(sizes, 0.4, 1.6, salt); }

std::vector<GradientRow> make_table() {
  std::vector<GradientRow> rows;
  const auto row = [&](const char* op, const char* variant, Inputs inputs, const Operation& operation) -> GradientRow& {
    rows.push_back({op, variant, std::move(inputs), autograd::returning_one(operation)});
    return rows.back();
  };
  // The in-place form of an operation on its first input; the input itself is a leaf, so a copy is changed.
  const auto in_place_row = [&](const char* op, const char* variant, Inputs inputs, const Operation& change) {
    row(op, variant, std::move(inputs), [change](const Inputs& in) {
      Inputs changed = in;
      changed[0] = in[0] * 1;
      return change(changed);
    });
  };

  // Arithmetic.
  using BinaryOp = std::function<Tensor(const Tensor&, const Tensor&)>;
  const std::vector<std::pair<const char*, BinaryOp>> binary{
      {"add", [](const Tensor& a, const Tensor& b) { return add(a, b, 1.5); }},
      {"sub", [](const Tensor& a, const Tensor& b) { return sub(a, b, 1.5); }},
      {"rsub", [](const Tensor& a, const Tensor& b) { return rsub(a, b, 1.5); }},
      {"mul", [](const Tensor& a, const Tensor& b) { return mul(a, b); }},
      {"div", [](const Tensor& a, const Tensor& b) { return div(a, b); }},
      {"pow", [](const Tensor& a, const Tensor& b) { return pow(a, b); }}};
  for (const auto& [op, f] : binary) {
    const Operation call = [f = f](const Inputs& in) { return f(in[0], in[1]); };
    row(op, "same_shape", {positive({3, 4}), positive({3, 4}, 1)}, call);
    row(op, "broadcast_right", {positive({3, 4}), positive({4}, 1)}, call);
    row(op, "broadcast_left", {positive({3, 1}), positive({3, 4}, 1)}, call);
    row(op, "broadcast_both", {positive({3, 1, 2}), positive({1, 4, 1}, 1)}, call);
    row(op, "scalar_tensor", {positive({3, 4}), positive({}, 1)}, call);
  }
  row("add", "number", {any({3, 4})}, [](const Inputs& in) { return add(in[0], 2.5, 2); });
  row("sub", "number", {any({3, 4})}, [](const Inputs& in) { return sub(in[0], 2.5, 2); });
  row("rsub", "number", {any({3, 4})}, [](const Inputs& in) { return rsub(in[0], 2.5, 2); });
  row("mul", "number", {any({3, 4})}, [](const Inputs& in) { return mul(in[0], 2.5); });
  row("div", "number", {any({3, 4})}, [](const Inputs& in) { return div(in[0], 2.5); });
  row("mul", "of_a_tensor_with_itself", {any({3, 4})}, [](const Inputs& in) { return mul(in[0], in[0]); });
  row("div", "number_by_tensor", {positive({3, 4})}, [](const Inputs& in) { return 2.5 / in[0]; });
  row("pow", "square", {any({3, 4})}, [](const Inputs& in) { return pow(in[0], 2); });
  row("pow", "cube", {any({3, 4})}, [](const Inputs& in) { return pow(in[0], 3); });
  row("pow", "real_exponent", {positive({3, 4})}, [](const Inputs& in) { return pow(in[0], 1.7); });
  row("pow", "negative_exponent", {positive({3, 4})}, [](const Inputs& in) { return pow(in[0], -2); });
  row("pow", "exponent_zero", {any({3, 4})}, [](const Inputs& in) { return pow(in[0], 0); }).has_second_gradient =
      false;
  row("pow", "of_a_number", {any({3, 4})}, [](const Inputs& in) { return pow(2.5, in[0]); });
  in_place_row("add_", "", {any({3, 4}), any({4}, 1)}, [](const Inputs& in) { return in[0].add_(in[1], 1.5); });
  in_place_row("sub_", "", {any({3, 4}), any({4}, 1)}, [](const Inputs& in) { return in[0].sub_(in[1], 1.5); });
  in_place_row("mul_", "", {any({3, 4}), any({4}, 1)}, [](const Inputs& in) { return in[0].mul_(in[1]); });
  in_place_row("div_", "", {any({3, 4}), positive({4}, 1)}, [](const Inputs& in) { return in[0].div_(in[1]); });
  in_place_row("pow_", "", {positive({3, 4}), any({4}, 1)}, [](const Inputs& in) { return in[0].pow_(in[1]); });
  in_place_row("add_", "number", {any({3, 4})}, [](const Inputs& in) { return in[0].add_(2.5); });
  in_place_row("sub_", "number", {any({3, 4})}, [](const Inputs& in) { return in[0].sub_(2.5); });
  in_place_row("mul_", "number", {any({3, 4})}, [](const Inputs& in) { return in[0].mul_(2.5); });
  in_place_row("div_", "number", {any({3, 4})}, [](const Inputs& in) { return in[0].div_(2.5); });
  in_place_row("pow_", "number", {positive({3, 4})}, [](const Inputs& in) { return in[0].pow_(2.5); });

  // Pointwise.
  struct Unary {
    const char* op;
    Tensor (*function)(const Tensor&);
    Tensor& (Tensor::*method)() const;
    Tensor input;
    bool has_second_gradient = true;
  };
  const std::vector<Unary> unary{
      {"neg", neg, &Tensor::neg_, any({3, 4})},
      {"abs", abs, &Tensor::abs_, any({3, 4}), false},
      {"sign", sign, &Tensor::sign_, any({3, 4}), false},
      {"square", square, &Tensor::square_, any({3, 4})},
      {"sqrt", sqrt, &Tensor::sqrt_, positive({3, 4})},
      {"reciprocal", reciprocal, &Tensor::reciprocal_, positive({3, 4})},
      {"exp", exp, &Tensor::exp_, any({3, 4})},
      {"log", log, &Tensor::log_, positive({3, 4})},
      {"tanh", tanh, &Tensor::tanh_, any({3, 4})},
      {"sigmoid", sigmoid, &Tensor::sigmoid_, any({3, 4})},
      {"relu", relu, &Tensor::relu_, any({3, 4}), false},
  };
  for (const Unary& u : unary) {
    row(u.op, "", {u.input}, [f = u.function](const Inputs& in) { return f(in[0]); }).has_second_gradient =
        u.has_second_gradient;
    in_place_row((std::string(u.op) + "_").c_str(), "", {u.input},
                 [method = u.method](const Inputs& in) { return (in[0].*method)(); });
    rows.back().has_second_gradient = u.has_second_gradient;
  }
  row("where", "", {any({3, 4}), any({4}, 1)}, [](const Inputs& in) { return where(in[0] * in[1] > 0, in[0], in[1]); });
  row("where", "number", {any({3, 4})}, [](const Inputs& in) { return where(in[0] > 0, in[0], 2.0); });

  // Reduction.
  row("sum", "all", {any({3, 4})}, [](const Inputs& in) { return sum(in[0]); });
  row("sum", "dim", {any({3, 4, 2})}, [](const Inputs& in) { return sum(in[0], 1); });
  row("sum", "dims_kept", {any({3, 4, 2})}, [](const Inputs& in) { return sum(in[0], {0, -1}, true); });
  row("mean", "all", {any({3, 4})}, [](const Inputs& in) { return mean(in[0]); });
  row("mean", "dim", {any({3, 4, 2})}, [](const Inputs& in) { return mean(in[0], 1); });
  row("mean", "dims_kept", {any({3, 4, 2})}, [](const Inputs& in) { return mean(in[0], {1, 2}, true); });
  row("sum_to_size", "", {any({3, 4, 2})}, [](const Inputs& in) {
    return sum_to_size(in[0], {4, 1});
  }).takes_empty = false;

  // Matrices.
  row("mm", "", {any({3, 4}), any({4, 2}, 1)}, [](const Inputs& in) { return mm(in[0], in[1]); }).takes_empty = false;
  row("mm", "transposed", {any({4, 3}), any({2, 4}, 1)}, [](const Inputs& in) {
    return mm(in[0].t(), in[1].t());
  }).takes_empty = false;
  row("bmm", "", {any({2, 3, 4}), any({2, 4, 2}, 1)}, [](const Inputs& in) { return bmm(in[0], in[1]); });
  row("mv", "", {any({3, 4}), any({4}, 1)}, [](const Inputs& in) { return mv(in[0], in[1]); }).takes_empty = false;
  row("dot", "", {any({4}), any({4}, 1)}, [](const Inputs& in) { return dot(in[0], in[1]); });
  const auto matmul_row = [&](const char* variant, Dims a, Dims b) {
    row("matmul", variant, {any(a), any(b, 1)}, [](const Inputs& in) { return matmul(in[0], in[1]); }).takes_empty =
        false;
  };
  matmul_row("vector_vector", {4}, {4});
  matmul_row("matrix_vector", {3, 4}, {4});
  matmul_row("vector_matrix", {4}, {4, 2});
  matmul_row("matrix_matrix", {3, 4}, {4, 2});
  matmul_row("batch_matrix", {2, 3, 4}, {4, 2});
  matmul_row("batch_vector", {2, 3, 4}, {4});
  matmul_row("vector_batch", {3}, {2, 3, 4});
  matmul_row("batch_batch", {2, 1, 3, 4}, {5, 4, 2});

  // Shape.
  row("view", "", {any({3, 4})}, [](const Inputs& in) { return in[0].clone().view({-1, 2}); }).takes_empty = false;
  row("reshape", "with_a_copy", {any({3, 4})}, [](const Inputs& in) {
    return reshape(in[0].t(), {2, 6});
  }).takes_empty = false;
  row("t", "", {any({3, 4})}, [](const Inputs& in) { return t(in[0]); });
  row("t", "vector", {any({3})}, [](const Inputs& in) { return t(in[0]); });
  row("transpose", "", {any({3, 4, 2})}, [](const Inputs& in) { return transpose(in[0], 0, -1); });
  row("permute", "", {any({3, 4, 2})}, [](const Inputs& in) { return permute(in[0], {2, 0, 1}); });
  row("expand", "", {any({3, 1})}, [](const Inputs& in) { return expand(in[0], {2, 3, 4}); }).takes_empty = false;
  row("squeeze", "all", {any({3, 1, 4, 1})}, [](const Inputs& in) { return squeeze(in[0]); });
  row("squeeze", "dim", {any({3, 1, 4, 1})}, [](const Inputs& in) { return squeeze(in[0], 1); });
  row("unsqueeze", "", {any({3, 4})}, [](const Inputs& in) { return unsqueeze(in[0], -1); });
  row("select", "", {any({3, 4})}, [](const Inputs& in) { return select(in[0], 1, -2); });
  row("narrow", "", {any({3, 4})}, [](const Inputs& in) { return narrow(in[0], 1, 1, 2); });
  row("slice", "", {any({3, 5})}, [](const Inputs& in) { return slice(in[0], 1, 1, std::nullopt, 2); });
  row("as_strided", "", {any({4, 6})}, [](const Inputs& in) {
    return as_strided(in[0].clone(), {2, 3}, {7, 2}, 3);
  }).takes_empty = false;
  row("as_strided", "repeated", {any({4})}, [](const Inputs& in) {
    return as_strided(in[0].clone(), {3, 2}, {0, 2}, 1);
  }).takes_empty = false;

  // Copies.
  row("clone", "", {any({3, 4})}, [](const Inputs& in) { return clone(in[0]); });
  in_place_row("copy_", "", {any({3, 4}), any({4}, 1)}, [](const Inputs& in) { return in[0].copy_(in[1]); });
  in_place_row("fill_", "", {any({3, 4})}, [](const Inputs& in) { return in[0].fill_(2.5); });
  in_place_row("fill_", "tensor", {any({3, 4}), any({}, 1)}, [](const Inputs& in) { return in[0].fill_(in[1]); });
  in_place_row("zero_", "", {any({3, 4})}, [](const Inputs& in) { return in[0].zero_(); });
  for (const char* constant : {"fill_", "zero_"}) {
    for (GradientRow& r : rows) r.has_second_gradient &= !(r.op == constant && r.variant.empty());
  }
  return rows;
}

}  // namespace

const std::vector<GradientRow>& gradient_table() {
  static const std::vector<GradientRow> table = make_table();
  return table;
}

}  // namespace wengert::test
