#include <bindings/casters.h>
#include <pybind11/numpy.h>
#include <wengert/autograd/base/dispatch.h>
#include <wengert/ops/interop/dlpack.h>

#include <algorithm>

// Tensors from lists, NumPy's arrays and other libraries' tensors, and back; arrays and tensors share their memory.

namespace wengert::python {
namespace {

const char* numpy_name(ScalarType dtype) {
  switch (dtype) {
    case kBool: return "bool";
    case kLong: return "int64";
    case kFloat: return "float32";
    case kDouble: return "float64";
  }
  return "";
}

// Of an array's dtype; nothing where tensors have none that is the same.
std::optional<ScalarType> same_dtype(const py::dtype& dtype) {
  if (!dtype.attr("isnative").cast<bool>()) return std::nullopt;
  for (const ScalarType type : {kBool, kLong, kFloat, kDouble}) {
    if (dtype.is(py::dtype(numpy_name(type))) || dtype.equal(py::dtype(numpy_name(type)))) return type;
  }
  return std::nullopt;
}

// Lets go of an object of Python's, from any thread.
std::function<void(void*)> holding(py::object owner) {
  PyObject* held = owner.release().ptr();
  return [held](void*) {
    const py::gil_scoped_acquire acquire;
    Py_DECREF(held);
  };
}

Tensor from_numpy(const py::array& array) {
  const std::optional<ScalarType> dtype = same_dtype(array.dtype());
  if (!dtype) {
    throw py::type_error("can't convert np.ndarray of type " + py::cast<std::string>(py::str(array.dtype())) +
                         ". The only supported types are: float64, float32, int64, and bool.");
  }
  std::vector<int64_t> sizes, strides;
  for (py::ssize_t d = 0; d < array.ndim(); ++d) {
    if (array.strides(d) < 0) {
      throw py::value_error(
          "At least one stride in the given numpy array is negative, and tensors with negative strides "
          "are not currently supported. (You can probably work around this by making a copy of your "
          "array with array.copy().)");
    }
    if (array.strides(d) % element_size(*dtype) != 0) {
      throw py::value_error(
          "given numpy array strides not a multiple of the element byte size. Copy the numpy array to "
          "reallocate the memory.");
    }
    sizes.push_back(array.shape(d));
    strides.push_back(array.strides(d) / element_size(*dtype));
  }
  return interop::on_memory(const_cast<void*>(array.data()), sizes, strides, *dtype, holding(array));
}

// Any array, by its kind; a copy where it must be one.
Tensor from_any_array(const py::array& array) {
  const char kind = array.dtype().kind();
  if (const std::optional<ScalarType> dtype = same_dtype(array.dtype())) {
    const bool has_own_order = py::cast<bool>(array.attr("flags").attr("c_contiguous"));
    return from_numpy(has_own_order ? array : py::array(array.attr("copy")()));
  }
  if (kind == 'i' || kind == 'u') return from_numpy(py::array(array.attr("astype")("int64")));
  if (kind == 'f') return from_numpy(py::array(array.attr("astype")(array.itemsize() < 8 ? "float32" : "float64")));
  throw py::type_error("can't convert np.ndarray of type " + py::cast<std::string>(py::str(array.dtype())) +
                       ". The only supported types are: float64, float32, whole numbers, and bool.");
}

void check_without_history(const Tensor& tensor) {
  if (tensor.requires_grad()) {
    throw Error("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.");
  }
  if (tensor.is_sparse())
    throw py::type_error("can't convert Sparse layout tensor to numpy. Use Tensor.to_dense() first.");
}

py::array to_numpy(const Tensor& tensor) {
  check_without_history(tensor);
  std::vector<py::ssize_t> sizes(tensor.sizes().begin(), tensor.sizes().end()), strides;
  for (const int64_t stride : tensor.strides()) strides.push_back(stride * tensor.element_size());
  const auto owner = py::reinterpret_steal<py::object>(wrap(tensor));
  return py::array(py::dtype(numpy_name(tensor.dtype())), sizes, strides, tensor.data_ptr(), owner);
}

// --- Nested lists --------------------------------------------------------------------------------------------------

bool is_list(const py::handle& object) { return PyList_Check(object.ptr()) || PyTuple_Check(object.ptr()); }

// The elements of nested lists in row-major order.
class Elements {
 public:
  explicit Elements(const py::handle& data) {
    for (py::object level = py::reinterpret_borrow<py::object>(data); is_list(level) || is_array(level);) {
      const auto length = static_cast<int64_t>(py::len(level));
      sizes.push_back(length);
      if (length == 0) break;
      level = level[py::int_(0)];
    }
    add(data, 0);
  }

  std::vector<int64_t> sizes;
  std::vector<Scalar> values;
  ScalarType dtype() const { return values.empty() || real_ ? get_default_dtype() : whole_ ? kLong : kBool; }

 private:
  static bool is_array(const py::handle& object) {
    return (is_tensor(object.ptr()) && tensor_in(object.ptr()).dim() > 0) ||
           (py::isinstance<py::array>(object) && py::reinterpret_borrow<py::array>(object).ndim() > 0);
  }

  void add(const py::handle& data, size_t depth) {
    if (depth == sizes.size()) return add_element(data);
    if (!is_list(data) && !is_array(data)) {
      throw py::type_error("not a sequence");
    }
    const auto length = static_cast<int64_t>(py::len(data));
    if (length != sizes[depth]) {
      throw py::value_error("expected sequence of length " + std::to_string(sizes[depth]) + " at dim " +
                            std::to_string(depth) + " (got " + std::to_string(length) + ")");
    }
    const auto items = py::reinterpret_borrow<py::object>(data);
    for (int64_t i = 0; i < length; ++i) add(items[py::int_(i)], depth + 1);
  }

