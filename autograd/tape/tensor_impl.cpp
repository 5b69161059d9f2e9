#include <wengert/autograd/base/inference_mode.h>
#include <wengert/autograd/tape/accumulate_grad.h>
#include <wengert/autograd/tensor/tensor.h>

// How a TensorImpl comes into being and goes. It owns its Node, so this is the tape's.

namespace wengert {

TensorImpl::TensorImpl(IntrusivePtr<Storage> storage, ScalarType dtype, const Dims& sizes, const Dims& strides,
                       int64_t offset)
    : dtype(dtype),
      contiguous(wengert::is_contiguous(sizes, strides)),
      inference(InferenceMode::is_enabled()),
      offset(offset),
      sizes(sizes),
      strides(strides),
      numel(1),
      storage(std::move(storage)) {
  for (const int64_t size : sizes) numel *= size;
}

TensorImpl::TensorImpl(ScalarType dtype, IntArrayRef sizes)
    : dtype(dtype),
      contiguous(true),
      inference(InferenceMode::is_enabled()),
      offset(0),
      sizes(Dims::uninitialized(sizes.size())),
      strides(Dims::uninitialized(sizes.size())),
      numel(set_row_major(this->sizes, strides, sizes)),
      storage(Storage::allocate(static_cast<size_t>(numel * element_size(dtype)))) {}

TensorImpl::~TensorImpl() {
  if (retains_grad || accumulate_grad.load(std::memory_order_acquire) != nullptr) [[unlikely]]
    leave_graph();
}

void TensorImpl::leave_graph() noexcept {
  if (retains_grad && grad_fn) {
    autograd::NodeHooks& hooks = grad_fn->hooks();
    const std::lock_guard lock(hooks.retained_mutex);
    std::erase(hooks.retained, this);
  }
  delete accumulate_grad.load(std::memory_order_acquire);
}

void TensorImpl::destroy() noexcept { delete this; }

}  // namespace wengert
