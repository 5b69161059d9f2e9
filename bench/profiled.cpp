// What a profile costs: steps with and without one, in turns, the least time of each.

#include "contenders.h"

#include <fmt/format.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <chrono>
#include <optional>

namespace {

double seconds(const bench::Step& step, int repeats) {
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) step();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count() / repeats;
}

void compare(const std::string& name, const bench::Step& step) {
  step();
  const int repeats = std::max(1, static_cast<int>(0.02 / seconds(step, 3)));
  double plain = 1e9, profiled = 1e9, operations = 0;
  for (int round = 0; round < 15; ++round) {
    plain = std::min(plain, seconds(step, repeats));
    const wengert::profile profile;
    profiled = std::min(profiled, seconds(step, repeats));
    operations = 0;
    for (const wengert::Profile::Row& row : profile.rows()) operations += static_cast<double>(row.calls) / repeats;
  }
  fmt::print("{:<28} {:>10.2f} us {:>10.2f} us {:>+7.1f}% {:>5.0f} calls, {:>4.0f} ns each\n", name, plain * 1e6,
             profiled * 1e6, (profiled / plain - 1) * 100, operations, (profiled - plain) * 1e9 / operations);
}

}  // namespace

int main() {
  const bench::Contender contender = bench::wengert();
  contender.set_num_threads(1);
  fmt::print("{:<28} {:>13} {:>13} {:>8}\n", "a step of", "alone", "profiled", "more");
  for (const bench::Size size : bench::kSizes) {
    compare(fmt::format("notebook {} x {}, rank {}", size.n, size.m, size.k),
            contender.notebook(size, bench::Loss::kSumOfPow));
  }
  for (const int64_t count : bench::kChainSizes)
    compare(fmt::format("chain of {}, {} elements", bench::kChainLength, count), contender.chain(count));
}
