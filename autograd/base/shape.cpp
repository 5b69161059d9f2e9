#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/shape.h>

#include <algorithm>
#include <numeric>

namespace wengert {

int64_t numel_of(IntArrayRef sizes) {
  int64_t numel = 1;
  check(sizes.size() <= kMaxDims, "tensors have at most {} dimensions, but got {}", kMaxDims, sizes.size());
  bool overflow = false;
  for (const int64_t size : sizes) {
    check(size >= 0, "Trying to create tensor with negative dimension {}: {}", size, sizes);
    overflow |= __builtin_mul_overflow(numel, size, &numel);
  }
  check(!overflow || std::find(sizes.begin(), sizes.end(), 0) != sizes.end(),
        "numel: integer multiplication overflow in shape {}", sizes);
  return overflow ? 0 : numel;
}

Dims contiguous_strides(IntArrayRef sizes) {
  Dims strides(sizes.size());
  int64_t stride = 1;
  for (size_t d = sizes.size(); d-- > 0;) {
    strides[d] = stride;
    stride *= std::max<int64_t>(sizes[d], 1);
  }
  return strides;
}

bool is_contiguous(IntArrayRef sizes, IntArrayRef strides) {
  int64_t expected = 1;
  bool contiguous = true;
  for (size_t d = sizes.size(); d-- > 0;) {
    if (sizes[d] == 0) return true;
    if (sizes[d] != 1) {
      contiguous &= strides[d] == expected;
      expected *= sizes[d];
    }
  }
  return contiguous;
}

bool is_non_overlapping_and_dense(IntArrayRef sizes, IntArrayRef strides) {
  if (is_contiguous(sizes, strides)) return true;
  InlineVector<size_t, 8> order(sizes.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return strides[a] != strides[b] ? strides[a] > strides[b] : sizes[a] > sizes[b];
  });
  Dims sorted_sizes, sorted_strides;
  for (const size_t d : order) {
    sorted_sizes.push_back(sizes[d]);
    sorted_strides.push_back(strides[d]);
  }
  return is_contiguous(sorted_sizes, sorted_strides);
}

int64_t wrap_dim(int64_t dim, int64_t number_of_dims) {
  const int64_t n = std::max<int64_t>(number_of_dims, 1);
  check(dim >= -n && dim < n, "Dimension out of range (expected to be in range of [{}, {}], but got {})", -n, n - 1,
        dim);
  return dim < 0 ? dim + n : dim;
}

DimSet reduced_dims(IntArrayRef dims, size_t number_of_dims) {
  if (dims.empty()) return first_dims(number_of_dims);
  DimSet reduced;
  for (const int64_t dim : dims) {
    const auto d = static_cast<size_t>(wrap_dim(dim, static_cast<int64_t>(number_of_dims)));
    check(!reduced[d], "dim {} appears multiple times in the list of dims", d);
    reduced.set(d);
  }
  return reduced & first_dims(number_of_dims);  // a tensor without dimensions has none to be reduced
}

Dims broadcast_shapes(IntArrayRef a, IntArrayRef b) {
  const size_t n = std::max(a.size(), b.size());
  Dims shape(n);
  for (size_t d = 0; d < n; ++d) {
    const int64_t size_a = d + a.size() < n ? 1 : a[d + a.size() - n];
    const int64_t size_b = d + b.size() < n ? 1 : b[d + b.size() - n];
    check(size_a == size_b || size_a == 1 || size_b == 1,
          "The size of tensor a ({}) must match the size of tensor b ({}) at non-singleton dimension {}", size_a,
          size_b, d);
    shape[d] = size_a == 1 ? size_b : size_a;
  }
  return shape;
}

bool is_expandable_to(IntArrayRef from, IntArrayRef to) {
  if (from.size() > to.size()) return false;
  const size_t lead = to.size() - from.size();
  for (size_t d = 0; d < from.size(); ++d) {
    if (from[d] != to[lead + d] && from[d] != 1) return false;
  }
  return true;
}

Dims expanded_strides(IntArrayRef sizes, IntArrayRef strides, IntArrayRef target) {
  const size_t lead = target.size() - sizes.size();
  Dims expanded(target.size(), 0);
  for (size_t d = 0; d < sizes.size(); ++d) {
    expanded[lead + d] = sizes[d] == 1 && target[lead + d] != 1 ? 0 : strides[d];
  }
  return expanded;
}

// Walks both shapes from the last dimension. Dimensions of the source that lie behind one another without a
// gap form a run; each run must be filled exactly by consecutive dimensions of the target, which then take
// their strides from it.
std::optional<Dims> view_strides(IntArrayRef sizes, IntArrayRef strides, IntArrayRef target) {
  if (numel_of(sizes) == 0) {
    return sizes == target ? Dims(strides) : contiguous_strides(target);
  }
  Dims result(target.size());
  if (sizes.empty()) {
    result.assign(target.size(), 1);
    return result;
  }
  size_t t = target.size();
  int64_t run_stride = strides.back();  // stride of the run's last dimension
  int64_t run_numel = 1;
  int64_t target_numel = 1;
  for (size_t d = sizes.size(); d-- > 0;) {
    run_numel *= sizes[d];
    const bool run_ends = d == 0 || (sizes[d - 1] != 1 && strides[d - 1] != run_numel * run_stride);
    if (!run_ends) continue;
    while (t > 0 && (target_numel < run_numel || target[t - 1] == 1)) {
      --t;
      result[t] = target_numel * run_stride;
      target_numel *= target[t];
    }
    if (target_numel != run_numel) return std::nullopt;
    if (d > 0) {
      run_stride = strides[d - 1];
      run_numel = target_numel = 1;
    }
  }
  if (t != 0) return std::nullopt;
  return result;
}

Dims infer_size(IntArrayRef shape, int64_t numel) {
  Dims result(shape);
  int64_t known = 1;
  int64_t* inferred = nullptr;
  for (int64_t& size : result) {
    if (size == -1) {
      check(inferred == nullptr, "only one dimension can be inferred");
      inferred = &size;
    } else {
      check(size >= 0, "invalid shape dimension {}", size);
      known *= size;
    }
  }
  if (inferred == nullptr) {
    check(known == numel, "shape '{}' is invalid for input of size {}", shape, numel);
    return result;
  }
  check(known != 0 || numel != 0,
        "cannot reshape tensor of 0 elements into shape {} because the unspecified dimension size -1 can be any "
        "value and is ambiguous",
        shape);
  check(known != 0 && numel % known == 0, "shape '{}' is invalid for input of size {}", shape, numel);
  *inferred = numel / known;
  return result;
}

}  // namespace wengert
