#include <factorize/fit/report.h>
#include <factorize/fit/units.h>
#include <factorize/model/saved_model.h>
#include <factorize/report/report_page.h>
#include <factorize/terminal/table_writer.h>
#include <fmt/format.h>
#include <wengert/autograd/serialize/file.h>
#include <wengert/wengert.h>

#include <nlohmann/json.hpp>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <limits>
#include <numeric>

namespace factorize {
namespace {

using nlohmann::ordered_json;
using wengert::Tensor;

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
  const auto& [data, options, result, metrics, share, about, command] = report;
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
      settings["implicit"] = name_of(options.feedback, feedback_names());
      if (options.feedback == Feedback::kAls) settings["alpha"] = options.alpha;
    }
  }
  settings["scale"] = result.scale;
  for (const Metrics::OfProcess& each : metrics.processes) {
    json["processes"].push_back(
        {{"host", each.host}, {"bytes_sent", each.bytes_sent}, {"seconds_working", each.seconds}});
  }
  json["command"] = command;
  json["version"] = wengert::kVersion;
  return json;
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
    case Stop::kValidation: return "stopped by the validation";
  }
  return "";
}

// What tells a trial from others, for people.
std::string settings_of(const Trial& trial) {
  const FitOptions& options = trial.options;
  std::string text =
      fmt::format("{}, rank {}", name_of(options.optimizer, optimizer_names()), options.rank.value_or(0));
  const auto out = std::back_inserter(text);
  if (options.feedback == Feedback::kAls) fmt::format_to(out, ", alpha {:g}", options.alpha);
  if (options.l2) {
    fmt::format_to(out, ", l2 {:.3g}", *options.l2);
  } else if (options.optimizer == OptimizerKind::kAls) {
    fmt::format_to(out, ", l2 from the data");
  }
  if (options.lr) fmt::format_to(out, ", lr {:g}", *options.lr);
  if (options.fits > 1) fmt::format_to(out, ", the mean of {} fits", options.fits);
  fmt::format_to(out, ", {} iterations", trial.iterations);
  return text;
}

}  // namespace

Metrics metrics_of(const Processes& processes, const Tensor& own, const FitResult& result) {
  const auto sum = [&](const Tensor& x) { return processes.sum(x.sum().item<double>()); };
  const double unit = unit_of(processes.most(largest_of(own)));
  const Tensor scaled = unit == 1 ? own : own / unit;
  const double norm_squared = sum(scaled.square()) * unit * unit;
  const Tensor mean = processes.are_several() ? processes.sum(scaled.sum()) / result.count : scaled.mean();
  const double variance = sum((scaled - mean).square()) * unit * unit;
  Metrics metrics;
  metrics.rmse = std::sqrt(result.squared_error / result.count);
  // Of no part of nothing, and of some error where nothing varies.
  const auto part_of = [&](double whole, double else_part) {
    return whole > 0 ? result.squared_error / whole : result.squared_error > 0 ? else_part : 0;
  };
  metrics.relative_error = std::sqrt(part_of(norm_squared, std::numeric_limits<double>::infinity()));
  metrics.explained_variance = 1 - part_of(variance, 1);
  return metrics;
}

std::vector<Metrics::OfProcess> work_of_each(const Processes& processes, double seconds, double waited_before) {
  if (!processes.are_several()) return {};
  const std::vector<std::string> hosts = processes.of_each(processes.host());
  const std::vector<int64_t> bytes = processes.of_each(processes.bytes_sent());
  const std::vector<double> working = processes.of_each(seconds - (processes.seconds_waited() - waited_before));
  std::vector<Metrics::OfProcess> each;
  for (size_t p = 0; p < hosts.size(); ++p) each.push_back({hosts[p], bytes[p], working[p]});
  return each;
}

void make_folder(const std::string& folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw wengert::Error(fmt::format("{}: {}", folder, error.message()));
}

