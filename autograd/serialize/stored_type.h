#pragma once

#include <wengert/autograd/serialize/file.h>
#include <wengert/autograd/tensor/tensor.h>

#include <optional>
#include <string_view>

namespace wengert::serialize {

/// What elements are in a file. Those that no Tensor has are widened when they are read, to a dtype that holds each of
/// their values.
struct StoredType {
  std::string_view safetensors;  ///< its name in that format
  std::string_view numpy;        ///< its name in NumPy's, without the byte order: "f4"
  int64_t size;                  ///< bytes of an element
  ScalarType dtype;              ///< of the Tensor
  /// Reads elements that are narrower than the Tensor's; null where they are the same.
  void (*widen)(const char* from, int64_t count, void* to);
};

/// Null for names that are not known.
const StoredType* stored_type_of_safetensors(std::string_view name);
const StoredType* stored_type_of_numpy(std::string_view name);
/// As what a Tensor's elements are written.
const StoredType& stored_type_of(ScalarType dtype);

/// Bytes that elements take; nothing if the sizes are negative, or it is more than 2^63 - 1.
std::optional<int64_t> bytes_of(const std::vector<int64_t>& shape, const StoredType& type);

enum class ByteOrder { kLittle, kBig };

/// A Tensor of the elements at an offset of the input, row by row. Throws where a bool is neither 0 nor 1.
Tensor read_elements(const Input& input, uint64_t offset, const std::vector<int64_t>& shape, const StoredType& type,
                     ByteOrder order = ByteOrder::kLittle);

}  // namespace wengert::serialize
