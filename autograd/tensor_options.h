#pragma once

#include <wengert/autograd/device.h>
#include <wengert/autograd/dtype.h>

#include <optional>

namespace wengert {

/// How a factory is to make its tensor: `dtype(kDouble).requires_grad(true)`. A dtype alone converts to it.
class TensorOptions {
 public:
  TensorOptions() = default;
  TensorOptions(ScalarType dtype) : dtype_(dtype) {}  // NOLINT: implicit as in libtorch
  TensorOptions(Device) {}                            // NOLINT: there is but one

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

  [[nodiscard]] TensorOptions device(Device) const { return *this; }  // there is but one
  Device device() const { return Device(); }
  Layout layout() const { return kStrided; }
  /// The dtype asked for, else the default dtype.
  ScalarType dtype() const { return dtype_ ? *dtype_ : get_default_dtype(); }
  bool has_dtype() const { return dtype_.has_value(); }
  std::optional<ScalarType> dtype_opt() const { return dtype_; }
  bool requires_grad() const { return requires_grad_.value_or(false); }
  bool has_requires_grad() const { return requires_grad_.has_value(); }

 private:
  std::optional<ScalarType> dtype_;
  std::optional<bool> requires_grad_;
};

inline TensorOptions dtype(ScalarType dtype) { return TensorOptions(dtype); }
inline TensorOptions device(Device device) { return TensorOptions().device(device); }
inline TensorOptions requires_grad(bool requires_grad = true) { return TensorOptions().requires_grad(requires_grad); }

}  // namespace wengert
