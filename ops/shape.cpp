#include <wengert/autograd/check.h>
#include <wengert/autograd/factories.h>
#include <wengert/autograd/history.h>
#include <wengert/ops/ops.h>

#include <algorithm>

// Operations that look at the same elements in another shape. The forward is a change of sizes and strides;
// the VJP is the change back.

namespace wengert {
namespace ops {
namespace {

using autograd::Gradients;
using autograd::make_view;
using autograd::Node;

// y = x in another shape.   VJP:   dx = G in x's shape.
class ReshapeBackward final : public Node {
 public:
  ReshapeBackward(const Tensor& x, const char* name) : sizes_(x.sizes()), name_(name) {}
  Gradients apply(Gradients grads) override { return {grads[0].reshape(sizes_)}; }
  std::string name() const override { return name_; }

 private:
  Dims sizes_;
  const char* name_;
};

// y = x with dimensions i and j exchanged.   VJP:   dx = G with them exchanged back.
class TransposeBackward final : public Node {
 public:
  TransposeBackward(int64_t dim0, int64_t dim1, const char* name) : dim0_(dim0), dim1_(dim1), name_(name) {}
  Gradients apply(Gradients grads) override { return {grads[0].transpose(dim0_, dim1_)}; }
  std::string name() const override { return name_; }

 private:
  int64_t dim0_, dim1_;
  const char* name_;
};

// y = x with its dimensions in the order p.   VJP:   dx = G with its dimensions in the order p⁻¹.
class PermuteBackward final : public Node {
 public:
  explicit PermuteBackward(Dims order) : inverse_(order.size()) {
    for (size_t d = 0; d < order.size(); ++d) inverse_[static_cast<size_t>(order[d])] = static_cast<int64_t>(d);
  }
  Gradients apply(Gradients grads) override { return {grads[0].permute(inverse_)}; }
  std::string name() const override { return "PermuteBackward0"; }

 private:
  Dims inverse_;
};

// y = x repeated along some dimensions.   VJP:   dx = G summed over the repetitions.
class ExpandBackward final : public Node {
 public:
  explicit ExpandBackward(const Tensor& x) : sizes_(x.sizes()) {}
  Gradients apply(Gradients grads) override { return {grads[0].sum_to_size(sizes_)}; }
  std::string name() const override { return "ExpandBackward0"; }

 private:
  Dims sizes_;
};

// y = x[index] along dim.   VJP:   dx = 0, but G at [index].
class SelectBackward final : public Node {
 public:
  SelectBackward(const Tensor& x, int64_t dim, int64_t index) : sizes_(x.sizes()), dim_(dim), index_(index) {}
  Gradients apply(Gradients grads) override {
    Tensor dx = zeros(sizes_, grads[0].options());
    dx.select(dim_, index_).copy_(grads[0]);
    return {std::move(dx)};
  }
  std::string name() const override { return "SelectBackward0"; }

 private:
  Dims sizes_;
  int64_t dim_, index_;
};

// y = x[start : end : step] along dim.   VJP:   dx = 0, but G at [start : end : step].
class SliceBackward final : public Node {
 public:
  SliceBackward(const Tensor& x, int64_t dim, int64_t start, int64_t end, int64_t step)
      : sizes_(x.sizes()), dim_(dim), start_(start), end_(end), step_(step) {}
  Gradients apply(Gradients grads) override {
    Tensor dx = zeros(sizes_, grads[0].options());
    dx.slice(dim_, start_, end_, step_).copy_(grads[0]);
    return {std::move(dx)};
  }
  std::string name() const override { return "SliceBackward0"; }

 private:
  Dims sizes_;
  int64_t dim_, start_, end_, step_;
};

// y = any strided view of x's storage.   VJP: an element of the storage that y reads gets G from there, summed
// where y repeats it with stride 0; dx is what x reads of that.
class AsStridedBackward final : public Node {
 public:
  AsStridedBackward(const Tensor& x, IntArrayRef sizes, IntArrayRef strides, int64_t offset)
      : x_sizes_(x.sizes()),
        x_strides_(x.strides()),
        x_offset_(x.storage_offset()),
        y_sizes_(sizes),
        y_strides_(strides),
        y_offset_(offset) {}

