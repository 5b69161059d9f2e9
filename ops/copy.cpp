#include <wengert/ops/elementwise.h>
#include <wengert/ops/kernels/transpose.h>
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
  void run(To* out, const To* x, int64_t count) const { std::copy_n(x, count, out); }
};

// to <- from, elements converted.
void copy_elements(const Tensor& to, const Tensor& from) {
  if (is_transpose(to, from)) {
    dispatch_numbers(to.dtype(), "copy_", [&]<class T>() {
      const int64_t rows = to.sizes()[0], columns = to.sizes()[1];
      const int64_t out_row = to.strides()[0], in_column = from.strides()[1];
      kernels::perform({kernels::writes(elements<T>(to), (rows - 1) * out_row + columns),
                        kernels::reads(elements<T>(from), rows + (columns - 1) * in_column)},
                       [=](char* const* at) {
                         kernels::transpose(reinterpret_cast<T*>(at[0]), out_row, reinterpret_cast<const T*>(at[1]),
                                            in_column, rows, columns);
                       });
    });
    return;
  }
  dispatch(to.dtype(), [&]<class To>() {
    dispatch(from.dtype(), [&]<class From>() { apply<To, From>(to, from, Converted<To>()); });
  });
}

// y = x, in memory of its own.   VJP:   dx = G.
class CloneBackward final : public Node {
 public:
  Gradients apply(Gradients grads) override { return grads; }
  std::string name() const override { return "CloneBackward0"; }
};

// y = x in another dtype.   VJP:   dx = G in x's dtype.
class ToCopyBackward final : public Node {
 public:
  explicit ToCopyBackward(const Tensor& x) : dtype_(x.dtype()) {}
  Gradients apply(Gradients grads) override { return {grads[0].to(dtype_)}; }
  std::string name() const override { return "ToCopyBackward0"; }

 private:
  ScalarType dtype_;
};

// y <- x, in place.   VJP:   dx = G, summed where x was broadcast; what y was before gets 0.
class CopyBackwards final : public Node {
 public:
  explicit CopyBackwards(const Tensor& source) : sizes_(source.sizes()), dtype_(source.dtype()) {}
  Gradients apply(Gradients grads) override {
    const Tensor& g = grads[0];
    return {needs_grad(0) ? zeros_like(g) : Tensor(), needs_grad(1) ? g.sum_to_size(sizes_).to(dtype_) : Tensor()};
  }
  std::string name() const override { return "CopyBackwards"; }

 private:
  Dims sizes_;
  ScalarType dtype_;
};

// y <- a number, in place: its first input, what y was before, gets 0. A value that was a tensor gets the sum.
class FillBackward final : public Node {
 public:
  explicit FillBackward(const char* name) : name_(name) {}
  Gradients apply(Gradients grads) override {
    Gradients out{needs_grad(0) ? zeros_like(grads[0]) : Tensor()};
    if (num_outputs() > 1) out.push_back(needs_grad(1) ? grads[0].sum() : Tensor());
    return out;
  }
  std::string name() const override { return name_; }

 private:
  const char* name_;
};

}  // namespace
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

Tensor clone(const Tensor& x) {
  if (x.is_sparse()) return x.detach();  // its parts are never changed in place
  Tensor out = empty(x.sizes(), x.options());
  copy_elements(out, x);
  return autograd::record<CloneBackward>(out, {x});
}

Tensor Tensor::clone() const { return wengert::clone(*this); }
Tensor Tensor::contiguous() const { return is_contiguous() ? *this : clone(); }

Tensor Tensor::converted(ScalarType dtype) const {
  if (this->dtype() == dtype) return clone();
  Tensor out = empty(sizes(), dtype);
  copy_elements(out, *this);
  // Only floating-point tensors have gradients; a conversion to whole numbers leaves the graph.
  return isFloatingType(dtype) ? autograd::record<ToCopyBackward>(out, {*this}, *this) : out;
}

Tensor Tensor::to(const TensorOptions& options, bool non_blocking, bool copy) const {
  check(!options.requires_grad(),
        "Operators taking TensorOptions cannot take a TensorOptions with options.requires_grad set as true. This isn't "
        "implemented yet.");
  return to(options.dtype_opt().value_or(dtype()), non_blocking, copy);
}

Tensor& Tensor::copy_(const Tensor& source) const {
  check(Dims(sizes()) == broadcast_shapes(sizes(), source.sizes()),
        "output with shape {} doesn't match the broadcast shape {}", sizes(), source.sizes());
  if (requires_grad() && GradMode::is_enabled()) autograd::check_in_place(*this);
  if (is_same(source)) return self();
  auto node = autograd::begin_in_place<CopyBackwards>(*this, {*this, source}, source);
  check_writable(*this);
  // A source that shares this memory in another layout is read in full before anything is written.
  copy_elements(*this, is_alias_of(source) ? source.detach().clone() : source);
  return autograd::end_in_place(*this, node);
}

Tensor& Tensor::fill_(Scalar value) const {
  auto node = autograd::begin_in_place<FillBackward>(*this, {*this}, "FillBackward0");
  fill_elements(*this, value);
  return autograd::end_in_place(*this, node);
}

Tensor& Tensor::fill_(const Tensor& value) const {
  check(value.dim() == 0, "fill_ only supports 0-dimension value tensor but got tensor with {} dimensions.",
        value.dim());
  auto node = autograd::begin_in_place<FillBackward>(*this, {*this, value}, "FillBackward1");
  fill_elements(*this, value.item());
  return autograd::end_in_place(*this, node);
}

Tensor& Tensor::zero_() const {
  if (is_sparse()) {
    assign_sparse(*this, empty_sparse_like(*this));
    return autograd::end_in_place(*this, nullptr);
  }
  auto node = autograd::begin_in_place<FillBackward>(*this, {*this}, "ZeroBackward0");
  fill_elements(*this, 0);
  return autograd::end_in_place(*this, node);
}

}  // namespace wengert
