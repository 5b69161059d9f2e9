#include <factorize/report.h>
#include <fmt/format.h>
#include <wengert/autograd/serialize/safetensors.h>
#include <wengert/wengert.h>

#include <nlohmann/json.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <map>

namespace factorize {
namespace {

template <class T>
std::string name_of(T value, const std::vector<std::pair<std::string, T>>& names) {
  return std::find_if(names.begin(), names.end(), [&](const auto& name) { return name.second == value; })->first;
}

using nlohmann::ordered_json;
using wengert::Tensor;

std::string_view name_of(Stop stop) {
  switch (stop) {
    case Stop::kConverged: return "converged";
    case Stop::kIterations: return "iterations";
    case Stop::kInterrupted: return "interrupted";
    case Stop::kDiverged: return "diverged";
    case Stop::kValidation: return "validation";
  }
  return "";
}

std::string_view name_of(Center center) {
  switch (center) {
    case Center::kNone: return "none";
    case Center::kGlobal: return "global";
    case Center::kRows: return "rows";
    case Center::kColumns: return "columns";
  }
  return "";
}

bool is_whole(const Report& report) { return report.metrics.relative_error.has_value(); }

// JSON has no NaN; the library writes it as null.
ordered_json metrics_json(const Report& report) {
  const auto& [data, options, result, metrics, command] = report;
  ordered_json json{{"file", data.name}, {"found", data.found}, {"rows", data.rows}, {"columns", data.columns}};
  const auto put = [&](const char* name, const auto& value) {
    if (value) json[name] = *value;
  };
  if (!is_whole(report)) {
    json["entries"] = metrics.entries;
    json["duplicates"] = metrics.duplicates;
  }
  json["rank"] = result.C.size(1);
  if (!is_whole(report)) json["used_rank"] = result.used_rank;
  put("relative_error", metrics.relative_error);
  json["rmse"] = metrics.rmse;
  if (metrics.test_rmse) json["test_entries"] = metrics.test_entries;
  put("test_rmse", metrics.test_rmse);
  put("validation_rmse", result.validation_rmse);
  put("explained_variance", metrics.explained_variance);
  put("noise_variance", result.noise);
  json["squared_error"] = result.squared_error;
  // Sweeps of als may have a loss less than there are steps.
  const auto best = static_cast<size_t>(result.best_iteration);
  json["loss"] = result.losses.empty() ? std::nan("") : result.losses[std::min(best, result.losses.size() - 1)];
  json["stopped"] = name_of(result.stop);
  json["iterations"] = result.iterations;
  json["best_iteration"] = result.best_iteration;
  json["seconds"] = result.seconds;
  json["read_seconds"] = metrics.read_seconds;
  json["total_seconds"] = metrics.seconds;
  ordered_json& settings = json["options"];
  settings = {{"optimizer", name_of(result.optimizer, optimizer_names())}};
  if (result.optimizer != OptimizerKind::kAls) {
    settings["schedule"] = name_of(options.schedule, schedule_names());
    settings["lr"] = result.lr;
    settings["momentum"] = options.momentum;
  }
  settings["seed"] = options.seed;
  settings["dtype"] = result.C.dtype() == wengert::kFloat ? "float32" : "float64";
  settings["nonnegative"] = options.nonnegative;
  if (options.l2) {
    settings["l2"] = *options.l2;
  } else if (result.l2) {
    settings["l2_from_data"] = *result.l2;
  } else {
    settings["l2"] = 0.0;
  }
  if (is_whole(report)) {
    settings["center"] = name_of(options.center);
  } else {
    settings["loss"] = name_of(options.loss, loss_names());
    settings["biases"] = result.row_bias.defined();
    if (options.feedback != Feedback::kExplicit) {
      settings["implicit"] = options.feedback == Feedback::kAls ? "als" : "bpr";
      if (options.feedback == Feedback::kAls) settings["alpha"] = options.alpha;
    }
  }
  settings["scale"] = result.scale;
  json["command"] = command;
  json["version"] = wengert::kVersion;
  return json;
}

std::string losses_csv(const std::vector<double>& losses) {
  std::string text = "iteration,loss\n";
  for (size_t i = 0; i < losses.size(); ++i) fmt::format_to(std::back_inserter(text), "{},{:.9g}\n", i, losses[i]);
  return text;
}

std::string lines_of(const std::vector<std::string>& ids) {
  std::string text;
  for (const std::string& id : ids) text += id + '\n';
  return text;
}

std::string_view sentence_of(Stop stop) {
  switch (stop) {
    case Stop::kConverged: return "converged";
    case Stop::kIterations: return "used all iterations";
    case Stop::kInterrupted: return "interrupted";
    case Stop::kDiverged: return "diverged";
    case Stop::kValidation: return "stopped by the validation";
  }
  return "";
}

}  // namespace

Metrics metrics_of(const Tensor& matrix, const FitResult& result) {
  const double norm_squared = matrix.square().sum().item<double>();
  const double variance = (matrix - matrix.mean()).square().sum().item<double>();
  Metrics metrics;
  metrics.rmse = std::sqrt(result.squared_error / static_cast<double>(matrix.numel()));
  metrics.relative_error = std::sqrt(result.squared_error / norm_squared);
  metrics.explained_variance = 1 - result.squared_error / variance;
  return metrics;
}

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw wengert::Error(fmt::format("{}: {}", folder, error.message()));
}

