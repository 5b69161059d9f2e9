#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/kernels/copy_run.h>
#include <wengert/ops/kernels/parallel.h>
#include <wengert/ops/kernels/with_count.h>
#include <wengert/ops/ops.h>

#include <algorithm>
#include <utility>

// Reading and writing elements at positions that other tensors hold; G = dL/dy.
//
// Along one dimension: gather reads, scatter and scatter_add write, one position for each element;
// index_select reads and index_add writes whole slices. Over several dimensions at once: index and index_put.

namespace wengert {
namespace ops {
namespace {

void check_index_type(const Tensor& index, const char* op) {
  check(index.dtype() == kLong, "{}(): Expected dtype int64 for index", op);
}

int64_t size_along(const Tensor& x, int64_t dim) { return x.dim() == 0 ? 1 : x.size(dim); }
int64_t stride_along(const Tensor& x, int64_t dim) { return x.dim() == 0 ? 1 : x.stride(dim); }

void check_position(int64_t position, int64_t size, int64_t dim) {
  check(position >= 0 && position < size, "index {} is out of bounds for dimension {} with size {}", position, dim,
        size);
}

// Where an index tensor's positions lie; each once, if it was expanded.
kernels::StridedLoop<1> loop_over_positions(const Tensor& index) {
  Dims sizes(index.sizes());
  for (size_t d = 0; d < sizes.size(); ++d) {
    if (index.strides()[d] == 0) sizes[d] = std::min<int64_t>(sizes[d], 1);
  }
  return {span_of(sizes), {span_of(index.strides())}};
}

void check_positions(const int64_t* positions, const kernels::StridedLoop<1>& loop, int64_t size, int64_t dim) {
  loop.run([&](const int64_t* at, int64_t count) {
    const int64_t* run = positions + at[0];
    if (loop.inner_stride(0) == 1 && kernels::simd::all_within(run, count, size)) return;
    for (int64_t i = 0; i < count; ++i) check_position(run[i * loop.inner_stride(0)], size, dim);
  });
}

// Strides of x without the one along dim: where the slice that an index points into begins.
Dims strides_without(const Tensor& x, int64_t dim) {
  Dims strides(x.strides());
  if (!strides.empty()) strides[static_cast<size_t>(dim)] = 0;
  return strides;
}

void check_shapes(const Tensor& x, int64_t dim, const Tensor& index, const char* op, const char* what) {
  const int64_t x_dim = std::max<int64_t>(1, x.dim()), index_dim = std::max<int64_t>(1, index.dim());
  check(x_dim == index_dim, "Index tensor must have the same number of dimensions as {} tensor", what);
  for (int64_t d = 0; d < index.dim(); ++d) {
    check(d == dim || index.size(d) <= size_along(x, d),
          "{}(): Expected index {} to be smaller than {} {} apart from dimension {}", op, index.sizes(), what,
          x.sizes(), dim);
  }
}

// Elements of an operand that positions along dim may reach, for a loop that visits it with a stride of 0 there.
template <size_t N>
int64_t extent_along(const kernels::StridedLoop<N>& loop, size_t operand, int64_t size, int64_t stride) {
  return size == 0 || loop.numel() == 0 ? 0 : loop.extent(operand) + (size - 1) * stride;
}

// out = x at positions along dim; operands: out, positions, x. The loop visits x with a stride of 0 along dim.
// Calls row(r, n) for rows [begin, end), n being `count` as with_count() gives it.
template <class Row>
void for_rows(int64_t begin, int64_t end, int64_t count, const Row& row) {
  kernels::with_count(count, [&](auto n) {
    for (int64_t r = begin; r < end; ++r) row(r, n);
  });
}

// body(i) for i < n.
template <class N, class Body>
void for_each_of(N n, const Body& body) {
  if constexpr (std::is_same_v<N, int64_t>) {
#pragma GCC unroll 4
    for (int64_t i = 0; i < n; ++i) body(i);
  } else {
    for (int64_t i = 0; i < N::value; ++i) body(i);
  }
}

// Whether a loop over positions, others and a line that they point into has rows of them side by side.
bool is_in_rows(const kernels::StridedLoop<3>& loop, size_t positions, size_t other, size_t line, int64_t stride) {
  return loop.dims() == 2 && loop.inner_stride(positions) == 1 && loop.inner_stride(other) == 1 &&
         loop.inner_stride(line) == 0 && stride == 1;
}

template <class T>
struct Gather {
  kernels::StridedLoop<3> loop;
  kernels::StridedLoop<1> checked;
  int64_t size, stride, dim;  // of x along dim

