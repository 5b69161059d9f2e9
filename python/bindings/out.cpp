#include <bindings/casters.h>
#include <wengert/ops/out.h>

// Functions that write their result into the tensor `out`.

namespace wengert::python {
namespace {

template <class... T, class... Arguments>
void bind(Binder& binder, const char* name, Tensor& (*f)(Tensor&, T...), const Arguments&... arguments) {
  binder.module().def(
      name,
      [f](T... values, const py::object& out) {
        if (!is_tensor(out.ptr())) throw py::type_error("out: expected a Tensor");
        Tensor into = tensor_in(out.ptr());
        {
          const py::gil_scoped_release release;
          f(into, values...);
        }
        return out;
      },
      arguments..., "out"_a);
}

}  // namespace

void bind_out(Binder& binder) {
  const py::kw_only kw_only;
  const auto input = "input"_a, other = "other"_a, mat2 = "mat2"_a, tensors = "tensors"_a, dim = "dim"_a;
  const auto alpha = ("alpha"_a = Scalar(1)), first = ("dim"_a = 0), keepdim = ("keepdim"_a = false);
  bind(binder, "add", &add_out, input, other, kw_only, alpha);
  bind(binder, "sub", &sub_out, input, other, kw_only, alpha);
  for (const auto& [name, f] : {std::pair("mul", &mul_out),
                                {"div", &div_out},
                                {"maximum", &maximum_out},
                                {"minimum", &minimum_out},
                                {"matmul", &matmul_out}})
    bind(binder, name, f, input, other, kw_only);
  for (const auto& [name, f] : {std::pair("neg", &neg_out),
                                {"abs", &abs_out},
                                {"sqrt", &sqrt_out},
                                {"exp", &exp_out},
                                {"log", &log_out},
                                {"sin", &sin_out},
                                {"cos", &cos_out},
                                {"tanh", &tanh_out},
                                {"sigmoid", &sigmoid_out}})
    bind(binder, name, f, input, kw_only);
  bind(binder, "pow", &pow_out, input, "exponent"_a, kw_only);
  bind(binder, "mm", &mm_out, input, mat2, kw_only);
  bind(binder, "bmm", &bmm_out, input, mat2, kw_only);
  bind(binder, "sum", &sum_out, input, dim, keepdim, kw_only);
  bind(binder, "mean", &mean_out, input, dim, keepdim, kw_only);
  bind(binder, "cat", &cat_out, tensors, first, kw_only);
  bind(binder, "stack", &stack_out, tensors, first, kw_only);
}

}  // namespace wengert::python
