#include <wengert/autograd/base/check.h>
#include <wengert/autograd/tape/history.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/sparse.h>

#include <algorithm>
#include <numeric>
#include <vector>

namespace wengert {
namespace {

const SparseParts& parts_of(const Tensor& x, const char* what) {
  check(x.is_sparse(), "{} expected sparse coordinate tensor layout but got Strided", what);
  return *x.impl()->sparse;
}

Tensor make_sparse(const Tensor& indices, const Tensor& values, IntArrayRef sizes, bool coalesced) {
  Tensor out = empty({0}, values.options());  // no memory: whoever asks for it gets an error
  TensorImpl* impl = out.impl();
  impl->sizes = sizes;
  impl->strides = contiguous_strides(sizes);
  impl->numel = numel_of(sizes);
  impl->sparse = std::make_shared<const SparseParts>(SparseParts{indices, values, coalesced});
  return out;
}

void check_same_size(const Tensor& self, const Tensor& other) {
  check(self.sizes() == other.sizes(),
        "add: expected 'self' and 'other' to have same size, but self has size {} and "
        "other has size {}",
        self.sizes(), other.sizes());
}

Tensor long_tensor(const std::vector<int64_t>& values) {
  Tensor out = empty({static_cast<int64_t>(values.size())}, kLong);
  std::copy(values.begin(), values.end(), out.data_ptr<int64_t>());
  return out;
}

// Each position as one number, that of the slice it names.
std::vector<int64_t> slice_numbers(const Tensor& indices, IntArrayRef sizes) {
  const Tensor rows = indices.contiguous();
  const int64_t count = rows.size(1);
  std::vector<int64_t> numbers(static_cast<size_t>(count), 0);
  for (int64_t d = 0; d < rows.size(0); ++d) {
    const int64_t* at = rows.data_ptr<int64_t>() + d * count;
    for (int64_t i = 0; i < count; ++i) {
      int64_t& number = numbers[static_cast<size_t>(i)];
      number = number * sizes[static_cast<size_t>(d)] + at[i];
    }
  }
  return numbers;
}

// The tensor as a matrix of slices, one a row.
Tensor as_slices(const Tensor& dense, int64_t sparse_dims) {
  int64_t rows = 1;
  for (int64_t d = 0; d < sparse_dims; ++d) rows *= dense.size(d);
  return dense.view({rows, rows == 0 ? 0 : dense.numel() / rows});
}

}  // namespace

Tensor sparse_coo_tensor(const Tensor& indices, const Tensor& values, IntArrayRef sizes) {
  const NoGradGuard no_grad;
  check(indices.dim() == 2, "indices must be sparse_dim x nnz, but got: {}", indices.sizes());
  check(indices.dtype() == kLong, "indices must be an int64 tensor");
  const auto d = static_cast<size_t>(indices.size(0));
  check(values.dim() > 0 && values.size(0) == indices.size(1),
        "indices and values must have same nnz, but got nnz from indices: {}, nnz from values: {}", indices.size(1),
        values.dim() > 0 ? values.size(0) : 0);
  check(sizes.size() == d + values.sizes().size() - 1 &&
            sizes.slice(d, sizes.size() - d) == values.sizes().slice(1, values.sizes().size() - 1),
        "values has incorrect size, expected {} dimensions behind the first to be those of {}", values.dim() - 1,
        sizes);
  for (size_t i = 0; i < d; ++i) {
    const Tensor row = indices[static_cast<int64_t>(i)];
    check(row.numel() == 0 || (row.min().item<int64_t>() >= 0 && row.max().item<int64_t>() < sizes[i]),
          "size is inconsistent with indices: for dim {}, size is {} but found an index outside", i, sizes[i]);
  }
  return make_sparse(indices.detach(), values.detach(), sizes, false);
}

bool Tensor::is_coalesced() const { return parts_of(*this, "is_coalesced").coalesced; }
int64_t Tensor::_nnz() const { return parts_of(*this, "_nnz").indices.size(1); }
Tensor Tensor::_indices() const { return parts_of(*this, "_indices").indices; }
Tensor Tensor::_values() const { return parts_of(*this, "_values").values; }
Tensor Tensor::indices() const {
  check(is_coalesced(), "Cannot get indices on an uncoalesced tensor, please call .coalesce() first");
  return _indices();
}
Tensor Tensor::values() const {
  check(is_coalesced(), "Cannot get values on an uncoalesced tensor, please call .coalesce() first");
  return _values();
}

Tensor Tensor::coalesce() const {
  const SparseParts& parts = parts_of(*this, "coalesce");
  if (parts.coalesced) return *this;
  const NoGradGuard no_grad;
  const std::vector<int64_t> numbers = slice_numbers(parts.indices, sizes());
  std::vector<int64_t> order(numbers.size()), group(numbers.size()), first;
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return numbers[static_cast<size_t>(a)] < numbers[static_cast<size_t>(b)];
  });
  for (size_t i = 0; i < order.size(); ++i) {
    const auto at = static_cast<size_t>(order[i]);
    if (i == 0 || numbers[at] != numbers[static_cast<size_t>(order[i - 1])]) first.push_back(order[i]);
    group[at] = static_cast<int64_t>(first.size()) - 1;
  }
  Dims shape(parts.values.sizes());
  shape[0] = static_cast<int64_t>(first.size());
  const Tensor summed = zeros(shape, parts.values.options());
  summed.index_add_(0, long_tensor(group), parts.values);
  return make_sparse(parts.indices.index_select(1, long_tensor(first)), summed, sizes(), true);
}

