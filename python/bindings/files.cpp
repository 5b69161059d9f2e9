#include <bindings/casters.h>
#include <wengert/autograd/serialize/npy.h>
#include <wengert/autograd/serialize/save.h>

#include <sstream>

namespace wengert::python {
namespace {

using serialize::InputArchive;
using serialize::OutputArchive;

// A path's text, or nothing of an object with read() and write().
std::optional<std::string> path_in(const py::object& file) {
  if (py::hasattr(file, "read") || py::hasattr(file, "write")) return std::nullopt;
  return py::cast<std::string>(py::module_::import("os").attr("fspath")(file));
}

constexpr const char* kIsList = "__list__";

void fill(OutputArchive& archive, const py::object& value) {
  if (is_tensor(value.ptr())) {
    archive.write("0", tensor_in(value.ptr()));
  } else if (py::isinstance<py::dict>(value)) {
    for (const auto& [key, item] : py::reinterpret_borrow<py::dict>(value)) {
      if (!is_tensor(item.ptr())) throw py::type_error("save: a dictionary's values are to be tensors");
      archive.write(py::cast<std::string>(py::str(key)), tensor_in(item.ptr()));
    }
  } else if (py::isinstance<py::list>(value) || py::isinstance<py::tuple>(value)) {
    serialize::write_all(archive, py::cast<std::vector<Tensor>>(value));
    archive.write(kIsList, true);
  } else {
    throw py::type_error("save: expected a tensor, a list of tensors or a dictionary of names and tensors");
  }
}

// One tensor, or by name.
py::object contents(const InputArchive& archive) {
  std::map<std::string, Tensor> tensors;
  archive.read_all(tensors);
  if (!archive.contains(kIsList)) {
    const bool is_one = tensors.size() == 1 && tensors.begin()->first == "0";
    return is_one ? py::cast(tensors.begin()->second) : py::cast(tensors);
  }
  py::list list;
  for (size_t i = 0; i < tensors.size(); ++i) list.append(tensors.at(std::to_string(i)));
  return list;
}

}  // namespace

void bind_files(Binder& binder) {
  py::module_& module = binder.module();
  module.def(
      "save",
      [](const py::object& obj, const py::object& f) {
        OutputArchive archive;
        fill(archive, obj);
        if (const std::optional<std::string> path = path_in(f)) {
          const py::gil_scoped_release release;
          return archive.save_to(*path);
        }
        std::ostringstream stream;
        archive.save_to(stream);
        f.attr("write")(py::bytes(stream.str()));
      },
      "obj"_a, "f"_a,
      "Writes a tensor, a list of tensors or a dictionary of names and tensors, in the format safetensors.");
  module.def(
      "load",
      [](const py::object& f) {
        InputArchive archive;
        if (const std::optional<std::string> path = path_in(f)) {
          archive.load_from(*path);
        } else {
          std::istringstream stream(py::cast<std::string>(f.attr("read")()));
          archive.load_from(stream);
        }
        return contents(archive);
      },
      "f"_a, "Reads what save() wrote, or any file in the format safetensors.");
}

}  // namespace wengert::python