  void operator()(char* const* operands) const {
    const auto* positions = reinterpret_cast<const int64_t*>(operands[1]);
    check_positions(positions, checked, size, dim);
    T* out = reinterpret_cast<T*>(operands[0]);
    const T* x = reinterpret_cast<const T*>(operands[2]);
    if (is_in_rows(loop, 1, 0, 2, stride)) {
      kernels::parallel_rows(loop.size(1), loop.inner_size(), [=, this](int64_t begin, int64_t end) {
        const auto [by_out, by_positions, by_x] = loop.strides(1);
        for_rows(begin, end, loop.inner_size(),
                 [=, by_out = by_out, by_p = by_positions, by_x = by_x](int64_t r, auto n) {
                   T* to = out + r * by_out;
                   const int64_t* p = positions + r * by_p;
                   const T* from = x + r * by_x;
                   for_each_of(n, [=](int64_t i) { to[i] = from[p[i]]; });
                 });
      });
      return;
    }
    kernels::parallel_ranges(loop.numel(), [&](int64_t begin, int64_t end) {
      loop.run(begin, end,
               [=, so = loop.inner_stride(0), sp = loop.inner_stride(1), sx = loop.inner_stride(2), by = stride](
                   const int64_t* at, int64_t count) {
                 T* to = out + at[0];
                 const int64_t* p = positions + at[1];
                 const T* from = x + at[2];
                 if (so == 1 && sp == 1 && sx == 0 && by == 1) {

#pragma GCC unroll 4
                   for (int64_t i = 0; i < count; ++i) to[i] = from[p[i]];
                 } else {
                   for (int64_t i = 0; i < count; ++i) to[i * so] = from[i * sx + p[i * sp] * by];
                 }
               });
    });
  }
};

// y = x at index along dim.
Tensor compute_gather(const Tensor& x, int64_t dim, const Tensor& index) {
  Tensor out = empty(index.sizes(), x.options());
  const int64_t size = size_along(x, dim), stride = stride_along(x, dim);
  const Dims base = x.dim() == index.dim() ? strides_without(x, dim) : Dims();
  dispatch(x.dtype(), [&]<class T>() {
    const Gather<T> work{{span_of(out.sizes()), {span_of(out.strides()), span_of(index.strides()), span_of(base)}},
                         loop_over_positions(index),
                         size,
                         stride,
                         dim};
    tracing::perform(
        {tracing::writes(elements<T>(out), out.numel()), tracing::reads(elements<int64_t>(index), work.loop.extent(1)),
         tracing::reads(elements<T>(x), extent_along(work.loop, 2, size, stride))},
        work);
  });
  return out;
}

// self at positions along dim <- Write()(what is there, source), one after another, for a position may be there twice;
// operands: self, self, positions, source. The loop visits positions, source and self, with a stride of 0 along dim.
template <class T, class Write>
struct Scatter {
  kernels::StridedLoop<3> loop;
  kernels::StridedLoop<1> checked;
  int64_t size, stride, dim;  // of self along dim