void print_summary(const Report& report) {
  const auto& [data, options, result, metrics, command] = report;
  const char* step = result.optimizer == OptimizerKind::kAls ? "sweeps" : "iterations";
  fmt::print("{} after {} {} of {}, {:.2f} s\n", sentence_of(result.stop), result.iterations, step,
             name_of(result.optimizer, optimizer_names()), result.seconds);
  if (is_whole(report)) {
    fmt::print("relative error {:.6f}   rmse {:.6g}   explained variance {:.6f}\n", *metrics.relative_error,
               metrics.rmse, *metrics.explained_variance);
    return;
  }
  fmt::print("rank {}{}", result.C.size(1),
             result.used_rank < result.C.size(1) ? fmt::format(", of which {} are used", result.used_rank) : "");
  if (options.feedback == Feedback::kExplicit) {
    fmt::print("   rmse {:.6g}", metrics.rmse);
  } else if (!result.losses.empty()) {
    fmt::print("   loss {:.6g}", result.losses.back());
  }
  if (result.validation_rmse) fmt::print("   validation rmse {:.6g}", *result.validation_rmse);
  if (metrics.test_rmse) fmt::print("   test rmse {:.6g} ({} entries)", *metrics.test_rmse, metrics.test_entries);
  fmt::print("\n");
  if (metrics.duplicates > 0) fmt::print("{} entries were there more than once\n", metrics.duplicates);
  if (!result.factors_help) fmt::print("factors did not help: the biases alone do as well\n");
}

void write_results(const std::string& folder, const Report& report) {
  const FitResult& result = report.result;
  make_folder(folder);
  const std::filesystem::path into(folder);
  using wengert::serialize::Sink;
  using wengert::serialize::write_file;

  std::map<std::string, Tensor> tensors{{"C", result.C}, {"F", result.F}};
  if (result.offset.defined()) tensors["offset"] = result.offset;
  if (result.row_bias.defined()) {
    tensors["row_bias"] = result.row_bias;
    tensors["column_bias"] = result.column_bias;
  }
  for (const auto& [name, tensor] : tensors) wengert::save_npy(tensor, into / (name + ".npy"));
  tensors["mean"] = wengert::full({1}, result.mean, result.C.options());
  write_file(into / "row_ids.txt", lines_of(report.data.row_ids));
  write_file(into / "column_ids.txt", lines_of(report.data.column_ids));
  write_file(into / "loss.csv", losses_csv(result.losses));
  write_file(into / "metrics.json",
             metrics_json(report).dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
  write_file(into / "factors.safetensors", [&](const Sink& sink) {
    wengert::serialize::write_safetensors(sink, tensors, {{"loss", name_of(result.loss, loss_names())}});
  });
}

}  // namespace factorize
