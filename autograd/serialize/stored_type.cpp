#include <wengert/autograd/serialize/stored_type.h>
#include <wengert/autograd/tensor/factories.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace wengert::serialize {
namespace {

static_assert(std::endian::native == std::endian::little, "elements are read and written as they lie in memory");

template <class From, class To, To (*value)(From)>
void widen_by(const char* from, int64_t count, void* to) {
  for (int64_t i = 0; i < count; ++i) {
    From element;
    std::memcpy(&element, from + i * int64_t{sizeof(From)}, sizeof(From));
    static_cast<To*>(to)[i] = value(element);
  }
}

template <class From>
constexpr auto widen_integer = widen_by<From, int64_t, [](From x) -> int64_t { return x; }>;

// A sign, 5 bits of exponent biased by 15, 10 bits of fraction (IEEE 754 binary16).
float half_value(uint16_t bits) {
  const int exponent = bits >> 10 & 31, fraction = bits & 1023;
  const float magnitude = exponent == 31  ? (fraction == 0 ? INFINITY : NAN)
                          : exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                          : std::ldexp(static_cast<float>(fraction | 1024), exponent - 25);
  return bits >> 15 != 0 ? -magnitude : magnitude;
}

// The upper half of a float.
float bfloat16_value(uint16_t bits) { return std::bit_cast<float>(uint32_t{bits} << 16); }

constexpr StoredType kTypes[] = {
    {"BOOL", "b1", 1, kBool, nullptr},
    {"I64", "i8", 8, kLong, nullptr},
    {"F32", "f4", 4, kFloat, nullptr},
    {"F64", "f8", 8, kDouble, nullptr},
    {"I8", "i1", 1, kLong, widen_integer<int8_t>},
    {"U8", "u1", 1, kLong, widen_integer<uint8_t>},
    {"I16", "i2", 2, kLong, widen_integer<int16_t>},
    {"U16", "u2", 2, kLong, widen_integer<uint16_t>},
    {"I32", "i4", 4, kLong, widen_integer<int32_t>},
    {"U32", "u4", 4, kLong, widen_integer<uint32_t>},
    {"F16", "f2", 2, kFloat, widen_by<uint16_t, float, half_value>},
    {"BF16", "", 2, kFloat, widen_by<uint16_t, float, bfloat16_value>},
};

template <class Predicate>
const StoredType* find_type(const Predicate& is_it) {
  const auto* const found = std::find_if(std::begin(kTypes), std::end(kTypes), is_it);
  return found == std::end(kTypes) ? nullptr : found;
}

}  // namespace

const StoredType* stored_type_of_safetensors(std::string_view name) {
  return find_type([name](const StoredType& type) { return type.safetensors == name; });
}

const StoredType* stored_type_of_numpy(std::string_view name) {
  return find_type([name](const StoredType& type) { return !name.empty() && type.numpy == name; });
}

const StoredType& stored_type_of(ScalarType dtype) {
  return *find_type([dtype](const StoredType& type) { return type.dtype == dtype && type.widen == nullptr; });
}

std::optional<int64_t> bytes_of(const std::vector<int64_t>& shape, const StoredType& type) {
  int64_t bytes = type.size;
  for (const int64_t size : shape) {
    if (size < 0 || __builtin_mul_overflow(bytes, std::max<int64_t>(size, 1), &bytes)) return {};
  }
  return std::find(shape.begin(), shape.end(), 0) == shape.end() ? bytes : 0;
}

Tensor read_elements(const Input& input, uint64_t offset, const std::vector<int64_t>& shape, const StoredType& type,
                     ByteOrder order) {
  Tensor tensor = empty(shape, type.dtype);
  const auto count = static_cast<uint64_t>(tensor.numel() * type.size);
  std::string narrow;
  char* bytes = static_cast<char*>(tensor.data_ptr());
  if (type.widen != nullptr) {
    narrow.resize(count);
    bytes = narrow.data();
  }
  input.read(offset, bytes, count);
  if (order == ByteOrder::kBig) {
    for (uint64_t i = 0; i < count; i += static_cast<uint64_t>(type.size))
      std::reverse(bytes + i, bytes + i + type.size);
  }
  if (type.widen != nullptr) type.widen(bytes, tensor.numel(), tensor.data_ptr());
  if (type.dtype == kBool) {
    if (std::any_of(bytes, bytes + count, [](char byte) { return byte != 0 && byte != 1; })) {
      input.fail("a bool is neither 0 nor 1");
    }
  }
  return tensor;
}

}  // namespace wengert::serialize
