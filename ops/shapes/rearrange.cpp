#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/cpu.h>
#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/autograd/tools/printing.h>
#include <wengert/ops/elementwise/in_place.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/kernels/copy_run.h>
#include <wengert/ops/kernels/with_count.h>
#include <wengert/ops/ops.h>

#include <algorithm>
#include <array>
#include <numeric>

// Elements repeated, turned round, padded and cut, and the parts of matrices; G = dL/dy. Most are made of
// views and copies that have gradients of their own.

namespace wengert {
namespace ops {
namespace {

Tensor compute_triangle(const Tensor& x, int64_t diagonal, bool lower) {
  const Tensor from = x.dim() == 2 ? x : x.contiguous();
  Tensor y = empty(x.sizes(), x.dtype());
  const int64_t rows = x.size(-2), columns = x.size(-1);
  // Rows above `top` and from `bottom` on are all 0 or all x's; the diagonal goes through the others.
  const int64_t top = std::clamp<int64_t>(-diagonal, 0, rows);
  const int64_t bottom = std::max(top, std::clamp<int64_t>(columns - diagonal, 0, rows));
  const int64_t matrices = y.numel() / (rows * columns);
  dispatch(x.dtype(), [&]<class T>() {
    const T* a = from.data_ptr<T>();
    T* to = y.data_ptr<T>();
    const int64_t by_row = from.stride(-2), by_column = from.stride(-1);
    const auto whole_rows = [&](int64_t matrix, int64_t begin, int64_t end, bool copies) {
      const int64_t at = (matrix * rows + begin) * columns, count = (end - begin) * columns;
      if (!copies) {
        kernels::fill_run(to + at, T(0), count);
      } else if (x.dim() == 2) {
        const NoGradGuard no_grad;
        copy_elements(y.narrow(0, begin, end - begin), from.narrow(0, begin, end - begin));
      } else {
        kernels::copy_run(to + at, a + at, count);
      }
    };
    const auto cut_rows = [=](int64_t matrix, int64_t begin, int64_t end) {
      for (int64_t r = begin; r < end; ++r) {
        // Up to here the lower triangle, from here on the upper one.
        const int64_t cut = std::clamp<int64_t>(r + diagonal + (lower ? 1 : 0), 0, columns);
        const T* row = a + matrix * rows * columns + r * by_row;  // where there is one row, its stride means nothing
        T* out = to + (matrix * rows + r) * columns;
        const int64_t first = lower ? 0 : cut, last = lower ? cut : columns;
        std::fill_n(out, first, T(0));
        if (by_column == 1) {
          std::copy(row + first, row + last, out + first);
        } else {
          for (int64_t c = first; c < last; ++c) out[c] = row[c * by_column];
        }
        std::fill_n(out + last, columns - last, T(0));
      }
    };
    if (matrices == 1) {
      whole_rows(0, 0, top, !lower);
      kernels::parallel_rows(bottom - top, columns,
                             [&](int64_t begin, int64_t end) { cut_rows(0, top + begin, top + end); });
      whole_rows(0, bottom, rows, lower);
      return;
    }
    kernels::parallel_rows(matrices, rows * columns, [&](int64_t begin, int64_t end) {
      for (int64_t matrix = begin; matrix < end; ++matrix) {
        whole_rows(matrix, 0, top, !lower);
        cut_rows(matrix, top, bottom);
        whole_rows(matrix, bottom, rows, lower);
      }
    });
  });
  return y;
}

// y = x on one side of a diagonal of each matrix, 0 on the other.   VJP:   dx = G on that side.
Tensor triangle(const char* name, const Tensor& x, int64_t diagonal, bool lower) {
  check(x.dim() >= 2 || x.numel() == 0, "{}: input tensor must have at least 2 dimensions", lower ? "tril" : "triu");
  const Tensor y = x.numel() == 0 ? empty(x.sizes(), x.dtype()) : compute_triangle(x.detach(), diagonal, lower);
  return record(name, y, {x}, saving(),
                [=](const Backward& b) -> Gradients { return {triangle(name, b.grad(), diagonal, lower)}; });
}

bool all_stay(DimSet reversed, int64_t dims) {
  for (int64_t d = 0; d < dims; ++d) {
    if (reversed[static_cast<size_t>(d)]) return false;
  }
  return true;
}

// Each of `count` lines in reverse, from both ends: what is still to be read does not wait for what was written at the
// same place of its page.
template <class T>
void reverse_lines(T* to, const T* from, int64_t count, int64_t length) {
  constexpr int64_t kShort = 16;
  const auto reverse = [=](auto n) {
    for (int64_t line = 0; line < count * n; line += n) {
      const T* a = from + line;
      T* out = to + line;
      for (int64_t i = 0; i < n / 2; ++i) {
        const T front = a[i], back = a[n - 1 - i];
        out[i] = back;
        out[n - 1 - i] = front;
      }
      if (n % 2 != 0) out[n / 2] = a[n / 2];
    }
  };
  if (length <= kShort) return kernels::with_count(length, reverse);
  cpu::vectorized([=] {
    for (int64_t line = 0; line < count; ++line) {
      const T *a = from + line * length, *end = a + length - 1;
      T *out = to + line * length, *out_end = out + length - 1;
#pragma omp simd
      for (int64_t i = 0; i < length / 2; ++i) {
        const T front = a[i], back = end[-i];
        out[i] = back;
        out_end[-i] = front;
      }
      out[length / 2] = a[length - 1 - length / 2];
    }
  });
}

// A new tensor with x's elements in reverse along these dimensions, laid out as x is.
Tensor reversed_along(const Tensor& x, DimSet reversed) {
  if (!x.is_contiguous()) {
    if (!is_non_overlapping_and_dense(x.sizes(), x.strides())) return reversed_along(x.contiguous(), reversed);
    // In memory's order it is contiguous.
    Dims order, back(x.sizes());
    for (int64_t d = 0; d < x.dim(); ++d) order.push_back(d);
    std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return x.stride(a) > x.stride(b); });
    DimSet in_order;
    for (size_t d = 0; d < order.size(); ++d) {
      in_order[d] = reversed[static_cast<size_t>(order[d])];
      back[static_cast<size_t>(order[d])] = static_cast<int64_t>(d);
    }
    const NoGradGuard no_grad;
    const Tensor y = reversed_along(x.permute(order).contiguous(), in_order);
    return y.permute(back).detach();
  }
  Tensor y = empty(x.sizes(), x.dtype());
  if (y.numel() == 0) return y;
  // Dimensions at the end that stay as they are make runs; before them one that is reversed, or none.
  int64_t length = 1, last = x.dim();
  while (last > 0 && !reversed[static_cast<size_t>(last - 1)]) length *= x.size(--last);
  const int64_t rows = last == 0 ? 1 : x.size(last - 1);
  dispatch(x.dtype(), [&]<class T>() {
    const T* from = x.data_ptr<T>();
    T* to = y.data_ptr<T>();
    if (length == 1 && all_stay(reversed, last - 1)) {
      return kernels::parallel_rows(y.numel() / rows, rows, [&](int64_t begin, int64_t end) {
        reverse_lines(to + begin * rows, from + begin * rows, end - begin, rows);
      });
    }
    kernels::parallel_rows(y.numel() / (rows * length), rows * length, [&](int64_t begin, int64_t end) {
      for (int64_t block = begin; block < end; ++block) {
        int64_t source = 0, rest = block, blocks = 1;
        for (int64_t d = last - 1; d-- > 0;) {
          const int64_t size = x.size(d), i = rest % size;
          rest /= size;
          source += (reversed[static_cast<size_t>(d)] ? size - 1 - i : i) * blocks;
          blocks *= size;
        }
        const T* a = from + source * rows * length;
        T* out = to + block * rows * length;
        if (length == 1) {
          reverse_lines(out, a, 1, rows);
        } else {
          kernels::with_count(length, [=](auto n) {
            for (int64_t r = 0; r < rows; ++r) kernels::copy_run(out + r * n, a + (rows - 1 - r) * n, n);
          });
        }
      }
    });
  });
  return y;
}

// Dimensions from d on of a repeated tensor: `to` has to_count elements for all repeats, `from` from_count for one.
template <class T>
void write_repeated(T* to, int64_t to_count, const T* from, int64_t from_count, const Dims& sizes, const Dims& counts,
                    size_t d) {
  const int64_t times = d == sizes.size() ? 1 : counts[d], block = to_count / times;
  if (d + 1 >= sizes.size()) {
    kernels::copy_run(to, from, block);
  } else {
    const int64_t size = sizes[d], inner = block / size, from_inner = from_count / size;
    kernels::parallel_rows(size, inner, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        write_repeated(to + i * inner, inner, from + i * from_inner, from_inner, sizes, counts, d + 1);
      }
    });
  }
  for (int64_t t = 1; t < times; ++t) kernels::copy_run(to + t * block, to, block);
}

