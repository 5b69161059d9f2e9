#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/kernels/sum.h>
#include <wengert/ops/reductions/reduction.h>
#include <wengert/ops/reductions/rows.h>

// Running sums and products along a dimension, and the product of all; G = dL/dy.

namespace wengert {
namespace ops {
namespace {

template <class Step>
Tensor scan(const char* name, const Tensor& x, int64_t dim, ScalarType dtype, Step step) {
  const Rows rows(x.detach().to(dtype), dim);
  Tensor out = rows.results(dtype, rows.length);
  dispatch_numbers(dtype, name, [&]<class T>() {
    using Exact = kernels::Accumulator<T>;
    const T* from = rows.elements.data_ptr<T>();
    T* to = out.data_ptr<T>();
    rows.for_each([&](int64_t row) {
      const T* a = from + row * rows.length;
      T* y = to + row * rows.length;
      Exact so_far = a[0];
      y[0] = a[0];
      for (int64_t i = 1; i < rows.length; ++i) y[i] = static_cast<T>(so_far = step(so_far, Exact(a[i])));
    });
  });
  return rows.in_place(out);
}

// dx_i = sum_{j >= i} a_j along dim.
Tensor sum_from_here_on(const Tensor& a, int64_t dim) { return flip(cumsum(flip(a, dim), dim), dim); }

// The product of all others along dim, right also where some are 0.
Tensor product_of_others(const Tensor& x, int64_t dim) {
  const int64_t n = x.size(dim);
  Dims one_shape(x.sizes());
  one_shape[static_cast<size_t>(wrap_dim(dim, x.dim()))] = 1;
  const Tensor one = ones(one_shape, x.options());
  const Tensor before = cumprod(cat({one, x.narrow(dim, 0, n - 1)}, dim), dim);
  const Tensor after = flip(cumprod(cat({one, flip(x.narrow(dim, 1, n - 1), dim)}, dim), dim), dim);
  return before * after;
}

// dx_k = (prod_{i<k} x_i) sum_{j>=k} G_j prod_{k<i<=j} x_i: one k after another, which no zero disturbs.
Tensor gradient_of_cumprod(const Tensor& g, const Tensor& x, int64_t dim) {
  const int64_t n = x.size(dim);
  std::vector<Tensor> dx;
  for (int64_t k = 0; k < n; ++k) {
    Tensor term = g.narrow(dim, k, 1);
    if (k + 1 < n) {
      const Tensor later = cumprod(x.narrow(dim, k + 1, n - k - 1), dim);
      term = term + (g.narrow(dim, k + 1, n - k - 1) * later).sum(dim, true);
    }
    dx.push_back(k == 0 ? term : term * x.narrow(dim, 0, k).prod(dim, true));
  }
  return cat(dx, dim);
}

}  // namespace

bool has_zero(const Tensor& x) {
  const NoGradGuard no_grad;
  return any(x == 0).item<bool>();
}

}  // namespace ops

using namespace ops;

// y_i = sum_{j <= i} x_j.   VJP:   dx_i = sum_{j >= i} G_j.
Tensor cumsum(const Tensor& input, int64_t dim, std::optional<ScalarType> dtype) {
  const Tensor x = input.to(summed_type(input, dtype));
  const Tensor y = scan("cumsum", x, dim, x.dtype(), [](auto sum, auto a) { return sum + a; });
  return record("CumsumBackward0", y, {x}, saving(),
                [dim](const Backward& b) -> Gradients { return {sum_from_here_on(b.grad(), dim)}; });
}

// y_i = prod_{j <= i} x_j.   VJP:   dx_i = (sum_{j >= i} G_j y_j) / x_i, where no x is 0.
Tensor cumprod(const Tensor& input, int64_t dim, std::optional<ScalarType> dtype) {
  const Tensor x = input.to(summed_type(input, dtype));
  const Tensor y = scan("cumprod", x, dim, x.dtype(), [](auto product, auto a) { return product * a; });
  return record("CumprodBackward0", y, {x}, saving(x, ToSave::output(y)), [dim](const Backward& b) -> Gradients {
    const Tensor &g = b.grad(), x = b.saved(0);
    if (x.numel() <= 1 || x.dim() == 0) return {g};
    if (has_zero(x)) return {gradient_of_cumprod(g, x, dim)};
    return {sum_from_here_on(g * b.saved(1), dim) / x};
  });
}

// y = prod_i x_i.   VJP:   dx_i = G prod_{j != i} x_j, which is G y / x_i where no x is 0.
Tensor prod(const Tensor& input, std::optional<ScalarType> dtype) { return prod(input.reshape({-1}), 0, false, dtype); }

Tensor prod(const Tensor& input, int64_t dim, bool keepdim, std::optional<ScalarType> dtype) {
  const Tensor x = input.to(summed_type(input, dtype));
  const Rows rows(x, dim);
  Tensor out = rows.length == 0 ? ones(rows.results(x.dtype(), 1).sizes(), x.options()) : rows.results(x.dtype(), 1);
  dispatch_numbers(x.dtype(), "prod", [&]<class T>() {
    const T* from = rows.elements.data_ptr<T>();
    T* to = out.data_ptr<T>();
    rows.for_each([&](int64_t row) {
      kernels::Accumulator<T> product = 1;
      for (int64_t i = 0; i < rows.length; ++i) product *= kernels::Accumulator<T>(from[row * rows.length + i]);
      to[row] = static_cast<T>(product);
    });
  });
  const Tensor y = rows.in_place(out, keepdim);
  return record("ProdBackward1", y, {x}, saving(x, ToSave::output(y)), [dim, keepdim](const Backward& b) -> Gradients {
    const Tensor x = b.saved(0), g = with_dim(b.grad(), dim, keepdim, x);
    if (x.dim() == 0) return {g};
    if (x.numel() == 0) return {zeros_like(x)};
    if (has_zero(x)) return {g * product_of_others(x, dim)};
    return {g * with_dim(b.saved(1), dim, keepdim, x) / x};
  });
}

}  // namespace wengert
