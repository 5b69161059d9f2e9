#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/inference_mode.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/tensor/tensor.h>

#include <algorithm>

namespace wengert {

int64_t Tensor::_version() const {
  check(!info().inference, "Inference tensors do not track version counter.");
  return impl_->storage->version();
}

namespace {

size_t position_of(int64_t dim, int64_t dims) {
  check(dims > 0, "Dimension specified as {} but tensor has no dimensions", dim);
  return static_cast<size_t>(wrap_dim(dim, dims));
}

}  // namespace

int64_t Tensor::size(int64_t dim) const { return sizes()[position_of(dim, this->dim())]; }
int64_t Tensor::stride(int64_t dim) const { return strides()[position_of(dim, this->dim())]; }

std::string Tensor::toString() const {
  return defined() ? fmt::format("CPU{}Type", dtype()) : std::string("UndefinedType");
}

void* Tensor::data_ptr() const {
  tracing::refuse("data_ptr()");
  check(!info().sparse,
        "Cannot access data pointer of Tensor that doesn't have storage: it is sparse. Call to_dense()");
  return info().data();
}

void* Tensor::typed_data(ScalarType dtype) const {
  check(info().dtype == dtype, "expected scalar type {} but found {}", dtype, info().dtype);
  return data_ptr();
}

void Tensor::require_dims(size_t dims) const {
  check(sizes().size() == dims, "TensorAccessor expected {} dims but tensor has {}", dims, dim());
}

Scalar Tensor::item() const {
  tracing::refuse("item()");
  check(numel() == 1, "a Tensor with {} elements cannot be converted to Scalar", numel());
  switch (dtype()) {
    case kBool: return *data_ptr<bool>();
    case kLong: return *data_ptr<int64_t>();
    case kFloat: return *data_ptr<float>();
    case kDouble: return *data_ptr<double>();
  }
  return {};
}

bool Tensor::is_nonzero() const {
  check(numel() != 0, "Boolean value of Tensor with no values is ambiguous");
  check(numel() == 1, "Boolean value of Tensor with more than one value is ambiguous");
  return item().toDouble() != 0;
}

Tensor& Tensor::operator=(const Tensor& source) && { return copy_(source); }
Tensor& Tensor::operator=(Tensor&& source) && {  // NOLINT: see the declaration
  return copy_(source);
}
Tensor& Tensor::operator=(Scalar value) && { return fill_(value); }

}  // namespace wengert
