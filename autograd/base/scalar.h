#pragma once

#include <wengert/autograd/base/dtype.h>

#include <cmath>
#include <concepts>
#include <iosfwd>
#include <type_traits>

namespace wengert {

/// The C++ types of numbers.
template <class T>
concept Arithmetic = std::is_arithmetic_v<T>;

/// One number of any kind, as an argument or as what Tensor::item() returns. It takes part in dtype
/// promotion only by its kind: `int64 tensor * 2.5` is floating point, `float tensor * 2.5` stays float.
class Scalar {
 public:
  Scalar() : Scalar(0) {}
  template <std::integral T>
  Scalar(T value)  // NOLINT: implicit as in libtorch
      : dtype_(std::same_as<T, bool> ? kBool : kLong), integer_(static_cast<int64_t>(value)) {}
  template <std::floating_point T>
  Scalar(T value) : dtype_(kDouble), real_(value) {}  // NOLINT

  /// kBool, kLong or kDouble: the kind of number it was made from.
  ScalarType type() const { return dtype_; }
  bool isFloatingPoint() const { return dtype_ == kDouble; }
  bool isIntegral(bool include_bool) const { return isIntegralType(dtype_, include_bool); }
  bool isBoolean() const { return dtype_ == kBool; }
  bool isComplex() const { return false; }

  template <class T>
  T to() const {
    if constexpr (std::same_as<T, bool>) {
      return isFloatingPoint() ? real_ != 0 : integer_ != 0;
    } else {
      return isFloatingPoint() ? static_cast<T>(real_) : static_cast<T>(integer_);
    }
  }
  double toDouble() const { return to<double>(); }
  float toFloat() const { return to<float>(); }
  int64_t toLong() const { return to<int64_t>(); }
  int toInt() const { return to<int>(); }
  bool toBool() const { return to<bool>(); }

  Scalar operator-() const { return isFloatingPoint() ? Scalar(-real_) : Scalar(-integer_); }
  Scalar conj() const { return *this; }
  Scalar log() const { return std::log(toDouble()); }
  template <Arithmetic T>
  bool equal(T value) const {
    return isFloatingPoint() ? real_ == static_cast<double>(value) : integer_ == value;
  }

 private:
  ScalarType dtype_;
  union {
    double real_;
    int64_t integer_;
  };
};

/// As the C++ number is written: 21, 0.1, true.
std::ostream& operator<<(std::ostream& out, const Scalar& scalar);

}  // namespace wengert