// y, an operation's result, as a tensor that the caller may change: a copy if it came out as a view of the operand x.
Tensor new_tensor(const Tensor& y, const Tensor& x) { return y.is_alias_of(x) ? y.clone() : own_tensor(y); }

// x with its elements moved along a dimension, without history.
Tensor rolled(const Tensor& x, int64_t shift, int64_t dim) {
  const NoGradGuard no_grad;
  const int64_t size = x.size(dim), start = ((size - shift) % size + size) % size;
  constexpr int64_t kFew = 4;
  if (dim + 1 < x.dim() || size > kFew || !x.is_contiguous()) {
    return cat({x.narrow(dim, start, size - start), x.narrow(dim, 0, start)}, dim);
  }
  std::array<int64_t, kFew> from{};
  for (int64_t i = 0; i < size; ++i) from[static_cast<size_t>(i)] = (start + i) % size;
  Tensor y = empty(x.sizes(), x.dtype());
  dispatch(x.dtype(), [&]<class T>() {
    kernels::with_count(size, [&, a = x.data_ptr<T>(), to = y.data_ptr<T>()](auto n) {
      kernels::parallel_rows(x.numel() / size, size, [=](int64_t begin, int64_t end) {
        for (int64_t at = begin * n; at < end * n; at += n) {
          for (int64_t i = 0; i < n; ++i) to[at + i] = a[at + from[static_cast<size_t>(i)]];
        }
      });
    });
  });
  return y;
}

