#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/kernels/copy_run.h>
#include <wengert/ops/kernels/transpose.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/sparse.h>

namespace wengert {
namespace ops {
namespace {

// Whether `from` is a large matrix of the same dtype that lies in memory as the transpose of `to`.
bool is_transpose(const Tensor& to, const Tensor& from) {
  constexpr int64_t kWorthwhile = 1024;
  return to.dim() == 2 && to.sizes() == from.sizes() && to.dtype() == from.dtype() && to.dtype() != kBool &&
         to.numel() >= kWorthwhile && to.strides()[1] == 1 && from.strides()[0] == 1 && from.strides()[1] != 1;
}

template <class To>
struct Converted {
  template <class From>
  To operator()(From x) const {
    return static_cast<To>(x);
  }
  void run(To* out, const To* x, int64_t count) const { kernels::copy_run(out, x, count); }
};

// `out`, with x's elements.   VJP:   dx = G.
Tensor copied(Tensor out, const Tensor& x) {
  copy_elements(out, x);
  return record("CloneBackward0", out, {x}, saving(), [](const Backward& b) { return b.take_grad(); });
}

}  // namespace

void copy_elements(const Tensor& to, const Tensor& from) {
  if (is_transpose(to, from)) {
    dispatch_numbers(to.dtype(), "copy_", [&]<class T>() {
      const int64_t rows = to.sizes()[0], columns = to.sizes()[1];
      const int64_t out_row = to.strides()[0], in_column = from.strides()[1];
      tracing::perform({tracing::writes(elements<T>(to), (rows - 1) * out_row + columns),
                        tracing::reads(elements<T>(from), rows + (columns - 1) * in_column)},
                       [=](char* const* at) {
                         kernels::transpose(reinterpret_cast<T*>(at[0]), out_row, reinterpret_cast<const T*>(at[1]),
                                            in_column, rows, columns);
                       });
    });
    return;
  }
  dispatch(to.dtype(), [&]<class To>() {
    dispatch(from.dtype(), [&]<class From>() {
      if constexpr (std::is_same_v<From, bool> && !std::is_same_v<To, bool>) {
        apply<To, uint8_t>(to, from, Converted<To>());  // a bool is a byte, 0 or 1
      } else {
        apply<To, From>(to, from, Converted<To>());
      }
    });
  });
}

}  // namespace ops

using namespace ops;
using autograd::fill_elements;

// Where elements share memory, they get the same.
void autograd::fill_elements(const Tensor& self, Scalar value) {
  dispatch(self.dtype(), [&]<class T>() {
    T* to = elements<T>(self);
    if (is_short_run(self)) {
      kernels::fill_run(to, value.to<T>(), self.numel());
    } else if (self.is_contiguous()) {
      kernels::fill({self.numel(), {1}}, to, value.to<T>());
    } else {
      kernels::fill({span_of(self.sizes()), {span_of(self.strides())}}, to, value.to<T>());
    }
  });
}

// y = x, in memory of its own.   VJP:   dx = G.
Tensor clone(const Tensor& x) {
  if (x.is_sparse()) return x.detach();  // its parts are never changed in place
  return copied(empty_as(x, x.dtype()), x);
}

Tensor Tensor::contiguous() const { return is_contiguous() ? *this : copied(empty(sizes(), dtype()), *this); }

// y = x in another dtype.   VJP:   dx = G in x's dtype.
Tensor Tensor::converted(ScalarType dtype) const {
  if (this->dtype() == dtype) return clone();
  Tensor out = empty_as(*this, dtype);
  copy_elements(out, *this);
  // Only floating-point tensors have gradients; a conversion to whole numbers leaves the graph.
  if (!isFloatingType(dtype)) return out;
  return record("ToCopyBackward0", out, {*this}, saving(),
                [dtype = this->dtype()](const Backward& b) { return b.grad().to(dtype); });
}

Tensor Tensor::to(const TensorOptions& options, bool non_blocking, bool copy) const {
  check(!options.requires_grad(),
        "Operators taking TensorOptions cannot take a TensorOptions with options.requires_grad set as true. This isn't "
        "implemented yet.");
  return to(options.dtype_opt().value_or(dtype()), non_blocking, copy);
}

// y <- x, in place.   VJP:   dx = G, summed where x was broadcast; what y was before gets 0.
Tensor& Tensor::copy_(const Tensor& source) const {
  check(Dims(sizes()) == broadcast_shapes(sizes(), source.sizes()),
        "output with shape {} doesn't match the broadcast shape {}", sizes(), source.sizes());
  if (requires_grad() && GradMode::is_enabled()) autograd::check_in_place(*this);
  if (is_same(source)) return self();
  const auto write = [&] {
    check_writable(*this);
    // A source that shares this memory in another layout is read in full before anything is written.
    copy_elements(*this, is_alias_of(source) ? source.detach().clone() : source);
  };
  return record_in_place<Broadcast<2>>("CopyBackwards", *this, {*this, source}, saving(), write, kZeroGradient,
                                       [](const Backward& b) { return b.grad(); });
}

// y <- a number.   VJP:   what y was before gets 0.
Tensor& Tensor::fill_(Scalar value) const {
  return record_in_place(
      "FillBackward0", *this, {*this}, saving(), [&] { fill_elements(*this, value); }, kZeroGradient);
}

// y <- a number.   VJP:   its gradient is the sum of G.
Tensor& Tensor::fill_(const Tensor& value) const {
  check(value.dim() == 0, "fill_ only supports 0-dimension value tensor but got tensor with {} dimensions.",
        value.dim());
  return record_in_place(
      "FillBackward1", *this, {*this, value}, saving(), [&] { fill_elements(*this, value.item()); }, kZeroGradient,
      [](const Backward& b) { return b.grad().sum(); });
}

// y <- 0.   VJP:   what y was before gets 0.
Tensor& Tensor::zero_() const {
  if (is_sparse()) {
    assign_sparse(*this, empty_sparse_like(*this));
    return autograd::end_in_place(*this);
  }
  return record_in_place(
      "ZeroBackward0", *this, {*this}, saving(), [&] { fill_elements(*this, 0); }, kZeroGradient);
}

}  // namespace wengert
