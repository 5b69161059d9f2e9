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

/// Both hold contiguous tensors of the same bytes under the same names.
inline void expect_same(const std::map<std::string, Tensor>& a, const std::map<std::string, Tensor>& b) {
  expect(a.size() == b.size());
  for (const auto& [name, tensor] : a) {
    const Tensor& other = b.at(name);
    expect(tensor.sizes() == other.sizes() && tensor.dtype() == other.dtype());
    expect(tensor.nbytes() == 0 || std::memcmp(tensor.data_ptr(), other.data_ptr(), tensor.nbytes()) == 0);
  }
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