Tensor Tensor::to_dense() const {
  if (!is_sparse()) return *this;
  const NoGradGuard no_grad;
  Tensor out = zeros(sizes(), dtype());
  ops::add_sparse_in_place(out, *this, 1);
  return out;
}

void ops::add_sparse_in_place(const Tensor& self, const Tensor& other, Scalar alpha) {
  const NoGradGuard no_grad;
  check_same_size(self, other);
  if (self.is_sparse()) {
    const Tensor sum = add_sparse(self, other, alpha);
    check(sum.is_sparse(), "add(sparse, dense) is not supported in place. Use add(dense, sparse) instead.");
    assign_sparse(self, sum);
    return;
  }
  const SparseParts& parts = *other.impl()->sparse;
  check(canCast(other.dtype(), self.dtype()), "result type {} can't be cast to the desired output type {}",
        other.dtype(), self.dtype());
  const int64_t d = parts.indices.size(0), count = parts.indices.size(1);
  if (count == 0 || self.numel() == 0) return;
  const Tensor target = self.is_contiguous() ? self.detach() : self.detach().contiguous();
  const Tensor values = parts.values.to(self.dtype()).reshape({count, parts.values.numel() / count});
  as_slices(target, d).index_add_(0, long_tensor(slice_numbers(parts.indices, self.sizes())), values, alpha);
  if (!self.is_contiguous()) self.detach().copy_(target);
}

Tensor ops::add_sparse(const Tensor& self, const Tensor& other, Scalar alpha) {
  const NoGradGuard no_grad;
  if (!self.is_sparse() || !other.is_sparse()) {
    // One is dense: so is the sum.
    Tensor sum = self.is_sparse() ? other * alpha : self.detach().clone();
    add_sparse_in_place(sum, self.is_sparse() ? self : other, self.is_sparse() ? Scalar(1) : alpha);
    return sum;
  }
  check_same_size(self, other);
  const SparseParts &a = *self.impl()->sparse, &b = *other.impl()->sparse;
  check(a.indices.size(0) == b.indices.size(0), "add: expected 'self' and 'other' to have same number of sparse dims");
  const Tensor values = alpha.equal(1) ? b.values : b.values * alpha;
  return make_sparse(cat({a.indices, b.indices}, 1), cat({a.values, values}), self.sizes(), false);
}

Tensor ops::scale_sparse(const Tensor& x, Scalar factor) {
  const NoGradGuard no_grad;
  const SparseParts& parts = *x.impl()->sparse;
  return make_sparse(parts.indices, parts.values * factor, x.sizes(), parts.coalesced);
}

void ops::assign_sparse(const Tensor& self, const Tensor& from) { self.impl()->sparse = from.impl()->sparse; }

Tensor ops::empty_sparse_like(const Tensor& x) {
  const NoGradGuard no_grad;
  const SparseParts& parts = *x.impl()->sparse;
  return make_sparse(parts.indices.narrow(1, 0, 0).clone(), parts.values.narrow(0, 0, 0).clone(), x.sizes(), true);
}

}  // namespace wengert
