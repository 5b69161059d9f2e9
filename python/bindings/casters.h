#pragma once

#include <bindings/tensor_object.h>
#include <pybind11/functional.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <wengert/wengert.h>

#include <optional>
#include <string>
#include <vector>

// How arguments come from Python and results go there.

namespace py = pybind11;

namespace wengert::python {

/// A number: bool, int, float, one of NumPy's, or a tensor of one element. False where it is none.
bool load_scalar(PyObject* object, bool convert, Scalar& value);
PyObject* to_python(Scalar value);

/// One of wengert.float32 ...; float, int and bool stand for dtypes, too.
bool load_dtype(PyObject* object, ScalarType& value);
PyObject* to_python(ScalarType dtype);
void make_dtypes(py::module_& module);

/// A number, or a list or tuple of them.
bool load_integers(PyObject* object, std::vector<int64_t>& values);
/// The same as an argument that may be left out.
struct Integers {
  std::vector<int64_t> values;
};
/// wengert.Size.
py::object to_size(IntArrayRef sizes);

/// Of `f(a, b)` and `f((a, b))` the sequence.
py::object sequence_in(const py::args& args);
/// From `f(2, 3)` or `f((2, 3))`.
std::vector<int64_t> sizes_in(const py::args& args);

/// Several results: a tuple, or where `name` is given the type of that name in wengert.return_types.
struct TensorTuple {
  TensorTuple(std::vector<Tensor> tensors) : tensors(std::move(tensors)) {}  // NOLINT: implicit
  template <class... T>
  TensorTuple(const char* name, const std::tuple<T...>& results)
      : tensors(std::apply([](const auto&... each) { return std::vector<Tensor>{each...}; }, results)), name(name) {}

  std::vector<Tensor> tensors;
  const char* name = nullptr;
};
py::object to_python(const TensorTuple& tuple);

}  // namespace wengert::python

namespace pybind11::detail {

template <>
struct type_caster<wengert::Tensor> {
  PYBIND11_TYPE_CASTER(wengert::Tensor, const_name("Tensor"));
  bool load(handle source, bool) {
    if (!wengert::python::is_tensor(source.ptr())) return false;
    value = wengert::python::tensor_in(source.ptr());
    return true;
  }
  static handle cast(const wengert::Tensor& tensor, return_value_policy, handle) {
    return wengert::python::wrap(tensor);
  }
};

template <>
struct type_caster<wengert::Scalar> {
  PYBIND11_TYPE_CASTER(wengert::Scalar, const_name("Number"));
  bool load(handle source, bool convert) { return wengert::python::load_scalar(source.ptr(), convert, value); }
  static handle cast(wengert::Scalar scalar, return_value_policy, handle) { return wengert::python::to_python(scalar); }
};

template <>
struct type_caster<wengert::ScalarType> {
  PYBIND11_TYPE_CASTER(wengert::ScalarType, const_name("Dtype"));
  bool load(handle source, bool) { return wengert::python::load_dtype(source.ptr(), value); }
  static handle cast(wengert::ScalarType dtype, return_value_policy, handle) {
    return wengert::python::to_python(dtype);
  }
};

template <>
struct type_caster<wengert::IntArrayRef> {
  PYBIND11_TYPE_CASTER(wengert::IntArrayRef, const_name("Union[int, Sequence[int]]"));
  bool load(handle source, bool) {
    if (!wengert::python::load_integers(source.ptr(), own_)) return false;
    value = own_;
    return true;
  }
  static handle cast(wengert::IntArrayRef sizes, return_value_policy, handle) {
    return wengert::python::to_size(sizes).release();
  }

