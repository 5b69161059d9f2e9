#include <bindings/casters.h>
#include <wengert/autograd/tape/custom_function.h>
#include <wengert/autograd/tools/checkpoint.h>
#include <wengert/autograd/tools/draw.h>
#include <wengert/autograd/tools/functional.h>
#include <wengert/autograd/tools/gradcheck.h>
#include <wengert/ops/replay.h>

PYBIND11_DECLARE_HOLDER_TYPE(T, wengert::IntrusivePtr<T>, true)

namespace wengert::python {
namespace {

using autograd::Node;
using autograd::variable_list;

// A tensor, None, or a sequence of such.
variable_list list_in(const py::handle& object) {
  variable_list tensors;
  const auto add = [&](const py::handle& item) {
    if (!item.is_none() && !is_tensor(item.ptr())) {
      throw py::type_error("expected a Tensor, not " + py::cast<std::string>(py::type::of(item).attr("__name__")));
    }
    tensors.push_back(item.is_none() ? Tensor() : tensor_in(item.ptr()));
  };
  if (object.is_none() || is_tensor(object.ptr())) {
    add(object);
  } else {
    for (const py::handle item : py::reinterpret_borrow<py::iterable>(object)) add(item);
  }
  return tensors;
}

variable_list list_or_nothing(const py::object& object) { return object.is_none() ? variable_list() : list_in(object); }

// A function of Python's, to be called from wherever the library does so.
autograd::functional::Function function_of(const py::function& f) {
  return [f](const variable_list& inputs) {
    const py::gil_scoped_acquire acquire;
    return list_in(f(*py::tuple(py::cast(TensorList(inputs)))));
  };
}

// --- Functions that are written in Python --------------------------------------------------------------------------

class PythonFunction;

// What a Function's forward and backward get as ctx. Other attributes are the function's own.
struct Context {
  PythonFunction* node = nullptr;
};

class PythonFunction final : public autograd::FunctionNode {
 public:
  explicit PythonFunction(const py::object& type)
      : FunctionNode(py::cast<std::string>(type.attr("__name__")) + "Backward"),
        type_(type),
        object_(py::cast(Context{this})) {}
  ~PythonFunction() override {
    const py::gil_scoped_acquire acquire;
    py::cast<Context&>(object_).node = nullptr;
    type_ = {};
    object_ = {};
  }

  autograd::AutogradContext& context() { return context_; }
  // For each argument; false of what is no tensor.
  py::tuple needs_of_arguments() const {
    py::tuple needs(are_tensors_.size());
    size_t tensors = 0;
    for (size_t i = 0; i < needs.size(); ++i) {
      needs[i] = are_tensors_[i] && tensors < num_outputs() && needs_grad(tensors);
      tensors += are_tensors_[i] ? 1 : 0;
    }
    return needs;
  }

  py::object run(const py::args& args, const IntrusivePtr<Node>& self) {
    for (const py::handle argument : args) {
      are_tensors_.push_back(is_tensor(argument.ptr()));
      are_tensors_.back() ? add_argument(tensor_in(argument.ptr())) : add_argument(0);
    }
    connect();
    py::object result;
    {
      const NoGradGuard no_grad;
      result = type_.attr("forward")(object_, *args);
    }
    variable_list outputs = list_in(result);
    finish(outputs, self);
    if (is_tensor(result.ptr())) return py::cast(outputs[0]);
    return py::cast(TensorList(outputs));
  }

 protected:
  variable_list call_backward(autograd::AutogradContext* /*context*/, variable_list grads) override {
    const py::gil_scoped_acquire acquire;
    return list_in(type_.attr("backward")(object_, *py::tuple(py::cast(TensorList(grads)))));
  }

