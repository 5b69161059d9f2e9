#include <gtest/gtest.h>
#include <wengert/autograd/base/inline_vector.h>

#include <memory>
#include <string>

namespace wengert {
namespace {

using Strings = InlineVector<std::string, 2>;

TEST(InlineVector, GrowsPastItsInlineElements) {
  Strings v;
  for (int i = 0; i < 10; ++i) v.push_back(std::to_string(i));
  ASSERT_EQ(v.size(), 10u);
  EXPECT_EQ(v[0], "0");
  EXPECT_EQ(v.back(), "9");
}

TEST(InlineVector, CopiesAndMovesInlineAndHeapElements) {
  for (const size_t size : {1u, 5u}) {
    Strings v(size, "x");
    Strings copy = v;
    EXPECT_EQ(copy, v);
    Strings moved = std::move(v);
    EXPECT_EQ(moved, copy);
    EXPECT_TRUE(v.empty());  // NOLINT: a moved-from InlineVector is empty
    v = moved;
    EXPECT_EQ(v, copy);
    moved = std::move(v);
    EXPECT_EQ(moved, copy);
    const Strings& itself = moved;
    moved = itself;
    EXPECT_EQ(moved, copy);
  }
}

TEST(InlineVector, InsertsAndErases) {
  Strings v{"a", "c"};
  v.insert(1, "b");
  v.insert(0, "_");
  EXPECT_EQ(v, (Strings{"_", "a", "b", "c"}));
  v.erase(0);
  v.erase(1);
  EXPECT_EQ(v, (Strings{"a", "c"}));
  v.resize(3);
  EXPECT_EQ(v[2], "");
  v.resize(1);
  EXPECT_EQ(v, Strings{"a"});
}

TEST(InlineVector, DestroysItsElements) {
  const auto counted = std::make_shared<int>(0);
  {
    InlineVector<std::shared_ptr<int>, 2> v(5, counted);
    EXPECT_EQ(counted.use_count(), 6);
    v.pop_back();
    EXPECT_EQ(counted.use_count(), 5);
    v.clear();
    EXPECT_EQ(counted.use_count(), 1);
    v.push_back(counted);
  }
  EXPECT_EQ(counted.use_count(), 1);
}

TEST(InlineVector, MovesSeldomWhenItGrowsOneByOne) {
  InlineVector<int64_t, 4> by_resize, by_push;
  int moves = 0;
  for (size_t size = 1; size <= 10000; ++size) {
    const int64_t *resized = by_resize.data(), *pushed = by_push.data();
    by_resize.resize(size);
    by_push.push_back(0);
    moves += (by_resize.data() != resized) + (by_push.data() != pushed);
  }
  EXPECT_LE(moves, 2 * 12);  // at twice the size each time: 4, 8, ... 16384
}

}  // namespace
}  // namespace wengert