  Gradients apply(Gradients grads) override {
    Dims repeated, sizes = y_sizes_;
    for (size_t d = 0; d < sizes.size(); ++d) {
      if (y_strides_[d] == 0 && sizes[d] != 1) {
        repeated.push_back(static_cast<int64_t>(d));
        sizes[d] = 1;
      }
    }
    const Tensor g = repeated.empty() ? grads[0] : grads[0].sum(repeated, true);
    check(places_differ(sizes, y_strides_) && places_differ(x_sizes_, x_strides_),
          "as_strided: the gradient of a view whose elements overlap is not offered (sizes {}, strides {} of sizes "
          "{}, strides {})",
          IntArrayRef(y_sizes_), IntArrayRef(y_strides_), IntArrayRef(x_sizes_), IntArrayRef(x_strides_));
    const int64_t first = std::min(x_offset_, y_offset_);
    const int64_t end = std::max(x_offset_ + extent(x_sizes_, x_strides_), y_offset_ + extent(sizes, y_strides_));
    Tensor memory = zeros({end - first}, g.options());
    memory.as_strided(sizes, y_strides_, y_offset_ - first).copy_(g);
    return {memory.as_strided(x_sizes_, x_strides_, x_offset_ - first)};
  }
  std::string name() const override { return "AsStridedBackward0"; }

 private:
  static int64_t extent(const Dims& sizes, const Dims& strides) {
    int64_t last = 0;
    for (size_t d = 0; d < sizes.size(); ++d) last += (sizes[d] - 1) * strides[d];
    return numel_of(sizes) == 0 ? 0 : last + 1;
  }
  // Sufficient for all views that slicing, permuting and reshaping make: in the order of their strides, each
  // dimension steps over all that the smaller ones reach.
  static bool places_differ(const Dims& sizes, const Dims& strides) {
    InlineVector<std::pair<int64_t, int64_t>, 5> dims;
    for (size_t d = 0; d < sizes.size(); ++d) {
      if (sizes[d] > 1) dims.push_back({strides[d], sizes[d]});
    }
    std::sort(dims.begin(), dims.end());
    int64_t reach = 0;
    for (const auto& [stride, size] : dims) {
      if (stride <= reach) return false;
      reach += stride * (size - 1);
    }
    return true;
  }

