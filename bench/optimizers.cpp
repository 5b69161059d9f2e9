// A step of each optimizer, beside libtorch's where it has it: 1000 parameters in one tensor, 100 tensors of 100, and
// 10^7. Results are compared before anything is timed; least of several rounds, the two by turns.

#include <fmt/format.h>
#include <optimizer_contenders.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <limits>

namespace {

double nanoseconds(const std::function<void()>& step, int64_t times) {
  const auto start = std::chrono::steady_clock::now();
  for (int64_t i = 0; i < times; ++i) step();
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - start).count() /
         static_cast<double>(times);
}

}  // namespace

int main() {
  constexpr int kRounds = 7;
  fmt::print("{:<18} {:>12} {:>14} {:>14} {:>7}\n", "optimizer", "parameters", "wengert ns", "libtorch ns", "ratio");
  bool agree = true;
  for (const auto& [tensors, numel] : {std::pair<int64_t, int64_t>{1, 1000}, {100, 100}, {1, 10'000'000}}) {
    const std::vector<bench::Contender> own = bench::wengert_optimizers(tensors, numel);
    const std::vector<bench::Contender> others = bench::libtorch_optimizers(tensors, numel);
    const int64_t times = std::max<int64_t>(1, 2'000'000 / (tensors * (numel + 500)));
    for (const bench::Contender& ours : own) {
      const auto other =
          std::find_if(others.begin(), others.end(), [&](const bench::Contender& c) { return c.name == ours.name; });
      const bool has_other = other != others.end();
      for (int i = 0; i < 3; ++i) {
        ours.step();
        if (has_other) other->step();
      }
      if (has_other && !(std::abs(ours.sum() - other->sum()) <= 1e-4 * std::abs(other->sum()) + 1e-3)) {
        fmt::print("{}: {} and {} after three steps\n", ours.name, ours.sum(), other->sum());
        agree = false;
      }
      double own_time = std::numeric_limits<double>::infinity(), other_time = own_time;
      for (int round = 0; round < kRounds; ++round) {
        own_time = std::min(own_time, nanoseconds(ours.step, times));
        if (has_other) other_time = std::min(other_time, nanoseconds(other->step, times));
      }
      fmt::print("{:<18} {:>12} {:>14.0f} {:>14} {:>7}\n", ours.name, fmt::format("{} x {}", tensors, numel), own_time,
                 has_other ? fmt::format("{:.0f}", other_time) : "-",
                 has_other ? fmt::format("{:.2f}", other_time / own_time) : "-");
      std::fflush(stdout);
    }
  }
  return agree ? 0 : 1;
}
