#include <fuzz/fuzz.h>
#include <wengert/autograd/serialize/npz.h>

// Any bytes are refused, or are arrays whose elements can be read.

namespace wengert {

void fuzz(std::string content) {
  const auto arrays = serialize::read_npz(serialize::Input::bytes("input", std::move(content)));
  expect_same(arrays, arrays);
}

}  // namespace wengert
