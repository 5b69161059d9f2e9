#include <wengert/ops/formula.h>
#include <wengert/ops/promotion.h>
#include <wengert/ops/reduction.h>
#include <wengert/ops/rows.h>

#include <cmath>

// Exponentials that are normalized along a dimension; G = dL/dy. The largest element is taken off first, so
// that nothing overflows.

namespace wengert {
namespace ops {
namespace {

template <class Write>
Tensor normalize(const char* name, const Tensor& x, int64_t dim, Write write) {
  const Rows rows(x, dim);
  Tensor out = rows.results(x.dtype(), rows.length);
  dispatch_floating(x.dtype(), name, [&]<class T>() {
    const T* from = rows.elements.data_ptr<T>();
    T* to = out.data_ptr<T>();
    rows.for_each([&](int64_t row) {
      const T* a = from + row * rows.length;
      T largest = a[0];
      for (int64_t i = 1; i < rows.length; ++i) largest = a[i] > largest || a[i] != a[i] ? a[i] : largest;
      write(a, to + row * rows.length, rows.length, largest);
    });
  });
  return rows.in_place(out);
}

}  // namespace
}  // namespace ops

using namespace ops;

// y_i = e^(x_i) / sum_j e^(x_j).   VJP:   dx = y (G - sum(G y)).
Tensor softmax(const Tensor& input, int64_t dim, std::optional<ScalarType> dtype) {
  const Tensor x = input.to(dtype.value_or(input.dtype()));
  const Tensor y = normalize("softmax", x, dim, []<class T>(const T* a, T* out, int64_t count, T largest) {
    T sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += out[i] = std::exp(a[i] - largest);
    for (int64_t i = 0; i < count; ++i) out[i] /= sum;
  });
  return record("SoftmaxBackward0", y, {x}, {ToSave::output(y)}, [dim](const Backward& b) -> Gradients {
    const Tensor &g = b.grad(), y = b.saved(0), weighted = g * y;
    return {weighted - y * weighted.sum(dim, true)};
  });
}

// y_i = x_i - ln sum_j e^(x_j).   VJP:   dx = G - e^y sum(G).
Tensor log_softmax(const Tensor& input, int64_t dim, std::optional<ScalarType> dtype) {
  const Tensor x = input.to(dtype.value_or(input.dtype()));
  const Tensor y = normalize("log_softmax", x, dim, []<class T>(const T* a, T* out, int64_t count, T largest) {
    T sum = 0;
    for (int64_t i = 0; i < count; ++i) sum += std::exp(a[i] - largest);
    const T log_sum = std::log(sum);
    for (int64_t i = 0; i < count; ++i) out[i] = a[i] - largest - log_sum;
  });
  return record("LogSoftmaxBackward0", y, {x}, {ToSave::output(y)}, [dim](const Backward& b) -> Gradients {
    const Tensor& g = b.grad();
    return {g - exp(b.saved(0)) * g.sum(dim, true)};
  });
}

// y = ln sum_i e^(x_i).   VJP:   dx = G e^(x - y).
Tensor logsumexp(const Tensor& input, IntArrayRef dims, bool keepdim) {
  const Tensor x = input.to(to_floating(input.dtype()));
  Tensor kept;
  {
    const NoGradGuard no_grad;
    if (x.numel() == 0) {
      kept = log(sum(exp(x), dims, true));
    } else {
      const Tensor largest = amax(x, dims, true);
      const Tensor shift = where(isinf(largest), 0, largest);
      kept = log(sum(exp(x - shift), dims, true)) + shift;
    }
  }
  const Reduced reduced = reduced_dims(dims, x.dim());
  const Tensor y = keepdim ? kept : kept.detach().reshape(reduced_shape(x.sizes(), reduced, false));
  return record("LogsumexpBackward0", y, {x}, {x, ToSave::output(y)},
                [shape = reduced_shape(x.sizes(), reduced, true)](const Backward& b) -> Gradients {
                  const Tensor x = b.saved(0), y = b.saved(1).reshape(shape);
                  return {b.grad().reshape(shape) * exp(x - y)};
                });
}

Tensor Tensor::softmax(int64_t dim, std::optional<ScalarType> dtype) const {
  return wengert::softmax(*this, dim, dtype);
}
Tensor Tensor::log_softmax(int64_t dim, std::optional<ScalarType> dtype) const {
  return wengert::log_softmax(*this, dim, dtype);
}
Tensor Tensor::logsumexp(IntArrayRef dims, bool keepdim) const { return wengert::logsumexp(*this, dims, keepdim); }

}  // namespace wengert
