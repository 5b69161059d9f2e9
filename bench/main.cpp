// Runs the benchmarks and then prints, for every case, Wengert's time over that of the hand-written loop.
// Benchmarks are named CASE/hand and CASE/wengert. With --benchmark_repetitions the ratio is that of medians,
// and --benchmark_enable_random_interleaving=true keeps a busy machine from favouring one side.

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace {

class RatioReporter : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.run_type != Run::RT_Iteration || run.error_occurred) continue;
      const std::string name = run.run_name.function_name;
      const size_t cut = name.rfind('/');
      cases_[name.substr(0, cut)][name.substr(cut + 1)].push_back(run.GetAdjustedRealTime());
    }
  }

  void Finalize() override {
    fmt::print("\n{:<32} {:>14} {:>14} {:>10}\n", "", "hand, ns", "wengert, ns", "ratio");
    for (auto& [name, times] : cases_) {
      if (!times.contains("hand") || !times.contains("wengert")) continue;
      const double hand = median(times["hand"]), wengert = median(times["wengert"]);
      fmt::print("{:<32} {:>14.1f} {:>14.1f} {:>10.2f}\n", name, hand, wengert, wengert / hand);
    }
  }

 private:
  static double median(std::vector<double>& values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
  }

  std::map<std::string, std::map<std::string, std::vector<double>>> cases_;
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  RatioReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  benchmark::Shutdown();
}
