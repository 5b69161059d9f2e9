#include <gtest/gtest.h>
#include <sys/resource.h>
#include <wengert/wengert.h>

#include <cstdio>
#include <fstream>
#include <string>

// What large tensors leave behind in memory. Not under sanitizers, which keep freed blocks to see who uses them.

namespace wengert {
namespace {

// MiB that are in memory, without pages that the system may take back when it is short of any.
double resident_mib() {
  std::ifstream file("/proc/self/smaps_rollup");
  double resident = 0, lazily_freed = 0;
  for (std::string line; std::getline(file, line);) {
    std::sscanf(line.c_str(), "Rss: %lf", &resident);
    std::sscanf(line.c_str(), "LazyFree: %lf", &lazily_freed);
  }
  return (resident - lazily_freed) / 1024;
}

int64_t page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

constexpr int64_t kMiB = 1 << 18;  // floats

TEST(ResidentMemory, WhatComesOnceAndGoesIsGivenBack) {
  empty_cache();
  const double before = resident_mib();
  {
    const Tensor x = ones({700 * kMiB}), y = x + 1;
    EXPECT_GT(resident_mib() - before, 1300);
  }
  EXPECT_LT(resident_mib() - before, 150);
}

TEST(ResidentMemory, WhatIsNeededAgainIsKept) {
  empty_cache();
  const Tensor x = ones({200 * kMiB});
  const auto step = [&] { return (x + 1).mul(2).sum(); };
  for (int i = 0; i < 3; ++i) step();
  const int64_t before = page_faults();
  for (int i = 0; i < 5; ++i) step();
  EXPECT_LT(page_faults() - before, 1000);  // two fresh tensors would be 100,000 pages
}

TEST(ResidentMemory, WhatWasNotUsedForLongIsGivenBack) {
  empty_cache();
  const double before = resident_mib();
  for (int i = 0; i < 4; ++i) ones({90 * kMiB});
  for (int i = 0; i < 1000; ++i) ones({2 * kMiB});
  EXPECT_LT(resident_mib() - before, 40);
}

}  // namespace
}  // namespace wengert
