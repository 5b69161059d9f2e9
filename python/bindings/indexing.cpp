#include <bindings/casters.h>

namespace wengert::python {
namespace {

using indexing::Slice;
using indexing::TensorIndex;

std::optional<int64_t> bound(PyObject* object) {
  if (object == Py_None) return std::nullopt;
  Scalar value;
  if (!load_scalar(object, true, value) || value.isFloatingPoint()) {
    throw py::type_error("slice indices must be whole numbers or None");
  }
  return value.toLong();
}

TensorIndex entry(PyObject* key) {
  if (key == Py_None) return indexing::None;
  if (key == Py_Ellipsis) return indexing::Ellipsis;
  if (PyBool_Check(key)) return key == Py_True;
  if (PySlice_Check(key)) {
    const auto* slice = reinterpret_cast<PySliceObject*>(key);
    return Slice(bound(slice->start), bound(slice->stop), bound(slice->step));
  }
  if (is_tensor(key)) return tensor_in(key);
  Scalar value;
  if (load_scalar(key, true, value) && !value.isFloatingPoint()) return value.toLong();
  if (PySequence_Check(key) != 0 && !PyUnicode_Check(key)) {
    static PyObject* const make = py::object(py::module_::import("wengert").attr("as_tensor")).release().ptr();
    const py::object positions = py::handle(make)(py::handle(key));
    return tensor_in(positions.ptr());
  }
  throw py::index_error(
      "only integers, slices (`:`), ellipsis (`...`), None and long or bool tensors are valid indices");
}

std::vector<TensorIndex> entries(PyObject* key) {
  std::vector<TensorIndex> indices;
  if (!PyTuple_Check(key)) return {entry(key)};
  for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(key); ++i) indices.push_back(entry(PyTuple_GET_ITEM(key, i)));
  return indices;
}

}  // namespace

PyObject* get_item(PyObject* self, PyObject* key) {
  try {
    const Tensor& tensor = tensor_in(self);
    if (PyLong_CheckExact(key) && tensor.dim() > 0) return wrap(tensor.select(0, PyLong_AsLongLong(key)));
    return wrap(tensor.index(ArrayRef<TensorIndex>(entries(key))));
  } catch (...) {
    return raise_current();
  }
}

int set_item(PyObject* self, PyObject* key, PyObject* value) {
  return status_of([&] {
    if (value == nullptr) throw py::type_error("elements of a tensor can't be deleted");
    const Tensor& tensor = tensor_in(self);
    const std::vector<TensorIndex> indices = entries(key);
    Scalar number;
    if (is_tensor(value)) {
      tensor.index_put_(ArrayRef<TensorIndex>(indices), tensor_in(value));
    } else if (load_scalar(value, true, number)) {
      tensor.index_put_(ArrayRef<TensorIndex>(indices), number);
    } else {
      const py::object values =
          py::module_::import("wengert").attr("as_tensor")(py::handle(value), "dtype"_a = tensor.dtype());
      tensor.index_put_(ArrayRef<TensorIndex>(indices), tensor_in(values.ptr()));
    }
    return 0;
  });
}

}  // namespace wengert::python