  void operator()(char* const* operands) const {
    T* to = reinterpret_cast<T*>(operands[0]);
    const auto* positions = reinterpret_cast<const int64_t*>(operands[2]);
    const T* from = reinterpret_cast<const T*>(operands[3]);
    constexpr Write write;
    check_positions(positions, checked, size, dim);
    if (is_in_rows(loop, 0, 1, 2, stride)) {
      const auto [by_positions, by_from, by_to] = loop.strides(1);
      for_rows(0, loop.size(1), loop.inner_size(),
               [=, by_p = by_positions, by_from = by_from, by_to = by_to](int64_t r, auto n) {
                 const int64_t* p = positions + r * by_p;
                 const T* values = from + r * by_from;
                 T* row = to + r * by_to;
                 for_each_of(n, [=](int64_t i) { row[p[i]] = write(row[p[i]], values[i]); });
               });
      return;
    }
    loop.run([=, sp = loop.inner_stride(0), sf = loop.inner_stride(1), st = loop.inner_stride(2), by = stride](
                 const int64_t* at, int64_t count) {
      const int64_t* p = positions + at[0];
      const T* values = from + at[1];
      T* line = to + at[2];
      for (int64_t i = 0; i < count; ++i) {
        T& target = line[i * st + p[i * sp] * by];
        target = write(target, values[i * sf]);
      }
    });
  }
};

template <class Write>
void compute_scatter(const Tensor& self, int64_t dim, const Tensor& index, const Tensor& source, Write) {
  const int64_t size = size_along(self, dim), stride = stride_along(self, dim);
  const Dims base = self.dim() == index.dim() ? strides_without(self, dim) : Dims();
  dispatch(self.dtype(), [&]<class T>() {
    const Scatter<T, Write> work{
        {span_of(index.sizes()), {span_of(index.strides()), span_of(source.strides()), span_of(base)}},
        loop_over_positions(index),
        size,
        stride,
        dim};
    const int64_t extent = extent_along(work.loop, 2, size, stride);
    tracing::perform({tracing::writes(elements<T>(self), extent), tracing::reads(elements<T>(self), extent),
                      tracing::reads(elements<int64_t>(index), work.loop.extent(0)),
                      tracing::reads(elements<T>(source), work.loop.extent(1))},
                     work);
  });
}

constexpr auto written = [](auto, auto value) { return value; };
constexpr auto added = [](auto there, auto value) { return static_cast<decltype(there)>(there + value); };

// self <- source at index, or self + source.   VJP:   dx = G, and 0 where source was written;   dsource = G at index.
// x: where self's elements come from, and the gradient goes to; self itself, or what it is a copy of.
Tensor& scatter_in_place(const char* node, const Tensor& self, const Tensor& x, int64_t dim, const Tensor& index,
                         const Tensor& source, bool add) {
  const char* op = add ? "scatter_add" : "scatter";
  check_index_type(index, op);
  check(self.dtype() == source.dtype(), "{}(): Expected self.dtype to be equal to src.dtype", op);
  dim = wrap_dim(dim, self.dim());
  if (index.numel() > 0) {
    check_shapes(self, dim, index, op, "self");
    check_shapes(source, -1, index, op, "src");
  }
  check_writable(self);
  return record_in_place(
      node, self, {x, source}, saving(index),
      [&] {
        if (index.numel() == 0) return;
        add ? compute_scatter(self, dim, index, source, added) : compute_scatter(self, dim, index, source, written);
      },
      [dim, add](const Backward& b) { return add ? b.grad() : b.grad().scatter(dim, b.saved(0), 0); },
      [dim](const Backward& b) { return gather(b.grad(), dim, b.saved(0)); });
}

// --- Slices at positions along one dimension -----------------------------------------------------------

Tensor flat_index(const Tensor& index, const char* op) {
  check_index_type(index, op);
  check(index.dim() <= 1, "{}(): Index is supposed to be a vector", op);
  return index.reshape({-1}).contiguous();
}

// The positions as an index for gather and scatter, of slices that together have these sizes.
Tensor spread_along(const Tensor& positions, int64_t dim, IntArrayRef sizes) {
  Dims shape(sizes.size(), 1);
  shape[static_cast<size_t>(dim)] = positions.numel();
  return positions.view(shape).expand(sizes);
}

// Of a number, a vector with it alone.
Tensor at_least_vector(const Tensor& x) { return x.dim() == 0 ? x.reshape({1}) : x; }

// Whole slices of contiguous tensors lie side by side. How many elements each has, to(vector) having `count` of them.
int64_t slice_length(const Tensor& vector) { return vector.numel() / std::max<int64_t>(1, vector.size(0)); }

// y = the rows of x at positions; both contiguous.
void select_rows(const Tensor& y, const Tensor& x, const Tensor& positions) {
  const int64_t count = positions.numel(), size = x.size(0), length = slice_length(x);
  dispatch(x.dtype(), [&]<class T>() {
    tracing::perform({tracing::writes(elements<T>(y), y.numel()), tracing::reads(elements<int64_t>(positions), count),
                      tracing::reads(elements<T>(x), x.numel())},
                     [=](char* const* operands) {
                       T* to = reinterpret_cast<T*>(operands[0]);
                       const auto* at = reinterpret_cast<const int64_t*>(operands[1]);
                       const T* from = reinterpret_cast<const T*>(operands[2]);
                       check_positions(at, {count, {1}}, size, 0);
                       kernels::parallel_rows(count, length, [&](int64_t begin, int64_t end) {
                         for_rows(begin, end, length,
                                  [=](int64_t i, auto n) { kernels::copy_run(to + i * n, from + at[i] * n, n); });
                       });
                     });
  });
}

// The rows of `to` at positions have alpha times the rows of `from` added; both contiguous.
void add_rows(const Tensor& to, const Tensor& from, const Tensor& positions, Scalar alpha) {
  const int64_t count = positions.numel(), size = to.size(0), length = slice_length(to);
  dispatch_floating(to.dtype(), "index_add_", [&]<class T>() {
    tracing::perform(
        {tracing::writes(elements<T>(to), to.numel()), tracing::reads(elements<T>(to), to.numel()),
         tracing::reads(elements<int64_t>(positions), count), tracing::reads(elements<T>(from), from.numel())},
        [=, factor = alpha.to<T>()](char* const* operands) {
          T* rows = reinterpret_cast<T*>(operands[0]);
          const auto* at = reinterpret_cast<const int64_t*>(operands[2]);
          const T* added = reinterpret_cast<const T*>(operands[3]);
          check_positions(at, {count, {1}}, size, 0);
          for (int64_t i = 0; i < count; ++i) {
            T* row = rows + at[i] * length;
            kernels::simd::kernels<T>().add_scaled(row, row, true, added + i * length, true, factor, length);
          }
        });
  });
}

// --- Positions in several dimensions -------------------------------------------------------------------
// Indices are brought to one shape and turned into offsets in x's memory, so that one loop serves reading
// and writing, whatever x's strides.

// The rows of a Bool tensor's true elements, one index tensor a dimension.
std::vector<Tensor> positions_of_true(const Tensor& mask) {
  const Tensor positions = nonzero(mask);
  std::vector<Tensor> columns;
  for (int64_t d = 0; d < mask.dim(); ++d) columns.push_back(positions.select(1, d));
  return columns;
}

// One entry a dimension of x: an index tensor, or undefined for the whole dimension. Masks become positions.
std::vector<Tensor> one_index_a_dimension(const Tensor& x, TensorList indices) {
  std::vector<Tensor> all;
  for (const Tensor& index : indices) {
    if (!index.defined() || index.dtype() == kLong) {
      all.push_back(index);
      continue;
    }
    check(index.dtype() == kBool, "tensors used as indices must be long, byte or bool tensors");
    for (int64_t d = 0; d < index.dim(); ++d) {
      const auto at = static_cast<int64_t>(all.size()) + d;
      check(at < x.dim() && index.size(d) == x.size(at),
            "The shape of the mask {} at index {} does not match the shape of the indexed tensor {} at index {}",
            index.sizes(), d, x.sizes(), at);
    }
    for (Tensor& column : positions_of_true(index)) all.push_back(std::move(column));
  }
  check(static_cast<int64_t>(all.size()) <= x.dim(), "too many indices for tensor of dimension {} (got {})", x.dim(),
        all.size());
  all.resize(static_cast<size_t>(x.dim()));
  return all;
}

// Where in x's memory the elements of x[indices] lie. The result's dimensions are kept ones, then the indices' common
// ones, then other kept ones; an element's offset is the sum of one of each.
struct Places {
  Dims shape;  // of the result
  size_t before_dims, common_dims;
  std::vector<int64_t> before;
  Tensor at;  // the common ones'
  std::vector<int64_t> after;
};

// The offsets of all elements of such dimensions, in their order.
std::vector<int64_t> offsets_of(IntArrayRef sizes, IntArrayRef strides) {
  std::vector<int64_t> offsets{0};
  for (size_t d = 0; d < sizes.size(); ++d) {
    std::vector<int64_t> longer;
    longer.reserve(offsets.size() * static_cast<size_t>(sizes[d]));
    for (const int64_t offset : offsets) {
      for (int64_t i = 0; i < sizes[d]; ++i) longer.push_back(offset + i * strides[d]);
    }
    offsets = std::move(longer);
  }
  return offsets;
}

bool are_side_by_side(const std::vector<int64_t>& offsets) {
  for (size_t i = 0; i < offsets.size(); ++i) {
    if (offsets[i] != static_cast<int64_t>(i)) return false;
  }
  return true;
}

// Positions with those from the end counted from the front; throws where one is outside.
Tensor from_front(const Tensor& positions, int64_t size, size_t dim) {
  Tensor all = positions.contiguous();
  if (kernels::simd::all_within(all.data_ptr<int64_t>(), all.numel(), size)) return all;
  Tensor position = where(all < 0, all + size, all);
  const Tensor out = logical_or(position < 0, position >= size);
  if (any(out).item<bool>()) {
    check(size != 0, "index is out of bounds for dimension with size 0");
    const Tensor wrong = masked_select(all, out);
    fail("index {} is out of bounds for dimension {} with size {}", wrong[0].item<int64_t>(), dim, size);
  }
  return position;
}

// The indexed dimensions' place in the result is taken by the indices' common shape where they stand side by side; else
// that comes first (NumPy's rule).
Places places_of(const Tensor& x, TensorList indices) {
  const NoGradGuard no_grad;
  const std::vector<Tensor> all = one_index_a_dimension(x, indices);
  Dims common;
  bool any_index = false;
  size_t first = 0, last = 0, count = 0;
  for (size_t d = 0; d < all.size(); ++d) {
    if (!all[d].defined()) continue;
    if (!any_index) first = d;
    last = d;
    any_index = true;
    ++count;
    try {
      common = broadcast_shapes(common, all[d].sizes());
    } catch (const Error&) {
      std::string shapes;
      for (const Tensor& index : all) {
        if (index.defined()) shapes += fmt::format("{}{}", shapes.empty() ? "" : ", ", index.sizes());
      }
      fail("shape mismatch: indexing tensors could not be broadcast together with shapes {}", shapes);
    }
  }
  check(any_index, "at least one index must be provided");
  const size_t place = last - first + 1 == count ? first : 0;

  // The result's dimensions: the kept ones before `place`, the common shape, the kept ones after.
  std::vector<size_t> kept;
  for (size_t d = 0; d < all.size(); ++d) {
    if (!all[d].defined()) kept.push_back(d);
  }
  const auto before = static_cast<size_t>(std::count_if(kept.begin(), kept.end(), [&](size_t d) { return d < place; }));
  const bool reads_nothing =
      numel_of(common) == 0 || std::any_of(kept.begin(), kept.end(), [&](size_t d) { return x.sizes()[d] == 0; });
  Places places{{}, before, common.size(), {}, zeros({}, kLong), {}};
  const auto offsets_along = [&](size_t begin, size_t end) {
    Dims sizes, strides;
    for (size_t i = begin; i < end; ++i) {
      sizes.push_back(x.sizes()[kept[i]]);
      strides.push_back(x.strides()[kept[i]]);
    }
    for (const int64_t size : sizes) places.shape.push_back(size);
    return offsets_of(sizes, strides);
  };
  places.before = offsets_along(0, before);
  for (const int64_t size : common) places.shape.push_back(size);
  places.after = offsets_along(before, kept.size());
  if (reads_nothing) {
    places.at = empty({0}, kLong);
    return places;
  }
  bool is_first = true;
  for (size_t d = 0; d < all.size(); ++d) {
    if (!all[d].defined()) continue;
    const Tensor position = from_front(all[d], x.sizes()[d], d);
    const int64_t stride = x.strides()[d];
    const Tensor offset = stride == 1 ? position : position * stride;
    places.at = std::exchange(is_first, false) ? offset : places.at + offset;
  }
  places.at = places.at.expand(common).contiguous();
  return places;
}

// out, contiguous, <- the elements of x at these places.
template <class T>
void read_places(const Places& places, T* out, const T* x) {
  const auto* at = places.at.data_ptr<int64_t>();
  const int64_t common = places.at.numel(), count = static_cast<int64_t>(places.after.size());
  const int64_t rows = static_cast<int64_t>(places.before.size()) * common;
  const bool is_run = are_side_by_side(places.after);
  kernels::parallel_rows(rows, count, [&](int64_t begin, int64_t end) {
    if (count == 1 && rows == common) {
      const T* first = x + places.after[0];
#pragma GCC unroll 4
      for (int64_t i = begin; i < end; ++i) out[i] = first[at[i]];
      return;
    }
    for (int64_t row = begin; row < end; ++row) {
      const T* from = x + places.before[static_cast<size_t>(row / common)] + at[row % common];
      T* to = out + row * count;
      if (is_run) {
        std::copy_n(from, count, to);
      } else {
        for (int64_t i = 0; i < count; ++i) to[i] = from[places.after[static_cast<size_t>(i)]];
      }
    }
  });
}

// The elements of `to` at these places <- join(element, value); values: of the places' shape. One after another, so
// that of equal places the last one counts, or the sum does not depend on threads.
template <class T, class Join>
void write_places(const Places& places, T* to, const Tensor& values, const Join& join) {
  const auto offsets_along = [&](size_t begin, size_t end) {
    return offsets_of(values.sizes().slice(begin, end - begin), values.strides().slice(begin, end - begin));
  };
  const size_t common_end = places.before_dims + places.common_dims;
  const std::vector<int64_t> before = offsets_along(0, places.before_dims);
  const std::vector<int64_t> common = offsets_along(places.before_dims, common_end);
  const std::vector<int64_t> after = offsets_along(common_end, values.sizes().size());
  const bool is_run = are_side_by_side(places.after) && are_side_by_side(after);
  const auto* at = places.at.data_ptr<int64_t>();
  const T* first = values.data_ptr<T>();
  for (size_t b = 0; b < before.size(); ++b) {
    for (size_t c = 0; c < static_cast<size_t>(places.at.numel()); ++c) {
      T* target = to + places.before[b] + at[c];
      const T* value = first + before[b] + common[c];
      if (is_run) {
        kernels::do_plain_loop<1, 1>(target, static_cast<int64_t>(after.size()), join, target, value);
        continue;
      }
      for (size_t a = 0; a < after.size(); ++a) {
        T& element = target[places.after[a]];
        element = join(element, value[after[a]]);
      }
    }
  }
}

// Copies for a formula, which the caller's later in-place changes do not touch.
std::vector<Tensor> kept_indices(TensorList indices, bool recorded) {
  std::vector<Tensor> kept;
  for (const Tensor& index : indices) kept.push_back(recorded && index.defined() ? index.clone() : index);
  return kept;
}

// self <- values at indices, or self + values.   VJP:   dx = G, and 0 where values were written;   dvalues = G at
// indices. x: as scatter_in_place()'s.
Tensor& index_put_in_place(const Tensor& self, const Tensor& x, TensorList indices, const Tensor& values, bool add) {
  check(self.dtype() == values.dtype(),
        "Index put requires the source and destination dtypes match, got {} for the destination and {} for the source.",
        self.dtype(), values.dtype());
  check_writable(self);
  for (const Tensor& index : indices) {
    if (index.defined() && index.dtype() == kLong) check_no_overlap(self, index);
  }
  const Places places = places_of(self, indices);
  check(is_expandable_to(values.sizes(), places.shape),
        "shape mismatch: value tensor of shape {} cannot be broadcast to indexing result of shape {}", values.sizes(),
        IntArrayRef(places.shape));
  const auto write = [&] {
    const Tensor source = values.is_alias_of(self) ? values.detach().clone() : values.detach();
    const Tensor from = source.expand(places.shape);
    dispatch(self.dtype(), [&]<class T>() {
      T* to = self.data_ptr<T>();
      if (add) {
        write_places(places, to, from, added);
      } else {
        write_places(places, to, from, [](T, T value) { return value; });
      }
    });
  };
  const std::vector<Tensor> kept = kept_indices(indices, autograd::must_record({x, values}));
  return record_in_place<Broadcast<2>>(
      "IndexPutBackward0", self, {x, values}, saving(), write,
      [kept, add](const Backward& b) {
        return add ? b.grad() : index_put(b.grad(), kept, zeros({}, b.grad().options()));
      },
      [kept](const Backward& b) { return index(b.grad(), kept); });
}

// The elements of x where the mask, of x's shape, holds, as a vector.
Tensor elements_where(const Tensor& x, const Tensor& mask) {
  const Tensor from = x.detach().contiguous(), where = mask.contiguous();
  const bool* holds = where.data_ptr<bool>();
  Tensor y = empty({std::count(holds, holds + where.numel(), true)}, x.dtype());
  dispatch(x.dtype(), [&]<class T>() {
    const T* a = from.data_ptr<T>();
    T* to = y.data_ptr<T>();
    constexpr int64_t kBlock = 256;
    std::array<T, kBlock> kept;  // without branches, so with one element too many
    for (int64_t begin = 0; begin < where.numel(); begin += kBlock) {
      const int64_t size = std::min(kBlock, where.numel() - begin);
      size_t count = 0;
      for (int64_t i = begin; i < begin + size; ++i) {
        kept[count] = a[i];
        count += holds[i];
        if (count == kBlock) break;
      }
      to = std::copy_n(kept.begin(), count, to);
    }
  });
  return y;
}

Tensor masked_elements(const char* name, const Tensor& x, const Tensor& mask);

// Zeros, but g's elements, one after another, where the mask holds.   VJP:   dg = G's elements there.
Tensor put_where(const Tensor& g, const Tensor& mask) {
  const Tensor from = g.detach().contiguous(), where = mask.contiguous();
  Tensor y = zeros(mask.sizes(), g.options());
  dispatch(g.dtype(), [&]<class T>() {
    const bool* holds = where.data_ptr<bool>();
    const T* a = from.data_ptr<T>();
    T* to = y.data_ptr<T>();
    for (int64_t i = 0; i < where.numel(); ++i) {
      if (holds[i]) to[i] = *a++;
    }
  });
  return record("MaskedScatterBackward0", y, {g}, saving(mask), [](const Backward& b) -> Gradients {
    return {masked_elements("MaskedSelectBackward0", b.grad(), b.saved(0))};
  });
}

// y = x where the mask, of its shape, holds.   VJP:   dx = G there, 0 elsewhere.
Tensor masked_elements(const char* name, const Tensor& x, const Tensor& mask) {
  const Tensor kept = autograd::must_record({x}) ? mask.clone() : mask;  // as kept_indices()
  return record(name, elements_where(x, mask), {x}, saving(kept),
                [](const Backward& b) -> Gradients { return {put_where(b.grad(), b.saved(0))}; });
}

// y = x, with alpha times the slices of source added at index along dim.
// VJP:   dx = G;   dsource = alpha times the slices of G there.
// x: as scatter_in_place()'s.
Tensor& index_add_in_place(const Tensor& self, const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source,
                           Scalar alpha) {
  const Tensor positions = flat_index(index, "index_add_");
  dim = wrap_dim(dim, self.dim());
  check(self.dtype() == source.dtype(), "index_add_(): self ({}) and source ({}) must have the same scalar type",
        self.dtype(), source.dtype());
  check(positions.numel() == size_along(source, dim),
        "index_add_(): Number of indices ({}) should be equal to source.size(dim): ({}), for dim: {}",
        positions.numel(), size_along(source, dim), dim);
  check_writable(self);
  check(isFloatingType(self.dtype()) || !alpha.isFloatingPoint(),
        "For integral input tensors, argument alpha must not be a floating point number.");
  const Tensor to = at_least_vector(self.detach()), from = at_least_vector(source.detach());
  Dims sizes(to.sizes());
  sizes[static_cast<size_t>(dim)] = positions.numel();
  check(from.sizes() == IntArrayRef(sizes),
        "source tensor shape must match self tensor shape, excluding the specified dimension. Got self.shape = {} "
        "source.shape = {}",
        self.sizes(), source.sizes());
  const auto write = [&] {
    const NoGradGuard no_grad;
    if (dim == 0 && isFloatingType(self.dtype()) && to.is_contiguous() && from.is_contiguous()) {
      add_rows(to, from, positions, alpha);
    } else {
      compute_scatter(to, dim, spread_along(positions, dim, sizes), self.dtype() == kBool ? from : from.mul(alpha),
                      added);
    }
  };
  return record_in_place(
      "IndexAddBackward0", self, {x, source}, saving(positions), write, [](const Backward& b) { return b.grad(); },
      [dim, alpha, sizes = Dims(source.sizes())](const Backward& b) {
        return (b.grad().index_select(dim, b.saved(0)) * alpha).reshape(sizes);
      });
}
}  // namespace
}  // namespace ops

using namespace ops;

// Positions (k, dims) of the elements that are not 0, in row-major order.
Tensor nonzero(const Tensor& x) {
  const NoGradGuard no_grad;
  const Tensor flat = x.dtype() == kBool ? x.detach().contiguous() : (x != 0).contiguous();
  const bool* holds = flat.data_ptr<bool>();
  const int64_t dims = x.dim(), length = dims == 0 ? 1 : x.size(-1);
  Tensor out = empty({std::count(holds, holds + flat.numel(), true), dims}, kLong);
  auto* to = out.data_ptr<int64_t>();
  if (out.numel() == 0) return unrecorded("nonzero", out);
  Dims row(static_cast<size_t>(dims), 0);  // where the row begins
  for (const bool* end = holds + flat.numel(); holds < end; holds += length) {
    for (int64_t j = 0; j < length; ++j) {
      if (!holds[j]) continue;
      for (int64_t d = 0; d < dims - 1; ++d) to[d] = row[static_cast<size_t>(d)];
      to[dims - 1] = j;
      to += dims;
    }
    for (int64_t d = dims - 1; d-- > 0;) {
      if (++row[static_cast<size_t>(d)] < x.size(d)) break;
      row[static_cast<size_t>(d)] = 0;
    }
  }
  return unrecorded("nonzero", out);
}

// y[i][j] = x[index[i][j]][j] for dim 0.   VJP:   dx = 0 with G added at index.
Tensor gather(const Tensor& x, int64_t dim, const Tensor& index, bool) {
  check_index_type(index, "gather");
  dim = wrap_dim(dim, x.dim());
  if (index.numel() > 0) check_shapes(x, dim, index, "gather", "input");
  Tensor y = index.numel() == 0 ? empty(index.sizes(), x.options()) : compute_gather(x, dim, index);
  return record("GatherBackward0", y, {x}, saving(index),
                [dim, sizes = Dims(x.sizes())](const Backward& b) -> Gradients {
                  return {zeros(sizes, b.grad().options()).scatter_add(dim, b.saved(0), b.grad())};
                });
}

// y = x, but y[index[i][j]][j] = source[i][j].   VJP:   dx = G, but 0 there;   dsource = G there.
Tensor scatter(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source) {
  return scatter_in_place("ScatterBackward0", x.detach().clone(), x, dim, index, source, false);
}
Tensor scatter(const Tensor& x, int64_t dim, const Tensor& index, Scalar value) {
  const Tensor values = full({}, value, x.options()).expand(index.sizes());
  return scatter_in_place("ScatterBackward1", x.detach().clone(), x, dim, index, values, false);
}
// y = x, with source added there.   VJP:   dx = G;   dsource = G there.
Tensor scatter_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source) {
  return scatter_in_place("ScatterAddBackward0", x.detach().clone(), x, dim, index, source, true);
}

