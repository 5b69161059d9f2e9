#pragma once

#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/kernels/parallel.h>
#include <wengert/ops/ops.h>

namespace wengert::ops {

// Operations along one dimension see a tensor as rows: its elements along that dimension, side by side in
// memory. Where they do not lie so, a copy is made that does.

struct Rows {
  /// The rows of x along dim.
  Rows(const Tensor& x, int64_t dim) {
    const NoGradGuard no_grad;
    sizes = Dims(x.sizes());
    position = wrap_dim(dim, x.dim());
    const bool scalar = x.dim() == 0;
    elements = (scalar ? x.reshape({1}) : x.transpose(position, -1)).contiguous();
    length = elements.size(-1);
    count = length == 0 ? 0 : elements.numel() / length;
  }

  /// A new tensor to hold `each` results for each row, in the rows' order; in_place() brings it into x's.
  Tensor results(ScalarType dtype, int64_t each) const {
    Dims shape(elements.sizes());
    shape.back() = each;
    return empty(shape, dtype);
  }
  /// `results` with the rows' dimension back where it was; without it, where each row has one result.
  Tensor in_place(const Tensor& results, bool keepdim = true) const {
    const NoGradGuard no_grad;
    const Tensor back = sizes.empty() ? results.reshape({}) : results.transpose(position, -1);
    const Tensor out = (keepdim || sizes.empty() ? back : back.squeeze(position)).contiguous();
    return out.is_view() ? out.detach() : out;  // a tensor of its own for whoever gets it
  }

  /// Calls work(row) for every row, on several threads when there is much to do.
  template <class Work>
  void for_each(const Work& work) const {
    kernels::parallel_rows(count, length, [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) work(row);
    });
  }

  Tensor elements;   ///< contiguous, the rows in the last dimension
  int64_t length;    ///< of a row
  int64_t count;     ///< of rows
  Dims sizes;        ///< of x
  int64_t position;  ///< of the rows' dimension in x
};

/// g as the gradient of a reduction over `dim` that did not keep it: with the dimension.
inline Tensor with_dim(const Tensor& g, int64_t dim, bool keepdim, const Tensor& x) {
  return keepdim || x.dim() == 0 ? g : g.unsqueeze(dim);
}

}  // namespace wengert::ops
