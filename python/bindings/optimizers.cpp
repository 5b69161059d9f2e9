#include <bindings/casters.h>
#include <bindings/files.h>
#include <wengert/optim/optim.h>

namespace wengert::python {
namespace {

using optim::Optimizer;
using optim::OptimizerOptions;
using optim::OptimizerParamGroup;

// A hyperparameter by PyTorch's name.
struct Option {
  const char* name;
  void (*set)(OptimizerOptions&, const py::handle&);
  py::object (*get)(const OptimizerOptions&);
};
using Table = std::vector<Option>;

#define OPTION(Options, name)                                                                            \
  Option {                                                                                               \
#name,                                                                                                 \
        [](OptimizerOptions& options, const py::handle& value) {                                           \
          auto& own = static_cast<optim::Options&>(options);                                               \
          using Value = std::decay_t<decltype(own.name())>;                                                \
          own.name(py::cast<Value>(value));                                                                \
        },                                                                                                 \
        [](const OptimizerOptions& options) -> py::object {                                                \
          return py::cast(static_cast<const optim::Options&>(options).name());                             \
        } \
  }

const Option& find(const Table& table, const std::string& name, const char* optimizer) {
  for (const Option& option : table) {
    if (name == option.name) return option;
  }
  throw py::type_error(std::string(optimizer) + " has no option '" + name + "'");
}

// One of an optimizer's groups, as a mapping.
struct Group {
  OptimizerParamGroup& group() const { return optimizer->param_groups()[index]; }
  Optimizer* optimizer;
  size_t index;
  const Table* table;
  const char* name;
};

// A dictionary of "params", a tensor or several, and options, which are set in `options`.
OptimizerParamGroup group_in(const py::dict& given, std::unique_ptr<OptimizerOptions> options, const Table& table,
                             const char* name) {
  std::vector<Tensor> tensors;
  for (const auto& [key, value] : given) {
    const auto option = py::cast<std::string>(key);
    if (option != "params") {
      find(table, option, name).set(*options, value);
    } else if (is_tensor(value.ptr())) {
      tensors.push_back(tensor_in(value.ptr()));
    } else {
      tensors = py::cast<std::vector<Tensor>>(py::list(py::reinterpret_borrow<py::object>(value)));
    }
  }
  return OptimizerParamGroup(std::move(tensors), std::move(options));
}

// The groups that PyTorch takes: tensors, or dictionaries of "params" and options.
template <class Options>
std::vector<OptimizerParamGroup> groups_in(const py::object& params, const Options& defaults, const Table& table,
                                           const char* name) {
  if (is_tensor(params.ptr())) {
    throw py::type_error(
        "params argument given to the optimizer should be an iterable of Tensors or dicts, but got Tensor");
  }
  std::vector<Tensor> plain;
  std::vector<OptimizerParamGroup> groups;
  for (const py::handle item : py::reinterpret_borrow<py::iterable>(params)) {
    if (is_tensor(item.ptr())) {
      plain.push_back(tensor_in(item.ptr()));
      continue;
    }
    if (!py::isinstance<py::dict>(item)) throw py::type_error("optimizer can only optimize Tensors");
    groups.push_back(
        group_in(py::reinterpret_borrow<py::dict>(item), std::make_unique<Options>(defaults), table, name));
  }
  if (!plain.empty()) groups.emplace_back(std::move(plain));
  if (groups.empty()) throw py::value_error("optimizer got an empty parameter list");
  return groups;
}

// The table of each class, by its type.
std::map<const std::type_info*, std::pair<const Table*, const char*>>& tables() {
  static std::map<const std::type_info*, std::pair<const Table*, const char*>> all;
  return all;
}

template <class Optim, class Options>
void bind_optimizer(py::module_& module, const char* name, const Options& usual, Table given) {
  const Table& table = *new Table(std::move(given));  // for as long as the program runs
  tables()[&typeid(Optim)] = {&table, name};
  py::class_<Optim, Optimizer>(module, name)
      .def(py::init([&table, name, usual](const py::object& params, const py::args& args, const py::kwargs& kwargs) {
             Options defaults = usual;
             if (args.size() > table.size()) throw py::type_error(std::string(name) + " takes fewer arguments");
             for (size_t i = 0; i < args.size(); ++i) table[i].set(defaults, args[i]);
             for (const auto& [key, value] : kwargs) find(table, py::cast<std::string>(key), name).set(defaults, value);
             return std::make_unique<Optim>(groups_in(params, defaults, table, name), defaults);
           }),
           "params"_a);
}

// One number for all groups, or one each.
optim::PerGroup per_group(const py::object& value) {
  if (py::isinstance<py::sequence>(value)) return py::cast<std::vector<double>>(value);
  return py::cast<double>(value);
}

void bind_schedulers(py::module_& module) {
  using namespace optim;  // NOLINT
  using Alive = py::keep_alive<1, 2>;
  py::class_<LRScheduler, std::shared_ptr<LRScheduler>>(module, "LRScheduler")
      .def("step", [](LRScheduler& self) { self.step(); })
      .def("get_last_lr", &LRScheduler::get_last_lr)
      .def_property_readonly("last_epoch", &LRScheduler::last_epoch);
  const auto add = [&]<class T>(T*, const char* name, auto make, const auto&... arguments) {
    py::class_<T, LRScheduler, std::shared_ptr<T>>(module, name)
        .def(std::move(make), "optimizer"_a, arguments..., Alive());
  };
  add(static_cast<StepLR*>(nullptr), "StepLR", py::init<Optimizer&, int64_t, double>(), "step_size"_a, "gamma"_a = 0.1);
  add(static_cast<MultiStepLR*>(nullptr), "MultiStepLR", py::init<Optimizer&, const std::vector<int64_t>&, double>(),
      "milestones"_a, "gamma"_a = 0.1);
  add(static_cast<ConstantLR*>(nullptr), "ConstantLR", py::init<Optimizer&, double, int64_t>(), "factor"_a = 1.0 / 3,
      "total_iters"_a = 5);
  add(static_cast<LinearLR*>(nullptr), "LinearLR", py::init<Optimizer&, double, double, int64_t>(),
      "start_factor"_a = 1.0 / 3, "end_factor"_a = 1.0, "total_iters"_a = 5);
  add(static_cast<ExponentialLR*>(nullptr), "ExponentialLR", py::init<Optimizer&, double>(), "gamma"_a);
  add(static_cast<PolynomialLR*>(nullptr), "PolynomialLR", py::init<Optimizer&, int64_t, double>(), "total_iters"_a = 5,
      "power"_a = 1.0);
  add(static_cast<CosineAnnealingLR*>(nullptr), "CosineAnnealingLR", py::init<Optimizer&, int64_t, double>(), "T_max"_a,
      "eta_min"_a = 0.0);
  add(static_cast<CosineAnnealingWarmRestarts*>(nullptr), "CosineAnnealingWarmRestarts",
      py::init<Optimizer&, int64_t, int64_t, double>(), "T_0"_a, "T_mult"_a = 1, "eta_min"_a = 0.0);
  add(static_cast<LambdaLR*>(nullptr), "LambdaLR", py::init<Optimizer&, const std::function<double(int64_t)>&>(),
      "lr_lambda"_a);
  add(static_cast<MultiplicativeLR*>(nullptr), "MultiplicativeLR",
      py::init<Optimizer&, const std::function<double(int64_t)>&>(), "lr_lambda"_a);
  add(static_cast<OneCycleLR*>(nullptr), "OneCycleLR",
      py::init([](Optimizer& optimizer, const py::object& max_lr, int64_t total_steps, double pct_start,
                  const std::string& anneal, bool cycle_momentum, double div_factor, double final_div_factor,
                  bool three_phase) {
        OneCycleLROptions options;
        options.pct_start = pct_start;
        options.anneal_strategy = anneal;
        options.cycle_momentum = cycle_momentum;
        options.div_factor = div_factor;
        options.final_div_factor = final_div_factor;
        options.three_phase = three_phase;
        return std::make_shared<OneCycleLR>(optimizer, per_group(max_lr), total_steps, options);
      }),
      "max_lr"_a, "total_steps"_a, "pct_start"_a = 0.3, "anneal_strategy"_a = "cos", "cycle_momentum"_a = true,
      "div_factor"_a = 25.0, "final_div_factor"_a = 1e4, "three_phase"_a = false);
  add(static_cast<CyclicLR*>(nullptr), "CyclicLR",
      py::init([](Optimizer& optimizer, const py::object& base_lr, const py::object& max_lr, double step_size_up,
                  std::optional<double> step_size_down, const std::string& mode, double gamma, bool cycle_momentum) {
        CyclicLROptions options;
        options.step_size_up = step_size_up;
        options.step_size_down = step_size_down.value_or(0);
        options.mode = mode;
        options.gamma = gamma;
        options.cycle_momentum = cycle_momentum;
        return std::make_shared<CyclicLR>(optimizer, per_group(base_lr), per_group(max_lr), options);
      }),
      "base_lr"_a, "max_lr"_a, "step_size_up"_a = 2000.0, "step_size_down"_a = py::none(), "mode"_a = "triangular",
      "gamma"_a = 1.0, "cycle_momentum"_a = true);
  add(static_cast<SequentialLR*>(nullptr), "SequentialLR",
      py::init<Optimizer&, std::vector<std::shared_ptr<LRScheduler>>, std::vector<int64_t>>(), "schedulers"_a,
      "milestones"_a);
  py::class_<ReduceLROnPlateau>(module, "ReduceLROnPlateau")
      .def(py::init([](Optimizer& optimizer, const std::string& mode, double factor, int64_t patience, double threshold,
                       const std::string& threshold_mode, int64_t cooldown, const py::object& min_lr, double eps) {
             ReduceLROnPlateauOptions options;
             options.mode = mode;
             options.factor = factor;
             options.patience = patience;
             options.threshold = threshold;
             options.threshold_mode = threshold_mode;
             options.cooldown = cooldown;
             options.min_lr = per_group(min_lr);
             options.eps = eps;
             return std::make_unique<ReduceLROnPlateau>(optimizer, options);
           }),
           "optimizer"_a, "mode"_a = "min", "factor"_a = 0.1, "patience"_a = 10, "threshold"_a = 1e-4,
           "threshold_mode"_a = "rel", "cooldown"_a = 0, "min_lr"_a = 0.0, "eps"_a = 1e-8, Alive())
      .def(
          "step",
          [](ReduceLROnPlateau& self, const py::object& metrics) {
            self.step(is_tensor(metrics.ptr()) ? tensor_in(metrics.ptr()).item<double>() : py::cast<double>(metrics));
          },
          "metrics"_a)
      .def("get_last_lr", &ReduceLROnPlateau::get_last_lr);
}

}  // namespace

void bind_optimizers(Binder& binder) {
  using namespace optim;  // NOLINT
  py::module_ module = binder.module().def_submodule("optim", "The optimizers, and schedules of their rates.");
  py::class_<Group>(module, "ParamGroup", "The parameters and options of a group, as a mapping.")
      .def("__getitem__",
           [](const Group& self, const std::string& key) -> py::object {
             if (key == "params") return py::cast(self.group().params());
             return find(*self.table, key, self.name).get(self.group().options());
           })
      .def("__setitem__",
           [](const Group& self, const std::string& key, const py::object& value) {
             if (key == "params") {
               self.group().params() = py::cast<std::vector<Tensor>>(value);
             } else {
               find(*self.table, key, self.name).set(self.group().options(), value);
             }
           })
      .def("keys",
           [](const Group& self) {
             std::vector<std::string> keys{"params"};
             for (const Option& option : *self.table) keys.emplace_back(option.name);
             return keys;
           })
      .def("__iter__", [](const py::object& self) { return self.attr("keys")().attr("__iter__")(); });
  py::class_<Optimizer>(module, "Optimizer", "Changes parameters by their gradients, so that the loss falls.")
      .def(
          "step",
          [](Optimizer& self, const std::optional<py::function>& closure) {
            Optimizer::LossClosure call;
            if (closure) {
              call = [&closure] {
                const py::gil_scoped_acquire acquire;
                const py::object loss = (*closure)();
                return is_tensor(loss.ptr()) ? tensor_in(loss.ptr()) : Tensor();
              };
            }
            const py::gil_scoped_release release;
            return self.step(call);
          },
          "closure"_a = py::none())
      .def("zero_grad", &Optimizer::zero_grad, "set_to_none"_a = true)
      .def(
          "add_param_group",
          [](Optimizer& self, const py::dict& group) {
            const auto& [table, name] = tables().at(&typeid(self));
            self.add_param_group(group_in(group, self.defaults().clone(), *table, name));
          },
          "param_group"_a)
      .def_property_readonly(
          "param_groups",
          [](Optimizer& self) {
            const auto& [table, name] = tables().at(&typeid(self));
            py::list groups;
            for (size_t i = 0; i < self.param_groups().size(); ++i) groups.append(Group{&self, i, table, name});
            return groups;
          },
          py::keep_alive<0, 1>())
      // For python/wengert/optim/_state.py.
      .def("_saved",
           [](const Optimizer& self) {
             serialize::OutputArchive archive;
             self.save(archive);
             return contents_of(serialize::Input::bytes("state_dict", bytes_of(archive)));
           })
      .def("_load", [](Optimizer& self, const std::map<std::string, Tensor>& tensors,
                       const std::map<std::string, std::string>& texts) {
        serialize::InputArchive archive;
        archive.load_from(serialize::Input::bytes("load_state_dict", bytes_of(archive_of({tensors, texts}))));
        self.load(archive);
      });

  bind_optimizer<SGD>(module, "SGD", SGDOptions(1e-3),
                      {OPTION(SGDOptions, lr), OPTION(SGDOptions, momentum), OPTION(SGDOptions, dampening),
                       OPTION(SGDOptions, weight_decay), OPTION(SGDOptions, nesterov), OPTION(SGDOptions, maximize)});
  bind_optimizer<Adam>(
      module, "Adam", AdamOptions(),
      {OPTION(AdamOptions, lr), OPTION(AdamOptions, betas), OPTION(AdamOptions, eps), OPTION(AdamOptions, weight_decay),
       OPTION(AdamOptions, amsgrad), OPTION(AdamOptions, maximize)});
  bind_optimizer<AdamW>(
      module, "AdamW", AdamWOptions(),
      {OPTION(AdamWOptions, lr), OPTION(AdamWOptions, betas), OPTION(AdamWOptions, eps),
       OPTION(AdamWOptions, weight_decay), OPTION(AdamWOptions, amsgrad), OPTION(AdamWOptions, maximize)});
  bind_optimizer<Adagrad>(
      module, "Adagrad", AdagradOptions(),
      {OPTION(AdagradOptions, lr), OPTION(AdagradOptions, lr_decay), OPTION(AdagradOptions, weight_decay),
       OPTION(AdagradOptions, initial_accumulator_value), OPTION(AdagradOptions, eps)});
  bind_optimizer<RMSprop>(module, "RMSprop", RMSpropOptions(),
                          {OPTION(RMSpropOptions, lr), OPTION(RMSpropOptions, alpha), OPTION(RMSpropOptions, eps),
                           OPTION(RMSpropOptions, weight_decay), OPTION(RMSpropOptions, momentum),
                           OPTION(RMSpropOptions, centered), OPTION(RMSpropOptions, maximize)});
  bind_optimizer<Adadelta>(module, "Adadelta", AdadeltaOptions(),
                           {OPTION(AdadeltaOptions, lr), OPTION(AdadeltaOptions, rho), OPTION(AdadeltaOptions, eps),
                            OPTION(AdadeltaOptions, weight_decay), OPTION(AdadeltaOptions, maximize)});
  bind_optimizer<Adamax>(module, "Adamax", AdamaxOptions(),
                         {OPTION(AdamaxOptions, lr), OPTION(AdamaxOptions, betas), OPTION(AdamaxOptions, eps),
                          OPTION(AdamaxOptions, weight_decay), OPTION(AdamaxOptions, maximize)});
  bind_optimizer<NAdam>(
      module, "NAdam", NAdamOptions(),
      {OPTION(NAdamOptions, lr), OPTION(NAdamOptions, betas), OPTION(NAdamOptions, eps),
       OPTION(NAdamOptions, weight_decay), OPTION(NAdamOptions, momentum_decay), OPTION(NAdamOptions, maximize)});
  bind_optimizer<RAdam>(module, "RAdam", RAdamOptions(),
                        {OPTION(RAdamOptions, lr), OPTION(RAdamOptions, betas), OPTION(RAdamOptions, eps),
                         OPTION(RAdamOptions, weight_decay), OPTION(RAdamOptions, maximize)});
  bind_optimizer<ASGD>(module, "ASGD", ASGDOptions(),
                       {OPTION(ASGDOptions, lr), OPTION(ASGDOptions, lambd), OPTION(ASGDOptions, alpha),
                        OPTION(ASGDOptions, t0), OPTION(ASGDOptions, weight_decay), OPTION(ASGDOptions, maximize)});
  bind_optimizer<Rprop>(module, "Rprop", RpropOptions(),
                        {OPTION(RpropOptions, lr), OPTION(RpropOptions, etas), OPTION(RpropOptions, step_sizes),
                         OPTION(RpropOptions, maximize)});
  bind_optimizer<SparseAdam>(module, "SparseAdam", SparseAdamOptions(),
                             {OPTION(SparseAdamOptions, lr), OPTION(SparseAdamOptions, betas),
                              OPTION(SparseAdamOptions, eps), OPTION(SparseAdamOptions, maximize)});
  bind_optimizer<LBFGS>(module, "LBFGS", LBFGSOptions(),
                        {OPTION(LBFGSOptions, lr), OPTION(LBFGSOptions, max_iter), OPTION(LBFGSOptions, max_eval),
                         OPTION(LBFGSOptions, tolerance_grad), OPTION(LBFGSOptions, tolerance_change),
                         OPTION(LBFGSOptions, history_size), OPTION(LBFGSOptions, line_search_fn)});
  py::class_<AveragedParameters>(module, "AveragedParameters",
                                 "A running average of parameters: of equal weights, or exponential.")
      .def(py::init<std::vector<Tensor>, std::optional<double>>(), "parameters"_a, "decay"_a = py::none())
      .def("update_parameters", &AveragedParameters::update_parameters)
      .def("averages", &AveragedParameters::averages)
      .def("swap", &AveragedParameters::swap)
      .def_property_readonly("n_averaged", &AveragedParameters::n_averaged);
  py::module_ utils =
      binder.module().def_submodule("nn_utils", "Gradients kept within bounds; parameters as one vector.");
  const auto list_of = [](const py::object& parameters) {
    return is_tensor(parameters.ptr()) ? std::vector<Tensor>{tensor_in(parameters.ptr())}
                                       : py::cast<std::vector<Tensor>>(py::list(parameters));
  };
  utils.def(
      "clip_grad_norm_",
      [list_of](const py::object& parameters, double max_norm, double norm_type, bool error_if_nonfinite) {
        return tensor(nn::utils::clip_grad_norm_(list_of(parameters), max_norm, norm_type, error_if_nonfinite))
            .to(get_default_dtype());
      },
      "parameters"_a, "max_norm"_a, "norm_type"_a = 2.0, "error_if_nonfinite"_a = false);
  utils.def(
      "clip_grad_value_",
      [list_of](const py::object& parameters, double clip_value) {
        nn::utils::clip_grad_value_(list_of(parameters), clip_value);
      },
      "parameters"_a, "clip_value"_a);
  utils.def(
      "parameters_to_vector",
      [list_of](const py::object& parameters) { return nn::utils::parameters_to_vector(list_of(parameters)); },
      "parameters"_a);
  utils.def(
      "vector_to_parameters",
      [list_of](const Tensor& vec, const py::object& parameters) {
        nn::utils::vector_to_parameters(vec, list_of(parameters));
      },
      "vec"_a, "parameters"_a);
  py::module_ schedulers = module.def_submodule("lr_scheduler", "Schedules of learning rates.");
  bind_schedulers(schedulers);
}

}  // namespace wengert::python
