// x -> x * a -> + b -> * a -> ...: 1000 elementwise operations, then backward from the sum. The hand-written
// version makes the same passes over memory, one an operation. float32, one thread.

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <vector>

namespace {

constexpr int kOperations = 1000;
constexpr float kFactor = 0.999f, kAddend = 0.001f;

void wengert_chain(benchmark::State& state, int64_t count) {
  using namespace wengert;
  set_num_threads(1);
  const Tensor x = ones({count}, requires_grad());
  for (auto _ : state) {
    Tensor y = x;
    for (int i = 0; i < kOperations / 2; ++i) y = y * kFactor + kAddend;
    y.sum().backward();
  }
}

void hand_chain(benchmark::State& state, int64_t count) {
  const auto size = static_cast<size_t>(count);
  std::vector<float> x(size, 1.0f), y(size), gradient(size);
  for (auto _ : state) {
    y = x;
    for (int i = 0; i < kOperations / 2; ++i) {
      for (float& element : y) element *= kFactor;
      benchmark::ClobberMemory();
      for (float& element : y) element += kAddend;
      benchmark::ClobberMemory();
    }
    gradient.assign(size, 1.0f);
    for (int i = 0; i < kOperations / 2; ++i) {
      for (float& element : gradient) element *= kFactor;
      benchmark::ClobberMemory();
    }
  }
}

const bool registered = [] {
  for (const int64_t count : {1, 1024, 65536}) {
    const std::string name = fmt::format("chain of {} ops, {} elements", kOperations, count);
    benchmark::RegisterBenchmark((name + "/hand").c_str(), hand_chain, count);
    benchmark::RegisterBenchmark((name + "/wengert").c_str(), wengert_chain, count);
  }
  return true;
}();

}  // namespace
