// Times Wengert beside libtorch and beside code written by hand, in one process, taking turns: a busy machine then
// slows all of them alike. Prints Markdown tables of medians and their ratios, and with --json writes them to a file.

#include "chart.h"
#include "contenders.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <vector>

namespace {

using namespace bench;

constexpr const char* kPowTable = "sum(pow(D - D_hat, 2))";
constexpr const char* kMseTable = "mse_loss(D_hat, D, Sum)";

struct Settings {
  int rounds = 9;
  double sample_seconds = 0.02;
  std::string only;
  std::string json_file;
  std::string svg_file;
};

struct Timed {
  std::string name;
  Step step;
  int64_t iterations = 1;
  std::vector<double> nanoseconds = {};

  double run(int64_t count) {
    const auto start = std::chrono::steady_clock::now();
    for (int64_t i = 0; i < count; ++i) step();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  void warm_up(double seconds) {
    run(2);
    for (double taken = run(iterations); taken < seconds; taken = run(iterations)) {
      const double wanted = seconds / std::max(taken, 1e-9) * static_cast<double>(iterations);
      iterations = std::clamp(static_cast<int64_t>(wanted * 1.1), iterations + 1, 10 * iterations);
    }
  }
  double median() {
    std::nth_element(nanoseconds.begin(), nanoseconds.begin() + nanoseconds.size() / 2, nanoseconds.end());
    return nanoseconds[nanoseconds.size() / 2];
  }
};

class Bench {
 public:
  explicit Bench(const Settings& settings) : settings_(settings) {}

  bool wants(std::string_view table, std::string_view row) const {
    return settings_.only.empty() || fmt::format("{}/{}", table, row).find(settings_.only) != std::string::npos;
  }

  /// Medians in nanoseconds, each divided by `parts`: of the versions, in their order.
  std::vector<double> time(std::string_view table, std::string_view row, std::vector<Timed> versions, int parts = 1) {
    for (Timed& version : versions) version.warm_up(settings_.sample_seconds);
    for (int round = 0; round < settings_.rounds; ++round) {
      for (Timed& version : versions)
        version.nanoseconds.push_back(1e9 * version.run(version.iterations) / static_cast<double>(version.iterations) /
                                      parts);
    }
    std::vector<double> medians;
    nlohmann::ordered_json record = {{"table", table}, {"case", row}};
    for (Timed& version : versions) {
      medians.push_back(version.median());
      record[version.name] = medians.back();
    }
    results_.push_back(record);
    return medians;
  }

  void write() const {
    if (!settings_.json_file.empty()) std::ofstream(settings_.json_file) << results_.dump(1) << '\n';
    if (settings_.svg_file.empty()) return;
    std::vector<Bar> bars;
    for (const auto& result : results_) {
      if (!result.contains("libtorch") || result["table"] == "operation") continue;
      const std::string table = result["table"] == "chain" ? "chain" : "step";
      bars.push_back({fmt::format("{} {}", result["table"] == kMseTable ? "step, mse_loss," : table,
                                  result["case"].get<std::string>()),
                      result["libtorch"].get<double>() / result["wengert"].get<double>()});
    }
    std::ofstream(settings_.svg_file) << chart("libtorch's time over Wengert's, one thread", bars);
  }

