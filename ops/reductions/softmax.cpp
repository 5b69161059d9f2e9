#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/kernels/parallel.h>
#include <wengert/ops/kernels/simd.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/promotion.h>
#include <wengert/ops/reductions/reduction.h>

#include <vector>

// Exponentials that are normalized along a dimension; G = dL/dy. The largest element is taken off first, so
// that nothing overflows.

namespace wengert {
namespace ops {
namespace {

// Normalizes each column of blocks of (length, inner) elements.
template <class T>
void normalize_blocks(T* to, const T* from, int64_t blocks, int64_t length, int64_t inner, bool logarithm) {
  const auto& simd = kernels::simd::kernels<T>();
  if (inner == 1) {
    kernels::parallel_rows(blocks, length, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) simd.softmax(to + i * length, from + i * length, length, logarithm);
    });
    return;
  }
  // Columns that do not fill a vector: as rows, if they are long.
  constexpr int64_t kNarrow = 16, kLong = 32;
  if (inner < kNarrow && length >= kLong) {
    kernels::parallel_rows(blocks, length * inner, [&](int64_t begin, int64_t end) {
      std::vector<T> turned(static_cast<size_t>(length * inner));
      T* rows = turned.data();
      for (int64_t i = begin * length * inner; i < end * length * inner; i += length * inner) {
        simd.transpose(rows, length, from + i, inner, inner, length, false);
        for (int64_t j = 0; j < inner; ++j) simd.softmax(rows + j * length, rows + j * length, length, logarithm);
        simd.transpose(to + i, inner, rows, length, length, inner, false);
      }
    });
    return;
  }
  constexpr int64_t kStrip = kernels::simd::kSoftmaxColumns;
  const int64_t strips = (inner + kStrip - 1) / kStrip;
  kernels::parallel_rows(blocks * strips, length * kStrip, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t first = i % strips * kStrip, at = i / strips * length * inner + first;
      simd.softmax_columns(to + at, from + at, length, inner, std::min(kStrip, inner - first), logarithm);
    }
  });
}

// Softmax or its logarithm along dim. In memory, x is then blocks of (length, inner) elements, of which each column is
// to be normalized.
Tensor normalize(const char* name, const Tensor& input, int64_t dim, bool logarithm) {
  const NoGradGuard no_grad;
  const Tensor x = input.contiguous();
  Tensor out = empty(x.sizes(), x.dtype());
  const auto position = static_cast<size_t>(wrap_dim(dim, x.dim()));
  const int64_t length = x.dim() == 0 ? 1 : x.sizes()[position];
  // From the sizes: the stride of a dimension of size 1 means nothing.
  const int64_t inner = x.dim() == 0 ? 1 : numel_of(x.sizes().slice(position + 1, x.sizes().size() - position - 1));
  dispatch_floating(x.dtype(), name, [&]<class T>() {
    if (x.numel() == 0) return;
    tracing::perform({tracing::writes(elements<T>(out), out.numel()), tracing::reads(elements<T>(x), x.numel())},
                     [=, blocks = x.numel() / (length * inner)](char* const* at) {
                       normalize_blocks(reinterpret_cast<T*>(at[0]), reinterpret_cast<const T*>(at[1]), blocks, length,
                                        inner, logarithm);
                     });
  });
  return out;
}

}  // namespace
}  // namespace ops

using namespace ops;

// y_i = e^(x_i) / sum_j e^(x_j).   VJP:   dx = y (G - sum(G y)).
Tensor softmax(const Tensor& input, int64_t dim, std::optional<ScalarType> dtype) {
  const Tensor x = input.to(dtype.value_or(input.dtype()));
  const Tensor y = normalize("softmax", x, dim, false);
  return record("SoftmaxBackward0", y, {x}, saving(ToSave::output(y)), [dim](const Backward& b) -> Gradients {
    const Tensor &g = b.grad(), y = b.saved(0), weighted = g * y;
    return {weighted - y * weighted.sum(dim, true)};
  });
}

// y_i = x_i - ln sum_j e^(x_j).   VJP:   dx = G - e^y sum(G).
Tensor log_softmax(const Tensor& input, int64_t dim, std::optional<ScalarType> dtype) {
  const Tensor x = input.to(dtype.value_or(input.dtype()));
  const Tensor y = normalize("log_softmax", x, dim, true);
  return record("LogSoftmaxBackward0", y, {x}, saving(ToSave::output(y)), [dim](const Backward& b) -> Gradients {
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
  const DimSet reduced = reduced_dims(dims, x.sizes().size());
  const Tensor y = keepdim ? kept : kept.detach().reshape(reduced_shape(x.sizes(), reduced, false));
  return record("LogsumexpBackward0", y, {x}, saving(x, ToSave::output(y)),
                [shape = reduced_shape(x.sizes(), reduced, true)](const Backward& b) -> Gradients {
                  const Tensor x = b.saved(0), y = b.saved(1).reshape(shape);
                  return {b.grad().reshape(shape) * exp(x - y)};
                });
}

}  // namespace wengert
