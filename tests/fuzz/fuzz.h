#pragma once

#include <wengert/autograd/base/error.h>
#include <wengert/autograd/tensor/tensor.h>

#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

// What fuzz targets have in common. Each defines fuzz(), which may throw wengert::Error and nothing else.

namespace wengert {

void fuzz(std::string content);

inline void expect(bool holds) {
  if (!holds) std::abort();
}

inline void expect_same_bytes(const Tensor& a, const Tensor& b) {
  expect(a.sizes() == b.sizes() && a.dtype() == b.dtype() && a.is_sparse() == b.is_sparse());
  if (a.is_sparse()) {
    expect_same_bytes(a._indices(), b._indices());
    return expect_same_bytes(a._values(), b._values());
  }
  expect(a.nbytes() == 0 || std::memcmp(a.data_ptr(), b.data_ptr(), a.nbytes()) == 0);
}

/// Both hold contiguous tensors of the same bytes under the same names.
inline void expect_same(const std::map<std::string, Tensor>& a, const std::map<std::string, Tensor>& b) {
  expect(a.size() == b.size());
  for (const auto& [name, tensor] : a) expect_same_bytes(tensor, b.at(name));
}

}  // namespace wengert

extern "C" {
[[gnu::used]] inline int LLVMFuzzerTestOneInput(const unsigned char* data, size_t size) {
  try {
    wengert::fuzz(std::string(reinterpret_cast<const char*>(data), size));
  } catch (const wengert::Error&) {  // refused
  }
  return 0;
}
}
