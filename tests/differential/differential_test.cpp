#include <differential/program.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <iostream>

// Random programs, run in libtorch and here. DIFFERENTIAL_PROGRAMS in the environment: how many; DIFFERENTIAL_SEED:
// which is the first. Each day starts elsewhere, and says where.

namespace differential {
namespace {

uint32_t from_environment(const char* name, uint32_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : static_cast<uint32_t>(std::strtoul(value, nullptr, 10));
}

uint32_t seed_of_today() {
  using namespace std::chrono;
  const auto day = duration_cast<days>(system_clock::now().time_since_epoch()).count();
  return static_cast<uint32_t>(day * 100000);
}

struct Silence final : c10::WarningHandler {
  void process(const c10::SourceLocation&, const std::string&, bool) override {}
};

TEST(Differential, RandomProgramsDoTheSameInBothLibraries) {
  const uint32_t first = from_environment("DIFFERENTIAL_SEED", seed_of_today()),
                 count = from_environment("DIFFERENTIAL_PROGRAMS", 20000);
  std::cout << "DIFFERENTIAL_SEED=" << first << " DIFFERENTIAL_PROGRAMS=" << count << "\n";
  Silence silence;
  const c10::Warning::WarningHandlerGuard no_warnings(&silence);
  int failures = 0;
  for (uint32_t seed = first; seed - first < count && failures < 20; ++seed) {
    const Program program = make_program(seed, 1 + seed % 8);
    if (disagreement(program).empty()) continue;
    const Program shortest = shrunk(program);
    ++failures;
    ADD_FAILURE() << "seed " << seed << ": " << disagreement(shortest) << "\n" << listing(shortest);
  }
}

}  // namespace
}  // namespace differential
