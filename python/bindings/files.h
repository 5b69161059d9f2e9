#pragma once

#include <wengert/autograd/serialize/archive.h>

#include <map>
#include <string>
#include <utility>

namespace wengert::python {

/// What an archive holds: tensors and texts, by name.
using Contents = std::pair<std::map<std::string, Tensor>, std::map<std::string, std::string>>;

serialize::OutputArchive archive_of(const Contents& contents);
/// Throws wengert::Error for what is not in the format safetensors.
Contents contents_of(const serialize::Input& input);
/// As in a file.
std::string bytes_of(const serialize::OutputArchive& archive);

}  // namespace wengert::python