 private:
  std::vector<int64_t> own_;
};

template <>
struct type_caster<wengert::python::Integers> {
  PYBIND11_TYPE_CASTER(wengert::python::Integers, const_name("Union[int, Sequence[int]]"));
  bool load(handle source, bool) { return wengert::python::load_integers(source.ptr(), value.values); }
};

template <>
struct type_caster<wengert::TensorList> {
  PYBIND11_TYPE_CASTER(wengert::TensorList, const_name("Sequence[Tensor]"));
  bool load(handle source, bool) {
    if (!PyList_Check(source.ptr()) && !PyTuple_Check(source.ptr())) return false;
    for (const handle item : reinterpret_borrow<sequence>(source)) {
      if (!wengert::python::is_tensor(item.ptr())) return false;
      own_.push_back(wengert::python::tensor_in(item.ptr()));
    }
    value = own_;
    return true;
  }
  static handle cast(wengert::TensorList tensors, return_value_policy, handle) {
    tuple result(tensors.size());
    for (size_t i = 0; i < tensors.size(); ++i) {
      result[i] = reinterpret_steal<object>(wengert::python::wrap(tensors[i]));
    }
    return result.release();
  }

 private:
  std::vector<wengert::Tensor> own_;
};

template <>
struct type_caster<wengert::python::TensorTuple> {
  static constexpr auto name = const_name("Tuple[Tensor, ...]");
  static handle cast(const wengert::python::TensorTuple& tuple, return_value_policy, handle) {
    return wengert::python::to_python(tuple).release();
  }
};

}  // namespace pybind11::detail

namespace wengert::python {

using namespace py::literals;  // NOLINT

using Release = py::call_guard<WithoutGil>;
using OptionalTensor = std::optional<Tensor>;
inline Tensor or_undefined(const OptionalTensor& tensor) { return tensor.value_or(Tensor()); }

inline py::handle tensor_class() { return {reinterpret_cast<PyObject*>(tensor_type)}; }

/// Binds functions of the module and methods of Tensor.
class Binder {
 public:
  explicit Binder(py::module_ module) : module_(std::move(module)) {}
  py::module_& module() { return module_; }

  /// A function. arguments: of all.
  template <class F, class... Arguments>
  Binder& function(const char* name, F&& f, const Arguments&... arguments) {
    module_.def(name, std::forward<F>(f), arguments..., Release());
    return *this;
  }
  /// A method of Tensor. arguments: all but the tensor.
  template <class F, class... Arguments>
  Binder& method(const char* name, F&& f, const Arguments&... arguments) {
    return method_with_gil(name, std::forward<F>(f), arguments..., Release());
  }
  /// One that works with Python's objects.
  template <class F, class... Arguments>
  Binder& method_with_gil(const char* name, F&& f, const Arguments&... arguments) {
    const py::handle type = tensor_class();
    py::setattr(type, name,
                py::cpp_function(std::forward<F>(f), py::name(name), py::is_method(type),
                                 py::sibling(py::getattr(type, name, py::none())), arguments...));
    return *this;
  }
  /// Both: f(input, ...) and input.f(...).
  template <class F, class... Arguments>
  Binder& both(const char* name, const F& f, const Arguments&... arguments) {
    function(name, f, py::arg("input"), arguments...);
    return method(name, f, arguments...);
  }
  /// A method that changes the tensor, and returns the object that it was called of.
  template <class... T, class... Arguments>
  Binder& in_place(const char* name, Tensor& (Tensor::*f)(T...) const, const Arguments&... arguments) {
    const auto call = [f](const py::object& self, T... values) {
      const Tensor& tensor = tensor_in(self.ptr());
      {
        const py::gil_scoped_release release;
        (tensor.*f)(values...);
      }
      return self;
    };
    return method_with_gil(name, call, arguments...);
  }

 private:
  py::module_ module_;
};

// Of overloaded functions the one with these arguments.
template <class... T>
constexpr auto of = py::overload_cast<T...>;

// The rooms of the module.
void bind_factories(Binder& binder);
void bind_elementwise(Binder& binder);
void bind_reductions(Binder& binder);
void bind_shapes(Binder& binder);
void bind_matrices(Binder& binder);
void bind_losses(Binder& binder);
void bind_out(Binder& binder);
void bind_arrays(Binder& binder);
void bind_autograd(Binder& binder);
void bind_optimizers(Binder& binder);
void bind_files(Binder& binder);
void bind_factorization(Binder& binder);

}  // namespace wengert::python
