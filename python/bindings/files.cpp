#include <bindings/casters.h>
#include <bindings/files.h>

#include <sstream>

namespace wengert::python {
namespace {

using serialize::Input;
using serialize::OutputArchive;

// A path's text, or nothing of an object with read() and write().
std::optional<std::string> path_in(const py::object& file) {
  if (py::hasattr(file, "read") || py::hasattr(file, "write")) return std::nullopt;
  return py::cast<std::string>(py::module_::import("os").attr("fspath")(file));
}

}  // namespace

OutputArchive archive_of(const Contents& contents) {
  OutputArchive archive;
  for (const auto& [name, tensor] : contents.first) archive.write(name, tensor);
  for (const auto& [name, text] : contents.second) archive.write(name, text);
  return archive;
}

Contents contents_of(const Input& input) {
  Contents contents{{}, serialize::read_safetensors(input).metadata};
  serialize::InputArchive archive;
  archive.load_from(input);
  archive.read_all(contents.first);
  return contents;
}

std::string bytes_of(const OutputArchive& archive) {
  std::ostringstream stream;
  archive.save_to(stream);
  return stream.str();
}

void bind_files(Binder& binder) {
  py::module_& module = binder.module();
  module.def(
      "_save",
      [](const std::map<std::string, Tensor>& tensors, const std::map<std::string, std::string>& texts,
         const py::object& f) {
        const OutputArchive archive = archive_of({tensors, texts});
        if (const std::optional<std::string> path = path_in(f)) {
          const py::gil_scoped_release release;
          return archive.save_to(*path);
        }
        f.attr("write")(py::bytes(bytes_of(archive)));
      },
      "tensors"_a, "texts"_a, "f"_a);
  module.def(
      "_load",
      [](const py::object& f) {
        if (const std::optional<std::string> path = path_in(f)) return contents_of(Input::file(*path));
        return contents_of(Input::bytes("load", py::cast<std::string>(f.attr("read")())));
      },
      "f"_a);
}

}  // namespace wengert::python
