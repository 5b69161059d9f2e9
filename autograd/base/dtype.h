#pragma once

#include <cstdint>
#include <iosfwd>
#include <string_view>
#include <type_traits>

namespace wengert {

/// What a Tensor's elements are. The order is the order of promotion: a result takes the later of two.
enum class ScalarType : uint8_t { Bool, Long, Float, Double };
using Dtype = ScalarType;

inline constexpr ScalarType kBool = ScalarType::Bool;       ///< bool, one byte
inline constexpr ScalarType kLong = ScalarType::Long;       ///< int64_t
inline constexpr ScalarType kInt64 = ScalarType::Long;      ///< int64_t
inline constexpr ScalarType kFloat = ScalarType::Float;     ///< float
inline constexpr ScalarType kFloat32 = ScalarType::Float;   ///< float
inline constexpr ScalarType kDouble = ScalarType::Double;   ///< double
inline constexpr ScalarType kFloat64 = ScalarType::Double;  ///< double

/// libtorch's name of the dtype: "Float".
std::string_view toString(ScalarType dtype);
/// PyTorch's name of the dtype in Python: "torch.float32".
std::string_view python_name(ScalarType dtype);
/// Writes the C++ name, as libtorch's caffe2 type names: "float".
std::ostream& operator<<(std::ostream& out, ScalarType dtype);

/// Bytes an element takes.
constexpr int64_t element_size(ScalarType dtype) {
  switch (dtype) {
    case kBool: return 1;
    case kFloat: return 4;
    case kLong:
    case kDouble: return 8;
  }
  return 0;
}

constexpr bool isFloatingType(ScalarType dtype) { return dtype == kFloat || dtype == kDouble; }
constexpr bool isComplexType(ScalarType) { return false; }  // there are none
constexpr bool isSignedType(ScalarType dtype) { return dtype != kBool; }
constexpr bool isIntegralType(ScalarType dtype, bool include_bool) {
  return dtype == kLong || (include_bool && dtype == kBool);
}
/// The smallest dtype that both fit into.
constexpr ScalarType promoteTypes(ScalarType a, ScalarType b) { return a < b ? b : a; }
/// Whether values of `from` may be written into a tensor of `to`: not from floating point to integers, and
/// only bool to bool.
constexpr bool canCast(ScalarType from, ScalarType to) {
  if (isFloatingType(from) && !isFloatingType(to)) return false;
  return from == kBool || to != kBool;
}

template <class T>
constexpr ScalarType dtype_of() {
  if constexpr (std::is_same_v<T, bool>) {
    return kBool;
  } else if constexpr (std::is_same_v<T, float>) {
    return kFloat;
  } else if constexpr (std::is_same_v<T, double>) {
    return kDouble;
  } else {
    static_assert(std::is_same_v<T, int64_t>, "tensors hold bool, int64_t, float or double");
    return kLong;
  }
}

/// The dtype of factories that are given none, and of integers that enter floating-point mathematics:
/// float until set otherwise.
ScalarType get_default_dtype();
/// Throws wengert::Error unless `dtype` is a floating-point dtype.
void set_default_dtype(ScalarType dtype);

}  // namespace wengert