// A matrix of these sizes, 0 but for g on a diagonal.
Tensor on_diagonal(const Tensor& g, IntArrayRef sizes, int64_t offset) {
  Tensor y = zeros(sizes, g.options());
  y.diagonal(offset).copy_(g);
  return y;
}

}  // namespace
}  // namespace ops

using namespace ops;

Tensor flatten(const Tensor& x, int64_t start_dim, int64_t end_dim) {
  const int64_t start = wrap_dim(start_dim, x.dim()), end = wrap_dim(end_dim, x.dim());
  if (x.dim() == 0) return x.reshape({1});
  check(start <= end, "flatten() has invalid args: start_dim cannot come after end_dim");
  if (start == end) return x;
  Dims shape;
  int64_t joined = 1;
  for (int64_t d = 0; d < x.dim(); ++d) {
    if (d < start || d > end) {
      shape.push_back(x.size(d));
    } else {
      joined *= x.size(d);
      if (d == end) shape.push_back(joined);
    }
  }
  return x.reshape(shape);
}

Tensor movedim(const Tensor& x, IntArrayRef source, IntArrayRef destination) {
  check(source.size() == destination.size(),
        "movedim: Invalid source or destination dims: source ({} dims) should contain the same number of dims as "
        "destination ({} dims)",
        source, destination);
  if (x.dim() == 0) {
    for (const int64_t dim : source) wrap_dim(dim, 0);
    for (const int64_t dim : destination) wrap_dim(dim, 0);
    return x.permute({});
  }
  std::vector<int64_t> order(x.sizes().size(), -1);
  std::vector<bool> moved(x.sizes().size());
  for (size_t i = 0; i < source.size(); ++i) {
    const auto from = static_cast<size_t>(wrap_dim(source[i], x.dim()));
    const auto to = static_cast<size_t>(wrap_dim(destination[i], x.dim()));
    check(!moved[from] && order[to] == -1, "movedim: repeated dim in `source` ({}) or `destination` ({})", source,
          destination);
    moved[from] = true;
    order[to] = static_cast<int64_t>(from);
  }
  size_t next = 0;
  for (int64_t& dim : order) {
    if (dim != -1) continue;
    while (moved[next]) ++next;
    dim = static_cast<int64_t>(next++);
  }
  return x.permute(order);
}
Tensor movedim(const Tensor& x, int64_t source, int64_t destination) {
  return movedim(x, IntArrayRef(source), IntArrayRef(destination));
}

