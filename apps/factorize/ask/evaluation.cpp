#include <factorize/ask/evaluation.h>
#include <factorize/fit/als.h>
#include <factorize/model/ranking.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <unordered_set>

namespace factorize {
namespace {

using wengert::Tensor;

constexpr double kOf95 = 1.96;  // standard deviations to either side

// A mean over entries, which vary together in a row: sum_i s_i / sum_i w_i.
struct MeanOfEntries {
  double value = 0, deviation = 0;
};
MeanOfEntries mean_of_entries(const Tensor& errors, const Entries& entries) {
  const auto of_rows = [&](const Tensor& x) {
    return wengert::SparseMatrix(entries.pattern, x).sum(1).to(wengert::kDouble);
  };
  const Tensor sums = of_rows(entries.weighted(errors)),
               weights = of_rows(entries.weighted(wengert::ones_like(errors)));
  const double all = weights.sum().item<double>();
  MeanOfEntries mean;
  mean.value = sums.sum().item<double>() / all;
  mean.deviation = std::sqrt((sums - weights * mean.value).square().sum().item<double>()) / all;
  return mean;
}

// The model without factors, fitted to the same entries; none where there are none, or no biases.
std::optional<Model> biases_alone(const SavedModel& saved) {
  const Model& model = saved.model;
  if (!saved.fitted || model.feedback != Feedback::kExplicit) return std::nullopt;
  const EntryRows& fitted = *saved.fitted;
  const Tensor counts = fitted.starts.narrow(0, 1, model.rows()) - fitted.starts.narrow(0, 0, model.rows());
  const wengert::SparsePattern pattern(wengert::arange(model.rows()).repeat_interleave(counts), fitted.columns,
                                       model.rows(), model.columns());
  Entries entries{pattern, fitted.values, fitted.weights, static_cast<double>(fitted.values.numel())};
  if (fitted.weights.defined()) entries.count = fitted.weights.sum(wengert::kDouble).item<double>();
  FitOptions options;
  options.loss = model.loss;
  options.huber_delta = model.huber_delta;
  const Biases biases = fit_biases(Share(entries), options);
  Model alone;
  alone.C = wengert::zeros({model.rows(), 1}, model.C.options());
  alone.F = wengert::zeros({1, model.columns()}, model.C.options());
  alone.mean = biases.mean;
  alone.row_bias = biases.rows;
  alone.column_bias = biases.columns;
  alone.loss = model.loss;
  alone.huber_delta = model.huber_delta;
  return alone;
}

// The columns ranked by how many entries each has, for every row.
Model popularity(const SavedModel& saved) {
  const Model& model = saved.model;
  Model popular;
  popular.C = wengert::zeros({model.rows(), 1}, model.C.options());
  popular.F = wengert::zeros({1, model.columns()}, model.C.options());
  popular.row_bias = wengert::zeros({model.rows()}, model.C.options());
  const Tensor& columns = saved.fitted->columns;
  popular.column_bias = wengert::zeros({model.columns()}, model.C.options())
                            .index_add(0, columns, wengert::ones({columns.numel()}, model.C.options()));
  return popular;
}

void add_errors(std::vector<Measure>& measures, const SavedModel& saved, const AskedEntries& asked,
                const std::optional<Model>& biases) {
  const Entries& entries = asked.entries;
  const auto errors_of = [&](const Model& model) {
    return entries.values - Predictor(model).at(asked.rows, asked.columns);
  };
  const Tensor errors = errors_of(saved.model), of_biases = biases ? errors_of(*biases) : Tensor();
  const MeanOfEntries squares = mean_of_entries(errors.square(), entries),
                      sizes = mean_of_entries(errors.abs(), entries);
  const auto root = [](double x) { return std::sqrt(std::max(0.0, x)); };
  Measure rmse{"rmse",
               root(squares.value),
               root(squares.value - kOf95 * squares.deviation),
               root(squares.value + kOf95 * squares.deviation),
               {},
               {}};
  Measure mae{"mae", sizes.value, sizes.value - kOf95 * sizes.deviation, sizes.value + kOf95 * sizes.deviation, {}, {}};
  if (of_biases.defined()) {
    rmse.biases = root(mean_of_entries(of_biases.square(), entries).value);
    mae.biases = mean_of_entries(of_biases.abs(), entries).value;
  }
  measures.push_back(rmse);
  measures.push_back(mae);
}

RankingMeasures ranked(const SavedModel& saved, const Model& model, const Relevant& relevant,
                       const RankingOptions& options) {
  const int64_t m = model.columns();
  const auto leave_out = [&](int64_t i, std::vector<int64_t>& out) {
    const int64_t row = relevant.rows[static_cast<size_t>(i)];
    const auto& wanted = relevant.columns[static_cast<size_t>(i)];
    // What is asked for stays in, should the model have seen it.
    saved.for_each_seen(row, [&](int64_t column) {
      if (!wanted.contains(column)) out.push_back(column);
    });
    if (!options.candidates) return;
    std::vector<bool> is_out(static_cast<size_t>(m));
    for (const int64_t column : out) is_out[static_cast<size_t>(column)] = true;
    std::vector<int64_t> others;
    for (int64_t j = 0; j < m; ++j) {
      if (!is_out[static_cast<size_t>(j)] && !wanted.contains(j)) others.push_back(j);
    }
    // The same for each model: those that are drawn stay.
    std::mt19937_64 generator(options.seed * 1000003 + static_cast<uint64_t>(row));
    std::shuffle(others.begin(), others.end(), generator);
    const auto kept = std::min<int64_t>(*options.candidates, static_cast<int64_t>(others.size()));
    out.insert(out.end(), others.begin() + kept, others.end());
  };
  return ranking_measures(Predictor(model), relevant, options.count, leave_out);
}

}  // namespace

std::vector<Measure> evaluate(const SavedModel& saved, const AskedEntries& asked, const RankingOptions& options) {
  const wengert::NoGradGuard no_grad;
  std::vector<Measure> measures;
  const std::optional<Model> biases = biases_alone(saved);
  if (saved.model.feedback == Feedback::kExplicit) add_errors(measures, saved, asked, biases);
  if (!saved.fitted) return measures;
  const Relevant relevant = relevant_of(asked.rows, asked.columns, asked.entries.values, options.least);
  if (relevant.rows.empty()) return measures;
  const RankingMeasures own = ranked(saved, saved.model, relevant, options),
                        of_popularity = ranked(saved, popularity(saved), relevant, options);
  const std::optional<RankingMeasures> of_biases =
      biases && biases->column_bias.defined() ? std::optional(ranked(saved, *biases, relevant, options)) : std::nullopt;
  for (size_t i = 0; i < own.means.size(); ++i) {
    const double mean = own.means[i].mean(), deviation = own.means[i].deviation();
    Measure measure{fmt::format("{}@{}", RankingMeasures::kNames[i], options.count),
                    mean,
                    mean - kOf95 * deviation,
                    mean + kOf95 * deviation,
                    of_popularity.means[i].mean(),
                    {}};
    if (of_biases) measure.biases = of_biases->means[i].mean();
    measures.push_back(measure);
  }
  Measure coverage{fmt::format("coverage@{}", options.count), own.coverage, {}, {}, of_popularity.coverage, {}};
  if (of_biases) coverage.biases = of_biases->coverage;
  measures.push_back(coverage);
  return measures;
}

}  // namespace factorize
