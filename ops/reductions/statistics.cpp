#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/promotion.h>
#include <wengert/ops/reductions/fold.h>
#include <wengert/ops/reductions/reduction.h>

#include <cmath>
#include <limits>

// Variances and norms, and what can be said of truth values; G = dL/dy. dims: as for sum.

namespace wengert {
namespace ops {
namespace {

// sum (x - mean)^2 / (n - c).   VJP:   dx = 2 G (x - mean) / (n - c).
Tensor gradient_of_variance(const Tensor& g, const Tensor& x, IntArrayRef dims, double degrees) {
  return g * (2 / degrees) * (x - x.mean(dims, true));
}

// Whether all of x's elements go into one result, and x is large.
bool sums_large(const Tensor& x, DimSet reduced) {
  return goes_by_parts(x) && reduced_count(x.sizes(), reduced) == x.numel();
}

// A result of all of x's elements.
Tensor single(const Tensor& x, DimSet reduced, bool keepdim, double value) {
  return full(reduced_shape(x.sizes(), reduced, keepdim), value, x.dtype());
}

Tensor compute_variance(const Tensor& x, IntArrayRef dims, bool keepdim, double degrees) {
  const NoGradGuard no_grad;
  if (const DimSet reduced = reduced_dims(dims, x.sizes().size()); sums_large(x, reduced)) {
    const double mean = sum_over_parts(x, sum_in_double) / static_cast<double>(x.numel());
    const double squares =
        sum_over_parts(x, [mean](const Tensor& part) { return sum_in_double(square(part.to(kDouble) - mean)); });
    return single(x, reduced, keepdim, squares / std::max(degrees, 0.0));
  }
  const Tensor in_double = x.to(kDouble);
  const Tensor squares = square(in_double - in_double.mean(dims, true));
  return (sum(squares, dims, keepdim) / std::max(degrees, 0.0)).to(x.dtype());
}

// v = sum of (x - mean)^2 / degrees, or its root s.   VJP:   dx = 2 G (x - mean) / degrees; through s = sqrt(v) with G
// / (2 s) for G, and 0 where s is 0.
Tensor variance_or_root(const Tensor& x, IntArrayRef dims, bool unbiased, bool keepdim, bool root) {
  const char* name = root ? "std" : "var";
  check(isFloatingType(x.dtype()), "{} only support floating point and complex dtypes", name);
  const DimSet reduced = reduced_dims(dims, x.sizes().size());
  const double degrees = static_cast<double>(reduced_count(x.sizes(), reduced) - (unbiased ? 1 : 0));
  Tensor y = compute_variance(x, dims, keepdim, degrees);
  const Dims shape = reduced_shape(x.sizes(), reduced, true);
  if (!root) {
    return record("VarBackward0", y, {x}, saving(x), [=, dims = Dims(dims)](const Backward& b) -> Gradients {
      return {gradient_of_variance(b.grad().reshape(shape), b.saved(0), dims, degrees)};
    });
  }
  {
    const NoGradGuard no_grad;
    y.sqrt_();
  }
  return record("StdBackward0", y, {x}, saving(x, ToSave::output(y)),
                [=, dims = Dims(dims)](const Backward& b) -> Gradients {
                  const Tensor y = b.saved(1), g = where(y == 0, 0, b.grad() / (y * 2));
                  return {gradient_of_variance(g.reshape(shape), b.saved(0), dims, degrees)};
                });
}

// With r = |x|, y = the norm and every division by 0 giving 0:
//     p = 0: 0.    p = 1: G sign(x).    p = 2: G x / y.    p = inf: G sign(x) where r = y, shared among equals.
//     else: G sign(x) r^(p-1) / y^(p-1).
Tensor gradient_of_norm(const Tensor& g, const Tensor& x, const Tensor& y, double p, IntArrayRef dims) {
  const Tensor zero = zeros({}, g.options());
  if (p == 0) return zeros_like(x) * g;
  if (p == 1) return g * sign(x);
  if (p == 2) return x * where(y == 0, zero, g / y);
  if (std::isinf(p)) {
    const Tensor chosen = (x.abs() == y).to(x.dtype());
    return sign(x) * chosen * (g / chosen.sum(dims, true));
  }
  const Tensor r = where(x == 0, zero, pow(where(x == 0, ones({}, g.options()), x.abs()), p - 1));
  return sign(x) * r * where(y == 0, zero, g * pow(y, 1 - p));
}

// The norm of all of a large tensor's elements, part by part.
double norm_by_parts(const Tensor& x, double p) {
  if (p == 0) return sum_over_parts(x, [](const Tensor& part) { return sum(part != 0).item<double>(); });
  if (p == 1) return sum_over_parts(x, [](const Tensor& part) { return sum_in_double(part.abs()); });
  if (p == 2) return std::sqrt(sum_over_parts(x, [](const Tensor& part) { return sum_in_double(part * part); }));
  if (std::isinf(p)) {
    const std::vector<double> extremes =
        over_parts(x, [p](const Tensor& part) { return (p > 0 ? amax(part.abs()) : amin(part.abs())).item<double>(); });
    const Tensor all = tensor(extremes, kDouble);
    return (p > 0 ? amax(all) : amin(all)).item<double>();
  }
  return std::pow(sum_over_parts(x, [p](const Tensor& part) { return sum_in_double(pow(part.abs(), p)); }), 1 / p);
}

Tensor compute_norm(const Tensor& x, double p, IntArrayRef dims, bool keepdim) {
  const NoGradGuard no_grad;
  if (const DimSet reduced = reduced_dims(dims, x.sizes().size()); sums_large(x, reduced)) {
    return single(x, reduced, keepdim, norm_by_parts(x, p));
  }
  if (p == 0) return sum((x != 0).to(x.dtype()), dims, keepdim);
  const Tensor r = x.abs();
  if (p == 1) return sum(r, dims, keepdim);
  if (p == 2) return sqrt(sum(r * r, dims, keepdim));
  if (std::isinf(p) && x.numel() == 0) return full_like(sum(r, dims, keepdim), p > 0 ? 0.0 : -p);
  if (p == std::numeric_limits<double>::infinity()) return amax(r, dims, keepdim);
  if (p == -std::numeric_limits<double>::infinity()) return amin(r, dims, keepdim);
  return pow(sum(pow(r, p), dims, keepdim), 1 / p);
}

// The sum of each line's numbers.
Tensor sums_without_nan(const Lines& lines, bool keepdim) {
  const Tensor sums = lines.results(lines.x.dtype());
  dispatch_floating(sums.dtype(), "nansum", [&]<class T>() {
    T* to = sums.data_ptr<T>();
    fold<T>(
        lines, 0.0, [](double s, T v) { return s + (v == v ? static_cast<double>(v) : 0.0); },
        [](double a, double b) { return a + b; }, [=](int64_t i, double s) { to[i] = static_cast<T>(s); });
  });
  return lines.in_place(sums, keepdim);
}

// How many are not 0 along a dimension; found(count) becomes the result.
template <class Out, class Found>
Tensor count_along(const Tensor& input, int64_t dim, bool keepdim, ScalarType dtype, const Found& found) {
  const NoGradGuard no_grad;
  const Lines lines(input.detach(), wrap_dim(dim, input.dim()));
  const Tensor out = lines.results(dtype);
  Out* to = out.data_ptr<Out>();
  dispatch(input.dtype(), [&]<class T>() {
    fold<T>(
        lines, int64_t{0}, [](int64_t count, T v) { return count + static_cast<int64_t>(v != T(0)); },
        [](int64_t a, int64_t b) { return a + b; }, [&](int64_t i, int64_t count) { to[i] = found(count); });
  });
  return lines.in_place(out, keepdim);
}

// How many are not 0.
Tensor count_true(const Tensor& x, IntArrayRef dims, bool keepdim) {
  const NoGradGuard no_grad;
  const DimSet reduced = reduced_dims(dims, x.sizes().size());
  if (sums_large(x, reduced)) {
    const double count =
        sum_over_parts(x, [](const Tensor& part) { return count_true(part, {}, false).item<double>(); });
    return full(reduced_shape(x.sizes(), reduced, keepdim), static_cast<int64_t>(count), kLong);
  }
  const auto keep_count = [](int64_t count) { return count; };
  if (dims.size() == 1) return count_along<int64_t>(x, dims[0], keepdim, kLong, keep_count);
  if (reduced_count(x.sizes(), reduced) == x.numel()) {
    return count_along<int64_t>(x.reshape({-1}), 0, false, kLong, keep_count)
        .reshape(reduced_shape(x.sizes(), reduced, keepdim));
  }
  return sum(x != 0, dims, keepdim);
}

// y = (sum |x|^p)^(1/p).   VJP:   dx = G sign(x) (|x| / y)^(p - 1), and 0 where y is 0; for p = inf the largest share
// G.
Tensor norm_over(const char* node, const Tensor& x, Scalar order, IntArrayRef dims, bool keepdim) {
  check(isFloatingType(x.dtype()), "linalg.vector_norm: Expected a floating point or complex tensor as input. Got {}",
        x.dtype());
  const double p = order.toDouble();
  const DimSet reduced = reduced_dims(dims, x.sizes().size());
  const Dims shape = reduced_shape(x.sizes(), reduced, true);
  Dims all_dims;
  for (size_t d = 0; d < x.sizes().size(); ++d) {
    if (reduced[d]) all_dims.push_back(static_cast<int64_t>(d));
  }
  const Tensor y = compute_norm(x, p, all_dims, keepdim);
  return record(node, y, {x}, saving(x, ToSave::output(y)), [=](const Backward& b) -> Gradients {
    return {gradient_of_norm(b.grad().reshape(shape), b.saved(0), b.saved(1).reshape(shape), p, all_dims)};
  });
}

}  // namespace
}  // namespace ops

using namespace ops;

Tensor var(const Tensor& x, bool unbiased) { return variance_or_root(x, {}, unbiased, false, false); }
Tensor var(const Tensor& x, IntArrayRef dims, bool unbiased, bool keepdim) {
  return variance_or_root(x, dims, unbiased, keepdim, false);
}
Tensor std(const Tensor& x, bool unbiased) { return variance_or_root(x, {}, unbiased, false, true); }
Tensor std(const Tensor& x, IntArrayRef dims, bool unbiased, bool keepdim) {
  return variance_or_root(x, dims, unbiased, keepdim, true);
}

Tensor norm(const Tensor& x, Scalar p) { return norm_over("NormBackward0", x, p, {}, false); }
Tensor norm(const Tensor& x, std::optional<Scalar> p, IntArrayRef dims, bool keepdim) {
  return norm_over("NormBackward1", x, p.value_or(2), dims, keepdim);
}

Tensor all(const Tensor& x) { return unrecorded("all", count_true(x, {}, false) == x.numel()); }
Tensor all(const Tensor& x, int64_t dim, bool keepdim) {
  const int64_t size = x.dim() == 0 ? 1 : x.size(dim);
  return unrecorded("all", count_along<bool>(x, dim, keepdim, kBool, [size](int64_t count) { return count == size; }));
}
Tensor any(const Tensor& x) { return unrecorded("any", count_true(x, {}, false) != 0); }
Tensor any(const Tensor& x, int64_t dim, bool keepdim) {
  return unrecorded("any", count_along<bool>(x, dim, keepdim, kBool, [](int64_t count) { return count != 0; }));
}
Tensor count_nonzero(const Tensor& x, std::optional<int64_t> dim) {
  return count_nonzero(x, dim ? IntArrayRef(*dim) : IntArrayRef());
}
Tensor count_nonzero(const Tensor& x, IntArrayRef dims) {
  return unrecorded("count_nonzero", count_true(x, dims, false));
}

// y = sum of what is no NaN.   VJP:   dx = G there, 0 at NaN.
Tensor nansum(const Tensor& x) {
  if (!isFloatingType(x.dtype())) return sum(x);
  const auto sum_of = [](const Tensor& part) {
    return sums_without_nan(Lines::of_all(part.detach()), true).item<double>();
  };
  const Tensor y = full({}, goes_by_parts(x) ? sum_over_parts(x.detach(), sum_of) : sum_of(x), x.dtype());
  return record("NansumBackward0", y, {x}, saving(x),
                [](const Backward& b) -> Gradients { return {where(isnan(b.saved(0)), 0, b.grad())}; });
}
Tensor nansum(const Tensor& x, IntArrayRef dims, bool keepdim) {
  if (!isFloatingType(x.dtype())) return sum(x, dims, keepdim);
  const bool one_dim = dims.size() == 1 && x.dim() > 0;
  Tensor y;
  {
    const NoGradGuard no_grad;
    y = one_dim ? sums_without_nan(Lines(x.detach(), wrap_dim(dims[0], x.dim())), keepdim)
                : sum(where(isnan(x), 0, x), dims, keepdim);
  }
  const Dims shape = reduced_shape(x.sizes(), reduced_dims(dims, x.sizes().size()), true);
  return record("NansumBackward0", y, {x}, saving(x), [shape](const Backward& b) -> Gradients {
    return {where(isnan(b.saved(0)), 0, b.grad().reshape(shape))};
  });
}

}  // namespace wengert