Tensor broadcast_to(const Tensor& x, IntArrayRef sizes) { return x.expand(sizes); }

std::vector<Tensor> meshgrid(TensorList tensors, std::string_view indexing) {
  check(!tensors.empty(), "meshgrid expects a non-empty TensorList");
  const bool swaps = indexing == "xy" && tensors.size() >= 2;
  check(indexing == "xy" || indexing == "ij",
        "torch.meshgrid: indexing must be one of \"xy\" or \"ij\", but received: {}", indexing);
  std::vector<Tensor> vectors(tensors.begin(), tensors.end());
  if (swaps) std::swap(vectors[0], vectors[1]);
  Dims shape;
  for (const Tensor& x : vectors) {
    if (x.dim() > 1) fail("Expected scalar or 1D tensor in the tensor list but got: {}", str(x));
    check(x.dtype() == vectors[0].dtype(), "torch.meshgrid expects all tensors to have the same dtype");
    shape.push_back(x.numel());
  }
  std::vector<Tensor> grids;
  for (size_t i = 0; i < vectors.size(); ++i) {
    Dims along(shape.size(), 1);
    along[i] = shape[i];
    grids.push_back(vectors[i].view(along).expand(shape));
  }
  if (swaps) std::swap(grids[0], grids[1]);
  return grids;
}

// Each dimension is seen as (1, size), expanded to (count, size), and the two are joined.
// x, counts[d] times along each dimension d.   VJP:   dx = the sum of G over the copies.
Tensor repeat(const Tensor& x, IntArrayRef counts) {
  check(counts.size() >= x.sizes().size(),
        "Number of dimensions of repeat dims can not be smaller than number of dimensions of tensor");
  const size_t lead = counts.size() - x.sizes().size();
  Dims sizes(lead, 1), shape, apart, repeated;
  for (const int64_t size : x.sizes()) sizes.push_back(size);
  for (size_t d = 0; d < counts.size(); ++d) {
    check(counts[d] >= 0, "Trying to create tensor with negative dimension {}: {}", counts[d] * sizes[d], counts);
    shape.push_back(counts[d] * sizes[d]);
    repeated.push_back(static_cast<int64_t>(apart.size()));
    apart.push_back(counts[d]);
    apart.push_back(sizes[d]);
  }
  const Tensor from = x.detach().contiguous(), y = empty(shape, x.dtype());
  if (y.numel() > 0) {
    dispatch(x.dtype(), [&]<class T>() {
      tracing::perform({tracing::writes(elements<T>(y), y.numel()), tracing::reads(elements<T>(from), from.numel())},
                       [sizes, counts = Dims(counts), y_count = y.numel(), count = from.numel()](char* const* at) {
                         write_repeated(reinterpret_cast<T*>(at[0]), y_count, reinterpret_cast<const T*>(at[1]), count,
                                        sizes, counts, 0);
                       });
    });
  }
  return record("RepeatBackward0", y, {x}, saving(), [=, sizes = Dims(x.sizes())](const Backward& b) -> Gradients {
    return {b.grad().numel() == 0 ? zeros(sizes, b.grad().options())
                                  : b.grad().reshape(apart).sum(repeated).reshape(sizes)};
  });
}

Tensor tile(const Tensor& x, IntArrayRef counts) {
  std::vector<int64_t> all(std::max(counts.size(), x.sizes().size()), 1);
  std::copy(counts.begin(), counts.end(), all.end() - static_cast<std::ptrdiff_t>(counts.size()));
  return repeat(x, all);
}

Tensor repeat_interleave(const Tensor& x, int64_t repeats, std::optional<int64_t> dim) {
  check(repeats >= 0, "repeats can not be negative");
  const Tensor from = dim ? x : x.reshape({-1});
  const int64_t along = wrap_dim(dim.value_or(0), from.dim());
  check(from.dim() > 0, "Dimension specified as {} but tensor has no dimensions", along);
  const int64_t length = from.size(along);
  return from.index_select(along, arange(length).unsqueeze(1).expand({length, repeats}).reshape({-1}));
}

Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::optional<int64_t> dim) {
  check(repeats.dtype() == kLong, "repeats has to be Long or Int tensor");
  const Tensor from = dim ? x : x.reshape({-1});
  if (repeats.numel() == 1) return repeat_interleave(from, repeats.item<int64_t>(), dim.value_or(0));
  const int64_t length = from.size(dim.value_or(0));
  check(repeats.numel() == length, "repeats must have the same size as input along dim");
  const Tensor counts = repeats.contiguous();
  std::vector<int64_t> positions;
  for (int64_t i = 0; i < length; ++i) {
    const int64_t count = counts.data_ptr<int64_t>()[i];
    check(count >= 0, "repeats can not be negative");
    positions.insert(positions.end(), static_cast<size_t>(count), i);
  }
  return from.index_select(dim.value_or(0), tensor(positions, kLong));
}

