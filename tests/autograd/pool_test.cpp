#include <gtest/gtest.h>
#include <wengert/autograd/base/pool.h>
#include <wengert/wengert.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <thread>
#include <vector>

namespace wengert::pool {
namespace {

TEST(Pool, BlocksAreAlignedAndApart) {
  std::vector<std::pair<void*, size_t>> blocks;
  for (size_t bytes = 0; bytes < 5000; bytes += 37) {
    void* block = allocate(bytes);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(block) % kAlignment, 0u);
    std::memset(block, static_cast<int>(blocks.size() & 0xff), bytes);
    blocks.emplace_back(block, bytes);
  }
  for (size_t i = 0; i < blocks.size(); ++i) {
    const auto* data = static_cast<const unsigned char*>(blocks[i].first);
    for (size_t j = 0; j < blocks[i].second; ++j) ASSERT_EQ(data[j], i & 0xff);
    deallocate(blocks[i].first, blocks[i].second);
  }
}

TEST(Pool, ServesEverySizeAroundTheClassBounds) {
  for (const size_t power : {7u, 9u, 10u, 11u, 15u, 19u, 20u, 21u}) {
    for (const int64_t off : {-65, -64, -1, 0, 1, 63, 64, 65}) {
      const auto bytes = static_cast<size_t>((int64_t{1} << power) + off);
      for (int again = 0; again < 2; ++again) {
        void* block = allocate(bytes);
        std::memset(block, 0xab, bytes);
        deallocate(block, bytes);
      }
    }
  }
}

TEST(Pool, RefusesASizeNoMemoryHas) { EXPECT_THROW(allocate(static_cast<size_t>(-1)), std::bad_alloc); }

TEST(Pool, TakesBackBlocksOnAnotherThread) {
  void* block = allocate(100);
  std::thread([&] { deallocate(block, 100); }).join();
  std::thread([&] {
    void* mine = allocate(100);
    std::memset(mine, 1, 100);
    block = mine;
  }).join();
  deallocate(block, 100);
}

// In a process of its own, which reads the environment anew.
TEST(PoolDeathTest, FillsEveryBlockWhereTheEnvironmentAsksForIt) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const bool was_set = getenv("WENGERT_FILL_NEW_BLOCKS") != nullptr;
  setenv("WENGERT_FILL_NEW_BLOCKS", "1", 1);
  const auto all_nan = [] {
    for (const int64_t elements : {7, 1000, 1000000}) {
      for (int again = 0; again < 2; ++again) {
        Tensor x = empty({elements}, kFloat);
        if (!isnan(x).all().item<bool>()) return false;
        x.zero_();
      }
    }
    return isnan(empty({7}, kDouble)).all().item<bool>() && empty({7}, kLong).remainder(2).sum().item<int64_t>() == 7;
  };
  EXPECT_EXIT(std::exit(all_nan() ? 0 : 1), testing::ExitedWithCode(0), "");
  if (!was_set) unsetenv("WENGERT_FILL_NEW_BLOCKS");
}

}  // namespace
}  // namespace wengert::pool
