#include <bindings/casters.h>

namespace wengert::python {
namespace {

// dtype and requires_grad; what says nothing here (device, layout ...) is let pass where it says what is so.
TensorOptions options_in(const char* function, const py::kwargs& kwargs) {
  TensorOptions options;
  for (const auto& [key, value] : kwargs) {
    const auto name = py::cast<std::string>(key);
    if (name == "dtype") {
      if (!value.is_none()) options = options.dtype(py::cast<ScalarType>(value));
    } else if (name == "requires_grad") {
      options = options.requires_grad(py::cast<bool>(value));
    } else if (name == "device") {
      if (!value.is_none() && py::cast<std::string>(py::str(value)).rfind("cpu", 0) != 0) {
        throw Error("tensors live on the CPU alone, not on " + py::cast<std::string>(py::str(value)));
      }
    } else if (name != "layout" && name != "pin_memory" && name != "memory_format" && name != "generator") {
      throw py::type_error(std::string(function) + "() got an unexpected keyword argument '" + name + "'");
    } else if (!value.is_none() && !py::isinstance<py::bool_>(value) && name == "generator") {
      throw py::type_error("there is one generator: see manual_seed()");
    }
  }
  return options;
}

using OfSizes = Tensor (*)(IntArrayRef, const TensorOptions&);

// zeros(2, 3), zeros((2, 3)), zeros(size=(2, 3)).
void bind_of_sizes(py::module_& module, const char* name, OfSizes make) {
  module.def(name, [name, make](const py::args& args, py::kwargs kwargs) {
    if (kwargs.contains("size")) {
      const py::object size = kwargs.attr("pop")("size");
      return make(py::cast<Integers>(size).values, options_in(name, kwargs));
    }
    return make(sizes_in(args), options_in(name, kwargs));
  });
}

// make(arguments ..., options), with the options as keywords.
template <class... T, class... Arguments>
void bind_made(py::module_& module, const char* name, std::type_identity_t<Tensor (*)(T..., const TensorOptions&)> make,
               const Arguments&... arguments) {
  module.def(
      name, [name, make](T... values, const py::kwargs& kwargs) { return make(values..., options_in(name, kwargs)); },
      arguments...);
}

using NewOfSizes = Tensor (Tensor::*)(IntArrayRef, const TensorOptions&) const;

void bind_new(Binder& binder, const char* name, NewOfSizes make) {
  binder.method_with_gil(name, [name, make](const Tensor& self, const py::args& args, const py::kwargs& kwargs) {
    return (self.*make)(sizes_in(args), options_in(name, kwargs));
  });
}

}  // namespace

void bind_factories(Binder& binder) {
  py::module_& module = binder.module();
  bind_of_sizes(module, "empty", empty);
  bind_of_sizes(module, "zeros", zeros);
  bind_of_sizes(module, "ones", ones);
  bind_of_sizes(module, "rand", rand);
  bind_of_sizes(module, "randn", randn);
  const std::pair<const char*, Tensor (*)(const Tensor&, const TensorOptions&)> like[] = {{"empty_like", empty_like},
                                                                                          {"zeros_like", zeros_like},
                                                                                          {"ones_like", ones_like},
                                                                                          {"rand_like", rand_like},
                                                                                          {"randn_like", randn_like}};
  for (const auto& [name, make] : like) bind_made<const Tensor&>(module, name, make, "input"_a);
  bind_new(binder, "new_empty", &Tensor::new_empty);
  bind_new(binder, "new_zeros", &Tensor::new_zeros);
  bind_new(binder, "new_ones", &Tensor::new_ones);
  binder.method(
      "new_full",
      [](const Tensor& self, IntArrayRef size, Scalar fill_value) { return self.new_full(size, fill_value); }, "size"_a,
      "fill_value"_a);

  bind_made<IntArrayRef, Scalar>(module, "full", &full, "size"_a, "fill_value"_a);
  bind_made<const Tensor&, Scalar>(module, "full_like", &full_like, "input"_a, "fill_value"_a);
  bind_made<Scalar>(module, "arange", &arange, "end"_a);
  bind_made<Scalar, Scalar, Scalar>(module, "arange", &arange, "start"_a, "end"_a, "step"_a = Scalar(1));
  bind_made<Scalar, Scalar, int64_t>(module, "linspace", &linspace, "start"_a, "end"_a, "steps"_a);
  bind_made<Scalar, Scalar, int64_t, double>(module, "logspace", &logspace, "start"_a, "end"_a, "steps"_a,
                                             "base"_a = 10.0);
  bind_made<int64_t, IntArrayRef>(module, "randint", &randint, "high"_a, "size"_a);
  bind_made<int64_t, int64_t, IntArrayRef>(module, "randint", &randint, "low"_a, "high"_a, "size"_a);
  bind_made<int64_t>(module, "randperm", &randperm, "n"_a);
  module.def(
      "eye",
      [](int64_t n, std::optional<int64_t> m, const py::kwargs& kwargs) {
        return eye(n, m.value_or(n), options_in("eye", kwargs));
      },
      "n"_a, "m"_a = py::none());
  module.def(
      "sparse_coo_tensor",
      [](const Tensor& indices, const Tensor& values, IntArrayRef size) {
        return sparse_coo_tensor(indices, values, size);
      },
      "indices"_a, "values"_a, "size"_a);

  module.def(
      "manual_seed", [](int64_t seed) { manual_seed(static_cast<uint64_t>(seed)); }, "seed"_a,
      "Starts the generator of all random numbers anew.");
  py::class_<Generator>(module, "Generator", "Where the generator of random numbers is.");
  module.def("get_rng_state", &get_rng_state);
  module.def("set_rng_state", &set_rng_state, "new_state"_a);
  module.def("get_default_dtype", &get_default_dtype);
  module.def("set_default_dtype", &set_default_dtype, "d"_a);
  module.def("get_num_threads", &get_num_threads);
  module.def(
      "set_num_threads", [](int threads) { set_num_threads(threads); }, "threads"_a);
  module.def("promote_types", &promoteTypes, "type1"_a, "type2"_a);
  module.def(
      "set_printoptions",
      [](std::optional<int> precision, std::optional<int64_t> threshold, std::optional<int64_t> edgeitems,
         std::optional<int64_t> linewidth, std::optional<bool> sci_mode) {
        PrintOptions options = get_printoptions();
        options.precision = precision.value_or(options.precision);
        options.threshold = threshold.value_or(options.threshold);
        options.edgeitems = edgeitems.value_or(options.edgeitems);
        options.linewidth = linewidth.value_or(options.linewidth);
        options.sci_mode = sci_mode;
        set_printoptions(options);
      },
      "precision"_a = py::none(), "threshold"_a = py::none(), "edgeitems"_a = py::none(), "linewidth"_a = py::none(),
      "sci_mode"_a = py::none());
}

}  // namespace wengert::python
