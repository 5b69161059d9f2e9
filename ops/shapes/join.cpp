#include <wengert/autograd/base/check.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/elementwise/write_out.h>
#include <wengert/ops/kernels/copy_run.h>
#include <wengert/ops/kernels/with_count.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/out.h>
#include <wengert/ops/promotion.h>

#include <algorithm>
#include <array>
#include <optional>

// Tensors put together along a dimension, and taken apart (as views: what is put together again are the gradients);
// G = dL/dy.

namespace wengert {
namespace ops {
namespace {

// An empty vector joins with everything and adds nothing, as it always has in libtorch.
bool adds_elements(const Tensor& x) { return !(x.dim() == 1 && x.numel() == 0); }

// The gradients of parts that were put one after another along dim:   dx_i = the part of G that came from x_i.
auto parts_of_gradient(const std::vector<Tensor>& parts, int64_t dim) {
  std::vector<Dims> shapes;
  shapes.reserve(parts.size());
  for (const Tensor& part : parts) shapes.push_back(Dims(part.sizes()));
  return [shapes, dim](const Backward& b) {
    Gradients out;
    int64_t start = 0;
    for (size_t i = 0; i < shapes.size(); ++i) {
      const bool adds_nothing = shapes[i].size() == 1 && shapes[i][0] == 0;
      const int64_t length = adds_nothing ? 0 : shapes[i][static_cast<size_t>(dim)];
      if (!b.needs(i)) {
        out.push_back(Tensor());
      } else {
        out.push_back(adds_nothing ? zeros({0}, b.grad().options()) : b.grad().narrow(dim, start, length));
      }
      start += length;
    }
    return out;
  };
}

// Tensors to be put one after another, in one dtype, and what they are together.
struct Joined {
  Joined(TensorList tensors, int64_t along) : parts(tensors.begin(), tensors.end()) {
    check(!tensors.empty(), "torch.cat(): expected a non-empty list of Tensors");
    const Tensor* model = &parts[0];
    dtype = parts[0].dtype();
    for (size_t i = 0; i < parts.size(); ++i) {
      check(parts[i].dim() > 0, "zero-dimensional tensor (at position {}) cannot be concatenated", i);
      dtype = promoteTypes(dtype, parts[i].dtype());
      if (!adds_elements(*model) && adds_elements(parts[i])) model = &parts[i];
    }
    // Among vectors of no elements alone no dimension is asked for.
    dim = adds_elements(*model) ? wrap_dim(along, model->dim()) : 0;
    shape = model->sizes();
    int64_t length = 0;
    for (size_t i = 0; i < parts.size(); ++i) {
      if (!adds_elements(parts[i])) continue;
      check(parts[i].dim() == model->dim(), "Tensors must have same number of dimensions: got {} and {}", model->dim(),
            parts[i].dim());
      for (int64_t d = 0; d < model->dim(); ++d) {
        check(
            d == dim || parts[i].size(d) == model->size(d),
            "Sizes of tensors must match except in dimension {}. Expected size {} but got size {} for tensor number {} "
            "in the list.",
            dim, model->size(d), parts[i].size(d), i);
      }
      length += parts[i].size(dim);
    }
    if (adds_elements(*model)) shape[static_cast<size_t>(dim)] = length;
    for (Tensor& part : parts) part = part.to(dtype);
  }

  // Into a tensor of this shape and dtype.
  void write(const Tensor& out) const {
    const NoGradGuard no_grad;
    if (write_rows(out)) return;
    int64_t start = 0;
    for (const Tensor& part : parts) {
      if (!adds_elements(part)) continue;
      copy_elements(out.narrow(dim, start, part.size(dim)), part);
      start += part.size(dim);
    }
  }