namespace {

// Names a process for which the others waited.
void print_slowest(const std::vector<Metrics::OfProcess>& processes) {
  constexpr double kSlow = 1.5, kNothing = 0.1;  // times the others' median; seconds
  if (processes.size() < 2) return;
  std::vector<double> seconds;
  seconds.reserve(processes.size());
  for (const Metrics::OfProcess& each : processes) seconds.push_back(each.seconds);
  const auto slowest = static_cast<size_t>(std::max_element(seconds.begin(), seconds.end()) - seconds.begin());
  const double most = seconds[slowest];
  seconds.erase(seconds.begin() + static_cast<int64_t>(slowest));
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<int64_t>(seconds.size() / 2), seconds.end());
  const double usual = seconds[seconds.size() / 2];
  if (most < kSlow * usual || most - usual < kNothing) return;
  fmt::print("process {} on {} was slow: {:.2f} s of work, where the others had {:.2f} s\n", slowest,
             processes[slowest].host, most, usual);
}

}  // namespace

void print_summary(const Report& report) {
  const auto& [data, options, result, metrics, share, about, command] = report;
  const char* step = result.optimizer == OptimizerKind::kAls ? "sweeps" : "iterations";
  fmt::print("{} after {} {} of {}, {:.2f} s\n", sentence_of(result.stop), result.iterations, step,
             name_of(result.optimizer, optimizer_names()), result.seconds);
  print_slowest(metrics.processes);
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
  if (!result.factors_help) {
    fmt::print("factors did not help: {} as well\n", result.row_bias.defined() ? "the biases alone do" : "zeros do");
  }
}