  Dims x_sizes_, x_strides_;
  int64_t x_offset_;
  Dims y_sizes_, y_strides_;
  int64_t y_offset_;
};

Tensor transpose_as(const Tensor& x, int64_t dim0, int64_t dim1, const char* name) {
  Dims sizes(x.sizes()), strides(x.strides());
  if (!sizes.empty()) {
    std::swap(sizes[static_cast<size_t>(dim0)], sizes[static_cast<size_t>(dim1)]);
    std::swap(strides[static_cast<size_t>(dim0)], strides[static_cast<size_t>(dim1)]);
  }
  Tensor out = make_view(x, sizes, strides, x.storage_offset());
  return autograd::record<TransposeBackward>(out, {x}, dim0, dim1, name);
}

// Without the dimensions that `drop` names, all of size 1.
template <class Drop>
Tensor squeeze_as(const Tensor& x, const char* name, const Drop& drop) {
  Dims sizes, strides;
  for (size_t d = 0; d < x.sizes().size(); ++d) {
    if (drop(d)) continue;
    sizes.push_back(x.sizes()[d]);
    strides.push_back(x.strides()[d]);
  }
  Tensor out = make_view(x, sizes, strides, x.storage_offset());
  return autograd::record<ReshapeBackward>(out, {x}, x, name);
}

// A position in a slice, as Python has it: from the end if negative, then brought into [0, size].
int64_t slice_position(std::optional<int64_t> position, int64_t otherwise, int64_t size) {
  int64_t at = position.value_or(otherwise);
  if (at < 0) at += size;
  return std::clamp<int64_t>(at, 0, size);
}

}  // namespace
}  // namespace ops

using namespace ops;

Tensor view(const Tensor& x, IntArrayRef sizes) {
  Dims shape = infer_size(sizes, x.numel());
  std::optional<Dims> strides = view_strides(x.sizes(), x.strides(), shape);
  check(strides.has_value(),
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
        "contiguous subspaces). Use .reshape(...) instead.");
  Tensor out = make_view(x, shape, *strides, x.storage_offset());
  return autograd::record<ReshapeBackward>(out, {x}, x, "ViewBackward0");
}

Tensor reshape(const Tensor& x, IntArrayRef sizes) {
  const Dims shape = infer_size(sizes, x.numel());
  if (view_strides(x.sizes(), x.strides(), shape)) return view(x, shape);
  const Tensor copy = x.clone();
  Tensor out = copy.detach();
  out.impl()->sizes = shape;
  out.impl()->strides = contiguous_strides(shape);
  return autograd::record<ReshapeBackward>(out, {copy}, copy, "UnsafeViewBackward0");
}

Tensor t(const Tensor& x) {
  check(x.dim() <= 2, "t() expects a tensor with <= 2 dimensions, but self is {}D", x.dim());
  return transpose_as(x, 0, x.dim() < 2 ? 0 : 1, "TBackward0");
}

Tensor Tensor::mT() const {
  check(dim() >= 2, "tensor.mT is only supported on matrices or batches of matrices. Got {}-D tensor.", dim());
  return transpose(-2, -1);
}

Tensor transpose(const Tensor& x, int64_t dim0, int64_t dim1) {
  return transpose_as(x, wrap_dim(dim0, x.dim()), wrap_dim(dim1, x.dim()), "TransposeBackward0");
}

Tensor permute(const Tensor& x, IntArrayRef dims) {
  check(dims.size() == x.sizes().size(),
        "permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
        "ordering of dimensions i.e. input.dim() = {} is not equal to len(dims) = {}",
        x.dim(), dims.size());
  Dims order, sizes, strides;
  for (const int64_t dim : dims) {
    const int64_t d = wrap_dim(dim, x.dim());
    check(std::find(order.begin(), order.end(), d) == order.end(), "permute(): duplicate dims are not allowed.");
    order.push_back(d);
    sizes.push_back(x.size(d));
    strides.push_back(x.stride(d));
  }
  Tensor out = make_view(x, sizes, strides, x.storage_offset());
  return autograd::record<PermuteBackward>(out, {x}, std::move(order));
}

Tensor expand(const Tensor& x, IntArrayRef sizes) {
  if (sizes.size() < x.sizes().size()) {
    fail(
        "expand({}{{{}}}, size={}): the number of sizes provided ({}) must be greater or equal to the number of "
        "dimensions in the tensor ({})",
        x.toString(), x.sizes(), sizes, sizes.size(), x.dim());
  }
  const size_t lead = sizes.size() - x.sizes().size();
  Dims shape(sizes);
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == -1) {
      check(d >= lead, "The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {}", d);
      shape[d] = x.sizes()[d - lead];
    }
    check(
        d < lead || x.sizes()[d - lead] == 1 || x.sizes()[d - lead] == shape[d],
        "The expanded size of the tensor ({}) must match the existing size ({}) at non-singleton dimension {}.  Target "
        "sizes: {}.  Tensor sizes: {}",
        shape[d], x.sizes()[d - lead], d, sizes, x.sizes());
  }
  numel_of(shape);
  Dims strides = expanded_strides(x.sizes(), x.strides(), shape);
  Tensor out = make_view(x, shape, strides, x.storage_offset());
  return autograd::record<ExpandBackward>(out, {x}, x);
}

Tensor squeeze(const Tensor& x) {
  return squeeze_as(x, "SqueezeBackward0", [&](size_t d) { return x.sizes()[d] == 1; });
}

Tensor squeeze(const Tensor& x, int64_t dim) {
  const auto dropped = static_cast<size_t>(wrap_dim(dim, x.dim()));
  return squeeze_as(x, "SqueezeBackward1", [&](size_t d) { return d == dropped && x.sizes()[d] == 1; });
}

Tensor unsqueeze(const Tensor& x, int64_t dim) {
  const auto at = static_cast<size_t>(wrap_dim(dim, x.dim() + 1));
  Dims sizes(x.sizes()), strides(x.strides());
  strides.insert(at, at < sizes.size() ? sizes[at] * strides[at] : 1);
  sizes.insert(at, 1);
  Tensor out = make_view(x, sizes, strides, x.storage_offset());
  return autograd::record<ReshapeBackward>(out, {x}, x, "UnsqueezeBackward0");
}

Tensor select(const Tensor& x, int64_t dim, int64_t index) {
  check(x.dim() > 0, "select() cannot be applied to a 0-dim tensor.");
  dim = wrap_dim(dim, x.dim());
  const int64_t size = x.size(dim);
  check(index >= -size && index < size, "select(): index {} out of range for tensor of size {} at dimension {}", index,
        x.sizes(), dim);
  if (index < 0) index += size;
  Dims sizes(x.sizes()), strides(x.strides());
  sizes.erase(static_cast<size_t>(dim));
  strides.erase(static_cast<size_t>(dim));
  Tensor out = make_view(x, sizes, strides, x.storage_offset() + index * x.stride(dim));
  return autograd::record<SelectBackward>(out, {x}, x, dim, index);
}

