#include <gtest/gtest.h>
#include <support/inputs.h>

#include <thread>

// Graphs used from several threads. ThreadSanitizer runs these too.

namespace wengert {
namespace {

void on_threads(int count, const std::function<void(int)>& work) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(work, i);
  for (std::thread& thread : threads) thread.join();
}

TEST(Threads, BackwardOverDisjointGraphs) {
  on_threads(4, [](int i) {
    const Tensor x = full({8}, i + 1.0, dtype(kDouble).requires_grad(true));
    for (int step = 0; step < 50; ++step) (x * x).sum().backward();
    EXPECT_TRUE(equal(x.grad(), full({8}, 100.0 * (i + 1), kDouble)));
  });
}

TEST(Threads, BackwardOverGraphsThatShareALeaf) {
  const Tensor x = ones({8}, dtype(kDouble).requires_grad(true));
  on_threads(4, [&](int) {
    for (int step = 0; step < 50; ++step) (x * 2).sum().backward();
  });
  EXPECT_TRUE(equal(x.grad(), full({8}, 400.0, kDouble)));
}

TEST(Threads, BackwardOverOneRetainedGraph) {
  const Tensor x = ones({8}, dtype(kDouble).requires_grad(true));
  const Tensor loss = (x * x).exp().sum();
  on_threads(4, [&](int) {
    for (int step = 0; step < 20; ++step) autograd::grad({loss}, {x}, {}, true);
  });
}

TEST(Threads, AGraphMadeOnOneThreadRunsOnAnother) {
  const Tensor x = ones({4}, requires_grad());
  Tensor loss;
  on_threads(1, [&](int) { loss = (x * 3).sum(); });
  on_threads(1, [&](int) { loss.backward(); });
  loss = Tensor();
  EXPECT_TRUE(equal(x.grad(), full({4}, 3.0)));
}

TEST(Threads, GradModeIsEachThreadsOwn) {
  const NoGradGuard no_grad;
  on_threads(1, [](int) { EXPECT_TRUE(GradMode::is_enabled()); });
}

TEST(Threads, RandomNumbersMayBeDrawnOnAny) {
  on_threads(4, [](int) {
    for (int i = 0; i < 20; ++i) rand({100});
  });
}

TEST(Threads, ResultsDoNotDependOnTheirNumber) {
  const Tensor a = test::arbitrary({700, 300}, -1, 1, 1, kFloat), b = test::arbitrary({300, 500}, -1, 1, 2, kFloat);
  const auto compute = [&] {
    return std::vector<Tensor>{mm(a, b), a.sum(), a.sum(0), a.sum(1), a.exp().mean(), mm(b.t(), a.t())};
  };
  const int before = get_num_threads();
  set_num_threads(1);
  const std::vector<Tensor> one = compute();
  for (const int threads : {2, 3}) {
    set_num_threads(threads);
    EXPECT_EQ(get_num_threads(), threads);
    const std::vector<Tensor> several = compute();
    for (size_t i = 0; i < one.size(); ++i) EXPECT_TRUE(equal(one[i], several[i])) << i;
  }
  set_num_threads(before);
  EXPECT_ERROR(set_num_threads(0), "Expected positive number of threads, but got 0");
}

}  // namespace
}  // namespace wengert
