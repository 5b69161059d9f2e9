#include <bindings/casters.h>

namespace wengert::python {

bool load_scalar(PyObject* object, bool convert, Scalar& value) {
  if (PyBool_Check(object)) {
    value = object == Py_True;
  } else if (PyLong_Check(object)) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
    if (overflow != 0) return false;
    value = static_cast<int64_t>(number);
  } else if (PyFloat_Check(object)) {
    value = PyFloat_AS_DOUBLE(object);
  } else if (!convert) {
    return false;
  } else if (is_tensor(object)) {
    if (tensor_in(object).numel() != 1 || tensor_in(object).requires_grad()) return false;
    value = tensor_in(object).item();
  } else if (PySequence_Check(object) != 0) {
    return false;  // arrays are told by that from NumPy's numbers
  } else if (PyIndex_Check(object)) {
    const auto number = py::reinterpret_steal<py::object>(PyNumber_Index(object));
    return number && load_scalar(number.ptr(), false, value);
  } else if (Py_TYPE(object)->tp_as_number != nullptr && Py_TYPE(object)->tp_as_number->nb_float != nullptr) {
    const double number = PyFloat_AsDouble(object);
    if (PyErr_Occurred() != nullptr) {
      PyErr_Clear();
      return false;
    }
    value = number;
  } else {
    return false;
  }
  return true;
}

PyObject* to_python(Scalar value) {
  if (value.isBoolean()) return PyBool_FromLong(value.toBool());
  return value.isFloatingPoint() ? PyFloat_FromDouble(value.toDouble()) : PyLong_FromLongLong(value.toLong());
}

namespace {

struct Dtype {
  ScalarType type;
};

// Kept for as long as the program runs.
PyObject* dtype_objects[4];

}  // namespace

void make_dtypes(py::module_& module) {
  py::class_<Dtype>(module, "dtype", "The kind of a tensor's elements.")
      .def("__repr__", [](const Dtype& self) { return std::string(python_name(self.type)); })
      .def("__reduce__", [](const Dtype& self) { return std::string(python_name(self.type).substr(6)); })
      .def_property_readonly("is_floating_point", [](const Dtype& self) { return isFloatingType(self.type); })
      .def_property_readonly("itemsize", [](const Dtype& self) { return element_size(self.type); });
  for (const auto& [name, other, type] :
       {std::tuple("bool", "bool", kBool), std::tuple("int64", "long", kLong), std::tuple("float32", "float", kFloat),
        std::tuple("float64", "double", kDouble)}) {
    PyObject* object = py::cast(Dtype{type}).release().ptr();
    dtype_objects[static_cast<size_t>(type)] = object;
    module.attr(name) = py::handle(object);
    module.attr(other) = py::handle(object);
  }
}

bool load_dtype(PyObject* object, ScalarType& value) {
  if (object == reinterpret_cast<PyObject*>(&PyFloat_Type)) {
    value = kDouble;
  } else if (object == reinterpret_cast<PyObject*>(&PyLong_Type)) {
    value = kLong;
  } else if (object == reinterpret_cast<PyObject*>(&PyBool_Type)) {
    value = kBool;
  } else if (py::isinstance<Dtype>(object)) {
    value = py::cast<Dtype&>(py::handle(object)).type;
  } else {
    return false;
  }
  return true;
}

PyObject* to_python(ScalarType dtype) {
  PyObject* object = dtype_objects[static_cast<size_t>(dtype)];
  Py_INCREF(object);
  return object;
}

bool load_integers(PyObject* object, std::vector<int64_t>& values) {
  const auto add = [&](PyObject* item) {
    Scalar value;
    if (!load_scalar(item, true, value) || !value.isIntegral(false)) return false;
    values.push_back(value.toLong());
    return true;
  };
  if (!PyList_Check(object) && !PyTuple_Check(object)) return add(object);
  for (const py::handle item : py::reinterpret_borrow<py::sequence>(object)) {
    if (!add(item.ptr())) return false;
  }
  return true;
}

py::object to_size(IntArrayRef sizes) {
  static PyObject* const type = py::object(py::module_::import("wengert._types").attr("Size")).release().ptr();
  py::tuple values(sizes.size());
  for (size_t d = 0; d < sizes.size(); ++d) values[d] = sizes[d];
  return py::handle(type)(values);
}

py::object sequence_in(const py::args& args) {
  return args.size() == 1 && !is_tensor(py::object(args[0]).ptr()) ? py::object(args[0]) : py::object(args);
}

std::vector<int64_t> sizes_in(const py::args& args) {
  std::vector<int64_t> sizes;
  if (!load_integers(sequence_in(args).ptr(), sizes))
    throw py::type_error("expected sizes, whole numbers or one sequence of them");
  return sizes;
}

py::object to_python(const TensorTuple& tuple) {
  const py::object values = py::cast(TensorList(tuple.tensors));
  if (tuple.name == nullptr) return values;
  static PyObject* const types = py::module_::import("wengert.return_types").release().ptr();
  return py::getattr(types, tuple.name)(values);
}

}  // namespace wengert::python
