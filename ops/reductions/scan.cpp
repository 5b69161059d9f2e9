#include <wengert/autograd/base/cpu.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/kernels/sum.h>
#include <wengert/ops/reductions/fold.h>
#include <wengert/ops/reductions/reduction.h>
#include <wengert/ops/reductions/rows.h>

#include <algorithm>
#include <array>

// Running sums and products along a dimension, and the product of all; G = dL/dy.

namespace wengert {
namespace ops {
namespace {

// Columns of `out` that lie side by side, each from the first element on or, backward, from the last.
template <class T, class Step>
void scan_columns(T* out, const T* x, int64_t length, int64_t stride, int64_t columns, bool backward, Step step) {
  constexpr int64_t kMost = 256;
  std::array<kernels::Accumulator<T>, kMost> so_far;
  for (int64_t first = 0; first < columns; first += kMost) {
    cpu::vectorized([&, width = std::min(kMost, columns - first)] {
      for (int64_t i = 0; i < length; ++i) {
        const int64_t at = (backward ? length - 1 - i : i) * stride + first;
        if (i == 0) {
          std::copy_n(x + at, width, so_far.begin());
          std::copy_n(x + at, width, out + at);
          continue;
        }
#pragma omp simd
        for (int64_t j = 0; j < width; ++j) {
          auto& sum = so_far[static_cast<size_t>(j)];
          sum = step(sum, kernels::Accumulator<T>(x[at + j]));
          out[at + j] = static_cast<T>(sum);
        }
      }
    });
  }
}

// Elements from one of a line to the next, and from one line to the next.
struct LineSteps {
  int64_t along, between;
};

// Lines from their first elements on, or backward where these are their last ones. Several go along together: each
// waits for its own last sum.
template <int lines, class T, class Along, class Step>
void scan_lines(T* out, int64_t between_out, const T* x, int64_t between, Along along_out, Along along, int64_t length,
                Step step) {
  std::array<kernels::Accumulator<T>, lines> so_far;
  for (int line = 0; line < lines; ++line) {
    so_far[static_cast<size_t>(line)] = x[line * between];
    out[line * between_out] = x[line * between];
  }
  for (int64_t i = 1; i < length; ++i) {
    x += along;
    out += along_out;
#pragma GCC unroll 4
    for (int line = 0; line < lines; ++line) {
      auto& sum = so_far[static_cast<size_t>(line)];
      sum = step(sum, kernels::Accumulator<T>(x[line * between]));
      out[line * between_out] = static_cast<T>(sum);
    }
  }
}

template <class T, class Step>
void scan_all_lines(T* out, LineSteps to, const T* x, LineSteps from, int64_t length, int64_t count, bool backward,
                    Step step) {
  if (backward) {
    out += (length - 1) * to.along;
    x += (length - 1) * from.along;
    to.along = -to.along;
    from.along = -from.along;
  }
  const auto scan_all = [=](auto along_out, auto along) {
    const auto scan_from = [=]<int lines>(int64_t line, std::integral_constant<int, lines>) {
      scan_lines<lines>(out + line * to.between, to.between, x + line * from.between, from.between, along_out, along,
                        length, step);
    };
    int64_t line = 0;
    for (; line + 4 <= count; line += 4) scan_from(line, std::integral_constant<int, 4>());
    for (; line + 2 <= count; line += 2) scan_from(line, std::integral_constant<int, 2>());
    for (; line < count; ++line) scan_from(line, std::integral_constant<int, 1>());
  };
  if (to.along == 1 && from.along == 1) {
    using One = std::integral_constant<int64_t, 1>;
    scan_all(One(), One());
  } else {
    scan_all(to.along, from.along);
  }
}

// The steps of the lines of a matrix, a vector or a number along a dimension.
LineSteps steps_along(const Tensor& x, int64_t dim) {
  const int64_t along = x.dim() == 0 ? 1 : x.stride(dim);
  return {along, x.dim() == 2 ? x.stride(1 - dim) : 0};
}

template <class Step>
Tensor scan(const char* name, const Tensor& x, int64_t dim, ScalarType dtype, Step step, bool backward = false) {
  Tensor input = x.detach().to(dtype);
  Tensor out = empty(x.sizes(), dtype);
  const int64_t position = wrap_dim(dim, x.dim());
  if (x.numel() == 0) return out;
  const int64_t length = x.dim() == 0 ? 1 : x.size(position);
  int64_t inner = 1;
  for (int64_t d = position + 1; d < x.dim(); ++d) inner *= x.size(d);
  // In a matrix lines may lie in any way; of others, and of many lines that lie across, whole blocks are side by side.
  constexpr int64_t kFew = 4;
  const bool by_lines = x.dim() <= 2 && (inner <= kFew || !input.is_contiguous());
  if (!by_lines) input = input.contiguous();
  dispatch_numbers(dtype, name, [&]<class T>() {
    const T* a = input.data_ptr<T>();
    T* y = out.data_ptr<T>();
    if (by_lines || inner == 1) {
      const LineSteps from = by_lines ? steps_along(input, position) : LineSteps{1, length};
      const LineSteps to = by_lines ? steps_along(out, position) : from;
      kernels::parallel_rows(x.numel() / length, length, [&](int64_t begin, int64_t end) {
        scan_all_lines(y + begin * to.between, to, a + begin * from.between, from, length, end - begin, backward, step);
      });
      return;
    }
    kernels::parallel_rows(x.numel() / (length * inner), length * inner, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin * length * inner; block < end * length * inner; block += length * inner) {
        scan_columns(y + block, a + block, length, inner, inner, backward, step);
      }
    });
  });
  return out;
}

constexpr auto kAdd = [](auto sum, auto a) { return sum + a; };
constexpr auto kMultiply = [](auto product, auto a) { return product * a; };

// dx_i = sum_{j >= i} a_j along dim.
Tensor sum_from_here_on(const Tensor& a, int64_t dim) {
  if (autograd::must_record({a})) return flip(cumsum(flip(a, dim), dim), dim);
  return scan("cumsum", a, dim, a.dtype(), kAdd, true);
}

// The product of each line.
Tensor products(const Lines& lines, bool keepdim) {
  const Tensor out = lines.results(lines.x.dtype());
  dispatch_numbers(out.dtype(), "prod", [&]<class T>() {
    using Exact = kernels::Accumulator<T>;
    T* to = out.data_ptr<T>();
    fold<T>(
        lines, Exact(1), [](Exact product, T v) { return product * Exact(v); }, [](Exact a, Exact b) { return a * b; },
        [=](int64_t i, Exact product) { to[i] = static_cast<T>(product); });
  });
  return lines.in_place(out, keepdim);
}

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
  const Tensor y = scan("cumsum", x, dim, x.dtype(), kAdd);
  return record("CumsumBackward0", y, {x}, saving(),
                [dim](const Backward& b) -> Gradients { return {sum_from_here_on(b.grad(), dim)}; });
}

