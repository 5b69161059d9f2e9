#include <wengert/autograd/base/check.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/ops.h>

#include <algorithm>

// Operations that look at the same elements in another shape. The forward is a change of sizes and strides;
// the VJP is the change back.

namespace wengert {
namespace ops {
namespace {

using autograd::make_view;

// The gradient of the same elements in another shape:   dx = G in x's shape.
auto back_to_shape_of(const Tensor& x) {
  return [sizes = Dims(x.sizes())](const Backward& b) { return b.grad().reshape(sizes); };
}

// Whether all elements of such a view differ in their place. Sufficient for all views that slicing, permuting and
// reshaping make: in the order of their strides, each dimension steps over all that the smaller ones reach.
bool places_differ(const Dims& sizes, const Dims& strides) {
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

// Where a view's elements lie in its storage.
struct Place {
  explicit Place(const Tensor& x) : Place(x.sizes(), x.strides(), x.storage_offset()) {}
  Place(IntArrayRef sizes, IntArrayRef strides, int64_t offset) : sizes(sizes), strides(strides), offset(offset) {}
  int64_t end() const {
    int64_t last = offset;
    for (size_t d = 0; d < sizes.size(); ++d) last += (sizes[d] - 1) * strides[d];
    return numel_of(sizes) == 0 ? offset : last + 1;
  }
  Tensor of(const Tensor& memory, int64_t first) const { return memory.as_strided(sizes, strides, offset - first); }

  Dims sizes, strides;
  int64_t offset;
};

// y = any strided view of x's storage. An element of the storage that y reads gets G from there, summed where y repeats
// it with stride 0; dx is what x reads of that.
Tensor gradient_of_as_strided(const Tensor& grad, const Place& x, Place y) {
  Dims repeated;
  for (size_t d = 0; d < y.sizes.size(); ++d) {
    if (y.strides[d] == 0 && y.sizes[d] != 1) {
      repeated.push_back(static_cast<int64_t>(d));
      y.sizes[d] = 1;
    }
  }
  const Tensor g = repeated.empty() ? grad : grad.sum(repeated, true);
  check(places_differ(y.sizes, y.strides) && places_differ(x.sizes, x.strides),
        "as_strided: the gradient of a view whose elements overlap is not offered (sizes {}, strides {} of sizes "
        "{}, strides {})",
        grad.sizes(), IntArrayRef(y.strides), IntArrayRef(x.sizes), IntArrayRef(x.strides));
  const int64_t first = std::min(x.offset, y.offset);
  const Tensor memory = zeros({std::max(x.end(), y.end()) - first}, g.options());
  y.of(memory, first).copy_(g);
  return x.of(memory, first);
}

// y = x with dimensions i and j exchanged.   VJP:   dx = G with them exchanged back.
Tensor transpose_as(const Tensor& x, int64_t dim0, int64_t dim1, const char* name) {
  Dims sizes(x.sizes()), strides(x.strides());
  if (!sizes.empty()) {
    std::swap(sizes[static_cast<size_t>(dim0)], sizes[static_cast<size_t>(dim1)]);
    std::swap(strides[static_cast<size_t>(dim0)], strides[static_cast<size_t>(dim1)]);
  }
  return record_view(name, make_view(x, sizes, strides, x.storage_offset()), {x}, saving(),
                     [dim0, dim1](const Backward& b) { return b.grad().transpose(dim0, dim1); });
}

// Without the dimensions that `drop` names, all of size 1.   VJP:   dx = G, in x's shape.
template <class Drop>
Tensor squeeze_as(const Tensor& x, const char* name, const Drop& drop) {
  Dims sizes, strides;
  for (size_t d = 0; d < x.sizes().size(); ++d) {
    if (drop(d)) continue;
    sizes.push_back(x.sizes()[d]);
    strides.push_back(x.strides()[d]);
  }
  return record_view(name, make_view(x, sizes, strides, x.storage_offset()), {x}, saving(), back_to_shape_of(x));
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

// The same elements in another shape.   VJP:   dx = G, in x's shape.
Tensor view(const Tensor& x, IntArrayRef sizes) {
  Dims shape = infer_size(sizes, x.numel());
  std::optional<Dims> strides = view_strides(x.sizes(), x.strides(), shape);
  check(strides.has_value(),
        "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
        "contiguous subspaces). Use .reshape(...) instead.");
  return record_view("ViewBackward0", make_view(x, shape, *strides, x.storage_offset()), {x}, saving(),
                     back_to_shape_of(x));
}

// A view where there can be one, else of a copy.   VJP:   dx = G, in x's shape.
Tensor reshape(const Tensor& x, IntArrayRef sizes) {
  const Dims shape = infer_size(sizes, x.numel());
  if (view_strides(x.sizes(), x.strides(), shape)) return view(x, shape);
  const Tensor copy = x.contiguous();
  Tensor out = copy.detach();
  out.impl()->sizes = shape;
  out.impl()->strides = contiguous_strides(shape);
  return record("UnsafeViewBackward0", out, {copy}, saving(), back_to_shape_of(copy));
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

// y = x with its dimensions in another order.   VJP:   dx = G with its dimensions in the inverse order.
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
  Dims inverse(order.size());
  for (size_t d = 0; d < order.size(); ++d) inverse[static_cast<size_t>(order[d])] = static_cast<int64_t>(d);
  return record_view("PermuteBackward0", make_view(x, sizes, strides, x.storage_offset()), {x}, saving(),
                     [inverse](const Backward& b) { return b.grad().permute(inverse); });
}

// y = x repeated along some dimensions.   VJP:   dx = G summed over the repetitions.
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
  return record_view("ExpandBackward0", make_view(x, shape, strides, x.storage_offset()), {x}, saving(),
                     [sizes = Dims(x.sizes())](const Backward& b) { return b.grad().sum_to_size(sizes); });
}

Tensor squeeze(const Tensor& x) {
  return squeeze_as(x, "SqueezeBackward0", [&](size_t d) { return x.sizes()[d] == 1; });
}

Tensor squeeze(const Tensor& x, int64_t dim) {
  const auto dropped = static_cast<size_t>(wrap_dim(dim, x.dim()));
  return squeeze_as(x, "SqueezeBackward1", [&](size_t d) { return d == dropped && x.sizes()[d] == 1; });
}

// With a new dimension of size 1.   VJP:   dx = G, in x's shape.
Tensor unsqueeze(const Tensor& x, int64_t dim) {
  const auto at = static_cast<size_t>(wrap_dim(dim, x.dim() + 1));
  Dims sizes(x.sizes()), strides(x.strides());
  strides.insert(at, at < sizes.size() ? sizes[at] * strides[at] : 1);
  sizes.insert(at, 1);
  Tensor out = make_view(x, sizes, strides, x.storage_offset());
  return record_view("UnsqueezeBackward0", out, {x}, saving(), back_to_shape_of(x));
}

// y = x[index] along dim.   VJP:   dx = 0, but G at [index].
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
  return record_view("SelectBackward0", out, {x}, saving(), [sizes = Dims(x.sizes()), dim, index](const Backward& b) {
    Tensor dx = zeros(sizes, b.grad().options());
    dx.select(dim, index).copy_(b.grad());
    return dx;
  });
}

// y = x[start : end : step] along dim.   VJP:   dx = 0, but G at [start : end : step].
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
  return record_view("SliceBackward0", out, {x}, saving(),
                     [sizes = Dims(x.sizes()), dim, from, to, step](const Backward& b) {
                       Tensor dx = zeros(sizes, b.grad().options());
                       dx.slice(dim, from, to, step).copy_(b.grad());
                       return dx;
                     });
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

// The elements at these places of x's memory.   VJP:   dx = at each place the sum of G of all elements that lie there.
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
  return record_view("AsStridedBackward0", make_view(x, sizes, strides, offset), {x}, saving(),
                     [from = Place(x), to = Place(sizes, strides, offset)](const Backward& b) {
                       return gradient_of_as_strided(b.grad(), from, to);
                     });
}

}  // namespace wengert
