// Every public operation beside libtorch's, forward and forward with backward, at sizes and in layouts of all kinds.
// Results and gradients are compared before anything is timed; then the two take turns, and the least of several rounds
// counts. Prints a Markdown table with a line for each operation, and after it all cases that are slower than libtorch.

#include <operations.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <thread>

namespace {

using namespace bench;

constexpr double kSlower = 0.95;  // of libtorch's time over Wengert's

struct Settings {
  std::vector<int64_t> sizes{1, 1000, 25'000, 1'000'000};
  std::string only;
  int threads = 1;
  int rounds = 5;
  double sample_seconds = 1e-4;
  std::string csv;
};

struct Timing {
  std::string operation, what;
  bool is_double;
  double wengert, libtorch;  // nanoseconds
  double ratio() const { return libtorch / wengert; }
};

std::vector<Case> cases_of(Kind kind, const std::vector<int64_t>& sizes) {
  constexpr int64_t kLast[] = {3, 10, 64, 1000};
  constexpr int64_t kMostInMatrices = 250'000;
  std::vector<Case> cases;
  for (const bool is_double : {false, true}) {
    for (const int64_t numel : sizes) {
      const auto add = [&](int64_t last, Layout layout) {
        // Of one element, one case is like the other.
        const int64_t size = numel == 1 ? 1 : last;
        if (numel == 1 && (layout != Layout::kContiguous || last != 64)) return;
        cases.push_back({numel, size, layout, is_double});
      };
      switch (kind) {
        case Kind::kPairs:
          for (const int64_t last : kLast) {
            add(last, Layout::kRow);
            add(last, Layout::kColumn);
          }
          [[fallthrough]];
        case Kind::kElements:
          add(64, Layout::kContiguous);
          add(64, Layout::kTransposed);
          break;
        case Kind::kRows:
          for (const int64_t last : kLast) {
            add(last, Layout::kContiguous);
            add(last, Layout::kTransposed);
          }
          break;
        case Kind::kMatrices:
          if (numel > kMostInMatrices) break;
          for (const int64_t last : {3, 10, 64}) add(last, Layout::kContiguous);
          break;
      }
    }
  }
  return cases;
}

std::string text_of(const Case& c, Kind kind, bool with_backward) {
  const char* layout = c.layout == Layout::kTransposed ? " transposed"
                       : c.layout == Layout::kRow      ? " and a row"
                       : c.layout == Layout::kColumn   ? " and a column"
                                                       : "";
  const std::string shape =
      kind == Kind::kMatrices
          ? fmt::format("{} x {} x {}", std::max<int64_t>(1, c.numel / (c.last * c.last)), c.last, c.last)
          : fmt::format("{} x {}", std::max<int64_t>(1, c.numel / c.last), c.last);
  return fmt::format("{}{}{}", shape, layout, with_backward ? ", backward" : "");
}

double seconds_of(const std::function<void()>& step, int64_t times) {
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < times; ++i) step();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// How many other threads of this process run now: /proc tells of each, after its name in parentheses.
int running_threads() {
  int running = 0;
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(task.path() / "stat");
    const std::string stat((std::istreambuf_iterator<char>(file)), {});
    const size_t name_end = stat.rfind(')');
    running += name_end != std::string::npos && stat.compare(name_end, 3, ") R") == 0 ? 1 : 0;
  }
  return running - 1;
}

// Threads that one library has used wait for more in a loop for some milliseconds, and the other's would find no
// processor.
void let_threads_sleep(int threads) {
  for (int tries = 0; threads > 1 && running_threads() > 0 && tries < 100; ++tries) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

// Nanoseconds of each.
std::pair<double, double> time(const std::function<void()>& a, const std::function<void()>& b,
                               const Settings& settings) {
  const auto times_of = [&](const std::function<void()>& step) {
    seconds_of(step, 1);
    const double once = std::max(1e-9, std::min(seconds_of(step, 1), seconds_of(step, 2) / 2));
    return std::clamp<int64_t>(static_cast<int64_t>(settings.sample_seconds / once), 1, 100'000);
  };
  const auto time_one = [&](const std::function<void()>& step, int64_t times) {
    let_threads_sleep(settings.threads);
    if (settings.threads > 1) step();  // its own are awake again
    return seconds_of(step, times) / static_cast<double>(times);
  };
  const int64_t of_a = times_of(a), of_b = times_of(b);
  double least_a = std::numeric_limits<double>::infinity(), least_b = least_a;
  for (int round = 0; round < settings.rounds; ++round) {
    least_a = std::min(least_a, time_one(a, of_a));
    least_b = std::min(least_b, time_one(b, of_b));
  }
  return {1e9 * least_a, 1e9 * least_b};
}

bool agree(double a, double b, const Case& c) {
  const double bound = (c.is_double ? 1e-9 : 1e-4) * (std::abs(b) + static_cast<double>(c.numel));
  return std::abs(a - b) <= bound || (std::isnan(a) && std::isnan(b));
}

// In libtorch 1.13 the gradient of a transposed operand is put in the wrong places.
bool is_wrong_in_libtorch(const std::string& name, const Case& c) {
  return name == "masked_select" && c.layout == Layout::kTransposed;
}

double mean_ratio(const std::vector<Timing>& timings) {
  double sum = 0;
  for (const Timing& timing : timings) sum += std::log(timing.ratio());
  return std::exp(sum / static_cast<double>(std::max<size_t>(1, timings.size())));
}

void print_line(const std::string& name, const std::vector<Timing>& timings) {
  const auto least = std::min_element(timings.begin(), timings.end(),
                                      [](const Timing& a, const Timing& b) { return a.ratio() < b.ratio(); });
  const auto slower =
      std::count_if(timings.begin(), timings.end(), [](const Timing& t) { return t.ratio() < kSlower; });
  fmt::print("| {} | {} | {:.2f} | {} | {:.2f} | {} {} |\n", name, timings.size(), mean_ratio(timings), slower,
             least->ratio(), least->is_double ? "double" : "float", least->what);
  std::fflush(stdout);
}

}  // namespace

int main(int argc, char** argv) {
  Settings settings;
  CLI::App app("Times every operation beside libtorch's");
  app.add_option("--sizes", settings.sizes, "elements of the first operand")->delimiter(',')->capture_default_str();
  app.add_option("--only", settings.only, "operations whose names begin with this");
  app.add_option("--threads", settings.threads)->capture_default_str();
  app.add_option("--rounds", settings.rounds)->capture_default_str();
  app.add_option("--sample", settings.sample_seconds, "seconds of a round, about")->capture_default_str();
  app.add_option("--csv", settings.csv, "a file for all timings");
  CLI11_PARSE(app, argc, argv);
  set_wengert_threads(settings.threads);
  set_libtorch_threads(settings.threads);

  const std::vector<Operation> ours = wengert_operations(), theirs = libtorch_operations();
  std::vector<Timing> all;
  bool all_agree = true;
  fmt::print("| operation | cases | mean | below {} | least | of |\n|---|---:|---:|---:|---:|---|\n", kSlower);
  for (size_t i = 0; i < ours.size(); ++i) {
    const auto& [name, kind, prepare] = ours[i];
    if (name.compare(0, settings.only.size(), settings.only) != 0) continue;
    std::vector<Timing> timings;
    for (const Case& c : cases_of(kind, settings.sizes)) {
      try {
        const Prepared own = prepare(c), other = theirs[i].prepare(c);
        if (const double a = own.checked(), b = other.checked(); !agree(a, b, c) && !is_wrong_in_libtorch(name, c)) {
          fmt::print(stderr, "{}, {} {}: {} and {}\n", name, c.is_double ? "double" : "float", text_of(c, kind, false),
                     a, b);
          all_agree = false;
        }
        for (const bool with_backward : {false, true}) {
          const auto& step = with_backward ? own.backward : own.forward;
          if (!step) continue;
          const auto [a, b] = time(step, with_backward ? other.backward : other.forward, settings);
          timings.push_back({name, text_of(c, kind, with_backward), c.is_double, a, b});
        }
      } catch (const std::exception& error) {
        fmt::print(stderr, "{}, {}: {}\n", name, text_of(c, kind, false), std::string(error.what()).substr(0, 200));
        all_agree = false;
      }
    }
    if (timings.empty()) continue;
    print_line(name, timings);
    all.insert(all.end(), timings.begin(), timings.end());
  }

  std::vector<Timing> slower;
  std::copy_if(all.begin(), all.end(), std::back_inserter(slower), [](const Timing& t) { return t.ratio() < kSlower; });
  std::sort(slower.begin(), slower.end(), [](const Timing& a, const Timing& b) { return a.ratio() < b.ratio(); });
  fmt::print("\n{} of {} timings below {}; geometric mean {:.2f}\n", slower.size(), all.size(), kSlower,
             mean_ratio(all));
  if (!settings.csv.empty()) {
    std::ofstream file(settings.csv);
    file << "operation,dtype,case,wengert ns,libtorch ns,ratio\n";
    for (const Timing& t : all) {
      file << fmt::format("{},{},\"{}\",{:.0f},{:.0f},{:.3f}\n", t.operation, t.is_double ? "double" : "float", t.what,
                          t.wengert, t.libtorch, t.ratio());
    }
    if (!file.flush()) {
      fmt::print(stderr, "{}: it can't be written\n", settings.csv);
      return 1;
    }
  }
  return all_agree ? 0 : 1;
}
