#pragma once

#include <wengert/autograd/base/inline_vector.h>

#include <algorithm>
#include <bitset>
#include <optional>

namespace wengert {

/// Sizes or strides of a tensor. Five dimensions fit without an allocation.
using Dims = InlineVector<int64_t, 5>;

/// The most dimensions a tensor may have.
inline constexpr size_t kMaxDims = 64;

/// Product of the sizes; 1 for no dimensions. Throws on a negative size, on more than kMaxDims, on overflow.
int64_t numel_of(IntArrayRef sizes);

/// Strides, in elements, of a row-major tensor without gaps.
Dims contiguous_strides(IntArrayRef sizes);

/// Sets the sizes and strides of a row-major tensor without gaps; both lists have room for as many as there are in
/// `of`. Returns the number of elements, and throws as numel_of() does.
inline int64_t set_row_major(Dims& sizes, Dims& strides, IntArrayRef of) {
  int64_t *size = sizes.data(), *stride = strides.data();
  uint64_t bits = 0, numel = 1, step = 1;
  for (size_t d = of.size(); d-- > 0;) {
    size[d] = of[d];
    stride[d] = static_cast<int64_t>(step);
    bits |= static_cast<uint64_t>(of[d]);
    numel *= static_cast<uint64_t>(of[d]);
    step *= static_cast<uint64_t>(std::max<int64_t>(of[d], 1));
  }
  // Small sizes are nearly always; all the checks are for the others.
  return of.size() <= 4 && bits < (1 << 15) ? static_cast<int64_t>(numel) : numel_of(of);
}

/// Whether walking the sizes in order visits consecutive elements. Dimensions of size 1 do not matter.
bool is_contiguous(IntArrayRef sizes, IntArrayRef strides);

/// Whether some permutation of the dimensions is contiguous: the elements fill their memory, each once.
bool is_non_overlapping_and_dense(IntArrayRef sizes, IntArrayRef strides);

/// A dimension in 0 .. dim-1 from one that may count from the end. A tensor without dimensions is taken to
/// have one. Throws "Dimension out of range (expected to be in range of [-2, 1], but got 2)".
int64_t wrap_dim(int64_t dim, int64_t number_of_dims);

/// Some of a tensor's dimensions, and the first `count`.
using DimSet = std::bitset<kMaxDims>;
inline DimSet first_dims(size_t count) { return count == 0 ? DimSet() : ~DimSet() >> (kMaxDims - count); }

/// The dimensions of a reduction over `dims`; empty means all. Throws when one is out of range or named twice.
DimSet reduced_dims(IntArrayRef dims, size_t number_of_dims);

/// The shape both broadcast to (NumPy's rule). Throws
/// "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1".
Dims broadcast_shapes(IntArrayRef a, IntArrayRef b);

/// Whether `from` broadcasts to exactly `to`.
bool is_expandable_to(IntArrayRef from, IntArrayRef to);

/// Strides with which a tensor of `sizes` and `strides` reads as one of `target` shape: 0 where it repeats.
/// `sizes` must be expandable to `target`.
Dims expanded_strides(IntArrayRef sizes, IntArrayRef strides, IntArrayRef target);

/// Strides that view (sizes, strides) as `target` without moving an element, if there are such.
std::optional<Dims> view_strides(IntArrayRef sizes, IntArrayRef strides, IntArrayRef target);

/// Replaces one -1 in `shape` by the size that makes it hold `numel` elements.
/// Throws "shape '[4]' is invalid for input of size 6" and the like.
Dims infer_size(IntArrayRef shape, int64_t numel);

}  // namespace wengert