 private:
  py::object type_, object_;
  std::vector<bool> are_tensors_;
};

autograd::AutogradContext& context_of(const Context& context) {
  if (context.node == nullptr) throw Error("the function that this context belonged to is gone");
  return context.node->context();
}

void bind_function(py::module_& module) {
  py::class_<Context>(module, "FunctionCtx", py::dynamic_attr(), "What a Function's forward leaves for its backward.")
      .def("save_for_backward",
           [](const Context& self, const py::args& tensors) { context_of(self).save_for_backward(list_in(tensors)); })
      .def_property_readonly("saved_tensors",
                             [](const Context& self) { return TensorTuple(context_of(self).get_saved_variables()); })
      .def("mark_dirty",
           [](const Context& self, const py::args& tensors) { context_of(self).mark_dirty(list_in(tensors)); })
      .def("mark_non_differentiable",
           [](const Context& self, const py::args& tensors) {
             context_of(self).mark_non_differentiable(list_in(tensors));
           })
      .def(
          "set_materialize_grads",
          [](const Context& self, bool value) { context_of(self).set_materialize_grads(value); }, "value"_a)
      .def_property_readonly("needs_input_grad",
                             [](const Context& self) { return context_of(self), self.node->needs_of_arguments(); });
  module.def("_apply", [](const py::object& type, const py::args& args) {
    const auto node = make_intrusive<PythonFunction>(type);
    return node->run(args, IntrusivePtr<Node>(node.get()));
  });
}

// --- Nodes ---------------------------------------------------------------------------------------------------------

void bind_nodes(py::module_& module) {
  py::class_<Node, IntrusivePtr<Node>>(module, "Node",
                                       "One recorded operation: computes its inputs' gradients from its outputs'.")
      .def("name", &Node::name)
      .def("__repr__",
           [](const Node& self) {
             char address[32];
             std::snprintf(address, sizeof address, "%p", static_cast<const void*>(&self));
             return "<" + self.name() + " object at " + address + ">";
           })
      .def_property_readonly("next_functions",
                             [](const Node& self) {
                               py::tuple edges(self.num_outputs());
                               for (size_t i = 0; i < edges.size(); ++i) {
                                 const autograd::Edge& edge = self.next_edge(i);
                                 edges[i] = py::make_tuple(edge.is_valid() ? py::cast(edge.function) : py::none(),
                                                           edge.input_nr);
                               }
                               return edges;
                             })
      .def_property_readonly("saved_tensors",
                             [](Node& self) {
                               std::vector<Tensor> tensors;
                               for (const autograd::SavedTensor& saved : self.saved_tensors())
                                 tensors.push_back(saved.unpack(&self));
                               return TensorTuple(tensors);
                             })
      .def(
          "register_prehook",
          [](Node& self, const py::function& hook) {
            self.add_pre_hook([hook](const variable_list& grads) {
              const py::gil_scoped_acquire acquire;
              const py::object result = hook(py::cast(TensorList(grads)));
              return result.is_none() ? grads : list_in(result);
            });
          },
          "fn"_a)
      .def(
          "register_hook",
          [](Node& self, const py::function& hook) {
            self.add_post_hook([hook](const variable_list& of_inputs, const variable_list& of_outputs) {
              const py::gil_scoped_acquire acquire;
              const py::object result = hook(py::cast(TensorList(of_inputs)), py::cast(TensorList(of_outputs)));
              return result.is_none() ? of_inputs : list_in(result);
            });
          },
          "fn"_a);
}

}  // namespace

void bind_autograd(Binder& binder) {
  py::module_& module = binder.module();
  bind_nodes(module);
  bind_function(module);
  const auto none = py::none();

  binder.method_with_gil(
      "backward",
      [](const Tensor& self, const OptionalTensor& gradient, std::optional<bool> retain_graph, bool create_graph,
         const py::object& inputs) {
        const variable_list only = list_or_nothing(inputs);
        const py::gil_scoped_release release;
        self.backward(or_undefined(gradient), retain_graph, create_graph,
                      only.empty() ? std::nullopt : std::optional<TensorList>(only));
      },
      "gradient"_a = none, "retain_graph"_a = none, "create_graph"_a = false, "inputs"_a = none);
  binder.method("detach", &Tensor::detach)
      .method("retain_grad", &Tensor::retain_grad)
      .method("is_view", &Tensor::is_view)
      .method("coalesce", &Tensor::coalesce)
      .method("is_coalesced", &Tensor::is_coalesced)
      .method("indices", &Tensor::indices)
      .method("values", &Tensor::values)
      .method("to_dense", &Tensor::to_dense);
  py::setattr(
      tensor_class(), "grad_fn",
      py::reinterpret_borrow<py::object>(reinterpret_cast<PyObject*>(&PyProperty_Type))(py::cpp_function(
          [](const Tensor& self) -> py::object { return self.grad_fn() ? py::cast(self.grad_fn()) : py::none(); },
          py::is_method(tensor_class()))));
  binder.method_with_gil("detach_", [](const py::object& self) {
    tensor_in(self.ptr()).detach_();
    return self;
  });
  binder.method_with_gil(
      "requires_grad_",
      [](const py::object& self, bool requires_grad) {
        tensor_in(self.ptr()).requires_grad_(requires_grad);
        return self;
      },
      "requires_grad"_a = true);
  binder.method_with_gil("_register_hook", [](const Tensor& self, const py::function& hook) {
    return self.register_hook([hook](const Tensor& grad) {
      const py::gil_scoped_acquire acquire;
      const py::object result = hook(grad);
      return result.is_none() ? Tensor() : py::cast<Tensor>(result);
    });
  });
  binder.method_with_gil("_remove_hook", [](const Tensor& self, unsigned handle) { self.remove_hook(handle); });
  binder.method_with_gil(
      "register_post_accumulate_grad_hook",
      [](const Tensor& self, const py::function& hook) {
        self.register_post_accumulate_grad_hook([hook](const Tensor& leaf) {
          const py::gil_scoped_acquire acquire;
          hook(leaf);
        });
      },
      "hook"_a);

  module.def("is_grad_enabled", &GradMode::is_enabled);
  module.def("_set_grad_enabled", &GradMode::set_enabled);
  module.def("is_inference_mode_enabled", &InferenceMode::is_enabled);
  module.def("_set_inference_mode", [](bool enabled) { autograd::inference_mode_enabled = enabled; });
  module.def("is_anomaly_enabled", &autograd::AnomalyMode::is_enabled);
  module.def("_set_anomaly", &autograd::AnomalyMode::set_enabled);

  module.def("_backward", [](const py::object& tensors, const py::object& grad_tensors,
                             std::optional<bool> retain_graph, bool create_graph, const py::object& inputs) {
    const variable_list of = list_in(tensors), entering = list_or_nothing(grad_tensors), only = list_or_nothing(inputs);
    const py::gil_scoped_release release;
    autograd::backward(of, entering, retain_graph, create_graph, only);
  });
  module.def("_grad", [](const py::object& outputs, const py::object& inputs, const py::object& grad_outputs,
                         std::optional<bool> retain_graph, bool create_graph, bool allow_unused) {
    const variable_list of = list_in(outputs), by = list_in(inputs), entering = list_or_nothing(grad_outputs);
    const py::gil_scoped_release release;
    return TensorTuple(autograd::grad(of, by, entering, retain_graph, create_graph, allow_unused));
  });
  const auto lists = [](const std::vector<variable_list>& all) {
    py::list result;
    for (const variable_list& one : all) result.append(py::cast(TensorList(one)));
    return result;
  };
  namespace functional = autograd::functional;
  module.def("_jacobian", [lists](const py::function& f, const py::object& inputs, bool create_graph) {
    return lists(functional::jacobian(function_of(f), list_in(inputs), create_graph));
  });
  module.def("_hessian", [lists](const py::function& f, const py::object& inputs, bool create_graph) {
    return lists(functional::hessian(function_of(f), list_in(inputs), create_graph));
  });
  const auto pair = [](const auto& result) {
    return std::pair(TensorTuple(variable_list(result.first)), TensorTuple(result.second));
  };
  module.def("_vjp", [pair](const py::function& f, const py::object& inputs, const py::object& v, bool create_graph) {
    return pair(functional::vjp(function_of(f), list_in(inputs), list_or_nothing(v), create_graph));
  });
  module.def("_jvp", [pair](const py::function& f, const py::object& inputs, const py::object& v, bool create_graph) {
    return pair(functional::jvp(function_of(f), list_in(inputs), list_in(v), create_graph));
  });
  const auto one_and_list = [](const std::pair<Tensor, variable_list>& result) {
    return std::pair(result.first, TensorTuple(result.second));
  };
  module.def("_hvp",
             [one_and_list](const py::function& f, const py::object& inputs, const py::object& v, bool create_graph) {
               return one_and_list(functional::hvp(function_of(f), list_in(inputs), list_in(v), create_graph));
             });
  module.def("_vhp",
             [one_and_list](const py::function& f, const py::object& inputs, const py::object& v, bool create_graph) {
               return one_and_list(functional::vhp(function_of(f), list_in(inputs), list_in(v), create_graph));
             });
  const auto check = [](bool second) {
    return [second](const py::function& f, const py::object& inputs, double eps, double atol, double rtol,
                    bool raise_exception) {
      autograd::GradcheckOptions options;
      options.eps = eps;
      options.atol = atol;
      options.rtol = rtol;
      options.raise_exception = raise_exception;
      return second ? autograd::gradgradcheck(function_of(f), list_in(inputs), {}, options)
                    : autograd::gradcheck(function_of(f), list_in(inputs), options);
    };
  };
  module.def("gradcheck", check(false), "func"_a, "inputs"_a, py::kw_only(), "eps"_a = 1e-6, "atol"_a = 1e-5,
             "rtol"_a = 1e-3, "raise_exception"_a = true, "Compares a function's gradients with differences.");
  module.def("gradgradcheck", check(true), "func"_a, "inputs"_a, py::kw_only(), "eps"_a = 1e-6, "atol"_a = 1e-5,
             "rtol"_a = 1e-3, "raise_exception"_a = true, "The same for second derivatives.");
  module.def("_checkpoint", [](const py::function& f, const py::object& inputs, bool preserve_rng_state) {
    return TensorTuple(autograd::checkpoint(function_of(f), list_in(inputs), preserve_rng_state));
  });
  module.def("to_dot", &autograd::to_dot, "root"_a, "The graph that computed a tensor, in Graphviz's language.");
  module.def(
      "to_text", [](const Tensor& root) { return autograd::to_text(root, false); }, "root"_a,
      "The graph that computed a tensor, as a tree of text.");
  py::class_<Replay>(module, "Replay", "A step of training, recorded once and then run again without building a graph.")
      .def(py::init([](const py::function& step) { return Replay([step] { step(); }); }), "step"_a)
      .def("__call__", &Replay::operator(), Release())
      .def_property_readonly("passes", &Replay::passes)
      .def_property_readonly("buffer_bytes", &Replay::buffer_bytes);
}

}  // namespace wengert::python
