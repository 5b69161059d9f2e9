#include <gtest/gtest.h>
#include <wengert/wengert.h>

#include <atomic>
#include <cstdlib>
#include <functional>

// What a step asks of malloc once the pools are warm: nothing. The allocator's functions are interposed, and count.

namespace {
constinit std::atomic<int64_t> calls{0};
}

extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t bytes) { return ++calls, __libc_malloc(bytes); }
void* calloc(size_t count, size_t bytes) { return ++calls, __libc_calloc(count, bytes); }
void* realloc(void* block, size_t bytes) { return ++calls, __libc_realloc(block, bytes); }
void* aligned_alloc(size_t alignment, size_t bytes) { return ++calls, __libc_memalign(alignment, bytes); }
void* memalign(size_t alignment, size_t bytes) { return ++calls, __libc_memalign(alignment, bytes); }
int posix_memalign(void** block, size_t alignment, size_t bytes) {
  *block = aligned_alloc(alignment, bytes);
  return *block == nullptr ? 12 : 0;
}
}

namespace {

using wengert::Tensor;

int64_t calls_in(const std::function<void()>& step) {
  for (int i = 0; i < 3; ++i) step();
  const int64_t before = calls;
  step();
  return calls - before;
}

std::function<void()> notebook(int64_t n, int64_t m, int64_t k, bool mse = false) {
  const Tensor D = wengert::rand({n, m});
  Tensor C = wengert::rand({n, k}, wengert::requires_grad()), F = wengert::rand({k, m}, wengert::requires_grad());
  return [=]() mutable {
    if (C.grad().defined()) {
      C.grad().zero_();
      F.grad().zero_();
    }
    const Tensor D_hat = mm(C, F);
    const Tensor loss = mse ? wengert::mse_loss(D_hat, D, wengert::Reduction::Sum) : sum(pow(D - D_hat, 2));
    loss.backward();
    const wengert::NoGradGuard no_grad;
    C -= 1e-6f * C.grad();
    F -= 1e-6f * F.grad();
  };
}

TEST(Allocation, AreCounted) {
  EXPECT_GT(calls_in([] { std::free(std::malloc(100)); }), 0);  // NOLINT: what is tested
  EXPECT_GT(calls_in([] { const std::vector<int> list(1000); }), 0);
}

TEST(Allocation, AStepMakesNone) {
  wengert::set_num_threads(1);
  for (const bool mse : {false, true}) {
    EXPECT_EQ(calls_in(notebook(3, 4, 2, mse)), 0);
    EXPECT_EQ(calls_in(notebook(30, 40, 5, mse)), 0);
    EXPECT_EQ(calls_in(notebook(100, 100, 10, mse)), 0);
    EXPECT_EQ(calls_in(notebook(300, 300, 20, mse)), 0);
    EXPECT_EQ(calls_in(notebook(1000, 1000, 32, mse)), 0);
    EXPECT_EQ(calls_in(notebook(2000, 2000, 64, mse)), 0);
    EXPECT_EQ(calls_in(notebook(4000, 4000, 128, mse)), 0);
  }
}

TEST(Allocation, NeitherDoesAChain) {
  wengert::set_num_threads(1);
  for (const int64_t count : {1, 1024, 65536}) {
    const Tensor x = wengert::ones({count}, wengert::requires_grad());
    EXPECT_EQ(calls_in([&] {
                Tensor y = x;
                for (int i = 0; i < 500; ++i) y = y * 0.999f + 0.001f;
                y.sum().backward();
              }),
              0);
  }
}

TEST(Allocation, NorAReplay) {
  wengert::set_num_threads(1);
  const auto step = notebook(100, 100, 10);
  step();
  const wengert::Replay replay(step);
  EXPECT_EQ(calls_in([&] { replay(); }), 0);
}

}  // namespace