void write_results(const std::string& folder, const Report& report, const Processes& processes) {
  if (processes.is_first()) make_folder(folder);
  const std::filesystem::path into(folder);
  using wengert::serialize::write_file;
  const auto write_beside = [&] {
    write_file(into / "loss.csv", losses_csv(report.result.losses));
    write_file(into / "metrics.json",
               metrics_json(report).dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n");
  };
  const bool are_several = processes.are_several();
  save_model(folder, report.result, are_several ? report.data.names_of_rows.own : report.data.row_ids,
             are_several ? report.data.names_of_columns.own : report.data.column_ids, report.share, write_beside,
             processes);
}

void write_holdout(const std::string& folder, const Data& data, const Processes& processes) {
  const Ratings& test = *data.test;
  Output output;
  output.file = (std::filesystem::path(folder) / "holdout.csv").string();
  const std::vector<std::string> header{"row", "column", "value"};
  if (!processes.are_several()) {
    const Names rows("row", data.row_ids, data.rows), columns("column", data.column_ids, data.columns);
    return write_table(output, header, [&](TableWriter& table) {
      for (size_t e = 0; e < test.size(); ++e)
        table.row({rows[test.rows[e]], columns[test.columns[e]], test.values[e]});
    });
  }
  std::string lines;
  const wengert::serialize::Sink add = [&](const void* bytes, size_t count) {
    lines.append(static_cast<const char*>(bytes), count);
  };
  output.has_header = processes.is_first();
  TableWriter table(add, header, output);
  const std::vector<std::string> rows = data.names_of_rows.at(processes, test.rows),
                                 columns = data.names_of_columns.at(processes, test.columns);
  for (size_t e = 0; e < test.size(); ++e) table.row({rows[e], columns[e], test.values[e]});
  table.finish();
  write_together(processes, output.file, lines);
}

namespace {

// The entries that a page shows, in the first process: those of the test, or all; of several processes at most about
// kMost, as they come.
std::optional<Entries> shown_entries(const Report& report, const Processes& processes) {
  const Share* share = report.share;
  const Entries own = share == nullptr ? entries_of(std::get<Tensor>(report.data.content))
                      : share->test    ? *share->test
                                       : share->of_rows;
  if (!processes.are_several()) return own;
  constexpr double kMost = 2e6;
  const double part = kMost / processes.sum(static_cast<double>(own.size()));
  wengert::manual_seed(report.options.seed + static_cast<uint64_t>(processes.index()));
  const Tensor some = wengert::rand({own.size()}).lt(part).nonzero().squeeze(1);
  const auto gathered = [&](const Tensor& x) { return processes.all_at_first(x.index_select(0, some)); };
  Tensor columns = own.pattern.col_indices();
  if (share != nullptr) columns = share->columns.positions().index_select(0, columns);
  const Tensor rows = gathered(rows_of(own.pattern) + (share != nullptr ? share->rows.begin() : report.data.first_row)),
               columns_at_first = gathered(columns), values = gathered(own.values);
  if (!processes.is_first()) return std::nullopt;
  return Entries{wengert::SparsePattern(rows, columns_at_first, report.data.rows, report.data.columns),
                 values,
                 {},
                 static_cast<double>(values.numel())};
}

// In the first process.
std::vector<std::string> all_names(const NamesOfAll& names, const Processes& processes) {
  std::vector<int32_t> positions(processes.is_first() ? static_cast<size_t>(names.count) : 0);
  std::iota(positions.begin(), positions.end(), 0);
  return names.at(processes, positions);
}

}  // namespace

void write_page(const std::string& file, const Report& report, const Processes& processes, const Tuning* tuning) {
  const FitResult& result = report.result;
  const Data& data = report.data;
  const std::optional<Entries> known = shown_entries(report, processes);
  const bool are_several = processes.are_several();
  const std::vector<std::string> row_ids = are_several ? all_names(data.names_of_rows, processes) : data.row_ids,
                                 column_ids =
                                     are_several ? all_names(data.names_of_columns, processes) : data.column_ids;
  if (!processes.is_first()) return;
  const Names rows("row", row_ids, data.rows), columns("column", column_ids, data.columns);
  ReportPage page("factorize: " + report.data.name, report.about);
  const auto add_facts = [&](const ordered_json& facts) {
    for (const auto& [name, value] : facts.items()) {
      if (!value.is_structured() && name != "file" && name != "found") page.add_fact(name, value);
    }
  };
  const ordered_json metrics = metrics_json(report);
  add_facts(metrics);
  add_facts(metrics["options"]);
  page.add_losses(result.losses, result.validations);
  if (tuning != nullptr) {
    ordered_json trials = ordered_json::array();
    for (const Trial& trial : tuning->trials) {
      trials.push_back(
          {{"label", settings_of(trial)}, {"measure", rounded(trial.measure, 6)}, {"best", trial.is_best}});
    }
    page.add_trials(tuning->is_error ? "validation rmse" : "validation ndcg@10", std::move(trials));
  }
  page.add_errors(result, *known, rows, columns);
  page.add_factors(result, rows, columns);
  if (are_several) {
    ordered_json lines = ordered_json::array();
    for (const auto& [host, bytes_sent, seconds] : report.metrics.processes) {
      lines.push_back({lines.size(), host, bytes_sent, rounded(seconds, 4)});
    }
    page.add_table("Processes", {"process", "host", "bytes sent", "seconds of work"}, std::move(lines));
  }
  page.write(file);
}

std::string description(const Trial& trial, bool is_error) {
  return fmt::format("{:6.1f} s  {}: {} {:.5f}{}", trial.seconds, settings_of(trial), is_error ? "rmse" : "ndcg@10",
                     trial.measure, trial.is_best ? "  best" : "");
}

void write_trials(const std::string& folder, const Tuning& tuning) {
  Output output;
  output.file = (std::filesystem::path(folder) / "tune.csv").string();
  const auto number = [](const std::optional<double>& value) { return value ? Cell(*value) : Cell(); };
  write_table(output,
              {"seconds", "optimizer", "rank", "l2", "lr", "alpha", "fits", "iterations",
               tuning.is_error ? "validation_rmse" : "validation_ndcg@10", "best"},
              [&](TableWriter& table) {
                for (const Trial& trial : tuning.trials) {
                  const FitOptions& options = trial.options;
                  const bool has_alpha = options.feedback == Feedback::kAls;
                  table.row({static_cast<float>(trial.seconds), name_of(options.optimizer, optimizer_names()),
                             options.rank.value_or(0), number(options.l2), number(options.lr),
                             has_alpha ? Cell(options.alpha) : Cell(), options.fits, trial.iterations,
                             static_cast<float>(trial.measure), int64_t{trial.is_best}});
                }
              });
}

}  // namespace factorize
