#include <fuzz/fuzz.h>
#include <wengert/autograd/serialize/archive.h>

#include <sstream>

// Any bytes are refused, or are tensors that are the same when they are written and read again.

namespace wengert {
namespace {

std::map<std::string, Tensor> read(std::string content) {
  serialize::InputArchive archive;
  archive.load_from(serialize::Input::bytes("input", std::move(content)));
  std::map<std::string, Tensor> tensors;
  archive.read_all(tensors);
  return tensors;
}

}  // namespace

void fuzz(std::string content) {
  const std::map<std::string, Tensor> tensors = read(std::move(content));
  serialize::OutputArchive archive;
  for (const auto& [name, tensor] : tensors) archive.write(name, tensor);
  std::ostringstream written;
  archive.save_to(written);
  expect_same(tensors, read(written.str()));
}

}  // namespace wengert