// y_i = prod_{j <= i} x_j.   VJP:   dx_i = (sum_{j >= i} G_j y_j) / x_i, where no x is 0.
Tensor cumprod(const Tensor& input, int64_t dim, std::optional<ScalarType> dtype) {
  const Tensor x = input.to(summed_type(input, dtype));
  const Tensor y = scan("cumprod", x, dim, x.dtype(), kMultiply);
  return record("CumprodBackward0", y, {x}, saving(x, ToSave::output(y)), [dim](const Backward& b) -> Gradients {
    const Tensor &g = b.grad(), x = b.saved(0);
    if (x.numel() <= 1 || x.dim() == 0) return {g};
    if (has_zero(x)) return {gradient_of_cumprod(g, x, dim)};
    return {sum_from_here_on(g * b.saved(1), dim) / x};
  });
}

// y = prod_i x_i.   VJP:   dx_i = G prod_{j != i} x_j, which is G y / x_i where no x is 0.
Tensor prod(const Tensor& input, std::optional<ScalarType> dtype) {
  const Tensor x = input.to(summed_type(input, dtype));
  const Tensor y = products(Lines::of_all(x.detach()), true).reshape({}).detach();
  return record("ProdBackward0", y, {x}, saving(x, ToSave::output(y)), [](const Backward& b) -> Gradients {
    const Tensor &g = b.grad(), x = b.saved(0);
    if (x.dim() == 0) return {g};
    if (x.numel() == 0) return {zeros_like(x)};
    if (has_zero(x)) return {g * product_of_others(x.reshape({-1}), 0).view(x.sizes())};
    return {g * b.saved(1) / x};
  });
}

// y = product of x along dim.   VJP:   dx_i = G times the product of all others.
Tensor prod(const Tensor& input, int64_t dim, bool keepdim, std::optional<ScalarType> dtype) {
  const Tensor x = input.to(summed_type(input, dtype));
  const Tensor y = products(Lines(x.detach(), wrap_dim(dim, x.dim())), keepdim);
  return record("ProdBackward1", y, {x}, saving(x, ToSave::output(y)), [dim, keepdim](const Backward& b) -> Gradients {
    const Tensor x = b.saved(0), g = with_dim(b.grad(), dim, keepdim, x);
    if (x.dim() == 0) return {g};
    if (x.numel() == 0) return {zeros_like(x)};
    if (has_zero(x)) return {g * product_of_others(x, dim)};
    return {g * with_dim(b.saved(1), dim, keepdim, x) / x};
  });
}

}  // namespace wengert
