#include <fuzz/fuzz.h>
#include <wengert/autograd/serialize/npy.h>

// Any bytes are refused, or are an array that is the same when it is written and read again.

namespace wengert {

void fuzz(std::string content) {
  const Tensor array = serialize::read_npy(serialize::Input::bytes("input", std::move(content)));
  std::string written;
  serialize::write_npy(array,
                       [&](const void* data, size_t count) { written.append(static_cast<const char*>(data), count); });
  expect_same({{"", array}}, {{"", serialize::read_npy(serialize::Input::bytes("written", written))}});
}

}  // namespace wengert
