#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/cpu.h>
#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/base/profiling.h>
#include <wengert/autograd/tensor/factories.h>

#include <algorithm>
#include <cmath>

namespace wengert {
namespace {

Tensor make_tensor(IntrusivePtr<Storage> storage, const Dims& sizes, const Dims& strides,
                   const TensorOptions& options) {
  Tensor tensor(make_intrusive<TensorImpl>(std::move(storage), options.dtype(), sizes, strides, 0));
  if (options.requires_grad()) tensor.requires_grad_();
  return tensor;
}

// Elements from the first to the last that the strides reach, both included.
int64_t extent(IntArrayRef sizes, IntArrayRef strides) {
  int64_t last = 0;
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] == 0) return 0;
    last += (sizes[d] - 1) * strides[d];
  }
  return last + 1;
}

size_t bytes(int64_t elements, const TensorOptions& options) {
  return static_cast<size_t>(elements * element_size(options.dtype()));
}

// Writes value(i) into element i of a new contiguous tensor; i is of that type. (It counts in int32_t, which has an
// instruction that makes doubles of several at once.)
template <class Position, class Value>
Tensor generate(const char* op, int64_t count, const TensorOptions& options, const Value& value) {
  Tensor out = empty({count}, options);
  dispatch(out.dtype(), [&]<class T>() {
    constexpr int64_t kPart = 1 << 30;
    for (int64_t begin = 0; begin < count; begin += kPart) {
      cpu::vectorized(
          [value, begin, to = out.data_ptr<T>() + begin, part = static_cast<int32_t>(std::min(kPart, count - begin))] {
            const auto first = static_cast<Position>(begin);
#pragma omp simd
            for (int32_t i = 0; i < part; ++i) to[i] = static_cast<T>(value(first + static_cast<Position>(i)));
          });
    }
  });
  profiling::done(op);
  return out;
}

// The i-th of `steps` values from start to end, computed from the nearer end, so that both are met exactly.
auto evenly_spaced(Scalar start, Scalar end, int64_t steps) {
  check(steps >= 0, "number of steps must be non-negative");
  const double from = start.toDouble(), to = end.toDouble();
  const double by = steps > 1 ? (to - from) / static_cast<double>(steps - 1) : 0;
  const double half = steps == 1 ? 1 : std::floor(static_cast<double>(steps) / 2),
               last = static_cast<double>(steps - 1);
  return [=](double i) {
    const double from_start = from + by * i, from_end = to - by * (last - i);
    return i < half ? from_start : from_end;
  };
}

Tensor filled(IntArrayRef sizes, Scalar value, const TensorOptions& options) {
  Tensor out = empty(sizes, options);
  autograd::fill_elements(out, value);
  profiling::done("full");
  return out;
}

TensorOptions with_default_dtype(const TensorOptions& options, ScalarType dtype) {
  return options.has_dtype() ? options : options.dtype(dtype);
}

ScalarType natural_dtype(std::initializer_list<Scalar> values) {
  const bool real = std::any_of(values.begin(), values.end(), [](const Scalar& v) { return v.isFloatingPoint(); });
  return real ? get_default_dtype() : kLong;
}

// As it was written: {{1, 2}, {3, 4}}.
std::string listing(const TensorData& data) {
  std::string text;
  size_t written = 0;
  const auto write = [&](const auto& write_rest, size_t dim) -> void {
    if (dim == data.sizes().size()) {
      text += fmt::format("{:g}", data.values()[written++].toDouble());
      return;
    }
    text += '{';
    for (int64_t i = 0; i < data.sizes()[dim]; ++i) {
      if (i > 0) text += ", ";
      write_rest(write_rest, dim + 1);
    }
    text += '}';
  };
  write(write, 0);
  return text;
}

[[noreturn]] void fail_ragged(const TensorData& first, const TensorData& other) {
  const auto spaced = [](IntArrayRef sizes) {
    std::string text = joined(sizes);
    std::erase(text, ',');
    return text;
  };
  fail("Expected all sub-lists to have sizes: {} (e.g. {}), but got sub-list {} with sizes: {}", spaced(first.sizes()),
       listing(first), listing(other), spaced(other.sizes()));
}

}  // namespace

Tensor empty(IntArrayRef sizes, const TensorOptions& options) {
  Tensor tensor(make_intrusive<TensorImpl>(options.dtype(), sizes));
  if (options.requires_grad()) tensor.requires_grad_();
  return tensor;
}

Tensor empty_strided(IntArrayRef sizes, IntArrayRef strides, const TensorOptions& options) {
  check(sizes.size() == strides.size(), "dimensionality of sizes ({}) must match dimensionality of strides ({})",
        sizes.size(), strides.size());
  numel_of(sizes);
  check(std::all_of(strides.begin(), strides.end(), [](int64_t s) { return s >= 0; }),
        "negative strides are not supported at the moment, got strides: {}", strides);
  return make_tensor(Storage::allocate(bytes(extent(sizes, strides), options)), sizes, strides, options);
}

Tensor zeros(IntArrayRef sizes, const TensorOptions& options) { return filled(sizes, 0, options); }

Tensor ones(IntArrayRef sizes, const TensorOptions& options) { return filled(sizes, 1, options); }

Tensor full(IntArrayRef sizes, Scalar value, const TensorOptions& options) {
  const ScalarType natural = value.isFloatingPoint() ? get_default_dtype() : value.type();
  return filled(sizes, value, with_default_dtype(options, natural));
}

Tensor arange(Scalar end, const TensorOptions& options) { return arange(0, end, 1, options); }
Tensor arange(Scalar start, Scalar end, const TensorOptions& options) { return arange(start, end, 1, options); }

