// ADBench's Gaussian mixture, bundle adjustment and LSTM: values and gradients by Wengert, by a Replay of that and by
// libtorch, from one source, and by hand. All are compared before anything is timed; then they take turns, and the
// least of several rounds counts. Prints a Markdown table. usage: bench_adbench [ROUNDS [NAME]]

#include <adbench.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>

namespace {

using namespace bench;

double microseconds(const std::function<double()>& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
}

bool agree(double a, double b) { return std::abs(a - b) <= 1e-8 * (1 + std::abs(b)); }

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::atoi(argv[1]) : 15;
  const std::string only = argc > 2 ? argv[2] : "";
  const std::vector<Objective> versions[] = {wengert_objectives(), replayed_objectives(), libtorch_objectives(),
                                             objectives_by_hand()};
  bool all_agree = true;
  fmt::print(
      "| | value, us | replay | libtorch / | by hand / | by hand / replay | with gradient, us | replay | libtorch / | "
      "by "
      "hand / | by hand / replay | gradient / value |\n|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|\n");
  for (size_t i = 0; i < versions[0].size(); ++i) {
    if (versions[0][i].name.compare(0, only.size(), only) != 0) continue;
    double least[2][4];
    std::fill_n(&least[0][0], 8, INFINITY);
    for (int v = 1; v < 4; ++v) {
      const Objective &ours = versions[0][i], &other = versions[v][i];
      if (!other.value) continue;
      for (int run = 0; run < 2; ++run) {  // the first of a replay records
        if (agree(ours.value(), other.value()) && agree(ours.gradient(), other.gradient())) continue;
        fmt::print(stderr, "{}: {} and {}, gradients {} and {}\n", ours.name, ours.value(), other.value(),
                   ours.gradient(), other.gradient());
        all_agree = false;
      }
    }
    for (int round = 0; round < rounds; ++round) {
      for (size_t v = 0; v < 4; ++v) {
        if (!versions[v][i].value) continue;
        least[0][v] = std::min(least[0][v], microseconds(versions[v][i].value));
        least[1][v] = std::min(least[1][v], microseconds(versions[v][i].gradient));
      }
    }
    std::string row = fmt::format("| {} |", versions[0][i].name);
    for (const auto& [ours, replay, libtorch, by_hand] : least) {
      const bool has_replay = std::isfinite(replay);
      row += fmt::format(" {:.0f} | {} | {:.2f} | {:.2f} | {} |", ours, has_replay ? fmt::format("{:.0f}", replay) : "",
                         libtorch / ours, by_hand / ours, has_replay ? fmt::format("{:.2f}", by_hand / replay) : "");
    }
    fmt::print("{} {:.1f} |\n", row, least[1][0] / least[0][0]);
    std::fflush(stdout);
  }
  return all_agree ? 0 : 1;
}
