#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <memory>

namespace wengert {

namespace autograd {
/// The mode in which a view was made. In-place changes of views made without grad mode are refused, or their history
/// would be a guess.
enum class CreationMeta : uint8_t { DEFAULT, NO_GRAD_MODE, INFERENCE_MODE };
}  // namespace autograd

/// What a sparse tensor has in place of memory; see <wengert/ops/sparse.h>.
struct SparseParts {
  Tensor indices;  // Long (d, n)
  Tensor values;   // (n, ...)
  bool coalesced;  // no position twice, and in rising order
};

/// What the handles of one tensor share.
struct TensorImpl final : pool::Pooled {
  TensorImpl(IntrusivePtr<Storage> storage, ScalarType dtype, const Dims& sizes, const Dims& strides, int64_t offset);
  /// Row-major without gaps, in new memory, contents undefined.
  TensorImpl(ScalarType dtype, IntArrayRef sizes);
  ~TensorImpl();
  TensorImpl(const TensorImpl&) = delete;
  TensorImpl& operator=(const TensorImpl&) = delete;

  void retain() noexcept { owners.retain(); }
  void release() noexcept {
    if (owners.release()) destroy();
  }
  void destroy() noexcept;
  void leave_graph() noexcept;

  void* data() const { return static_cast<char*>(storage->data()) + offset * element_size(dtype); }

  ReferenceCount owners;
  ScalarType dtype;
  bool contiguous;
  bool requires_grad = false;  // asked for on this leaf; non-leaves have a grad_fn instead
  bool retains_grad = false;
  bool inference;  // made in inference mode: knows no version, and no graph saves it
  autograd::CreationMeta creation = autograd::CreationMeta::DEFAULT;
  int64_t offset;  // of the first element in the storage, in elements
  Dims sizes;
  Dims strides;
  int64_t numel;
  IntrusivePtr<Storage> storage;
  std::shared_ptr<const SparseParts> sparse;  // null for all but sparse tensors, whose storage is empty

  // The graph. `grad_fn` is a view's own only as long as the storage has the version `grad_fn_version`:
  // after an in-place change through the base or another view, history.cpp makes it anew from the base.
  IntrusivePtr<autograd::Node> grad_fn;
  uint32_t output_nr = 0;
  uint32_t grad_fn_version = 0;
  Tensor base;  // what this is a view of; itself never a view
  Tensor grad;
  std::atomic<autograd::AccumulateGrad*> accumulate_grad{nullptr};  // owned; made when first needed
};

inline const TensorImpl& Tensor::info() const {
  if (!impl_) [[unlikely]] {
    throw Error("Expected a proper Tensor but got None (or an undefined Tensor in C++) for argument #0 'self'");
  }
  return *impl_;
}
inline IntArrayRef Tensor::sizes() const { return impl_ ? IntArrayRef(impl_->sizes) : IntArrayRef(); }
inline IntArrayRef Tensor::strides() const { return impl_ ? IntArrayRef(impl_->strides) : IntArrayRef(); }
inline int64_t Tensor::dim() const { return static_cast<int64_t>(sizes().size()); }
inline int64_t Tensor::numel() const { return impl_ ? impl_->numel : 0; }
inline ScalarType Tensor::dtype() const { return info().dtype; }
inline TensorOptions Tensor::options() const { return TensorOptions(dtype()).device(kCPU).layout(kStrided); }
inline size_t Tensor::use_count() const { return impl_ ? impl_->owners.owners() : 0; }
inline int64_t Tensor::storage_offset() const { return info().offset; }
inline bool Tensor::is_contiguous() const { return info().contiguous; }
inline bool Tensor::is_sparse() const { return info().sparse != nullptr; }
inline Layout Tensor::layout() const { return is_sparse() ? kSparse : kStrided; }
inline bool Tensor::is_alias_of(const Tensor& other) const {
  return info().storage->data() == other.info().storage->data();
}
inline bool Tensor::is_inference() const { return info().inference; }
inline bool Tensor::is_view() const { return info().base.defined(); }
inline bool Tensor::requires_grad() const {
  const TensorImpl& impl = info();
  return impl.requires_grad || impl.grad_fn || (impl.base.defined() && impl.base.requires_grad());
}
inline const IntrusivePtr<autograd::Node>& Tensor::grad_fn() const {
  // Only a view's may have to be made anew.
  return impl_ && !impl_->base.defined() ? impl_->grad_fn : grad_fn_of_view();
}
inline uint32_t Tensor::output_nr() const {
  grad_fn();
  return impl_ ? impl_->output_nr : 0;
}
inline const Tensor& Tensor::grad() const { return info().grad; }

}  // namespace wengert