  // Row after row, where the parts' rows and their elements have one step each: of short rows a block at a time, so
  // that what one part leaves of the caches' lines the next one fills. False for others, and while a step is traced.
  bool write_rows(const Tensor& out) const {
    constexpr int64_t kLong = 4096, kFew = 4, kShort = 256, kBlock = 2048;  // elements
    int64_t rows = 1, row = 1;
    for (int64_t d = 0; d < out.dim(); ++d) (d < dim ? rows : row) *= out.size(d);
    if (!out.is_contiguous() || rows < 2 || row == 0 || row > kLong || tracing::listener != nullptr) return false;
    std::vector<Piece> pieces;
    int64_t at = 0;
    for (const Tensor& part : parts) {
      if (part.numel() == 0) continue;
      const int64_t width = part.numel() / rows;
      const auto by_row = single_step(part, 0, dim), step = single_step(part, dim, part.dim());
      if (by_row && step && (*step <= 1 || width <= kFew)) {
        pieces.push_back({part, at, width, *by_row, *step});
      } else if (row <= kShort) {
        pieces.push_back({part.contiguous(), at, width, width, 1});
      } else {
        return false;
      }
      at += width;
    }
    dispatch(dtype, [&]<class T>() {
      T* to = out.data_ptr<T>();
      kernels::parallel_rows(rows, row, [&, to](int64_t begin, int64_t end) {
        const int64_t block = std::max<int64_t>(1, kBlock / row);
        if (interleave(to + begin * row, pieces, begin, end)) return;
        for (int64_t first = begin; first < end; first += block) {
          for (const Piece& piece : pieces) copy_piece(to, row, piece, first, std::min(first + block, end));
        }
      });
    });
    return true;
  }

  struct Piece {
    Tensor part;
    int64_t at, width;  // in a row of the result
    int64_t by_row, step;
  };

  // From an element to the next through these dimensions, if that is always the same.
  static std::optional<int64_t> single_step(const Tensor& x, int64_t begin, int64_t end) {
    std::optional<int64_t> step;
    int64_t next = 0;
    for (int64_t d = end; d-- > begin;) {
      if (x.size(d) == 1) continue;
      if (step && x.stride(d) != next) return std::nullopt;
      if (!step) step = x.stride(d);
      next = x.stride(d) * x.size(d);
    }
    return step.value_or(0);
  }

  // Two to four columns. False for others.
  template <class T>
  static bool interleave(T* to, const std::vector<Piece>& pieces, int64_t begin, int64_t end) {
    constexpr size_t kMost = 4;
    const bool columns = pieces.size() > 1 && pieces.size() <= kMost &&
                         std::all_of(pieces.begin(), pieces.end(),
                                     [](const Piece& piece) { return piece.width == 1 && piece.by_row == 1; });
    if (!columns) return false;
    std::array<const T*, kMost> from{};
    for (size_t i = 0; i < pieces.size(); ++i) from[i] = pieces[i].part.data_ptr<T>() + begin;
    kernels::with_count(static_cast<int64_t>(pieces.size()), [=](auto count) {
      cpu::vectorized([=] {
        const auto own = from;
#pragma omp simd
        for (int64_t r = 0; r < end - begin; ++r) {
          for (int64_t i = 0; i < count; ++i) to[r * count + i] = own[static_cast<size_t>(i)][r];
        }
      });
    });
    return true;
  }

  // A part's columns of the rows [begin, end).
  template <class T>
  static void copy_piece(T* to, int64_t row, const Piece& piece, int64_t begin, int64_t end) {
    constexpr int64_t kMostSingly = 16;
    kernels::with_count(piece.width, [=, out = to + piece.at, from = piece.part.template data_ptr<T>(),
                                      by_row = piece.by_row, step = piece.step](auto width) {
      if constexpr (!std::is_same_v<decltype(width), int64_t>) {
        if (by_row == 0) {  // the same ones in every row
          std::array<T, decltype(width)::value> own;
          for (int64_t i = 0; i < width; ++i) own[static_cast<size_t>(i)] = from[i * step];
          for (int64_t r = begin; r < end; ++r) std::copy(own.begin(), own.end(), out + r * row);
          return;
        }
      }
      for (int64_t r = begin; r < end; ++r) {
        const T* source = from + r * by_row;
        T* target = out + r * row;
        if (step == 1) {
          kernels::copy_run(target, source, width);
        } else if (step == 0) {
          const T value = *source;
          if (width > kMostSingly) {
            kernels::fill_run(target, value, width);
          } else {
            for (int64_t i = 0; i < width; ++i) target[i] = value;
          }
        } else {
          for (int64_t i = 0; i < width; ++i) target[i] = source[i * step];
        }
      }
    });
  }