  void add_element(const py::handle& element) {
    Scalar value;
    if (is_list(element)) throw py::value_error("expected a number, got a sequence");
    const bool is_number = is_tensor(element.ptr()) ? (value = tensor_in(element.ptr()).item(), true)
                                                    : load_scalar(element.ptr(), true, value);
    if (!is_number) {
      throw py::type_error("new(): invalid data type '" +
                           py::cast<std::string>(py::type::of(element).attr("__name__")) + "'");
    }
    real_ = real_ || value.isFloatingPoint();
    whole_ = whole_ || value.isIntegral(false);
    values.push_back(value);
  }

  bool real_ = false, whole_ = false;
};

Tensor from_elements(const Elements& elements, ScalarType dtype) {
  Tensor tensor = empty(elements.sizes, dtype);
  dispatch(dtype, [&]<class T>() {
    std::transform(elements.values.begin(), elements.values.end(), tensor.data_ptr<T>(),
                   [](const Scalar& value) { return value.to<T>(); });
  });
  return tensor;
}

// Without a copy where there is none to be made.
Tensor as_tensor(const py::object& data, std::optional<ScalarType> dtype) {
  Tensor tensor;
  if (is_tensor(data.ptr())) {
    tensor = tensor_in(data.ptr());
  } else if (py::isinstance<py::array>(data)) {
    const auto array = py::reinterpret_borrow<py::array>(data);
    tensor = same_dtype(array.dtype()) &&
                     std::none_of(array.strides(), array.strides() + array.ndim(), [](auto s) { return s < 0; })
                 ? from_numpy(array)
                 : from_any_array(array);
  } else if (!is_list(data) && py::hasattr(data, "__array__")) {
    return as_tensor(data.attr("__array__")(), dtype);
  } else {
    const Elements elements(data);
    return from_elements(elements, dtype.value_or(elements.dtype()));
  }
  return dtype ? tensor.to(*dtype) : tensor;
}

Tensor new_tensor(const py::object& data, std::optional<ScalarType> dtype, bool requires_grad) {
  const bool is_new = is_list(data) || !(is_tensor(data.ptr()) || py::hasattr(data, "__array__"));
  Tensor tensor = as_tensor(data, dtype);
  if (!is_new) tensor = tensor.detach().clone();
  return tensor.requires_grad_(requires_grad);
}

// --- DLPack --------------------------------------------------------------------------------------------------------

py::capsule dlpack_of(const Tensor& tensor) {
  return py::capsule(to_dlpack(tensor), "dltensor", [](PyObject* capsule) {
    if (PyCapsule_IsValid(capsule, "dltensor") == 0) return;  // somebody took it
    auto* left = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(capsule, "dltensor"));
    left->deleter(left);
  });
}

Tensor tensor_of_dlpack(py::object source) {
  if (py::hasattr(source, "__dlpack__")) source = source.attr("__dlpack__")();
  auto* managed = static_cast<DLManagedTensor*>(PyCapsule_GetPointer(source.ptr(), "dltensor"));
  if (managed == nullptr) throw py::error_already_set();
  Tensor tensor = from_dlpack(managed);
  PyCapsule_SetName(source.ptr(), "used_dltensor");
  return tensor;
}

}  // namespace

void bind_arrays(Binder& binder) {
  py::module_& module = binder.module();
  const auto any_dtype = ("dtype"_a = py::none());
  module.def(
      "tensor",
      [](const py::object& data, std::optional<ScalarType> dtype, const py::object& /*device*/, bool requires_grad) {
        return new_tensor(data, dtype, requires_grad);
      },
      "data"_a, py::kw_only(), any_dtype, "device"_a = py::none(), "requires_grad"_a = false,
      "A new tensor with these elements: a number, nested lists, an array or a tensor.");
  for (const char* name : {"as_tensor", "asarray"}) {
    module.def(
        name,
        [](const py::object& data, std::optional<ScalarType> dtype, const py::object& /*device*/) {
          return as_tensor(data, dtype);
        },
        "data"_a, any_dtype, "device"_a = py::none(), "The same, on the array's memory where it can be.");
  }
  module.def("from_numpy", &from_numpy, "ndarray"_a, "A tensor on an array's memory.");
  module.def("from_dlpack", &tensor_of_dlpack, "ext_tensor"_a, "A tensor on the memory of another library's.");
  binder.method_with_gil(
      "numpy", [](const Tensor& self, bool force) { return to_numpy(force ? self.detach().to_dense() : self); },
      py::kw_only(), "force"_a = false);
  binder.method_with_gil(
      "__array__",
      [](const Tensor& self, const py::object& dtype) -> py::object {
        const py::array array = to_numpy(self);
        return dtype.is_none() ? py::object(array) : py::object(array.attr("astype")(dtype, "copy"_a = false));
      },
      "dtype"_a = py::none());
  py::setattr(tensor_class(), "__array_priority__", py::int_(1000));
  binder.method_with_gil("tolist",
                         [](const Tensor& self) -> py::object { return to_numpy(self.detach()).attr("tolist")(); });
  binder.method_with_gil(
      "new_tensor",
      [](const Tensor& self, const py::object& data, std::optional<ScalarType> dtype, bool requires_grad) {
        return new_tensor(data, dtype ? dtype : self.dtype(), requires_grad);
      },
      "data"_a, any_dtype, "requires_grad"_a = false);
  binder.method_with_gil(
      "__dlpack__", [](const Tensor& self, const py::object& /*stream*/) { return dlpack_of(self); },
      "stream"_a = py::none());
  binder.method_with_gil("__dlpack_device__",
                         [](const Tensor&) { return py::make_tuple(static_cast<int>(kDLCPU), 0); });
}

}  // namespace wengert::python
