#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/elementwise/write_out.h>
#include <wengert/ops/kernels/sum.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/out.h>
#include <wengert/ops/reductions/reduction.h>

#include <exception>
#include <limits>
#include <mutex>

namespace wengert {
namespace ops {

Dims reduced_shape(IntArrayRef sizes, DimSet reduced, bool keepdim) {
  Dims shape;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (!reduced[d]) {
      shape.push_back(sizes[d]);
    } else if (keepdim) {
      shape.push_back(1);
    }
  }
  return shape;
}

int64_t reduced_count(IntArrayRef sizes, DimSet reduced) {
  int64_t count = 1;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (reduced[d]) count *= sizes[d];
  }
  return count;
}

namespace {

// The sums of x over the reduced dimensions, in a new tensor or `into` one without gaps.
Tensor compute_sum(const Tensor& x, DimSet reduced, bool keepdim, const Tensor* into = nullptr) {
  const ScalarType dtype = x.dtype();
  const size_t dims = x.sizes().size();
  if (x.is_contiguous() && reduced == first_dims(dims)) {
    Tensor out = into != nullptr ? *into : keepdim ? empty(Dims(dims, 1), dtype) : empty({}, dtype);
    dispatch_numbers(dtype, "sum", [&]<class T>() {
      kernels::sum_all_into(kernels::StridedLoop<1>(x.numel(), {1}), elements<T>(out), elements<T>(x));
    });
    return out;
  }
  Tensor out = into != nullptr ? *into : empty(reduced_shape(x.sizes(), reduced, keepdim), dtype);
  Dims kept_sizes, kept_x, sum_sizes, sum_x;
  for (size_t d = 0; d < dims; ++d) {
    if (reduced[d]) {
      sum_sizes.push_back(x.sizes()[d]);
      sum_x.push_back(x.strides()[d]);
    } else {
      kept_sizes.push_back(x.sizes()[d]);
      kept_x.push_back(x.strides()[d]);
    }
  }
  const Dims kept_out = contiguous_strides(kept_sizes);
  const kernels::StridedLoop<1> summed(span_of(sum_sizes), {span_of(sum_x)});
  dispatch_numbers(dtype, "sum", [&]<class T>() {
    if (out.numel() == 1) {
      kernels::sum_all_into(summed, elements<T>(out), elements<T>(x));
      return;
    }
    const kernels::StridedLoop<2> kept(span_of(kept_sizes), {span_of(kept_out), span_of(kept_x)});
    tracing::perform({tracing::writes(elements<T>(out), out.numel()),
                      tracing::reads(elements<T>(x), kept.extent(1) + summed.extent(0))},
                     [kept, summed](char* const* at) {
                       kernels::sum_dims(kept, summed, reinterpret_cast<T*>(at[0]), reinterpret_cast<const T*>(at[1]));
                     });
  });
  return out;
}

// Every element of a reduced dimension gets the gradient of the sum that it went into: a view, repeated by
// strides of 0.
Tensor repeat_reduced(const Tensor& g, IntArrayRef sizes, DimSet reduced) {
  if (g.dim() > 0) return g.reshape(reduced_shape(sizes, reduced, true)).expand(sizes);
  if (GradMode::is_enabled()) return g.expand(sizes);
  return autograd::make_view(g, sizes, Dims(sizes.size(), 0), g.storage_offset());
}

// s = sum of x over some dimensions.   VJP, for G = dL/ds:   dx = G, repeated along those dimensions.
Tensor sum_over(const Tensor& x, IntArrayRef dims, bool keepdim, std::optional<ScalarType> dtype, const char* name) {
  const ScalarType result = summed_type(x, dtype);
  if (x.dtype() != result) return sum_over(x.to(result), dims, keepdim, result, name);
  const DimSet reduced = reduced_dims(dims, x.sizes().size());
  return record(
      name, compute_sum(x, reduced, keepdim), {x}, saving(),
      [sizes = Dims(x.sizes()), reduced](const Backward& b) { return repeat_reduced(b.grad(), sizes, reduced); });
}

// s = sum of x / n, with n the number of elements that go into each s.   VJP:   dx = G / n, repeated.
Tensor mean_over(const Tensor& input, IntArrayRef dims, bool keepdim, std::optional<ScalarType> dtype,
                 const char* name) {
  const ScalarType result = dtype.value_or(input.dtype());
  check(isFloatingType(result),
        "mean(): could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: {}",
        result);
  const Tensor x = input.to(result);
  const DimSet reduced = reduced_dims(dims, x.sizes().size());
  const int64_t count = reduced_count(x.sizes(), reduced);
  Tensor out;
  {
    const NoGradGuard no_grad;
    out = sum(x, dims, keepdim).div_(count);
  }
  return record(name, out, {x}, saving(), [sizes = Dims(x.sizes()), reduced, count](const Backward& b) {
    return repeat_reduced(b.grad() / count, sizes, reduced);
  });
}

constexpr int64_t kPart = 1 << 16;  // elements

void cut_into_parts(const Tensor& x, std::vector<Tensor>& parts) {
  if (x.numel() <= kPart) {
    parts.push_back(x);
    return;
  }
  int64_t dim = 0;
  while (x.size(dim) == 1) ++dim;
  const int64_t each = std::max<int64_t>(1, kPart / (x.numel() / x.size(dim)));
  for (int64_t i = 0; i < x.size(dim); i += each) {
    cut_into_parts(x.narrow(dim, i, std::min(each, x.size(dim) - i)), parts);
  }
}

}  // namespace

