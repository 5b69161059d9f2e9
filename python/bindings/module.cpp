#include <bindings/casters.h>
#include <wengert/autograd/base/version.h>

PYBIND11_MODULE(_C, module) {
  using namespace wengert::python;  // NOLINT
  module.doc() = "Wengert's tensors and operations.";
  make_tensor_type(module.ptr());
  make_dtypes(module);
  py::register_exception_translator(&raise_as_python);
  Binder binder(module);
  bind_factories(binder);
  bind_elementwise(binder);
  bind_reductions(binder);
  bind_shapes(binder);
  bind_matrices(binder);
  bind_losses(binder);
  bind_out(binder);
  bind_arrays(binder);
  bind_autograd(binder);
  bind_optimizers(binder);
  bind_files(binder);
#ifdef WITH_FACTORIZATION
  bind_factorization(binder);
#endif
  module.attr("__version__") = wengert::kVersion;
}