 private:
  Settings settings_;
  nlohmann::ordered_json results_ = nlohmann::ordered_json::array();
};

void notebook_table(Bench& bench, Loss loss, std::string_view table) {
  fmt::print(
      "\n| {} | libtorch, ns | Wengert | replay | by hand | libtorch / Wengert | Wengert / hand | replay / hand "
      "|\n|---|---:|---:|---:|---:|---:|---:|---:|\n",
      table);
  for (const Size size : kSizes) {
    const std::string row = fmt::format("{},{},{}", size.n, size.m, size.k);
    if (!bench.wants(table, row)) continue;
    const auto t = bench.time(table, row,
                              {{"libtorch", libtorch().notebook(size, loss)},
                               {"wengert", wengert().notebook(size, loss)},
                               {"replay", replay().notebook(size, loss)},
                               {"hand", by_hand().notebook(size, loss)}});
    fmt::print("| {} | {:.0f} | {:.0f} | {:.0f} | {:.0f} | {:.1f} | {:.2f} | {:.2f} |\n", row, t[0], t[1], t[2], t[3],
               t[0] / t[1], t[1] / t[3], t[2] / t[3]);
    std::fflush(stdout);
  }
}

void chain_table(Bench& bench) {
  fmt::print(
      "\n| a chain's operation, forward and backward | libtorch, ns | Wengert | replay | by hand | libtorch / "
      "Wengert |\n|---|---:|---:|---:|---:|---:|\n");
  for (const int64_t count : kChainSizes) {
    const std::string row = fmt::format("{} elements", count);
    if (!bench.wants("chain", row)) continue;
    const auto t = bench.time("chain", row,
                              {{"libtorch", libtorch().chain(count)},
                               {"wengert", wengert().chain(count)},
                               {"replay", replay().chain(count)},
                               {"hand", by_hand().chain(count)}},
                              kChainLength);
    fmt::print("| {} | {:.0f} | {:.0f} | {:.0f} | {:.0f} | {:.1f} |\n", row, t[0], t[1], t[2], t[3], t[0] / t[1]);
    std::fflush(stdout);
  }
}

void operation_table(Bench& bench) {
  fmt::print("\n| operation | elements | libtorch, ns | Wengert | libtorch / Wengert |\n|---|---|---:|---:|---:|\n");
  for (const std::string_view name : kOperations) {
    for (const Shape& shape : kShapes) {
      const std::string row = fmt::format("{}, {}", name, shape.name);
      if (!bench.wants("operation", row)) continue;
      const auto t = bench.time("operation", row,
                                {{"libtorch", libtorch().operation(name, shape.rows, shape.columns)},
                                 {"wengert", wengert().operation(name, shape.rows, shape.columns)}});
      fmt::print("| {} | {} | {:.0f} | {:.0f} | {:.2f} |\n", name, shape.name, t[0], t[1], t[0] / t[1]);
      std::fflush(stdout);
    }
  }
}

void threads_table(Bench& bench) {
  if (!bench.wants("threads", "4000,4000,128")) return;
  const auto on = [](int threads) -> Step {
    return [threads, step = wengert().notebook({4000, 4000, 128}, Loss::kSumOfPow)] {
      wengert().set_num_threads(threads);
      step();
    };
  };
  const auto t = bench.time("threads", "4000,4000,128", {{"1", on(1)}, {"2", on(2)}});
  wengert().set_num_threads(1);
  fmt::print(
      "\n| 4000,4000,128 on | 1 thread, ns | 2 threads | 1 / 2 |\n|---|---:|---:|---:|\n| Wengert | {:.0f} | "
      "{:.0f} | {:.2f} |\n",
      t[0], t[1], t[0] / t[1]);
}

// The most memory, in MiB, of a child process that does `work`. Asked for first: what a process has ever used counts
// for its children too.
double peak_of_child(const std::function<void()>& work) {
  const pid_t child = fork();
  if (child == 0) {
    work();
    _exit(0);
  }
  rusage usage{};
  int status = 0;
  wait4(child, &status, 0, &usage);
  if (status != 0) throw std::runtime_error("a step that was to be measured failed");
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void memory_table(const Bench& bench) {
  if (!bench.wants("memory", "4000,4000,128")) return;
  std::vector<double> peaks;
  for (const Contender& contender : {libtorch(), wengert(), replay()}) {
    const auto peak = [&](Size size) {
      return peak_of_child([&] {
        const Step step = contender.notebook(size, Loss::kSumOfPow);
        for (int i = 0; i < 3; ++i) step();
      });
    };
    peaks.push_back(peak({4000, 4000, 128}) - peak({3, 4, 2}));
  }
  fmt::print(
      "\n| peak memory of a step above a small one's | libtorch, MiB | Wengert | recording a replay | Wengert / "
      "libtorch "
      "|\n|---|---:|---:|---:|---:|\n| 4000,4000,128 | {:.0f} | {:.0f} | {:.0f} | {:.2f} |\n",
      peaks[0], peaks[1], peaks[2], peaks[1] / peaks[0]);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Wengert beside libtorch and beside code written by hand");
  app.add_option("--rounds", settings.rounds, "samples of each version, of which the median counts")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  app.add_option("--sample", settings.sample_seconds, "seconds a sample takes at least")->capture_default_str();
  app.add_option("--only", settings.only, "only cases whose TABLE/ROW contains this");
  app.add_option("--svg", settings.svg_file, "draw the ratios of steps and chains to this file");
  app.add_option("--json", settings.json_file, "write all medians, in ns, to this file");
  CLI11_PARSE(app, argc, argv);

  for (const Contender& contender : {libtorch(), wengert(), by_hand()}) contender.set_num_threads(1);
  Bench bench(settings);
  memory_table(bench);
  notebook_table(bench, Loss::kSumOfPow, kPowTable);
  notebook_table(bench, Loss::kMseSum, kMseTable);
  chain_table(bench);
  operation_table(bench);
  threads_table(bench);
  bench.write();
}
