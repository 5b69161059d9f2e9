#include <gtest/gtest.h>
#include <ops/gradient_table.h>
#include <support/inputs.h>

#include <algorithm>
#include <cctype>
#include <iterator>

namespace wengert::test {
namespace {

using autograd::variable_list;

variable_list leaves(const std::vector<Tensor>& inputs, const std::function<Tensor(const Tensor&)>& prepare) {
  variable_list made;
  for (const Tensor& input : inputs) made.push_back(prepare(input).requires_grad_());
  return made;
}

struct Evaluation {
  Tensor value;
  variable_list grads;
};

// The value, and the gradients of its sum weighted with numbers that have no pattern.
Evaluation evaluate(const GradientRow& row, const variable_list& inputs, bool create_graph = false) {
  const Tensor y = row.function(inputs)[0];
  const Tensor weights = arbitrary(y.sizes(), -1, 1, 77, y.dtype());
  variable_list grads = autograd::grad({y}, inputs, {weights}, create_graph, create_graph, true);
  for (size_t i = 0; i < grads.size(); ++i) {
    if (!grads[i].defined()) grads[i] = zeros_like(inputs[i]);
  }
  return {y.detach(), grads};
}

class Gradient : public testing::TestWithParam<GradientRow> {};

TEST_P(Gradient, AgreesWithFiniteDifferences) {
  const variable_list inputs = leaves(GetParam().inputs, [](const Tensor& x) { return x.clone(); });
  EXPECT_TRUE(autograd::gradcheck(GetParam().function, inputs));
}

TEST_P(Gradient, OfTheGradientAgreesWithFiniteDifferences) {
  const variable_list inputs = leaves(GetParam().inputs, [](const Tensor& x) { return x.clone(); });
  EXPECT_TRUE(autograd::gradgradcheck(GetParam().function, inputs));
}

TEST_P(Gradient, IsTheSameForInputsWithGapsInMemory) {
  const Evaluation dense = evaluate(GetParam(), leaves(GetParam().inputs, [](const Tensor& x) { return x.clone(); }));
  const Evaluation gapped = evaluate(GetParam(), leaves(GetParam().inputs, with_gaps));
  EXPECT_ALLCLOSE(gapped.value, dense.value);
  for (size_t i = 0; i < dense.grads.size(); ++i) EXPECT_ALLCLOSE(gapped.grads[i], dense.grads[i]);
}

// The stride of a dimension of size 1 means nothing, also where is_contiguous() holds: each dimension in turn is cut to
// that size, and its stride made an odd one.
TEST_P(Gradient, IsTheSameWhereStridesMeanNothing) {
  const auto cut = [](const Tensor& x, int64_t dim) {
    const Tensor part = dim < x.dim() ? x.narrow(dim, 0, std::min<int64_t>(1, x.size(dim))) : x;
    return part.contiguous().clone();
  };
  const auto with_odd_stride = [](const Tensor& x, int64_t dim) {
    if (dim >= x.dim()) return x;
    Dims strides(x.strides());
    strides[static_cast<size_t>(dim)] = 5;
    return x.as_strided(x.sizes(), strides);
  };
  for (int64_t dim = 0; dim < 3; ++dim) {
    const auto inputs = [&](bool odd) {
      return leaves(GetParam().inputs, [&](const Tensor& x) {
        const Tensor part = cut(x, dim);
        return odd ? with_odd_stride(part, dim).detach() : part;
      });
    };
    std::optional<Evaluation> plain;
    try {
      plain = evaluate(GetParam(), inputs(false));
    } catch (const std::exception&) {
      continue;  // it takes no such shapes, or gives fewer tensors
    }
    const Evaluation odd = evaluate(GetParam(), inputs(true));
    EXPECT_ALLCLOSE(odd.value, plain->value);
    for (size_t i = 0; i < odd.grads.size(); ++i) EXPECT_ALLCLOSE(odd.grads[i], plain->grads[i]);
  }
}

// Formulas of a few operations are computed in one pass where they are not recorded.
TEST_P(Gradient, IsTheSameWhereItIsRecorded) {
  for (const ScalarType dtype : {kDouble, kFloat}) {
    const auto inputs = [&] {
      return leaves(GetParam().inputs, [&](const Tensor& x) { return x.to(dtype, false, true); });
    };
    const Evaluation plain = evaluate(GetParam(), inputs()), recorded = evaluate(GetParam(), inputs(), true);
    for (size_t i = 0; i < plain.grads.size(); ++i) {
      const double close = dtype == kDouble ? 1e-13 : 1e-5;
      EXPECT_TRUE(allclose(recorded.grads[i].detach(), plain.grads[i], close, close));
    }
  }
}

TEST_P(Gradient, IsTheSameInSinglePrecision) {
  const Evaluation in_double =
      evaluate(GetParam(), leaves(GetParam().inputs, [](const Tensor& x) { return x.clone(); }));
  const Evaluation in_float =
      evaluate(GetParam(), leaves(GetParam().inputs, [](const Tensor& x) { return x.to(kFloat); }));
  EXPECT_EQ(in_float.value.dtype(), kFloat);
  EXPECT_TRUE(allclose(in_float.value.to(kDouble), in_double.value, 1e-4, 1e-5));
  for (size_t i = 0; i < in_double.grads.size(); ++i) {
    EXPECT_EQ(in_float.grads[i].dtype(), kFloat);
    EXPECT_TRUE(allclose(in_float.grads[i].to(kDouble), in_double.grads[i], 1e-3, 1e-4));
  }
}

class GradientOfEmpty : public testing::TestWithParam<GradientRow> {};

TEST_P(GradientOfEmpty, IsEmpty) {
  const GradientRow& row = GetParam();
  // Only inputs that have as many dimensions as the largest are cut; the others broadcast.
  int64_t most = 0;
  for (const Tensor& input : row.inputs) most = std::max(most, input.dim());
  const variable_list inputs =
      leaves(row.inputs, [&](const Tensor& x) { return x.dim() == most ? x.slice(0, 0, 0).clone() : x.clone(); });
  const Evaluation empty = evaluate(row, inputs);
  for (size_t i = 0; i < inputs.size(); ++i) {
    EXPECT_EQ(empty.grads[i].sizes(), inputs[i].sizes());
    if (inputs[i].numel() > 0) {
      EXPECT_TRUE(equal(empty.grads[i], zeros_like(inputs[i])));
    }
  }
}

std::string name_of(const testing::TestParamInfo<GradientRow>& info) {
  std::string name = info.param.op + (info.param.variant.empty() ? "" : "_") + info.param.variant;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name + "_" + std::to_string(info.index);
}

std::vector<GradientRow> rows_that_take_empty() {
  std::vector<GradientRow> rows;
  std::copy_if(gradient_table().begin(), gradient_table().end(), std::back_inserter(rows),
               [](const GradientRow& row) { return row.takes_empty; });
  return rows;
}

INSTANTIATE_TEST_SUITE_P(Table, Gradient, testing::ValuesIn(gradient_table()), name_of);
INSTANTIATE_TEST_SUITE_P(Table, GradientOfEmpty, testing::ValuesIn(rows_that_take_empty()), name_of);

}  // namespace
}  // namespace wengert::test
