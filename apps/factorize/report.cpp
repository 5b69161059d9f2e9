#include <factorize/report.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <nlohmann/json.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>

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

struct Metrics {
  double relative_error;      // |D - D_hat| / |D|, Frobenius norms; NaN for D = 0
  double rmse;                // sqrt(mean (D - D_hat)^2), in D's units
  double explained_variance;  // 1 - sum (D - D_hat)^2 / sum (D - mean D)^2; NaN for a constant D
};

Metrics metrics_of(const Tensor& matrix, const FitResult& result) {
  const double norm_squared = matrix.square().sum().item<double>();
  const double variance = (matrix - matrix.mean()).square().sum().item<double>();
  return {std::sqrt(result.squared_error / norm_squared),
          std::sqrt(result.squared_error / static_cast<double>(matrix.numel())), 1 - result.squared_error / variance};
}

// JSON has no NaN; the library writes it as null.
ordered_json metrics_json(const std::string& file, const Tensor& matrix, const FitOptions& options,
                          const FitResult& result) {
  const Metrics metrics = metrics_of(matrix, result);
  return {{"file", file},
          {"rows", matrix.size(0)},
          {"columns", matrix.size(1)},
          {"rank", options.rank},
          {"relative_error", metrics.relative_error},
          {"rmse", metrics.rmse},
          {"explained_variance", metrics.explained_variance},
          {"squared_error", result.squared_error},
          {"loss", result.losses.empty() ? std::nan("") : result.losses[static_cast<size_t>(result.best_iteration)]},
          {"stopped", name_of(result.stop)},
          {"iterations", result.iterations},
          {"best_iteration", result.best_iteration},
          {"seconds", result.seconds},
          {"options",
           {{"optimizer", name_of(options.optimizer, optimizer_names())},
            {"schedule", name_of(options.schedule, schedule_names())},
            {"lr", result.lr},
            {"momentum", options.momentum},
            {"seed", options.seed},
            {"dtype", options.dtype == wengert::kFloat ? "float32" : "float64"},
            {"tolerance", options.tolerance},
            {"nonnegative", options.nonnegative},
            {"l2", options.l2},
            {"center", name_of(options.center)},
            {"scale", result.scale}}},
          {"version", wengert::kVersion}};
}

std::string losses_csv(const std::vector<double>& losses) {
  std::string text = "iteration,loss\n";
  for (size_t i = 0; i < losses.size(); ++i) fmt::format_to(std::back_inserter(text), "{},{:.9g}\n", i, losses[i]);
  return text;
}

std::string_view sentence_of(Stop stop) {
  switch (stop) {
    case Stop::kConverged: return "converged";
    case Stop::kIterations: return "used all iterations";
    case Stop::kInterrupted: return "interrupted";
    case Stop::kDiverged: return "diverged";
  }
  return "";
}

}  // namespace

void print_summary(const std::string& file, const Tensor& matrix, const FitOptions& options, const FitResult& result) {
  const Metrics metrics = metrics_of(matrix, result);
  fmt::print("{}: {} x {}, rank {}\n", file, matrix.size(0), matrix.size(1), options.rank);
  fmt::print("{} after {} iterations, {:.2f} s\n", sentence_of(result.stop), result.iterations, result.seconds);
  fmt::print("relative error {:.6f}   rmse {:.6g}   explained variance {:.6f}\n", metrics.relative_error, metrics.rmse,
             metrics.explained_variance);
}

void write_results(const std::string& folder, const std::string& file, const Tensor& matrix, const FitOptions& options,
                   const FitResult& result) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw wengert::Error(fmt::format("{}: {}", folder, error.message()));
  const std::filesystem::path into(folder);
  wengert::save_npy(result.C, into / "C.npy");
  wengert::save_npy(result.F, into / "F.npy");
  if (result.offset.defined()) wengert::save_npy(result.offset, into / "offset.npy");
  wengert::serialize::write_file(into / "metrics.json", metrics_json(file, matrix, options, result).dump(2) + "\n");
  wengert::serialize::write_file(into / "loss.csv", losses_csv(result.losses));
}

}  // namespace factorize
