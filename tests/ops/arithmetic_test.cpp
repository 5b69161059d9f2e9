#include <gtest/gtest.h>
#include <support/inputs.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

namespace wengert {
namespace {

using test::arbitrary;
using test::values;

// Element [i0, i1, ...] of a tensor that is broadcast to the shape the index is of.
double at(const Tensor& x, const Dims& index) {
  int64_t offset = 0;
  const size_t lead = index.size() - x.sizes().size();
  for (size_t d = 0; d < x.sizes().size(); ++d) {
    if (x.sizes()[d] != 1) offset += index[lead + d] * x.strides()[d];
  }
  return x.dtype() == kFloat ? x.data_ptr<float>()[offset] : x.data_ptr<double>()[offset];
}

void expect_elementwise(const Tensor& out, const Tensor& a, const Tensor& b, double (*f)(double, double)) {
  const std::vector<double> actual = values(out);
  Dims index(out.sizes().size(), 0);
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_NEAR(actual[i], f(at(a, index), at(b, index)), out.dtype() == kFloat ? 1e-5 : 1e-12);
    for (size_t d = index.size(); d-- > 0;) {
      if (++index[d] < out.sizes()[d]) break;
      index[d] = 0;
    }
  }
}

TEST(Arithmetic, AgreesWithAPlainLoop) {
  const std::vector<std::pair<Dims, Dims>> shapes{
      {{7}, {7}},       {{3, 4}, {4}},       {{3, 1}, {1, 4}},      {{2, 3, 4}, {3, 1}},       {{}, {5}},
      {{1}, {2, 2}},    {{0}, {1}},          {{40, 33}, {33}},      {{2, 1, 3, 1}, {5, 1, 2}}, {{0, 4}, {4}},
      {{3, 0}, {3, 1}}, {{300, 400}, {400}}, {{400, 300}, {400, 1}}};
  for (const ScalarType dtype : {kFloat, kDouble}) {
    for (const auto& [sa, sb] : shapes) {
      const Tensor a0 = arbitrary(sa, 0.5, 2, 1, dtype), b0 = arbitrary(sb, 0.5, 2, 2, dtype);
      for (const auto& [a, b] :
           {std::pair(a0, b0), std::pair(test::with_gaps(a0), b0), std::pair(a0, test::with_gaps(b0))}) {
        expect_elementwise(a + b, a, b, [](double x, double y) { return x + y; });
        expect_elementwise(a - b, a, b, [](double x, double y) { return x - y; });
        expect_elementwise(a * b, a, b, [](double x, double y) { return x * y; });
        expect_elementwise(a / b, a, b, [](double x, double y) { return x / y; });
        expect_elementwise(pow(a, b), a, b, [](double x, double y) { return std::pow(x, y); });
        expect_elementwise(a.add(b, 3), a, b, [](double x, double y) { return x + 3 * y; });
      }
    }
  }
}

TEST(Arithmetic, WorksOnLargeTransposedOperands) {
  const Tensor a = arbitrary({300, 400}), b = arbitrary({400, 300}, -1, 1, 1);
  const Tensor sum = a + b.t();
  EXPECT_EQ(sum[17][301].item<double>(), a[17][301].item<double>() + b[301][17].item<double>());
  EXPECT_TRUE(equal(a.t() + b, sum.t()));
}

TEST(Arithmetic, OnMoreThanCachesHoldIsAsOnItsParts) {
  for (const ScalarType dtype : {kFloat, kDouble}) {
    for (const int64_t columns : {2112, 2051}) {  // rows that begin at lines of the cache, and not
      const Tensor a = arbitrary({2049, columns}, -1, 1, 1, dtype), b = arbitrary({2049, columns}, 1, 2, 2, dtype);
      for (const Tensor& operand : {b, b[0], b.narrow(1, 0, 1)}) {
        const Tensor sum = a + operand, ratio = operand / a;
        for (const int64_t first : {0, 1024, 2000}) {
          const Tensor part = a.narrow(0, first, 49);
          const Tensor other = operand.dim() == 2 ? operand.narrow(0, first, 49) : operand;
          EXPECT_TRUE(equal(sum.narrow(0, first, 49), part + other));
          EXPECT_TRUE(equal(ratio.narrow(0, first, 49), other / part));
        }
      }
    }
  }
}

TEST(Arithmetic, TakesNumbersOnEitherSide) {
  const Tensor x = tensor({2.0, 4.0}, kDouble);
  EXPECT_EQ(values(x + 1), (std::vector<double>{3, 5}));
  EXPECT_EQ(values(1 + x), (std::vector<double>{3, 5}));
  EXPECT_EQ(values(x - 1), (std::vector<double>{1, 3}));
  EXPECT_EQ(values(1 - x), (std::vector<double>{-1, -3}));
  EXPECT_EQ(values(x * 3), (std::vector<double>{6, 12}));
  EXPECT_EQ(values(x / 2), (std::vector<double>{1, 2}));
  EXPECT_EQ(values(2 / x), (std::vector<double>{1, 0.5}));
  EXPECT_EQ(values(-x), (std::vector<double>{-2, -4}));
}

TEST(Arithmetic, OnIntegersAndBools) {
  const Tensor n = tensor({7, -3}), b = tensor({true, false});
  EXPECT_EQ(values(n + n), (std::vector<double>{14, -6}));
  EXPECT_EQ(values(n / 2), (std::vector<double>{3.5, -1.5}));
  EXPECT_EQ((n / 2).dtype(), kFloat);
  EXPECT_EQ((b + b).dtype(), kBool);
  EXPECT_EQ(values(b + 1), (std::vector<double>{2, 1}));
  EXPECT_EQ(values(n.pow(3)), (std::vector<double>{343, -27}));
  EXPECT_EQ(values(pow(2, tensor({0, 10, 62}))), (std::vector<double>{1, 1024, 0x1p62}));
  EXPECT_EQ(values(tensor({1, -1, -1, 5}).pow(tensor({-3, -3, -2, -1}))), (std::vector<double>{1, -1, 1, 0}));
}

TEST(Arithmetic, InPlaceKeepsTheDtype) {
  const Tensor x = ones({2});
  x.add_(tensor({1.5, 2.5}, kDouble));
  EXPECT_EQ(x.dtype(), kFloat);
  EXPECT_EQ(values(x), (std::vector<double>{2.5, 3.5}));
  const Tensor n = tensor({1, 2});
  n.mul_(n);
  n.sub_(1);
  EXPECT_EQ(values(n), (std::vector<double>{0, 3}));
  Tensor y = ones({2, 2});
  y += 1;
  y *= tensor({2.0, 3.0});
  y -= 1;
  y /= 2;
  EXPECT_EQ(values(y), (std::vector<double>{1.5, 2.5, 1.5, 2.5}));
  y.t().add_(y.sum(1, true).t().contiguous().view({2, 1}));
  EXPECT_EQ(values(y), (std::vector<double>{5.5, 6.5, 5.5, 6.5}));
}

TEST(Power, TheGradientAtZeroIsTheLimit) {
  const Tensor x = tensor({0.0, 0.0, 2.0}, dtype(kDouble).requires_grad(true));
  const Tensor e = tensor({0.0, 2.0, 0.0}, dtype(kDouble).requires_grad(true));
  pow(x, e).sum().backward();
  EXPECT_EQ(values(x.grad()), (std::vector<double>{0, 0, 0}));
  EXPECT_NEAR(values(e.grad())[2], std::log(2.0), 1e-12);
  EXPECT_EQ(values(e.grad())[0], 0);
  EXPECT_EQ(values(e.grad())[1], 0);
}

TEST(Arithmetic, MixedDtypesHaveGradientsInEachOperandsOwn) {
  const Tensor a = ones({2}, requires_grad()), b = full({2}, 3.0, dtype(kDouble).requires_grad(true));
  (a * b).sum().backward();
  EXPECT_EQ(a.grad().dtype(), kFloat);
  EXPECT_EQ(b.grad().dtype(), kDouble);
  EXPECT_EQ(values(a.grad()), (std::vector<double>{3, 3}));
}

TEST(Arithmetic, InPlaceOfTwoDtypesSendsEachOperandAGradientOfItsOwn) {
  const Tensor x = tensor({2.0, 3.0}, kFloat).requires_grad_(), y = tensor({4.0, 5.0}, kDouble).requires_grad_();
  // Of nodes in between, as leaves cast what arrives.
  const auto dtype_of_gradient = [](const Tensor& leaf, const auto& change) {
    const Tensor between = leaf * 1;
    ScalarType dtype = kBool;
    between.register_hook([&](const Tensor& grad) { dtype = grad.dtype(); });
    change(between).sum().backward();
    return dtype;
  };
  const auto into_double = [&](const auto& change) {
    return dtype_of_gradient(x, [&](const Tensor& other) { return change(y * 1, other); });
  };
  const auto into_float = [&](const auto& change) {
    return dtype_of_gradient(y, [&](const Tensor& other) { return change(x * 1, other); });
  };
  const auto add = [](Tensor a, const Tensor& b) { return a.add_(b); };
  const auto sub = [](Tensor a, const Tensor& b) { return a.sub_(b, 2); };
  const auto mul = [](Tensor a, const Tensor& b) { return a.mul_(b); };
  const auto div = [](Tensor a, const Tensor& b) { return a.div_(b); };
  const auto pow = [](Tensor a, const Tensor& b) { return a.pow_(b); };
  EXPECT_EQ(into_double(add), kFloat);
  EXPECT_EQ(into_double(sub), kFloat);
  EXPECT_EQ(into_double(mul), kFloat);
  EXPECT_EQ(into_double(div), kFloat);
  EXPECT_EQ(into_double(pow), kFloat);
  EXPECT_EQ(into_float(add), kDouble);
  EXPECT_EQ(into_float(sub), kDouble);
  EXPECT_EQ(into_float(mul), kDouble);
  EXPECT_EQ(into_float(div), kDouble);
  EXPECT_EQ(into_float(pow), kDouble);
}

TEST(Arithmetic, OnlyWhatAGradientNeedsIsSaved) {
  const Tensor leaf = tensor({0.5, 2.0}).requires_grad_(), constant = tensor({3.0, 4.0});
  const auto changed_after = [&](const auto& f) {
    const Tensor x = leaf * 1, c = constant.clone();
    const Tensor y = f(x, c);
    x.mul_(2);
    y.sum().backward();
  };
  changed_after([](const Tensor& x, const Tensor& c) { return addcdiv(x, x, c); });
  changed_after([](const Tensor& x, const Tensor& c) { return addcmul(x, x, c); });
  changed_after([](const Tensor& x, const Tensor& c) { return lerp(x, x, c); });
  changed_after([](const Tensor& x, const Tensor& c) { return remainder(x, c); });
  changed_after([](const Tensor& x, const Tensor& c) { return fmod(x, c); });
  changed_after([](const Tensor& x, const Tensor& c) { return addmv(x, outer(c, c), c); });
}

TEST(Arithmetic, NoElementsOverlapWithNone) {
  const Tensor x = ones({2, 1});
  EXPECT_EQ(x.slice(1, 1, 1).add_(x).numel(), 0);
}

TEST(Arithmetic, TheInverseRootOfMinusZeroIsMinusInfinity) {
  EXPECT_EQ(pow(tensor({-0.0}), -0.5).item<double>(), -std::numeric_limits<double>::infinity());
}

// Vector code finds the rest where the quotient is small, and std::fmod elsewhere.
template <class T>
void expect_exact_remainders(ScalarType type) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> exponent(-8, 28), mantissa(1, 2);
  std::vector<T> a, b;
  for (int i = 0; i < 50'000; ++i) {
    const auto any = [&] { return std::bit_cast<T>(static_cast<Bits>(random())); };
    const auto near = [&] { return static_cast<T>(std::ldexp(mantissa(random), static_cast<int>(exponent(random)))); };
    const T divisor = i % 7 == 0 ? any() : near();
    a.push_back(i % 5 == 0 ? any() : i % 5 == 1 ? divisor * static_cast<T>(random() % 1000) : near());
    if (i % 5 == 2) a.back() = std::nextafter(divisor * static_cast<T>(random() % 1000), T(0));
    b.push_back(i % 2 == 0 ? divisor : -divisor);
  }
  const Tensor x = tensor(a, type), y = tensor(b, type), rest = fmod(x, y), modulo = remainder(x, y);
  for (size_t i = 0; i < a.size(); ++i) {
    const T exact = std::fmod(a[i], b[i]), got = rest.data_ptr<T>()[i];
    ASSERT_TRUE(exact == got || (std::isnan(exact) && std::isnan(got))) << std::hexfloat << a[i] << " and " << b[i];
    const T floored = exact != 0 && (b[i] < 0) != (exact < 0) ? exact + b[i] : exact, found = modulo.data_ptr<T>()[i];
    ASSERT_TRUE(floored == found || (std::isnan(floored) && std::isnan(found)))
        << std::hexfloat << a[i] << " and " << b[i];
  }
  const Tensor by_number = fmod(x, 0.7);
  for (size_t i = 0; i < a.size(); ++i) {
    const T exact = std::fmod(a[i], static_cast<T>(0.7)), got = by_number.data_ptr<T>()[i];
    ASSERT_TRUE(exact == got || (std::isnan(exact) && std::isnan(got))) << std::hexfloat << a[i];
  }
}
TEST(Remainder, IsExact) {
  expect_exact_remainders<float>(kFloat);
  expect_exact_remainders<double>(kDouble);
}

TEST(Elementwise, ResultsAreLaidOutAsTheirOperands) {
  const Tensor x = arange(6, kFloat).view({2, 3}).t(), row = ones({2});
  for (const Tensor& y : {x.exp(), x + 1, x + x, x * row, row + x, x > 1, pow(x, 3), maximum(x, x.contiguous())}) {
    EXPECT_EQ(y.strides(), x.strides());
  }
  EXPECT_TRUE((x.contiguous() + x).is_contiguous());
  EXPECT_TRUE((x.slice(0, 0, 3, 2) + 1).is_contiguous());
}

}  // namespace
}  // namespace wengert