// y = x in reverse along dims.   VJP:   dx = G in reverse.
Tensor flip(const Tensor& x, IntArrayRef dims) {
  const Tensor y = reversed_along(x.detach(), dims.empty() ? DimSet() : reduced_dims(dims, x.sizes().size()));
  return record("FlipBackward0", y, {x}, saving(),
                [dims = Dims(dims)](const Backward& b) -> Gradients { return {flip(b.grad(), dims)}; });
}

// y = x with its elements moved along dims, those that go over the end to the front.   VJP:   dx = G moved back.
Tensor roll(const Tensor& x, IntArrayRef shifts, IntArrayRef dims) {
  check(!shifts.empty(), "`shifts` required");
  check(!dims.empty() || shifts.size() == 1, "shifts and dimensions must align. shifts: {}, dims:0", shifts.size());
  check(dims.empty() || shifts.size() == dims.size(), "shifts and dimensions must align. shifts: {}, dims:{}",
        shifts.size(), dims.size());
  Tensor y = x.detach();
  if (x.numel() == 0) {
    y = y.clone();
  } else if (dims.empty()) {
    y = rolled(y.reshape({-1}), shifts[0], 0).reshape(x.sizes());
  } else {
    for (size_t i = 0; i < dims.size(); ++i) y = rolled(y, shifts[i], wrap_dim(dims[i], x.dim()));
  }
  Dims back(shifts);
  for (int64_t& shift : back) shift = -shift;
  return record("RollBackward0", new_tensor(y, x), {x}, saving(),
                [back, dims = Dims(dims)](const Backward& b) -> Gradients { return {roll(b.grad(), back, dims)}; });
}

// y = x with `value` around it: pads are (before, after) of the last dimension, then of the one before, and so on;
// negative ones cut off.   VJP:   dx = G without what was put there: padded by the opposite.
Tensor constant_pad_nd(const Tensor& x, IntArrayRef pads, Scalar value) {
  check(pads.size() % 2 == 0, "Length of pad must be even but instead it equals {}", pads.size());
  check(pads.size() <= 2 * x.sizes().size(),
        "Length of pad should be no more than twice the number of dimensions of the input. Pad length is {} while the "
        "input has {} dimensions.",
        pads.size(), x.dim());
  Dims shape(x.sizes());
  Tensor y;
  {
    const NoGradGuard no_grad;
    Tensor inner = x.detach();
    for (size_t i = 0; i < pads.size() / 2; ++i) {
      const size_t d = shape.size() - 1 - i;
      shape[d] += pads[2 * i] + pads[2 * i + 1];
      check(shape[d] >= 0,
            "The input size {}, plus negative padding {} and {} resulted in a negative output size, which is invalid. "
            "Check dimension {} of your input.",
            x.sizes()[d], pads[2 * i], pads[2 * i + 1], d);
    }
    y = full(shape, value, x.options());
    Tensor target = y;
    for (size_t i = 0; i < pads.size() / 2; ++i) {
      const auto d = static_cast<int64_t>(shape.size() - 1 - i);
      const int64_t before = pads[2 * i], after = pads[2 * i + 1];
      const int64_t cut = std::max<int64_t>(0, -before);
      const int64_t length = inner.size(d) - cut - std::max<int64_t>(0, -after);
      inner = inner.narrow(d, cut, length);  // throws when more is to be cut off than there is
      target = target.narrow(d, std::max<int64_t>(0, before), length);
    }
    target.copy_(inner);
  }
  return record("ConstantPadNdBackward0", y, {x}, saving(), [pads = Dims(pads)](const Backward& b) -> Gradients {
    Dims opposite(pads);
    for (int64_t& pad : opposite) pad = -pad;
    return {constant_pad_nd(b.grad(), opposite, 0)};
  });
}