// y = the slices of x at index along dim.   VJP:   dx = 0 with the slices of G added there.
Tensor index_select(const Tensor& x, int64_t dim, const Tensor& index) {
  const Tensor positions = flat_index(index, "index_select");
  dim = wrap_dim(dim, x.dim());
  check(x.dim() > 0 || positions.numel() == 1, "index_select(): Index to scalar can have only 1 value, got {} value(s)",
        positions.numel());
  Tensor y;
  {
    const NoGradGuard no_grad;
    const Tensor vector = at_least_vector(x);
    Dims sizes(vector.sizes());
    sizes[static_cast<size_t>(dim)] = positions.numel();
    if (dim == 0 && vector.is_contiguous()) {
      y = empty(sizes, x.options());
      select_rows(y, vector, positions);
    } else {
      // Of slices without elements no position is looked at on the way.
      if (x.numel() == 0) check_positions(elements<int64_t>(positions), {positions.numel(), {1}}, x.size(dim), dim);
      y = compute_gather(vector, dim, spread_along(positions, dim, sizes));
    }
    if (x.dim() == 0) y = y.reshape({}).clone();
  }
  return record("IndexSelectBackward0", y, {x}, saving(positions),
                [dim, sizes = Dims(x.sizes())](const Backward& b) -> Gradients {
                  return {zeros(sizes, b.grad().options()).index_add(dim, b.saved(0), b.grad())};
                });
}

