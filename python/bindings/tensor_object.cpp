#include <bindings/casters.h>

#include <structmember.h>
#include <new>

namespace wengert::python {

PyTypeObject* tensor_type = nullptr;

namespace {

struct TensorObject {
  PyObject_HEAD Tensor tensor;
  PyObject* weak_references;
};

PyObject* allocate(PyTypeObject* type, Tensor tensor) {
  PyObject* object = type->tp_alloc(type, 0);
  if (object == nullptr) return nullptr;
  new (&reinterpret_cast<TensorObject*>(object)->tensor) Tensor(std::move(tensor));
  return object;
}

// A new tensor's object, of what an operator computes.
template <class Compute>
PyObject* result_of(const Compute& compute) {
  try {
    return wrap(compute());
  } catch (...) {
    return raise_current();
  }
}

// --- Arithmetic: T op T, T op number, number op T ------------------------------------------------------------------

using OfTensors = Tensor (*)(const Tensor&, const Tensor&);
using OfScalar = Tensor (*)(const Tensor&, Scalar);

template <OfTensors of_tensors, OfScalar of_scalar, OfScalar of_scalar_left>
PyObject* binary(PyObject* a, PyObject* b) {
  if (is_tensor(a)) {
    const Tensor& x = tensor_in(a);
    if (is_tensor(b)) {
      return result_of([&] {
        const Tensor& y = tensor_in(b);
        const WithoutGil without_gil(std::max(x.numel(), y.numel()));
        return of_tensors(x, y);
      });
    }
    Scalar number;
    if (!load_scalar(b, true, number)) Py_RETURN_NOTIMPLEMENTED;
    return result_of([&] {
      const WithoutGil without_gil(x.numel());
      return of_scalar(x, number);
    });
  }
  Scalar number;
  if (!load_scalar(a, true, number)) Py_RETURN_NOTIMPLEMENTED;
  return result_of([&] {
    const WithoutGil without_gil(tensor_in(b).numel());
    return of_scalar_left(tensor_in(b), number);
  });
}

template <OfTensors of_tensors>
PyObject* binary_of_tensors(PyObject* a, PyObject* b) {
  if (!is_tensor(a) || !is_tensor(b)) Py_RETURN_NOTIMPLEMENTED;
  return result_of([&] {
    const WithoutGil without_gil(std::max(tensor_in(a).numel(), tensor_in(b).numel()));
    return of_tensors(tensor_in(a), tensor_in(b));
  });
}

using TensorsInPlace = void (*)(const Tensor&, const Tensor&);
using ScalarInPlace = void (*)(const Tensor&, Scalar);

template <TensorsInPlace of_tensors, ScalarInPlace of_scalar>
PyObject* in_place(PyObject* a, PyObject* b) {
  Scalar number;
  if (!is_tensor(b) && !load_scalar(b, true, number)) Py_RETURN_NOTIMPLEMENTED;
  try {
    const WithoutGil without_gil(tensor_in(a).numel());
    is_tensor(b) ? of_tensors(tensor_in(a), tensor_in(b)) : of_scalar(tensor_in(a), number);
  } catch (...) {
    return raise_current();
  }
  Py_INCREF(a);
  return a;
}

template <Tensor (*compute)(const Tensor&)>
PyObject* unary(PyObject* self) {
  return result_of([&] {
    const WithoutGil without_gil(tensor_in(self).numel());
    return compute(tensor_in(self));
  });
}

// The same for operators that are functions of the library with more arguments.
Tensor add_tensors(const Tensor& a, const Tensor& b) { return a + b; }
Tensor add_scalar(const Tensor& a, Scalar b) { return a + b; }
Tensor subtract_tensors(const Tensor& a, const Tensor& b) { return a - b; }
Tensor subtract_scalar(const Tensor& a, Scalar b) { return a - b; }
Tensor subtract_from(const Tensor& b, Scalar a) { return a - b; }
Tensor divide_number(const Tensor& b, Scalar a) { return a / b; }
Tensor floor_divide_number(const Tensor& b, Scalar a) { return floor_divide(full_like(b, a), b); }
Tensor remainder_of_number(const Tensor& b, Scalar a) { return remainder(full_like(b, a), b); }
Tensor power_of_number(const Tensor& b, Scalar a) { return pow(a, b); }
Tensor invert(const Tensor& x) { return ~x; }
Tensor itself(const Tensor& x) { return x; }

void add_to(const Tensor& a, const Tensor& b) { a.add_(b); }
void add_number_to(const Tensor& a, Scalar b) { a.add_(b); }
void subtract_off(const Tensor& a, const Tensor& b) { a.sub_(b); }
void subtract_number_off(const Tensor& a, Scalar b) { a.sub_(b); }

template <Tensor& (Tensor::*method)(const Tensor&) const>
void call_tensors(const Tensor& a, const Tensor& b) {
  (a.*method)(b);
}
template <Tensor& (Tensor::*method)(Scalar) const>
void call_scalar(const Tensor& a, Scalar b) {
  (a.*method)(b);
}

PyObject* power(PyObject* a, PyObject* b, PyObject* modulus) {
  if (modulus != Py_None) Py_RETURN_NOTIMPLEMENTED;
  return binary<pow, pow, power_of_number>(a, b);
}
PyObject* power_in_place(PyObject* a, PyObject* b, PyObject* /*modulus*/) {
  return in_place<call_tensors<&Tensor::pow_>, call_scalar<&Tensor::pow_>>(a, b);
}

template <Tensor (*compute)(const Tensor&, const Tensor&)>
PyObject* logic(PyObject* a, PyObject* b) {
  const auto operand = [](PyObject* x, const Tensor& like) {
    Scalar number;
    if (is_tensor(x)) return tensor_in(x);
    if (!load_scalar(x, true, number)) return Tensor();
    return full({}, number, number.isBoolean() ? like.dtype() : kLong);
  };
  const Tensor& like = tensor_in(is_tensor(a) ? a : b);
  const Tensor x = operand(a, like), y = operand(b, like);
  if (!x.defined() || !y.defined()) Py_RETURN_NOTIMPLEMENTED;
  return result_of([&] { return compute(x, y); });
}

// --- Comparison ----------------------------------------------------------------------------------------------------

template <class Compare>
PyObject* compared(PyObject* a, PyObject* b, const Compare& compare) {
  return result_of([&] {
    const WithoutGil without_gil(tensor_in(a).numel());
    Scalar number;
    return is_tensor(b) ? compare(tensor_in(a), tensor_in(b))
                        : compare(tensor_in(a), (load_scalar(b, true, number), number));
  });
}

PyObject* compare(PyObject* a, PyObject* b, int operation) {
  Scalar number;
  if (!is_tensor(b) && !load_scalar(b, true, number)) Py_RETURN_NOTIMPLEMENTED;
  switch (operation) {
    case Py_EQ: return compared(a, b, [](const Tensor& x, const auto& y) { return eq(x, y); });
    case Py_NE: return compared(a, b, [](const Tensor& x, const auto& y) { return ne(x, y); });
    case Py_LT: return compared(a, b, [](const Tensor& x, const auto& y) { return lt(x, y); });
    case Py_LE: return compared(a, b, [](const Tensor& x, const auto& y) { return le(x, y); });
    case Py_GT: return compared(a, b, [](const Tensor& x, const auto& y) { return gt(x, y); });
    default: return compared(a, b, [](const Tensor& x, const auto& y) { return ge(x, y); });
  }
}

// --- Numbers and objects -------------------------------------------------------------------------------------------

int is_true(PyObject* self) {
  return status_of([&] { return tensor_in(self).is_nonzero() ? 1 : 0; });
}

template <class T>
PyObject* as_number(PyObject* self) {
  try {
    return to_python(Scalar(tensor_in(self).item<T>()));
  } catch (...) {
    return raise_current();
  }
}

PyObject* as_index(PyObject* self) {
  const Tensor& tensor = tensor_in(self);
  if (tensor.numel() != 1 || tensor.is_floating_point()) {
    PyErr_SetString(PyExc_TypeError, "only integer tensors of a single element can be converted to an index");
    return nullptr;
  }
  return as_number<int64_t>(self);
}

PyObject* repr(PyObject* self) {
  try {
    const std::string text = str(tensor_in(self));
    return PyUnicode_FromStringAndSize(text.data(), static_cast<Py_ssize_t>(text.size()));
  } catch (...) {
    return raise_current();
  }
}

// Of the tensor, not of its elements: objects for one tensor are alike.
Py_hash_t hash(PyObject* self) { return _Py_HashPointer(tensor_in(self).impl()); }

Py_ssize_t length(PyObject* self) {
  const Tensor& tensor = tensor_in(self);
  if (tensor.dim() == 0) {
    PyErr_SetString(PyExc_TypeError, "len() of a 0-d tensor");
    return -1;
  }
  return static_cast<Py_ssize_t>(tensor.size(0));
}

PyObject* iterate(PyObject* self) {
  if (tensor_in(self).dim() == 0) {
    PyErr_SetString(PyExc_TypeError, "iteration over a 0-d tensor");
    return nullptr;
  }
  try {
    return PyObject_GetIter(py::cast(tensor_in(self).unbind(0)).ptr());
  } catch (...) {
    return raise_current();
  }
}

int contains(PyObject* self, PyObject* element) {
  Scalar number;
  if (!is_tensor(element) && !load_scalar(element, true, number)) {
    PyErr_SetString(PyExc_TypeError, "a tensor contains numbers, and tensors that broadcast");
    return -1;
  }
  return status_of([&] {
    const Tensor& x = tensor_in(self);
    return any(is_tensor(element) ? eq(x, tensor_in(element)) : eq(x, number)).is_nonzero() ? 1 : 0;
  });
}

PyObject* make(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  static PyObject* const from = py::object(py::module_::import("wengert._types").attr("new_tensor")).release().ptr();
  PyObject* made = PyObject_Call(from, args, kwargs);
  if (made == nullptr || type == tensor_type || !is_tensor(made)) return made;
  PyObject* object = allocate(type, tensor_in(made));
  Py_DECREF(made);
  return object;
}

void destroy(PyObject* self) {
  auto* object = reinterpret_cast<TensorObject*>(self);
  if (object->weak_references != nullptr) PyObject_ClearWeakRefs(self);
  object->tensor.~Tensor();
  PyTypeObject* type = Py_TYPE(self);
  type->tp_free(self);
  Py_DECREF(type);
}

// --- Attributes that are looked at often ---------------------------------------------------------------------------

template <auto get>
PyObject* attribute(PyObject* self, void* /*closure*/) {
  try {
    if constexpr (std::is_same_v<decltype(get(tensor_in(self))), py::object>) {
      return get(tensor_in(self)).release().ptr();
    } else {
      return py::cast(get(tensor_in(self))).release().ptr();
    }
  } catch (...) {
    return raise_current();
  }
}

int set_grad(PyObject* self, PyObject* value, void* /*closure*/) {
  return status_of([&] {
    if (value == nullptr || value == Py_None) {
      tensor_in(self).mutable_grad() = Tensor();
    } else if (is_tensor(value)) {
      const Tensor &tensor = tensor_in(self), &grad = tensor_in(value);
      if (grad.sizes() != tensor.sizes() || grad.dtype() != tensor.dtype()) {
        throw Error("assigned grad has data of a different size or type");
      }
      tensor.mutable_grad() = grad;
    } else {
      throw py::type_error("assigned grad expected to be a Tensor or None");
    }
    return 0;
  });
}

int set_requires_grad(PyObject* self, PyObject* value, void* /*closure*/) {
  return status_of([&] {
    if (value == nullptr || !PyBool_Check(value)) throw py::type_error("requires_grad must be a bool");
    tensor_in(self).requires_grad_(value == Py_True);
    return 0;
  });
}

int set_data(PyObject* self, PyObject* value, void* /*closure*/) {
  return status_of([&] {
    if (value == nullptr || !is_tensor(value)) throw py::type_error("data must be a Tensor");
    tensor_in(self).set_data(tensor_in(value));
    return 0;
  });
}

Tensor reversed(const Tensor& x) {
  std::vector<int64_t> dims;
  for (int64_t d = x.dim(); d-- > 0;) dims.push_back(d);
  return x.permute(dims);
}

PyGetSetDef attributes[] = {
    {"grad", attribute<+[](const Tensor& x) { return x.grad(); }>, set_grad,
     "The gradient that backward() accumulated; None before the first.", nullptr},
    {"requires_grad", attribute<+[](const Tensor& x) { return x.requires_grad(); }>, set_requires_grad,
     "Whether operations on the tensor are recorded.", nullptr},
    {"is_leaf", attribute<+[](const Tensor& x) { return x.is_leaf(); }>, nullptr,
     "Whether no recorded operation computed the tensor.", nullptr},
    {"data", attribute<+[](const Tensor& x) { return x.data(); }>, set_data,
     "The elements alone, without history; to assign: other memory.", nullptr},
    {"shape", attribute<+[](const Tensor& x) { return to_size(x.sizes()); }>, nullptr, "The sizes.", nullptr},
    {"dtype", attribute<+[](const Tensor& x) { return x.dtype(); }>, nullptr, "The kind of the elements.", nullptr},
    {"ndim", attribute<+[](const Tensor& x) { return x.dim(); }>, nullptr, "The number of dimensions.", nullptr},
    {"T", attribute<reversed>, nullptr, "With the dimensions in reverse order.", nullptr},
    {"mT", attribute<+[](const Tensor& x) { return x.mT(); }>, nullptr, "Each matrix transposed.", nullptr},
    {"mH", attribute<+[](const Tensor& x) { return x.mT(); }>, nullptr, "Each matrix transposed.", nullptr},
    {"H", attribute<+[](const Tensor& x) { return x.t(); }>, nullptr, "A matrix transposed.", nullptr},
    {"itemsize", attribute<+[](const Tensor& x) { return x.element_size(); }>, nullptr, "Bytes of an element.",
     nullptr},
    {"nbytes", attribute<+[](const Tensor& x) { return x.nbytes(); }>, nullptr, "Bytes of all elements.", nullptr},
    {"is_sparse", attribute<+[](const Tensor& x) { return x.is_sparse(); }>, nullptr, nullptr, nullptr},
    {"is_cuda", attribute<+[](const Tensor&) { return false; }>, nullptr, nullptr, nullptr},
    {"output_nr", attribute<+[](const Tensor& x) { return x.output_nr(); }>, nullptr,
     "Which of grad_fn's outputs the tensor is.", nullptr},
    {"retains_grad", attribute<+[](const Tensor& x) { return x.retains_grad(); }>, nullptr, nullptr, nullptr},
    {"_version", attribute<+[](const Tensor& x) { return x._version(); }>, nullptr,
     "How often the memory was changed in place.", nullptr},
    {"_base", attribute<+[](const Tensor& x) { return x.is_view() ? x._base() : Tensor(); }>, nullptr,
     "The tensor that this is a view of, or None.", nullptr},
    {nullptr, nullptr, nullptr, nullptr, nullptr}};

PyMemberDef members[] = {{"__weaklistoffset__", T_PYSSIZET, offsetof(TensorObject, weak_references), READONLY, nullptr},
                         {nullptr, 0, 0, 0, nullptr}};

template <class F>
PyType_Slot slot(int number, F* function) {
  return {number, reinterpret_cast<void*>(function)};
}

}  // namespace

Tensor& tensor_in(PyObject* object) { return reinterpret_cast<TensorObject*>(object)->tensor; }

PyObject* wrap(Tensor tensor) {
  if (!tensor.defined()) Py_RETURN_NONE;
  return allocate(tensor_type, std::move(tensor));
}

void make_tensor_type(PyObject* module) {
  PyType_Slot slots[] = {
      slot(Py_nb_add, &binary<add_tensors, add_scalar, add_scalar>),
      slot(Py_nb_subtract, &binary<subtract_tensors, subtract_scalar, subtract_from>),
      slot(Py_nb_multiply, &binary<mul, mul, mul>),
      slot(Py_nb_true_divide, &binary<div, div, divide_number>),
      slot(Py_nb_floor_divide, &binary<floor_divide, floor_divide, floor_divide_number>),
      slot(Py_nb_remainder, &binary<remainder, remainder, remainder_of_number>),
      slot(Py_nb_power, &power),
      slot(Py_nb_matrix_multiply, &binary_of_tensors<matmul>),
      slot(Py_nb_and, &logic<bitwise_and>),
      slot(Py_nb_or, &logic<bitwise_or>),
      slot(Py_nb_xor, &logic<bitwise_xor>),
      slot(Py_nb_negative, &unary<neg>),
      slot(Py_nb_positive, &unary<itself>),
      slot(Py_nb_absolute, &unary<abs>),
      slot(Py_nb_invert, &unary<invert>),
      slot(Py_nb_inplace_add, &in_place<add_to, add_number_to>),
      slot(Py_nb_inplace_subtract, &in_place<subtract_off, subtract_number_off>),
      slot(Py_nb_inplace_multiply, &in_place<call_tensors<&Tensor::mul_>, call_scalar<&Tensor::mul_>>),
      slot(Py_nb_inplace_true_divide, &in_place<call_tensors<&Tensor::div_>, call_scalar<&Tensor::div_>>),
      slot(Py_nb_inplace_floor_divide,
           &in_place<call_tensors<&Tensor::floor_divide_>, call_scalar<&Tensor::floor_divide_>>),
      slot(Py_nb_inplace_remainder, &in_place<call_tensors<&Tensor::remainder_>, call_scalar<&Tensor::remainder_>>),
      slot(Py_nb_inplace_power, &power_in_place),
      slot(Py_nb_bool, &is_true),
      slot(Py_nb_float, &as_number<double>),
      slot(Py_nb_int, &as_number<int64_t>),
      slot(Py_nb_index, &as_index),
      slot(Py_mp_length, &length),
      slot(Py_mp_subscript, &get_item),
      slot(Py_mp_ass_subscript, &set_item),
      slot(Py_sq_contains, &contains),
      slot(Py_tp_richcompare, &compare),
      slot(Py_tp_iter, &iterate),
      slot(Py_tp_hash, &hash),
      slot(Py_tp_repr, &repr),
      slot(Py_tp_new, &make),
      slot(Py_tp_dealloc, &destroy),
      slot(Py_tp_getset, &attributes[0]),
      slot(Py_tp_members, &members[0]),
      {Py_tp_doc, const_cast<char*>("A strided array of numbers, and its place in the graph.")},
      {0, nullptr}};
  PyType_Spec spec{"wengert.Tensor", sizeof(TensorObject), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, slots};
  tensor_type = reinterpret_cast<PyTypeObject*>(PyType_FromSpec(&spec));
  if (tensor_type == nullptr ||
      PyObject_SetAttrString(module, "Tensor", reinterpret_cast<PyObject*>(tensor_type)) != 0) {
    throw py::error_already_set();
  }
}

// --- Errors --------------------------------------------------------------------------------------------------------

namespace {

// What PyTorch raises where the text begins so; all else is a RuntimeError.
PyObject* type_for(std::string_view text) {
  for (const char* begin :
       {"Dimension out of range", "index ", "too many indices", "select(): index", "invalid index of",
        "Dimension specified as 0", "The shape of the mask", "slice()", "tensors used as indices"}) {
    if (text.starts_with(begin)) return PyExc_IndexError;
  }
  for (const char* begin : {"Invalid ", "a Tensor with ", "slice step must be positive", "step must be greater"}) {
    if (text.starts_with(begin)) return PyExc_ValueError;
  }
  return PyExc_RuntimeError;
}

}  // namespace

void raise_as_python(std::exception_ptr exception) {
  try {
    if (exception) std::rethrow_exception(exception);
  } catch (const Error& error) {
    PyErr_SetString(type_for(error.what()), error.what());
  }
}

std::nullptr_t raise_current() {
  try {
    throw;
  } catch (py::error_already_set& error) {
    error.restore();
  } catch (const py::builtin_exception& error) {
    error.set_error();
  } catch (const Error& error) {
    PyErr_SetString(type_for(error.what()), error.what());
  } catch (const std::bad_alloc&) {
    PyErr_NoMemory();
  } catch (const std::exception& error) {
    PyErr_SetString(PyExc_RuntimeError, error.what());
  }
  return nullptr;
}

}  // namespace wengert::python
