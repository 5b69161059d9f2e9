#include <gtest/gtest.h>
#include <wengert/ops/kernels/strided_loop.h>

#include <set>
#include <vector>

namespace wengert::kernels {
namespace {

using Offsets = std::multiset<std::pair<int64_t, int64_t>>;

Offsets expected(const std::vector<int64_t>& sizes, const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  Offsets all{{0, 0}};
  for (size_t d = 0; d < sizes.size(); ++d) {
    Offsets next;
    for (const auto& [x, y] : all) {
      for (int64_t i = 0; i < sizes[d]; ++i) next.insert({x + i * a[d], y + i * b[d]});
    }
    all = next;
  }
  return all;
}

struct Case {
  std::vector<int64_t> sizes, a, b;
};

const std::vector<Case> kCases{{{}, {}, {}},
                               {{5}, {1}, {2}},
                               {{3, 4}, {4, 1}, {1, 3}},
                               {{3, 4}, {4, 1}, {0, 1}},
                               {{2, 1, 3, 4}, {12, 5, 4, 1}, {12, 7, 4, 1}},
                               {{2, 3, 4}, {1, 2, 6}, {12, 4, 1}},
                               {{2, 3, 4}, {12, 4, 1}, {0, 0, 0}},
                               {{4, 0}, {0, 1}, {0, 1}}};

TEST(StridedLoop, VisitsEveryElementOnce) {
  for (const Case& c : kCases) {
    const StridedLoop<2> loop(c.sizes, {c.a, c.b});
    // In one piece, and in pieces cut anywhere.
    for (const int64_t piece : {loop.numel() + 1, int64_t{1}, int64_t{5}}) {
      Offsets visited;
      for (int64_t begin = 0; begin < loop.numel(); begin += piece) {
        loop.run(begin, std::min(begin + piece, loop.numel()), [&](const int64_t* at, int64_t count) {
          for (int64_t i = 0; i < count; ++i) {
            visited.insert({at[0] + i * loop.inner_stride(0), at[1] + i * loop.inner_stride(1)});
          }
        });
      }
      EXPECT_EQ(visited, loop.numel() == 0 ? Offsets() : expected(c.sizes, c.a, c.b));
    }
  }
}

TEST(StridedLoop, JoinsWhatIsContiguousIntoOneRun) {
  const std::vector<int64_t> sizes{2, 3, 4}, strides{12, 4, 1};
  EXPECT_EQ(StridedLoop<2>(sizes, {strides, strides}).inner_size(), 24);
}

TEST(StridedLoop, PutsTheWrittenOperandsSmallestStrideInnermost) {
  const std::vector<int64_t> sizes{3, 100}, columns{1, 3}, rows{100, 1};
  EXPECT_EQ(StridedLoop<2>(sizes, {columns, rows}).inner_stride(0), 1);
  EXPECT_EQ(StridedLoop<2>(sizes, {rows, columns}).inner_stride(0), 1);
}

}  // namespace
}  // namespace wengert::kernels
