#include <gtest/gtest.h>
#include <support/inputs.h>

#include <array>
#include <functional>

namespace wengert {
namespace {

TEST(Out, WritesIntoTheTensor) {
  Tensor out = zeros({2, 2});
  const Tensor alias = out, a = test::arbitrary({2, 2}, -1, 1, 0, kFloat);
  EXPECT_TRUE(mul_out(out, a, a).is_same(alias));
  EXPECT_TRUE(equal(alias, a * a));
  EXPECT_TRUE(equal(mm_out(out, a, out), mm(a, a * a)));  // also where it reads what it writes
}

TEST(Out, TakesTheShapeOfTheResult) {
  Tensor out = empty({0});
  EXPECT_TRUE(equal(cat_out(out, {ones({2}), zeros({1})}), tensor({1.0, 1.0, 0.0})));
  EXPECT_EQ(sum_out(out, ones({2, 3}), 0).sizes(), IntArrayRef({3}));
}

TEST(Out, ConvertsWhereNothingIsLostInKind) {
  Tensor reals = zeros({2}), whole = zeros({2}, kLong);
  EXPECT_TRUE(equal(add_out(reals, tensor({1, 2}), tensor({3, 4})), tensor({4.0, 6.0})));
  EXPECT_ERROR(exp_out(whole, reals), "result type Float can't be cast to the desired output type Long");
}

TEST(Out, HasNoGradient) {
  Tensor out = zeros({2});
  const Tensor x = ones({2}, requires_grad());
  EXPECT_ERROR(exp_out(out, x), "exp(): functions with out=... arguments don't support automatic differentiation");
  const NoGradGuard no_grad;
  EXPECT_FALSE(exp_out(out, x).requires_grad());
}

// One call for each operation, with operands of one shape (16, 16).
const std::vector<std::pair<std::string, std::function<Tensor&(Tensor&, const Tensor&, const Tensor&)>>> kWithOut{
    {"add", [](Tensor& out, const Tensor& a, const Tensor& b) -> Tensor& { return add_out(out, a, b, 2); }},
    {"sub", [](Tensor& out, const Tensor& a, const Tensor& b) -> Tensor& { return sub_out(out, a, b); }},
    {"mul", [](Tensor& out, const Tensor& a, const Tensor& b) -> Tensor& { return mul_out(out, a, b); }},
    {"div", [](Tensor& out, const Tensor& a, const Tensor& b) -> Tensor& { return div_out(out, a, b); }},
    {"pow", [](Tensor& out, const Tensor& a, const Tensor& b) -> Tensor& { return pow_out(out, a, b); }},
    {"maximum", [](Tensor& out, const Tensor& a, const Tensor& b) -> Tensor& { return maximum_out(out, a, b); }},
    {"minimum", [](Tensor& out, const Tensor& a, const Tensor& b) -> Tensor& { return minimum_out(out, a, b); }},
    {"neg", [](Tensor& out, const Tensor& a, const Tensor&) -> Tensor& { return neg_out(out, a); }},
    {"abs", [](Tensor& out, const Tensor& a, const Tensor&) -> Tensor& { return abs_out(out, a); }},
    {"sqrt", [](Tensor& out, const Tensor& a, const Tensor&) -> Tensor& { return sqrt_out(out, a); }},
    {"exp", [](Tensor& out, const Tensor& a, const Tensor&) -> Tensor& { return exp_out(out, a); }},
    {"log", [](Tensor& out, const Tensor& a, const Tensor&) -> Tensor& { return log_out(out, a); }},
    {"sin", [](Tensor& out, const Tensor& a, const Tensor&) -> Tensor& { return sin_out(out, a); }},
    {"cos", [](Tensor& out, const Tensor& a, const Tensor&) -> Tensor& { return cos_out(out, a); }},
    {"tanh", [](Tensor& out, const Tensor& a, const Tensor&) -> Tensor& { return tanh_out(out, a); }},
    {"sigmoid", [](Tensor& out, const Tensor& a, const Tensor&) -> Tensor& { return sigmoid_out(out, a); }},
    {"mm", [](Tensor& out, const Tensor& a, const Tensor& b) -> Tensor& { return mm_out(out, a, b); }},
    {"matmul", [](Tensor& out, const Tensor& a, const Tensor& b) -> Tensor& { return matmul_out(out, a, b); }},
    {"bmm",
     [](Tensor& out, const Tensor& a, const Tensor& b) -> Tensor& {
       return bmm_out(out, a.unsqueeze(0), b.unsqueeze(0));
     }},
    {"sum", [](Tensor& out, const Tensor& a, const Tensor&) -> Tensor& { return sum_out(out, a, {0}, true); }},
    {"mean", [](Tensor& out, const Tensor& a, const Tensor&) -> Tensor& { return mean_out(out, a, {1}); }},
    {"cat",
     [](Tensor& out, const Tensor& a, const Tensor& b) -> Tensor& {
       return cat_out(out, {a, b}, 1);
     }},
    {"stack",
     [](Tensor& out, const Tensor& a, const Tensor& b) -> Tensor& {
       return stack_out(out, {a, b}, 1);
     }},
};

// Among the outs: the operands themselves, parts of their memory, other layouts, other dtypes, other shapes.
TEST(Out, HasTheBitsOfANewTensorWhereverItLies) {
  for (const auto& [name, call] : kWithOut) {
    const auto operands = [] {
      const Tensor memory = test::arbitrary({40, 16}).abs() + 0.5;
      return std::array{memory.narrow(0, 0, 16), memory.narrow(0, 16, 16), memory.narrow(0, 8, 16)};
    };
    Tensor expected = empty({0}, kDouble);
    {
      const auto [a, b, between] = operands();
      call(expected, a, b);
    }
    for (int place = 0; place < 7; ++place) {
      const auto [a, b, between] = operands();
      Tensor out = place == 0   ? a
                   : place == 1 ? b
                   : place == 2 ? between
                   : place == 3 ? a.t()
                   : place == 4 ? empty_like(expected)
                   : place == 5 ? empty(expected.sizes(), kDouble).transpose(0, -1).contiguous().transpose(0, -1)
                                : zeros({3}, kDouble);
      const uint32_t version = static_cast<uint32_t>(out._version());
      EXPECT_EQ(&call(out, a, b), &out) << name;
      EXPECT_TRUE(test::same_bits({out}, {expected})) << name << " " << place;
      EXPECT_GT(out._version(), version) << name << " " << place;
    }
    Tensor in_float = empty(expected.sizes(), kFloat);
    const auto [a, b, between] = operands();
    EXPECT_TRUE(test::same_bits({call(in_float, a, b)}, {expected.to(kFloat)})) << name;
  }
}

TEST(Out, IsWrittenWithoutATemporary) {
  const Tensor a = ones({512, 512}), b = ones({512, 512});
  Tensor out = empty({512, 512});
  reset_peak_memory_stats();
  const auto before = max_memory_allocated();
  const void* data = out.data_ptr();
  add_out(out, a, b);
  exp_out(out, a);
  mm_out(out, a, b);
  EXPECT_LT(max_memory_allocated(), before + out.nbytes());
  EXPECT_EQ(out.data_ptr(), data);
}

TEST(Out, OfRepeatedElementsIsRefused) {
  Tensor out = zeros({1}).expand({3});
  EXPECT_ERROR(exp_out(out, ones({3})), "more than one element of the written-to tensor");
}

}  // namespace
}  // namespace wengert
