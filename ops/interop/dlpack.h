#pragma once

#include <dlpack/dlpack.h>
#include <wengert/autograd/base/shape.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/interop/expect.h>
#include <wengert/ops/ops.h>

#include <algorithm>
#include <memory>
#include <vector>

// Tensors handed to other libraries, and taken from them, without a copy: DLPack 0.6 and later
// (https://dmlc.github.io/dlpack).

namespace wengert {

namespace interop {

inline constexpr uint8_t kDLBoolCode = 6;  // of version 0.8 on

inline DLDataType dlpack_type(ScalarType dtype) {
  const int code = dtype == kBool ? kDLBoolCode : dtype == kLong ? int{kDLInt} : int{kDLFloat};
  return {static_cast<uint8_t>(code), static_cast<uint8_t>(8 * element_size(dtype)), 1};
}

// What a DLManagedTensor points to.
struct Exported {
  Tensor tensor;
  std::vector<int64_t> sizes, strides;
  DLManagedTensor managed;
};

/// A leaf on memory that somebody else owns, from `data` on; strides in elements, not negative. let_go: called when the
/// last tensor on it is gone.
inline Tensor on_memory(void* data, const std::vector<int64_t>& sizes, const std::vector<int64_t>& strides,
                        ScalarType dtype, const std::function<void(void*)>& let_go) {
  int64_t extent = 1;
  for (size_t d = 0; d < sizes.size(); ++d) extent += (sizes[d] - 1) * strides[d];
  if (std::find(sizes.begin(), sizes.end(), 0) != sizes.end()) extent = 0;
  return from_blob(data, {extent}, let_go, dtype).as_strided(sizes, strides).data();
}

}  // namespace interop

/// The tensor, for whoever takes it: they call its deleter when they have done. Throws wengert::Error for a tensor that
/// requires grad, or is sparse.
inline DLManagedTensor* to_dlpack(const Tensor& tensor) {
  interop::expect(!tensor.requires_grad(), "Can't export tensors that require gradient, use tensor.detach()");
  interop::expect(!tensor.is_sparse(), "Can't export tensors with layout other than torch.strided");
  auto exported = std::make_unique<interop::Exported>();
  exported->tensor = tensor;
  exported->sizes = tensor.sizes().vec();
  exported->strides = tensor.strides().vec();
  DLTensor& described = exported->managed.dl_tensor;
  described.data = tensor.data_ptr();
  described.device = {kDLCPU, 0};
  described.ndim = static_cast<int32_t>(tensor.dim());
  described.dtype = interop::dlpack_type(tensor.dtype());
  described.shape = exported->sizes.data();
  described.strides = exported->strides.data();
  described.byte_offset = 0;
  exported->managed.manager_ctx = exported.get();
  exported->managed.deleter = [](DLManagedTensor* self) { delete static_cast<interop::Exported*>(self->manager_ctx); };
  return &exported.release()->managed;
}

/// A leaf on another library's tensor, whose deleter is called when the last tensor on its memory is gone. Throws
/// wengert::Error, and does not take it, for other devices than the CPU and dtypes that are not offered.
inline Tensor from_dlpack(DLManagedTensor* managed) {
  const DLTensor& described = managed->dl_tensor;
  std::optional<ScalarType> dtype;
  for (const ScalarType type : {kBool, kLong, kFloat, kDouble}) {
    const DLDataType ours = interop::dlpack_type(type);
    if (described.dtype.code == ours.code && described.dtype.bits == ours.bits && described.dtype.lanes == 1)
      dtype = type;
  }
  interop::expect(dtype.has_value(),
                  "from_dlpack: tensors of that dtype are not offered; there are bool, int64, float32 and float64");
  interop::expect(described.device.device_type == kDLCPU, "from_dlpack: the memory is not the CPU's");
  const std::vector<int64_t> sizes(described.shape, described.shape + described.ndim);
  const std::vector<int64_t> strides =
      described.strides == nullptr ? IntArrayRef(contiguous_strides(sizes)).vec()
                                   : std::vector<int64_t>(described.strides, described.strides + described.ndim);
  interop::expect(std::none_of(strides.begin(), strides.end(), [](int64_t stride) { return stride < 0; }),
                  "from_dlpack: strides are negative");
  return interop::on_memory(static_cast<char*>(described.data) + described.byte_offset, sizes, strides, *dtype,
                            [managed](void*) {
                              if (managed->deleter != nullptr) managed->deleter(managed);
                            });
}

}  // namespace wengert