Tensor arange(Scalar start, Scalar end, Scalar step, const TensorOptions& options) {
  const double from = start.toDouble(), to = end.toDouble(), by = step.toDouble();
  check(by != 0, "step must be nonzero");
  check(std::isfinite(from) && std::isfinite(to), "unsupported range: {} -> {}", from, to);
  check((by > 0) == (to >= from) || from == to, "upper bound and larger bound inconsistent with step sign");
  const TensorOptions chosen = with_default_dtype(options, natural_dtype({start, end, step}));
  if (chosen.dtype() == kLong) {
    const int64_t first = start.toLong(), stride = step.toLong();
    check(stride != 0, "step must be nonzero");
    const double span = static_cast<double>(end.toLong() - first) / static_cast<double>(stride);
    return generate<int64_t>("arange", static_cast<int64_t>(std::ceil(span)), chosen,
                             [=](int64_t i) { return first + i * stride; });
  }
  const auto count = static_cast<int64_t>(std::ceil((to - from) / by));
  return generate<double>("arange", count, chosen, [=](double i) { return from + i * by; });
}

Tensor linspace(Scalar start, Scalar end, int64_t steps, const TensorOptions& options) {
  return generate<double>("linspace", steps, options, evenly_spaced(start, end, steps));
}

Tensor logspace(Scalar start, Scalar end, int64_t steps, double base, const TensorOptions& options) {
  return generate<double>("logspace", steps, options, [base, exponent = evenly_spaced(start, end, steps)](double i) {
    return std::pow(base, exponent(i));
  });
}

Tensor eye(int64_t n, const TensorOptions& options) { return eye(n, n, options); }

Tensor eye(int64_t n, int64_t m, const TensorOptions& options) {
  check(n >= 0, "n must be greater or equal to 0, got {}", n);
  check(m >= 0, "m must be greater or equal to 0, got {}", m);
  Tensor out = zeros({n, m}, options);
  dispatch(out.dtype(), [&]<class T>() {
    T* data = static_cast<T*>(out.impl()->data());
    for (int64_t i = 0; i < std::min(n, m); ++i) data[i * (m + 1)] = T(1);
  });
  return out;
}

Tensor empty_like(const Tensor& like, const TensorOptions& options) {
  return empty(like.sizes(), with_default_dtype(options, like.dtype()));
}
Tensor zeros_like(const Tensor& like, const TensorOptions& options) {
  return zeros(like.sizes(), with_default_dtype(options, like.dtype()));
}
Tensor ones_like(const Tensor& like, const TensorOptions& options) {
  return ones(like.sizes(), with_default_dtype(options, like.dtype()));
}
Tensor full_like(const Tensor& like, Scalar value, const TensorOptions& options) {
  return full(like.sizes(), value, with_default_dtype(options, like.dtype()));
}

Tensor Tensor::new_empty(IntArrayRef sizes, const TensorOptions& options) const {
  return wengert::empty(sizes, with_default_dtype(options, dtype()));
}
Tensor Tensor::new_zeros(IntArrayRef sizes, const TensorOptions& options) const {
  return wengert::zeros(sizes, with_default_dtype(options, dtype()));
}
Tensor Tensor::new_ones(IntArrayRef sizes, const TensorOptions& options) const {
  return wengert::ones(sizes, with_default_dtype(options, dtype()));
}
Tensor Tensor::new_full(IntArrayRef sizes, Scalar value, const TensorOptions& options) const {
  return wengert::full(sizes, value, with_default_dtype(options, dtype()));
}

TensorData::TensorData(std::initializer_list<TensorData> list) : sizes_{static_cast<int64_t>(list.size())} {
  dtype_ = list.size() == 0 ? kDouble : list.begin()->dtype_;
  for (const TensorData& item : list) {
    if (item.sizes_ != list.begin()->sizes_) fail_ragged(*list.begin(), item);
    check(item.dtype_ == dtype_,
          "Expected all elements of the tensor to have the same scalar type: {}, but got element of scalar type: {}",
          dtype_, item.dtype_);
    values_.insert(values_.end(), item.values_.begin(), item.values_.end());
  }
  if (list.size() > 0) {
    for (const int64_t size : list.begin()->sizes_) sizes_.push_back(size);
  }
}

ScalarType TensorData::dtype() const { return dtype_ == kDouble ? get_default_dtype() : dtype_; }

Tensor tensor(const TensorData& data, const TensorOptions& options) {
  const TensorOptions chosen = with_default_dtype(options, data.dtype());
  Tensor out = empty(data.sizes(), chosen.requires_grad(false));
  dispatch(out.dtype(), [&]<class T>() {
    std::transform(data.values().begin(), data.values().end(), out.data_ptr<T>(),
                   [](const Scalar& value) { return value.to<T>(); });
  });
  if (options.requires_grad()) out.requires_grad_();
  profiling::done("tensor");
  return out;
}

Tensor from_blob(void* data, IntArrayRef sizes, const TensorOptions& options) {
  return from_blob(data, sizes, contiguous_strides(sizes), options);
}

Tensor from_blob(void* data, IntArrayRef sizes, IntArrayRef strides, const TensorOptions& options) {
  check(sizes.size() == strides.size(), "dimensionality of sizes ({}) must match dimensionality of strides ({})",
        sizes.size(), strides.size());
  numel_of(sizes);
  return make_tensor(Storage::borrow(data, bytes(extent(sizes, strides), options), {}), sizes, strides, options);
}

Tensor from_blob(void* data, IntArrayRef sizes, std::function<void(void*)> deleter, const TensorOptions& options) {
  auto storage = Storage::borrow(data, bytes(numel_of(sizes), options), std::move(deleter));
  return make_tensor(std::move(storage), sizes, contiguous_strides(sizes), options);
}

}  // namespace wengert