Tensor slice(const Tensor& x, int64_t dim, std::optional<int64_t> start, std::optional<int64_t> end, int64_t step) {
  check(x.dim() > 0, "slice() cannot be applied to a 0-dim tensor.");
  check(step > 0, "slice step must be positive");
  dim = wrap_dim(dim, x.dim());
  const int64_t from = slice_position(start, 0, x.size(dim));
  const int64_t to = std::max(from, slice_position(end, x.size(dim), x.size(dim)));
  Dims sizes(x.sizes()), strides(x.strides());
  sizes[static_cast<size_t>(dim)] = (to - from + step - 1) / step;
  strides[static_cast<size_t>(dim)] *= step;
  Tensor out = make_view(x, sizes, strides, x.storage_offset() + from * x.stride(dim));
  return autograd::record<SliceBackward>(out, {x}, x, dim, from, to, step);
}

Tensor narrow(const Tensor& x, int64_t dim, int64_t start, int64_t length) {
  check(x.dim() > 0, "narrow() cannot be applied to a 0-dim tensor.");
  const int64_t size = x.size(dim);
  check(start >= -size && start <= size, "start out of range (expected to be in range of [{}, {}], but got {})", -size,
        size, start);
  if (start < 0) start += size;
  check(length >= 0 && start + length <= size, "start ({}) + length ({}) exceeds dimension size ({}).", start, length,
        size);
  return slice(x, dim, start, start + length);
}

Tensor as_strided(const Tensor& x, IntArrayRef sizes, IntArrayRef strides, std::optional<int64_t> storage_offset) {
  check(sizes.size() == strides.size(), "mismatch in length of strides and shape");
  const int64_t offset = storage_offset.value_or(x.storage_offset());
  int64_t last = offset;
  for (size_t d = 0; d < sizes.size(); ++d) {
    check(strides[d] >= 0, "as_strided: Negative strides are not supported at the moment, got strides: {}", strides);
    last += std::max<int64_t>(0, sizes[d] - 1) * strides[d];
  }
  const auto available = static_cast<int64_t>(x.impl()->storage->nbytes()) / x.element_size();
  check(
      numel_of(sizes) == 0 || (offset >= 0 && last < available),
      "setStorage: sizes {}, strides {}, storage offset {}, and itemsize {} requiring a storage size of {} are out of "
      "bounds for storage of size {}",
      sizes, strides, offset, x.element_size(), (last + 1) * x.element_size(), x.impl()->storage->nbytes());
  Tensor out = make_view(x, sizes, strides, offset);
  return autograd::record<AsStridedBackward>(out, {x}, x, sizes, strides, offset);
}

Tensor Tensor::view(IntArrayRef sizes) const { return wengert::view(*this, sizes); }
Tensor Tensor::reshape(IntArrayRef sizes) const { return wengert::reshape(*this, sizes); }
Tensor Tensor::t() const { return wengert::t(*this); }
Tensor Tensor::transpose(int64_t dim0, int64_t dim1) const { return wengert::transpose(*this, dim0, dim1); }
Tensor Tensor::permute(IntArrayRef dims) const { return wengert::permute(*this, dims); }
Tensor Tensor::expand(IntArrayRef sizes, bool) const { return wengert::expand(*this, sizes); }
Tensor Tensor::squeeze() const { return wengert::squeeze(*this); }
Tensor Tensor::squeeze(int64_t dim) const { return wengert::squeeze(*this, dim); }
Tensor Tensor::unsqueeze(int64_t dim) const { return wengert::unsqueeze(*this, dim); }
Tensor Tensor::select(int64_t dim, int64_t index) const { return wengert::select(*this, dim, index); }
Tensor Tensor::narrow(int64_t dim, int64_t start, int64_t length) const {
  return wengert::narrow(*this, dim, start, length);
}
Tensor Tensor::slice(int64_t dim, std::optional<int64_t> start, std::optional<int64_t> end, int64_t step) const {
  return wengert::slice(*this, dim, start, end, step);
}
Tensor Tensor::as_strided(IntArrayRef sizes, IntArrayRef strides, std::optional<int64_t> storage_offset) const {
  return wengert::as_strided(*this, sizes, strides, storage_offset);
}

}  // namespace wengert