bool goes_by_parts(const Tensor& x) { return x.numel() > kPart && tracing::listener == nullptr; }

std::vector<double> over_parts(const Tensor& x, const std::function<double(const Tensor& part)>& f) {
  const NoGradGuard no_grad;
  std::vector<Tensor> parts;
  // Where elements lie side by side their order does not matter, and long parts are best.
  const bool dense = is_non_overlapping_and_dense(x.sizes(), x.strides());
  cut_into_parts(dense ? x.detach().as_strided(x.numel(), 1) : x.detach(), parts);
  std::vector<double> results(parts.size());
  std::mutex mutex;
  std::exception_ptr thrown;  // a task must not throw
  kernels::parallel_tasks(static_cast<int64_t>(parts.size()), [&](int64_t i) {
    try {
      const auto at = static_cast<size_t>(i);
      results[at] = f(parts[at]);
    } catch (...) {
      const std::lock_guard lock(mutex);
      thrown = std::current_exception();
    }
  });
  if (thrown) std::rethrow_exception(thrown);
  return results;
}

double sum_in_double(const Tensor& input) {
  const Tensor x = input.contiguous();
  double total = 0;
  dispatch_floating(x.dtype(), "sum", [&]<class T>() {
    total = kernels::sum_all(kernels::StridedLoop<1>(x.numel(), {1}), elements<T>(x));
  });
  return total;
}

double sum_over_parts(const Tensor& x, const std::function<double(const Tensor& part)>& f) {
  const std::vector<double> sums = over_parts(x, f);
  return kernels::sum_run(sums.data(), 1, static_cast<int64_t>(sums.size()));
}

bool can_sum_squared_differences(const Tensor& x, const Tensor& t) {
  return isFloatingType(x.dtype()) && x.dtype() == t.dtype() && x.sizes() == t.sizes() && x.is_contiguous() &&
         t.is_contiguous() && tracing::listener == nullptr;
}

Tensor sum_of_squared_differences(const Tensor& x, const Tensor& t) {
  Tensor out = empty({}, x.dtype());
  dispatch_floating(x.dtype(), "sum", [&]<class T>() {
    *elements<T>(out) = static_cast<T>(kernels::sum_of_squared_differences(elements<T>(x), elements<T>(t), x.numel()));
  });
  return out;
}

}  // namespace ops

using namespace ops;

Tensor sum(const Tensor& x, std::optional<ScalarType> dtype) { return sum_over(x, {}, false, dtype, "SumBackward0"); }
Tensor sum(const Tensor& x, IntArrayRef dims, bool keepdim, std::optional<ScalarType> dtype) {
  return sum_over(x, dims, keepdim, dtype, "SumBackward1");
}
Tensor mean(const Tensor& x, std::optional<ScalarType> dtype) {
  return mean_over(x, {}, false, dtype, "MeanBackward0");
}
Tensor mean(const Tensor& x, IntArrayRef dims, bool keepdim, std::optional<ScalarType> dtype) {
  return mean_over(x, dims, keepdim, dtype, "MeanBackward1");
}

Tensor& sum_out(Tensor& out, const Tensor& x, IntArrayRef dims, bool keepdim) {
  const DimSet reduced = reduced_dims(dims, x.sizes().size());
  const ScalarType dtype = summed_type(x);
  return write_out("sum", out, {x}, reduced_shape(x.sizes(), reduced, keepdim), dtype, Writes::kInAnyOrder,
                   [&](const Tensor& to) { compute_sum(x.to(dtype), reduced, keepdim, &to); });
}
Tensor& mean_out(Tensor& out, const Tensor& x, IntArrayRef dims, bool keepdim) {
  return write_out("mean", out, {x}, [&] { return mean(x, dims, keepdim); });
}

Tensor sum_to_size(const Tensor& x, IntArrayRef sizes) {
  if (x.sizes() == sizes) return x;
  check(is_expandable_to(sizes, x.sizes()), "size {} is not expandable to size {}.", sizes, x.sizes());
  const size_t lead = x.sizes().size() - sizes.size();
  Dims dims;
  for (size_t d = 0; d < x.sizes().size(); ++d) {
    if (d < lead || (sizes[d - lead] == 1 && x.sizes()[d] != 1)) dims.push_back(static_cast<int64_t>(d));
  }
  const Tensor summed = dims.empty() ? x : sum(x, dims, true);
  return lead == 0 ? summed : summed.view(sizes);
}

}  // namespace wengert