Tensor& Tensor::index_add_(int64_t dim, const Tensor& index, const Tensor& source, Scalar alpha) const {
  return index_add_in_place(*this, *this, dim, index, source, alpha);
}
Tensor index_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source, Scalar alpha) {
  return index_add_in_place(x.detach().clone(), x, dim, index, source, alpha);
}

// y = x[indices].   VJP:   dx = 0 with G added at the indices.
Tensor index(const Tensor& x, TensorList indices) {
  if (indices.size() == 1 && indices[0].defined() && indices[0].dtype() == kBool && x.dim() > 0 &&
      indices[0].sizes() == x.sizes()) {
    return masked_elements("IndexBackward0", x, indices[0]);
  }
  const Places places = places_of(x, indices);
  Tensor y = empty(places.shape, x.options());
  dispatch(x.dtype(), [&]<class T>() { read_places(places, y.data_ptr<T>(), x.data_ptr<T>()); });
  return record("IndexBackward0", y, {x}, saving(),
                [kept = kept_indices(indices, autograd::must_record({x})), sizes = Dims(x.sizes())](const Backward& b)
                    -> Gradients { return {index_put(zeros(sizes, b.grad().options()), kept, b.grad(), true)}; });
}

// y = x, but values at the indices (or added there).   VJP:   dx = G, but 0 there;   dvalues = G there.
Tensor index_put(const Tensor& x, TensorList indices, const Tensor& values, bool accumulate) {
  return index_put_in_place(x.detach().clone(), x, indices, values, accumulate);
}
Tensor& Tensor::index_put_(TensorList indices, const Tensor& values, bool accumulate) const {
  return index_put_in_place(*this, *this, indices, values, accumulate);
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  check(mask.dtype() == kBool, "masked_select: expected BoolTensor for mask");
  const Dims shape = broadcast_shapes(x.sizes(), mask.sizes());
  return masked_elements("MaskedSelectBackward0", x.expand(shape), mask.expand(shape));
}

