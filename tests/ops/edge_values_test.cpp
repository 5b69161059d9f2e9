#include <gtest/gtest.h>
#include <ops/gradient_table.h>
#include <support/inputs.h>

#include <cmath>
#include <cstring>
#include <limits>

// Infinities, NaN, zeros of either sign, the largest and the smallest numbers: vector code must give for each element
// what it gives for that element alone, and so must the gradient. Over all pointwise operations and their in-place
// forms.

namespace wengert::test {
namespace {

std::vector<double> edge_values(ScalarType dtype) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const double largest = dtype == kFloat ? std::numeric_limits<float>::max() : std::numeric_limits<double>::max();
  const double least = dtype == kFloat ? std::numeric_limits<float>::min() : std::numeric_limits<double>::min();
  return {0.0,  -0.0, 1,   -1,  0.5, -0.5, 2,   -2,      2.5,      -3.5,  7,      20.5,     -30,
          88.8, -104, 710, 1e4, inf, -inf, nan, largest, -largest, least, -least, least / 4};
}

struct Evaluation {
  Tensor value;
  std::vector<Tensor> gradients;
};

Evaluation evaluate(const GradientRow& row, std::vector<Tensor> inputs) {
  for (Tensor& x : inputs) x = x.detach().clone().requires_grad_();
  Evaluation done;
  done.value = row.function(inputs)[0];
  if (done.value.requires_grad()) {
    done.value.sum().backward();
    for (const Tensor& x : inputs) done.gradients.push_back(x.grad());
  }
  return done;
}

// Bit for bit, but for which NaN it is.
bool same(double a, double b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

class EdgeValues : public testing::TestWithParam<GradientRow> {};

TEST_P(EdgeValues, AreTheSameAloneAndAmongOthers) {
  const GradientRow& row = GetParam();
  for (const ScalarType dtype : {kFloat, kDouble}) {
    const std::vector<double> edges = edge_values(dtype);
    const size_t count = edges.size() * edges.size();
    std::vector<Tensor> inputs;
    for (size_t j = 0; j < row.inputs.size(); ++j) {
      std::vector<double> values;
      for (size_t i = 0; i < count; ++i) {
        const size_t at[] = {i, i / edges.size(), 7 * i + 3};
        values.push_back(edges[at[j % 3] % edges.size()]);
      }
      inputs.push_back(tensor(values, kDouble).to(dtype));
    }
    const Evaluation together = evaluate(row, inputs);
    ASSERT_EQ(together.value.sizes(), IntArrayRef(static_cast<int64_t>(count)));
    for (size_t i = 0; i < count; ++i) {
      std::vector<Tensor> alone;
      for (const Tensor& x : inputs) alone.push_back(x.slice(0, static_cast<int64_t>(i), static_cast<int64_t>(i) + 1));
      const Evaluation one = evaluate(row, alone);
      const auto element = [&](const Tensor& x) { return x.reshape({-1})[static_cast<int64_t>(i)].item<double>(); };
      ASSERT_TRUE(same(element(together.value), one.value.item<double>()))
          << dtype << " " << alone[0] << ": " << element(together.value) << " among others, "
          << one.value.item<double>();
      for (size_t j = 0; j < one.gradients.size(); ++j) {
        if (!one.gradients[j].defined()) continue;
        ASSERT_TRUE(same(element(together.gradients[j]), one.gradients[j].item<double>()))
            << dtype << " gradient " << j << " at " << alone[0] << ": " << element(together.gradients[j])
            << " among others, " << one.gradients[j].item<double>();
      }
    }
  }
}

// Rows whose operations take elements one by one, of any number of them.
std::vector<GradientRow> pointwise_rows() {
  GradientRows rows;
  add_pointwise_rows(rows);
  add_arithmetic_rows(rows);
  std::vector<GradientRow> all = std::move(rows).take(), pointwise;
  for (const GradientRow& row : all) {
    std::vector<Tensor> inputs;
    for (size_t j = 0; j < row.inputs.size(); ++j) inputs.push_back(arbitrary({5}, 0.1, 0.9, static_cast<int>(j)));
    try {
      if (row.function(inputs)[0].sizes() == IntArrayRef(5)) pointwise.push_back(row);
    } catch (const Error&) {  // wants certain shapes
    }
  }
  return pointwise;
}
INSTANTIATE_TEST_SUITE_P(Ops, EdgeValues, testing::ValuesIn(pointwise_rows()), [](const auto& info) {
  return info.param.op + (info.param.variant.empty() ? "" : "__" + info.param.variant);
});

TEST(EdgeValues, TheTableHoldsMostPointwiseOperations) { EXPECT_GT(pointwise_rows().size(), 100u); }

}  // namespace
}  // namespace wengert::test
