#pragma once

#include <wengert/autograd/base/device.h>
#include <wengert/autograd/base/dtype.h>

#include <iosfwd>
#include <optional>

namespace wengert {

/// How a factory is to make its tensor: `dtype(kDouble).requires_grad(true)`. A dtype alone converts to it.
class TensorOptions {
 public:
  TensorOptions() = default;
  TensorOptions(ScalarType dtype) : dtype_(dtype) {}               // NOLINT: implicit as in libtorch
  TensorOptions(Device) : has_device_(true) {}                     // NOLINT: there is but one
  TensorOptions(DeviceType type) : TensorOptions(Device(type)) {}  // NOLINT
  /// Factories make strided tensors: throws for another layout.
  TensorOptions(Layout layout) : has_layout_(true) {  // NOLINT
    if (layout != kStrided) throw Error("Only tensors of layout Strided are made so; see sparse_coo_tensor");
  }

  [[nodiscard]] TensorOptions dtype(std::optional<ScalarType> dtype) const {
    TensorOptions options = *this;
    options.dtype_ = dtype;
    return options;
  }
  [[nodiscard]] TensorOptions requires_grad(bool requires_grad) const {
    TensorOptions options = *this;
    options.requires_grad_ = requires_grad;
    return options;
  }

  [[nodiscard]] TensorOptions device(Device) const {
    TensorOptions options = *this;
    options.has_device_ = true;
    return options;
  }
  [[nodiscard]] TensorOptions layout(Layout layout) const {
    TensorOptions options = *this;
    options.has_layout_ = TensorOptions(layout).has_layout_;
    return options;
  }

  Device device() const { return Device(); }
  bool has_device() const { return has_device_; }
  std::optional<Device> device_opt() const { return has_device_ ? std::optional(Device()) : std::nullopt; }
  Layout layout() const { return kStrided; }
  bool has_layout() const { return has_layout_; }
  std::optional<Layout> layout_opt() const { return has_layout_ ? std::optional(kStrided) : std::nullopt; }
  bool is_sparse() const { return false; }
  bool pinned_memory() const { return false; }
  bool has_pinned_memory() const { return false; }
  /// The dtype asked for, else the default dtype.
  ScalarType dtype() const { return dtype_ ? *dtype_ : get_default_dtype(); }
  bool has_dtype() const { return dtype_.has_value(); }
  std::optional<ScalarType> dtype_opt() const { return dtype_; }
  bool requires_grad() const { return requires_grad_.value_or(false); }
  bool has_requires_grad() const { return requires_grad_.has_value(); }
  std::optional<bool> requires_grad_opt() const { return requires_grad_; }

 private:
  std::optional<ScalarType> dtype_;
  std::optional<bool> requires_grad_;
  bool has_device_ = false, has_layout_ = false;
};

inline TensorOptions dtype(ScalarType dtype) { return TensorOptions(dtype); }
inline TensorOptions layout(Layout layout) { return TensorOptions(layout); }
inline TensorOptions device(Device device) { return TensorOptions().device(device); }
inline TensorOptions requires_grad(bool requires_grad = true) { return TensorOptions().requires_grad(requires_grad); }

/// All properties, as libtorch shows them; what was not set is marked as the default.
std::ostream& operator<<(std::ostream& out, const TensorOptions& options);

}  // namespace wengert
