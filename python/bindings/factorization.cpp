#include <bindings/casters.h>
#include <factorize/fit/fit.h>
#include <factorize/fit/mean_of_fits.h>
#include <factorize/model/entries.h>
#include <factorize/model/row_solver.h>

#include <chrono>

// The fits of the program factorize, for wengert.MatrixFactorization.

namespace wengert::python {
namespace {

using factorize::Entries;
using factorize::FitOptions;
using factorize::FitResult;
using factorize::Predictor;
using factorize::Running;

// Entries of a matrix (n, m): rows and columns Long (nnz), values (nnz) of the dtype that is computed in.
Entries entries_of(const Tensor& rows, const Tensor& columns, const Tensor& values, const OptionalTensor& weights,
                   int64_t n, int64_t m) {
  SparsePattern pattern(rows, columns, n, m);
  const Tensor order = pattern.order();
  Entries entries{std::move(pattern), values.index_select(0, order), {}, static_cast<double>(values.numel())};
  if (weights) {
    entries.weights = weights->index_select(0, order);
    entries.count = entries.weights.sum(kDouble).item<double>();
  }
  return entries;
}

template <class T>
T named(const py::handle& value, const std::vector<std::pair<std::string, T>>& names, const char* what) {
  const auto name = py::cast<std::string>(value);
  for (const auto& [known, meant] : names) {
    if (known == name) return meant;
  }
  throw py::value_error(std::string(what) + " '" + name + "' is not known");
}

FitOptions options_in(const py::dict& given) {
  using factorize::Center;
  FitOptions options;
  const auto set = [&]<class T>(const char* name, T& member) {
    if (given.contains(name) && !given[name].is_none()) member = py::cast<T>(given[name]);
  };
  set("rank", options.rank);
  set("iterations", options.iterations);
  set("nonnegative", options.nonnegative);
  set("l2", options.l2);
  set("l2_bias", options.l2_bias);
  set("l2_by_count", options.l2_by_count);
  set("seed", options.seed);
  set("dtype", options.dtype);
  set("tolerance", options.tolerance);
  set("lr", options.lr);
  set("biases", options.biases);
  set("huber_delta", options.huber_delta);
  set("alpha", options.alpha);
  set("fits", options.fits);
  options.optimizer = named(given["optimizer"], factorize::optimizer_names(), "optimizer");
  options.loss = named(given["loss"], factorize::loss_names(), "loss");
  options.feedback = named(given["feedback"], factorize::feedback_names(), "feedback");
  options.center = named<Center>(
      given["center"], {{"none", Center::kNone}, {"global", Center::kGlobal}, {"columns", Center::kColumns}}, "center");
  return options;
}

// Tells a function of Python's of the progress, ten times a second; what it raises ends the fit.
Running running_with(const py::object& progress) {
  Running running;
  if (progress.is_none()) return running;
  using Clock = std::chrono::steady_clock;
  const auto last = std::make_shared<Clock::time_point>();
  running.on_iteration = [progress, last](int64_t iteration, double loss) {
    const Clock::time_point now = Clock::now();
    if (now - *last < std::chrono::milliseconds(100)) return;
    *last = now;
    const py::gil_scoped_acquire acquire;
    progress(iteration, loss);
  };
  return running;
}

// What the model adds to all elements of a row that has no bias.
double level_of(const FitResult& result, const Predictor& predictor) {
  const double first = predictor.row_levels()[0].item<double>();
  return result.row_bias.defined() ? first - result.row_bias[0].item<double>() : first;
}

}  // namespace

void bind_factorization(Binder& binder) {
  py::module_& module = binder.module();
  py::class_<FitResult>(module, "_Factorization", "What a fit leaves.")
      .def_readonly("C", &FitResult::C)
      .def_readonly("F", &FitResult::F)
      .def_readonly("offset", &FitResult::offset)
      .def_readonly("mean", &FitResult::mean)
      .def_readonly("row_bias", &FitResult::row_bias)
      .def_readonly("column_bias", &FitResult::column_bias)
      .def_readonly("losses", &FitResult::losses)
      .def_readonly("iterations", &FitResult::iterations)
      .def_readonly("l2", &FitResult::l2)
      .def_readonly("seconds", &FitResult::seconds)
      .def_readonly("used_rank", &FitResult::used_rank)
      .def_property_readonly("rmse", [](const FitResult& self) { return ::sqrt(self.squared_error / self.count); })
      .def_property_readonly("stop", [](const FitResult& self) { return factorize::name_of(self.stop); })
      .def(
          "at",
          [](const FitResult& self, const Tensor& rows, const Tensor& columns) {
            const NoGradGuard no_grad;
            const Predictor predictor(self);
            return predictor.at(rows, columns);
          },
          Release())
      .def(
          "scores",
          [](const FitResult& self, const Tensor& factors) {
            const NoGradGuard no_grad;
            return Predictor(self).scores(factors);
          },
          Release())
      // To be pickled, and copied: what new rows and predictions need.
      .def("__getstate__",
           [](const FitResult& self) {
             py::dict state;
             factorize::for_each_tensor(self, [&](const char* name, const Tensor& tensor) { state[name] = tensor; });
             state["mean"] = self.mean;
             state["loss"] = factorize::name_of(self.loss, factorize::loss_names());
             state["feedback"] = factorize::name_of(self.feedback, factorize::feedback_names());
             state["numbers"] = std::vector<double>{self.huber_delta, self.alpha, self.nonnegative ? 1.0 : 0.0,
                                                    self.penalties_by_count ? 1.0 : 0.0, self.expected_curvature};
             return state;
           })
      .def(py::init([](const py::dict& state) {
        FitResult result;
        factorize::for_each_tensor(result, [&](const char* name, Tensor& tensor) {
          if (!state[name].is_none()) tensor = py::cast<Tensor>(state[name]);
        });
        result.mean = py::cast<double>(state["mean"]);
        result.loss = named(state["loss"], factorize::loss_names(), "loss");
        result.feedback = named(state["feedback"], factorize::feedback_names(), "feedback");
        const auto numbers = py::cast<std::array<double, 5>>(state["numbers"]);
        result.huber_delta = numbers[0];
        result.alpha = numbers[1];
        result.nonnegative = numbers[2] != 0;
        result.penalties_by_count = numbers[3] != 0;
        result.expected_curvature = numbers[4];
        return result;
      }))
      // Of rows with these factors (n, k) and biases (n), all elements: (n, m).
      .def(
          "rows",
          [](const FitResult& self, const Tensor& factors, const OptionalTensor& bias) {
            const NoGradGuard no_grad;
            const Predictor predictor(self);
            Tensor x = predictor.scores(factors) + level_of(self, predictor);
            if (bias) x = x + bias->unsqueeze(1);
            return predictor.predicted(x);
          },
          Release())
      // The factors and biases of new rows, from their entries.
      .def(
          "solve",
          [](const FitResult& self, const Tensor& rows, const Tensor& columns, const Tensor& values, int64_t n) {
            const NoGradGuard no_grad;
            const Predictor predictor(self);
            const factorize::RowSolver::Rows solved = factorize::RowSolver(predictor).solve(
                entries_of(rows, columns, values, std::nullopt, n, self.columns()), arange(self.columns()));
            return TensorTuple({solved.factors, solved.bias});
          },
          Release());
  module.def("_factorize_matrix", [](const Tensor& matrix, const py::dict& given, const py::object& progress) {
    const FitOptions options = options_in(given);
    const Running running = running_with(progress);
    const py::gil_scoped_release release;
    return factorize::fit(matrix, options, running);
  });
  module.def("_factorize_entries", [](const Tensor& rows, const Tensor& columns, const Tensor& values,
                                      const OptionalTensor& weights, int64_t n, int64_t m, const py::dict& given,
                                      const py::object& progress) {
    const FitOptions options = options_in(given);
    const Running running = running_with(progress);
    const py::gil_scoped_release release;
    return factorize::fit_several(factorize::Share(entries_of(rows, columns, values, weights, n, m)), options, running);
  });
}

}  // namespace wengert::python
