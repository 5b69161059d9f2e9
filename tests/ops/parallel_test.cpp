#include <gtest/gtest.h>
#include <sched.h>
#include <unistd.h>
#include <wengert/ops/kernels/parallel.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <thread>
#include <vector>

namespace wengert::kernels {
namespace {

class Parallel : public testing::Test {
 protected:
  ~Parallel() override { set_num_threads(before_); }

 private:
  const int before_ = get_num_threads();
};

void expect_each_once(int64_t count) {
  std::vector<int> calls(static_cast<size_t>(count));
  parallel_tasks(count, [&](int64_t i) { ++calls[static_cast<size_t>(i)]; });
  EXPECT_EQ(std::count(calls.begin(), calls.end(), 1), count);
}

TEST_F(Parallel, EachTaskRunsOnceOnAnyNumberOfThreads) {
  for (const int threads : {1, 2, 3, 8}) {
    set_num_threads(threads);
    for (int64_t count = 0; count < 300; ++count) expect_each_once(count);
  }
}

TEST_F(Parallel, SeveralThreadsOfTheProgramShareTheHelpers) {
  set_num_threads(3);
  std::vector<std::thread> program;
  for (int i = 0; i < 4; ++i)
    program.emplace_back([] {
      for (int64_t count = 0; count < 300; ++count) expect_each_once(count);
    });
  for (std::thread& thread : program) thread.join();
}

TEST_F(Parallel, TheirNumberMayChangeWhileTheyWork) {
  std::thread other([] {
    for (int round = 0; round < 200; ++round) expect_each_once(20);
  });
  for (int round = 0; round < 20; ++round) {
    set_num_threads(1 + round % 4);
    expect_each_once(20);
  }
  other.join();
}

TEST_F(Parallel, WhatATaskCallsRunsOnItsThread) {
  set_num_threads(4);
  std::atomic<int> elsewhere{0};
  parallel_tasks(50, [&](int64_t) {
    const std::thread::id here = std::this_thread::get_id();
    parallel_tasks(50, [&](int64_t) { elsewhere += here != std::this_thread::get_id() ? 1 : 0; });
  });
  EXPECT_EQ(elsewhere, 0);
}

// On two threads, two tasks that meet need the one helper there is.
TEST_F(Parallel, NobodyWaitsForAHelperThatHasNotBegun) {
  set_num_threads(2);
  std::atomic<int> begun{0};
  std::atomic<bool> may_end{false};
  std::thread other([&] {
    parallel_tasks(2, [&](int64_t) {
      ++begun;
      while (!may_end) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    });
  });
  while (begun < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  for (int round = 0; round < 100; ++round) expect_each_once(20);
  may_end = true;
  other.join();
}

// The leak checker of a sanitizers' build looks when the program ends.
TEST(ParallelDeathTest, CallsWhoseHelperNeverCameLoseNoMemory) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto end_with_calls_that_wait = [] {
    static std::atomic<int> begun{0};
    set_num_threads(2);
    std::thread([] {
      parallel_tasks(2, [](int64_t) {
        for (++begun;;) std::this_thread::sleep_for(std::chrono::seconds(1));
      });
    }).detach();
    while (begun < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    for (int round = 0; round < 1000; ++round) expect_each_once(20);
    std::exit(testing::Test::HasFailure() ? 1 : 0);
  };
  EXPECT_EXIT(end_with_calls_that_wait(), testing::ExitedWithCode(0), "");
}

TEST(ParallelDeathTest, TheEnvironmentTellsTheirNumber) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto threads_with = [](const char* value) {
    setenv("OMP_NUM_THREADS", value, 1);
    _exit(get_num_threads());
  };
  const int processors = kernels::processors();
  EXPECT_EXIT(threads_with("3"), testing::ExitedWithCode(3), "");
  EXPECT_EXIT(threads_with("5,2"), testing::ExitedWithCode(5), "");
  for (const char* nonsense : {"", "0", "-2", "many", "3x"})
    EXPECT_EXIT(threads_with(nonsense), testing::ExitedWithCode(processors), "") << nonsense;
}

// As mpirun binds each of few processes to a core. TBB would say that it has no worker to give.
TEST(ParallelDeathTest, ABoundProcessHasAsManyAsItsProcessors) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto bound = [](int threads) {
    unsetenv("OMP_NUM_THREADS");
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(0, &one);
    sched_setaffinity(0, sizeof one, &one);
    const int first = get_num_threads();
    if (threads > 0) set_num_threads(threads);
    mm(ones({500, 500}), ones({500, 500}));
    _exit(first);
  };
  EXPECT_EXIT(bound(0), testing::ExitedWithCode(1), "^$");
  EXPECT_EXIT(bound(3), testing::ExitedWithCode(1), "^$");
}

}  // namespace
}  // namespace wengert::kernels
