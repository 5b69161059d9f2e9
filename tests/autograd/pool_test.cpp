#include <gtest/gtest.h>
#include <wengert/autograd/base/pool.h>

#include <cstdint>
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

}  // namespace
}  // namespace wengert::pool
