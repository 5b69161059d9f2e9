#pragma once

#include <Python.h>
#include <wengert/autograd/tensor/tensor.h>

// Tensor as a Python type of its own: an object is a header and a handle, so that `x + y` costs little more than in
// C++. Operators stand in the type's slots; methods and functions are bound with pybind11.

namespace wengert::python {

/// wengert.Tensor, once make_tensor_type() has made it.
extern PyTypeObject* tensor_type;
/// Makes it; `module` is to have it as Tensor. Throws pybind11::error_already_set.
void make_tensor_type(PyObject* module);

inline bool is_tensor(PyObject* object) { return PyObject_TypeCheck(object, tensor_type) != 0; }
/// Of an object that is_tensor().
Tensor& tensor_in(PyObject* object);
/// A new reference; None for an undefined tensor.
PyObject* wrap(Tensor tensor);

/// Lets other threads of Python run, for as long as it lives; where elements are given, if so many are worth the while.
/// Unlike pybind11's it is for threads of Python's alone, and costs a third.
class WithoutGil {
 public:
  explicit WithoutGil(int64_t elements = kFew) : state_(elements < kFew ? nullptr : PyEval_SaveThread()) {}
  ~WithoutGil() {
    if (state_ != nullptr) PyEval_RestoreThread(state_);
  }
  WithoutGil(const WithoutGil&) = delete;
  WithoutGil& operator=(const WithoutGil&) = delete;

 private:
  static constexpr int64_t kFew = 2000;
  PyThreadState* state_;
};

/// x[key], and x[key] = value.
PyObject* get_item(PyObject* self, PyObject* key);
int set_item(PyObject* self, PyObject* key, PyObject* value);

/// Makes a Python exception of the one that is being handled, of the type that PyTorch has for it. Returns null.
std::nullptr_t raise_current();
/// What a slot returns that only tells whether it went well: f(), or -1 with a Python exception.
template <class F>
int status_of(const F& f) {
  try {
    return f();
  } catch (...) {
    raise_current();
    return -1;
  }
}
/// The same as a translator of pybind11's.
void raise_as_python(std::exception_ptr exception);

}  // namespace wengert::python