Tensor pad(const Tensor& x, IntArrayRef pads, std::string_view mode, std::optional<double> value) {
  check(mode == "constant", "pad: only mode 'constant' is offered, but got '{}'", mode);
  return constant_pad_nd(x, pads, value.value_or(0));
}

Tensor tril(const Tensor& x, int64_t diagonal) { return triangle("TrilBackward0", x, diagonal, true); }
Tensor triu(const Tensor& x, int64_t diagonal) { return triangle("TriuBackward0", x, diagonal, false); }

// y = the elements x[i, i + offset], in a last dimension, as a view.   VJP:   dx = 0, but G on the diagonal.
Tensor diagonal(const Tensor& x, int64_t offset, int64_t dim1, int64_t dim2) {
  dim1 = wrap_dim(dim1, x.dim());
  dim2 = wrap_dim(dim2, x.dim());
  check(dim1 != dim2, "diagonal dimensions cannot be identical {}, {}", dim1, dim2);
  const int64_t length =
      offset >= 0 ? std::min(x.size(dim1), x.size(dim2) - offset) : std::min(x.size(dim1) + offset, x.size(dim2));
  Dims sizes, strides;
  for (int64_t d = 0; d < x.dim(); ++d) {
    if (d == dim1 || d == dim2) continue;
    sizes.push_back(x.size(d));
    strides.push_back(x.stride(d));
  }
  sizes.push_back(std::max<int64_t>(0, length));
  strides.push_back(x.stride(dim1) + x.stride(dim2));
  const int64_t start = length <= 0 ? 0 : offset >= 0 ? offset * x.stride(dim2) : -offset * x.stride(dim1);
  Tensor y = autograd::make_view(x, sizes, strides, x.storage_offset() + start);
  return record_view("DiagonalBackward0", y, {x}, saving(),
                     [=, shape = Dims(x.sizes())](const Backward& b) -> Gradients {
                       Tensor dx = zeros(shape, b.grad().options());
                       dx.diagonal(offset, dim1, dim2).copy_(b.grad());
                       return {dx};
                     });
}

// The diagonal of a matrix, or the matrix of a diagonal.   VJP:   dx = G there, 0 elsewhere; or G's diagonal.
Tensor diag(const Tensor& x, int64_t offset) {
  check(x.dim() == 1 || x.dim() == 2, "diag(): Supports 1D or 2D tensors. Got {}D", x.dim());
  if (x.dim() == 2) {
    return record("DiagBackward0", diagonal(x.detach(), offset).clone(), {x}, saving(),
                  [offset, sizes = Dims(x.sizes())](const Backward& b) -> Gradients {
                    return {on_diagonal(b.grad(), sizes, offset)};
                  });
  }
  const int64_t n = x.numel() + std::abs(offset);
  Tensor y = zeros({n, n}, x.options());
  {
    const NoGradGuard no_grad;
    y.diagonal(offset).copy_(x);
  }
  return record("DiagBackward0", y, {x}, saving(),
                [offset](const Backward& b) -> Gradients { return {b.grad().diagonal(offset)}; });
}

// y = sum of the diagonal.   VJP:   dx = G on the diagonal, 0 elsewhere.
Tensor trace(const Tensor& x) {
  check(x.dtype() != kBool, "\"trace\" not implemented for 'Bool'");
  check(x.dim() == 2, "trace: expected a matrix, but got tensor with dim {}", x.dim());
  return record("TraceBackward0", diagonal(x.detach()).sum(), {x}, saving(),
                [sizes = Dims(x.sizes())](const Backward& b) -> Gradients {
                  return {on_diagonal(b.grad().expand({std::min(sizes[0], sizes[1])}), sizes, 0)};
                });
}

Tensor Tensor::broadcast_to(IntArrayRef sizes) const { return expand(sizes); }
Tensor& Tensor::tril_(int64_t diagonal) const {
  return replace(*this, [&](const Tensor& x) { return wengert::tril(x, diagonal); });
}
Tensor& Tensor::triu_(int64_t diagonal) const {
  return replace(*this, [&](const Tensor& x) { return wengert::triu(x, diagonal); });
}

}  // namespace wengert
