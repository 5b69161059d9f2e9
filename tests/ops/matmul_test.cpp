#include <gtest/gtest.h>
#include <support/inputs.h>

#include <cmath>

namespace wengert {
namespace {

using test::arbitrary;
using test::values;

Tensor product_by_loops(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to(kDouble).contiguous(), y = b.to(kDouble).contiguous();
  const int64_t n = x.size(0), k = x.size(1), m = y.size(1);
  Tensor c = zeros({n, m}, kDouble);
  const double *p = x.data_ptr<double>(), *q = y.data_ptr<double>();
  double* out = c.data_ptr<double>();
  for (int64_t i = 0; i < n; ++i) {
    for (int64_t j = 0; j < m; ++j) {
      for (int64_t l = 0; l < k; ++l) out[i * m + j] += p[i * k + l] * q[l * m + j];
    }
  }
  return c;
}

// Sizes below and above those from which the BLAS does the work, and from which it is cut into strips.
const std::vector<std::array<int64_t, 3>> kSizes{{3, 2, 4},     {1, 1, 1},       {1, 50, 70},
                                                 {70, 50, 1},   {20, 20, 20},    {65, 3, 9},
                                                 {17, 130, 33}, {400, 300, 301}, {90, 400, 700}};

TEST(Mm, AgreesWithPlainLoopsInEveryLayout) {
  for (const ScalarType dtype : {kFloat, kDouble}) {
    for (const auto& [n, k, m] : kSizes) {
      const Tensor a = arbitrary({n, k}, -1, 1, 1, dtype), b = arbitrary({k, m}, -1, 1, 2, dtype);
      const Tensor expected = product_by_loops(a, b);
      const Tensor a_columns = a.t().clone().t(), b_columns = b.t().clone().t();
      for (const Tensor& left : {a, a_columns, test::with_gaps(a)}) {
        for (const Tensor& right : {b, b_columns, test::with_gaps(b)}) {
          const Tensor c = mm(left, right);
          EXPECT_EQ(c.dtype(), dtype);
          ASSERT_TRUE(allclose(c.to(kDouble), expected, 1e-4, dtype == kFloat ? 1e-4 : 1e-10))
              << n << " " << k << " " << m;
        }
      }
    }
  }
}

TEST(Mm, OfIntegersIsExact) {
  const Tensor a = tensor({{1, 2}, {3, 4}}), big = full({60, 60}, int64_t{1} << 25);
  EXPECT_EQ(values(mm(a, a)), (std::vector<double>{7, 10, 15, 22}));
  EXPECT_EQ(mm(big, big)[3][4].item<int64_t>(), 60 * (int64_t{1} << 50));
}

TEST(Mm, OfEmptyMatricesIsZeros) {
  EXPECT_EQ(mm(ones({0, 3}), ones({3, 2})).sizes(), IntArrayRef({0, 2}));
  EXPECT_TRUE(equal(mm(ones({2, 0}), ones({0, 3})), zeros({2, 3})));
}

TEST(Mm, OfRowsThatAreViewsOfALargerMatrix) {
  const Tensor big = arbitrary({100, 90});
  const Tensor a = big.slice(0, 10, 60).slice(1, 5, 50), b = big.slice(0, 0, 45).slice(1, 20, 80);
  EXPECT_ALLCLOSE(mm(a, b), product_by_loops(a, b));
}

TEST(Mm, OfExpandedOperands) {
  const Tensor row = arbitrary({1, 40}), a = row.expand({30, 40}), b = arbitrary({40, 1}).expand({40, 20});
  EXPECT_ALLCLOSE(mm(a, b), product_by_loops(a, b));
}

TEST(Bmm, MultipliesEachPair) {
  const Tensor a = arbitrary({3, 4, 5}), b = arbitrary({3, 5, 2}, -1, 1, 1);
  const Tensor c = bmm(a, b), d = bmm(b.transpose(1, 2), a.transpose(1, 2));
  for (int64_t s = 0; s < 3; ++s) {
    EXPECT_ALLCLOSE(c[s], product_by_loops(a[s], b[s]));
    EXPECT_ALLCLOSE(d[s], product_by_loops(a[s], b[s]).t());
  }
}

TEST(Matmul, ByTheNumberOfDimensions) {
  const Tensor v = arbitrary({4}), A = arbitrary({3, 4}), B = arbitrary({4, 2}, -1, 1, 1);
  EXPECT_ALLCLOSE(matmul(v, v), (v * v).sum());
  EXPECT_ALLCLOSE(matmul(A, v), (A * v).sum(1));
  EXPECT_ALLCLOSE(matmul(v, B), (v.unsqueeze(1) * B).sum(0));
  EXPECT_ALLCLOSE(matmul(A, B), product_by_loops(A, B));
  EXPECT_EQ(matmul(arbitrary({5, 3, 4}), B).sizes(), IntArrayRef({5, 3, 2}));
  EXPECT_EQ(matmul(arbitrary({5, 3, 4}), v).sizes(), IntArrayRef({5, 3}));
  EXPECT_EQ(matmul(arbitrary({3}), arbitrary({5, 3, 4})).sizes(), IntArrayRef({5, 4}));
  const Tensor batch = arbitrary({2, 1, 3, 4}), other = arbitrary({5, 4, 2}, -1, 1, 3), c = matmul(batch, other);
  ASSERT_EQ(c.sizes(), IntArrayRef({2, 5, 3, 2}));
  EXPECT_ALLCLOSE(c[1][4], product_by_loops(batch[1][0], other[4]));
  EXPECT_EQ(matmul(ones({0, 3, 4}), B.to(kFloat)).sizes(), IntArrayRef({0, 3, 2}));
}

// Products beyond the built-in loops: blocks and panels that do and do not fill, either orientation, an inner dimension
// in several pieces, operands with every layout, views that repeat elements among them.
TEST(Mm, LargeProductsAgreeWithSumsOfOuterProducts) {
  struct Size {
    int64_t n, m, k;
  };
  const auto as_laid = [](const Tensor& x, int layout) {
    switch (layout) {
      case 0: return x;
      case 1: return x.t().contiguous().t();
      case 2: return test::with_gaps(x);
      default: return x.slice(1, 0, 1).expand(x.sizes());
    }
  };
  for (const Size s : {Size{61, 67, 300},
                       {200, 5, 700},
                       {5, 200, 700},
                       {1, 300, 900},
                       {300, 1, 900},
                       {513, 33, 12},
                       {13, 1031, 17},
                       {7, 9, 40000},
                       {200, 70, 300}}) {
    for (const ScalarType dtype : {kFloat, kDouble}) {
      const Tensor a = test::arbitrary({s.n, s.k}, -1, 1, 1, dtype), b = test::arbitrary({s.k, s.m}, -1, 1, 2, dtype);
      for (int layout = 0; layout < 16; ++layout) {
        const Tensor x = as_laid(a, layout % 4), y = as_laid(b, layout / 4);
        const Tensor exact = (x.to(kDouble).unsqueeze(2).transpose(0, 1) * y.to(kDouble).unsqueeze(1)).sum(0);
        const double error = (mm(x, y).to(kDouble) - exact).abs().max().item<double>();
        const double epsilon = dtype == kFloat ? 6e-8 : 1.2e-16;
        ASSERT_LE(error, 8 * epsilon * std::sqrt(static_cast<double>(s.k)) * 16)
            << s.n << " " << s.m << " " << s.k << " layout " << layout << " " << dtype;
      }
    }
  }
}

TEST(Matmul, ProductsWithoutGradMayBeChangedLater) {
  const Tensor w = ones({2}).requires_grad_(), m = ones({2, 2}), batch = ones({3, 2, 2}), v = ones({2});
  std::vector<Tensor> products;
  {
    const NoGradGuard no_grad;
    products = {matmul(v, m),
                matmul(batch, v),
                matmul(batch, m),
                matmul(batch, batch),
                kron(v, ones({1})),
                einsum("i,j->ij", {v, v}),
                einsum("ij,jk->ki", {m, m}),
                tensordot(m, m, {0}, {0})};
  }
  for (const Tensor& y : products) {
    y.mul_(w);
    EXPECT_TRUE(y.requires_grad());
  }
}

TEST(Matmul, DimensionsOf32BitsAreNoLimit) {
#ifdef WENGERT_SANITIZED_TESTS
  GTEST_SKIP() << "takes minutes";
#endif
  // Of one number in memory.
  const int64_t k = int64_t{1} << 31;
  const Tensor ones_in_a_row = ones({1}, kFloat).expand({1, k + 64});
  EXPECT_EQ(mm(ones_in_a_row, ones_in_a_row.t()).item<float>(), static_cast<float>(k));  // 64 is less than a digit
}

TEST(Mm, OfMatricesWithNothingToSumIsZeroInEveryDtype) {
  for (const ScalarType dtype : {kBool, kLong, kFloat, kDouble}) {
    const Tensor a = zeros({2, 0}, dtype), b = zeros({0, 3}, dtype);
    EXPECT_TRUE(equal(mm(a, b), zeros({2, 3}, dtype)));
    EXPECT_TRUE(equal(bmm(a.unsqueeze(0), b.unsqueeze(0)), zeros({1, 2, 3}, dtype)));
    EXPECT_TRUE(equal(mv(a, zeros({0}, dtype)), zeros({2}, dtype)));
  }
}

}  // namespace
}  // namespace wengert
