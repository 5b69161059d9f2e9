#include <wengert/autograd/base/check.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/tensor_index.h>

#include <limits>
#include <ostream>
#include <string_view>

namespace wengert {
namespace indexing {

Slice::Slice(std::optional<int64_t> start, std::optional<int64_t> stop, std::optional<int64_t> step)
    : start_(start), stop_(stop), step_(step.value_or(1)) {
  check(step_ != 0, "slice step cannot be zero");
  check(step_ > 0, "step must be greater than zero");
}

TensorIndex::TensorIndex(const char* ellipsis) : kind_(Kind::kEllipsis) {
  check(std::string_view(ellipsis) == "...", "Expected \"...\" to represent an ellipsis index, but got \"{}\"",
        ellipsis);
}

std::ostream& operator<<(std::ostream& out, const Slice& slice) {
  return out << slice.start().value_or(0) << ':' << slice.stop().value_or(std::numeric_limits<int64_t>::max()) << ':'
             << slice.step();
}

std::ostream& operator<<(std::ostream& out, const TensorIndex& index) {
  switch (index.kind()) {
    case TensorIndex::Kind::kNone: return out << "None";
    case TensorIndex::Kind::kEllipsis: return out << "...";
    case TensorIndex::Kind::kInteger: return out << index.integer();
    case TensorIndex::Kind::kBoolean: return out << (index.boolean() ? "true" : "false");
    case TensorIndex::Kind::kSlice: return out << index.slice();
    case TensorIndex::Kind::kTensor: return out << index.tensor();
  }
  return out;
}

std::ostream& operator<<(std::ostream& out, const std::vector<TensorIndex>& indices) {
  const char* separator = "(";
  for (const TensorIndex& index : indices) {
    out << separator << index;
    separator = ", ";
  }
  return out << (indices.empty() ? "()" : ")");
}

}  // namespace indexing

namespace {

using indexing::TensorIndex;
using Kind = TensorIndex::Kind;

// How many of the tensor's dimensions an entry speaks of.
int64_t dims_of(const TensorIndex& index) {
  switch (index.kind()) {
    case Kind::kNone:
    case Kind::kEllipsis:
    case Kind::kBoolean: return 0;
    case Kind::kInteger:
    case Kind::kSlice: return 1;
    case Kind::kTensor: return index.tensor().dtype() == kBool ? index.tensor().dim() : 1;
  }
  return 0;
}

// What the entries other than tensors make of x, a view, and the tensors as index() takes them for that view.
struct Indexed {
  Tensor view;
  std::vector<Tensor> tensors;
};

class Indexer {
 public:
  Indexer(const Tensor& x, ArrayRef<TensorIndex> indices) : original_dims_(x.dim()) {
    int64_t specified = 0;
    for (const TensorIndex& index : indices) specified += dims_of(index);
    // Of one index alone libtorch says in other words that a number without dimensions has no such place.
    check(specified <= x.dim() || (indices.size() == 1 && specified == 1 && indices[0].kind() != Kind::kTensor),
          "too many indices for tensor of dimension {}", x.dim());
    skipped_ = x.dim() - specified;
    result_.view = x;
    for (const TensorIndex& index : indices) apply(index);
  }

  Indexed result() && { return std::move(result_); }

 private:
  void apply(const TensorIndex& index) {
    Tensor& view = result_.view;
    switch (index.kind()) {
      case Kind::kNone: view = view.unsqueeze(dim_++); break;
      case Kind::kEllipsis:
        dim_ += skipped_;
        real_dim_ += skipped_;
        break;
      case Kind::kInteger: select(index.integer()); break;
      case Kind::kSlice:
        view = view.slice(dim_++, index.slice().start(), index.slice().stop(), index.slice().step());
        ++real_dim_;
        break;
      case Kind::kBoolean:
        view = view.unsqueeze(dim_);
        add(full({1}, index.boolean(), kBool));
        break;
      case Kind::kTensor: apply_tensor(index.tensor()); break;
    }
  }

  void apply_tensor(const Tensor& tensor) {
    if (tensor.dim() > 0) return add(tensor);
    if (tensor.dtype() != kBool) return select(tensor.item<int64_t>());
    result_.view = result_.view.unsqueeze(dim_);
    add(tensor.unsqueeze(0));
  }

  void add(const Tensor& tensor) {
    for (; covered_ < dim_; ++covered_) result_.tensors.emplace_back();
    result_.tensors.push_back(tensor);
    const int64_t dims = tensor.dtype() == kBool ? tensor.dim() : 1;
    dim_ += dims;
    covered_ += dims;
    real_dim_ += dims;
  }

  void select(int64_t position) {
    check(original_dims_ > 0 || position != 0,
          "invalid index of a 0-dim tensor. Use `tensor.item()` in Python or `tensor.item<T>()` in C++ to convert a "
          "0-dim tensor to a number");
    const int64_t size = original_dims_ == 0 ? 0 : result_.view.size(dim_);
    check(position >= -size && position < size, "index {} is out of bounds for dimension {} with size {}", position,
          real_dim_, size);
    result_.view = result_.view.select(dim_, position);
    ++real_dim_;
  }

  int64_t original_dims_;
  int64_t skipped_;       // dimensions under "..."
  int64_t dim_ = 0;       // the next dimension of the view
  int64_t real_dim_ = 0;  // the next dimension of the tensor as it was, for errors
  int64_t covered_ = 0;   // dimensions of the view that the tensors so far speak of
  Indexed result_;
};

// NumPy lets a value have leading dimensions of size 1 more than what it is written to.
Tensor without_leading_ones(const Tensor& value) {
  size_t ones = 0;
  while (ones < value.sizes().size() && value.sizes()[ones] == 1) ++ones;
  return ones == 0 ? value : value.view(value.sizes().slice(ones, value.sizes().size() - ones));
}

}  // namespace

Tensor Tensor::index(ArrayRef<TensorIndex> indices) const {
  check(!indices.empty(), "Passing an empty index list to Tensor::index() is not valid syntax");
  const Indexed indexed = Indexer(*this, indices).result();
  if (!indexed.tensors.empty()) return wengert::index(indexed.view, indexed.tensors);
  // A view even where nothing was taken away.
  return indexed.view.is_same(*this) ? view(sizes()) : indexed.view;
}
Tensor Tensor::index(std::initializer_list<TensorIndex> indices) const {
  return index(ArrayRef<TensorIndex>(indices.begin(), indices.size()));
}

Tensor& Tensor::index_put_(ArrayRef<TensorIndex> indices, const Tensor& values) const {
  check(!indices.empty(), "Passing an empty index list to Tensor::index_put_() is not valid syntax");
  const Indexed indexed = Indexer(*this, indices).result();
  const Tensor value = without_leading_ones(values);
  if (indexed.tensors.empty()) {
    indexed.view.copy_(value);
  } else {
    indexed.view.index_put_(TensorList(indexed.tensors), value.to(dtype()));
  }
  return self();
}
Tensor& Tensor::index_put_(ArrayRef<TensorIndex> indices, Scalar value) const {
  return index_put_(indices, full({}, value, options()));
}
Tensor& Tensor::index_put_(std::initializer_list<TensorIndex> indices, const Tensor& values) const {
  return index_put_(ArrayRef<TensorIndex>(indices.begin(), indices.size()), values);
}
Tensor& Tensor::index_put_(std::initializer_list<TensorIndex> indices, Scalar value) const {
  return index_put_(ArrayRef<TensorIndex>(indices.begin(), indices.size()), value);
}
Tensor Tensor::operator[](const Tensor& index) const { return this->index({index}); }

}  // namespace wengert