  std::vector<Tensor> parts;
  ScalarType dtype;
  int64_t dim;
  Dims shape;
};

// The gradients of a tensor's parts; 0 for those that have none.
std::vector<Tensor> gradients_of_parts(const Backward& b, const std::vector<Dims>& shapes,
                                       const TensorOptions& options) {
  std::vector<Tensor> parts;
  for (size_t i = 0; i < shapes.size(); ++i) {
    const Tensor& g = b.grad(i);
    parts.push_back(g.defined() ? g : zeros({}, options).expand(shapes[i]));
  }
  return parts;
}

// The parts of x of these lengths along dim, views of it.   VJP:   dx = the G of all parts, side by side.
std::vector<Tensor> parts_along(const char* name, const Tensor& x, IntArrayRef lengths, int64_t dim) {
  dim = wrap_dim(dim, x.dim());
  std::vector<Tensor> parts;
  std::vector<Dims> shapes;
  int64_t start = 0;
  for (const int64_t length : lengths) {
    Dims shape(x.sizes());
    shape[static_cast<size_t>(dim)] = length;
    parts.push_back(autograd::make_view(x, shape, Dims(x.strides()), x.storage_offset() + start * x.stride(dim)));
    shapes.push_back(shape);
    start += length;
  }
  record_views(name, parts, x, [shapes, dim, options = x.options()](const Backward& b) -> Gradients {
    return {cat(gradients_of_parts(b, shapes, options), dim)};
  });
  return parts;
}

Tensor& join_out(const char* op, Tensor& out, TensorList tensors, int64_t dim) {
  const Joined joined(tensors, dim);
  return write_out(op, out, tensors, joined.shape, joined.dtype, Writes::kInAnyOrder,
                   [&](const Tensor& to) { joined.write(to); });
}

int64_t new_dim(TensorList tensors, int64_t dim) {
  check(!tensors.empty(), "stack expects a non-empty TensorList");
  return wrap_dim(dim, tensors[0].dim() + 1);
}

std::vector<Tensor> with_new_dim(TensorList tensors, int64_t dim) {
  std::vector<Tensor> parts;
  for (size_t i = 0; i < tensors.size(); ++i) {
    check(tensors[i].sizes() == tensors[0].sizes(),
          "stack expects each tensor to be equal size, but got {} at entry 0 and {} at entry {}", tensors[0].sizes(),
          tensors[i].sizes(), i);
    parts.push_back(tensors[i].unsqueeze(dim));
  }
  return parts;
}

}  // namespace
}  // namespace ops

using namespace ops;

// Tensors side by side along dim.   VJP:   dx_i = the part of G that x_i went to.
Tensor cat(TensorList tensors, int64_t dim) {
  const Joined joined(tensors, dim);
  Tensor out = empty(joined.shape, joined.dtype);
  joined.write(out);
  const std::vector<std::reference_wrapper<const Tensor>> inputs(joined.parts.begin(), joined.parts.end());
  return record("CatBackward0", out, inputs, saving(), parts_of_gradient(joined.parts, joined.dim));
}
Tensor& cat_out(Tensor& out, TensorList tensors, int64_t dim) { return join_out("cat", out, tensors, dim); }

// Tensors of one shape, side by side along a new dimension.   VJP:   dx_i = G at i.
Tensor stack(TensorList tensors, int64_t dim) {
  dim = new_dim(tensors, dim);
  ScalarType dtype = tensors[0].dtype();
  for (const Tensor& x : tensors) dtype = promoteTypes(dtype, x.dtype());
  std::vector<Tensor> parts;
  for (const Tensor& x : tensors) parts.push_back(x.to(dtype));
  Tensor out;
  {
    const NoGradGuard no_grad;
    out = cat(with_new_dim(parts, dim), dim).detach();
  }
  const std::vector<std::reference_wrapper<const Tensor>> inputs(parts.begin(), parts.end());
  return record("StackBackward0", out, inputs, saving(), [count = parts.size(), dim](const Backward& b) {
    Gradients all;
    for (size_t i = 0; i < count; ++i) {
      all.push_back(b.needs(i) ? b.grad().select(dim, static_cast<int64_t>(i)) : Tensor());
    }
    return all;
  });
}
Tensor& stack_out(Tensor& out, TensorList tensors, int64_t dim) {
  return join_out("stack", out, with_new_dim(tensors, dim), new_dim(tensors, dim));
}

std::vector<Tensor> split(const Tensor& x, IntArrayRef sizes, int64_t dim) {
  check(x.dim() > 0, "split expects at least a 1-dimensional tensor");
  int64_t total = 0;
  for (const int64_t size : sizes) {
    check(size >= 0, "split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={}",
          sizes);
    total += size;
  }
  check(total == x.size(dim),
        "split_with_sizes expects split_sizes to sum exactly to {} (input tensor's size at dimension {}), but got "
        "split_sizes={}",
        x.size(dim), dim, sizes);
  return parts_along("SplitWithSizesBackward0", x, sizes, dim);
}

std::vector<Tensor> split_with_sizes(const Tensor& x, IntArrayRef sizes, int64_t dim) { return split(x, sizes, dim); }

std::vector<Tensor> split(const Tensor& x, int64_t size, int64_t dim) {
  check(x.dim() > 0, "split expects at least a 1-dimensional tensor");
  check(size >= 0, "split expects split_size be non-negative, but got split_size={}", size);
  const int64_t length = x.size(dim);
  check(size > 0 || length == 0, "split_size can only be 0 if dimension size is 0, but got dimension size of {}",
        length);
  Dims lengths;
  int64_t start = 0;
  do {
    lengths.push_back(std::min(size, length - start));
    start += size;
  } while (start < length);
  return parts_along("SplitBackward0", x, lengths, dim);
}

std::vector<Tensor> chunk(const Tensor& x, int64_t chunks, int64_t dim) {
  check(x.dim() > 0, "chunk expects at least a 1-dimensional tensor");
  check(chunks > 0, "chunk expects `chunks` to be greater than 0, got: {}", chunks);
  const int64_t size = (x.size(dim) + chunks - 1) / chunks;
  if (size == 0) return split(x, IntArrayRef(std::vector<int64_t>(static_cast<size_t>(chunks), 0)), dim);
  return split(x, size, dim);
}

// The slices of x along dim, views of it.   VJP:   dx = the G of all slices, stacked.
std::vector<Tensor> unbind(const Tensor& x, int64_t dim) {
  check(x.dim() > 0, "Dimension specified as {} but tensor has no dimensions", dim);
  dim = wrap_dim(dim, x.dim());
  Dims sizes(x.sizes()), strides(x.strides());
  sizes.erase(static_cast<size_t>(dim));
  strides.erase(static_cast<size_t>(dim));
  std::vector<Tensor> parts;
  for (int64_t i = 0; i < x.size(dim); ++i) {
    parts.push_back(autograd::make_view(x, sizes, strides, x.storage_offset() + i * x.stride(dim)));
  }
  const std::vector<Dims> shapes(parts.size(), sizes);
  record_views("UnbindBackward0", parts, x, [shapes, dim, options = x.options()](const Backward& b) -> Gradients {
    return {stack(gradients_of_parts(b, shapes, options), dim)};
  });
  return parts;
}

}  // namespace wengert