// x's elements in row-major order, at index.   VJP:   dx = 0 with G added at index.
Tensor take(const Tensor& x, const Tensor& positions) {
  check(positions.dtype() == kLong, "take(): Expected a long tensor for index, but got {}", positions.dtype());
  check(x.numel() > 0 || positions.numel() == 0, "take(): tried to take from an empty tensor");
  Tensor y = empty(positions.sizes(), x.options());
  if (positions.numel() > 0) {
    const NoGradGuard no_grad;
    y = index(x.detach().reshape({-1}), {positions.reshape({-1})}).reshape(positions.sizes()).detach();
  }
  const Tensor kept = autograd::must_record({x}) ? positions.clone() : positions;  // as kept_indices()
  return record("TakeBackward0", y, {x}, saving(kept), [sizes = Dims(x.sizes())](const Backward& b) -> Gradients {
    const Tensor dx = zeros({numel_of(sizes)}, b.grad().options());
    return {index_put(dx, {b.saved(0).reshape({-1})}, b.grad().reshape({-1}), true).reshape(sizes)};
  });
}

Tensor one_hot(const Tensor& x, int64_t num_classes) {
  check(x.dtype() == kLong, "one_hot is only applicable to index tensor.");
  Dims shape(x.sizes());
  if (x.numel() == 0) {
    check(num_classes > 0, "Can not infer total number of classes from empty tensor.");
    shape.push_back(num_classes);
    return zeros(shape, kLong);
  }
  check(min(x).item<int64_t>() >= 0, "Class values must be non-negative.");
  const int64_t largest = max(x).item<int64_t>();
  check(num_classes == -1 || num_classes > 0, "num_classes should be positive");
  check(num_classes == -1 || largest < num_classes, "Class values must be smaller than num_classes.");
  shape.push_back(num_classes == -1 ? largest + 1 : num_classes);
  return zeros(shape, kLong).scatter_(-1, x.unsqueeze(-1), 1);
}

Tensor& Tensor::scatter_(int64_t dim, const Tensor& index, const Tensor& source) const {
  return scatter_in_place("ScatterBackward0", *this, *this, dim, index, source, false);
}
Tensor& Tensor::scatter_(int64_t dim, const Tensor& index, Scalar value) const {
  const Tensor values = full({}, value, options()).expand(index.sizes());
  return scatter_in_place("ScatterBackward1", *this, *this, dim, index, values, false);
}
Tensor& Tensor::scatter_add_(int64_t dim, const Tensor& index, const Tensor& source) const {
  return scatter_in_place("ScatterAddBackward0", *this, *this, dim, index, source, true);
}

}  // namespace wengert
