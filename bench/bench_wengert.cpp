// What Wengert's parts cost: operations alone, the graph's share of them, whole steps, their memory. Next to steps
// stand the same by hand and replayed.

#include "contenders.h"

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

namespace {

using ::wengert::Tensor;

void register_step(const std::string& name, const std::function<bench::Step()>& make) {
  benchmark::RegisterBenchmark(name.c_str(), [make](benchmark::State& state) {
    const bench::Step step = make();
    step();
    ::wengert::reset_peak_memory_stats();
    for (auto _ : state) step();
    state.counters["peak_MiB"] = static_cast<double>(::wengert::max_memory_allocated()) / (1 << 20);
  });
}

// What each layer adds: memory for a result, a kernel, a Node, and the way back through it.
void register_micro_cases() {
  const auto row = [](int64_t count) { return ::wengert::ones({count}); };
  const auto leaf = [](int64_t count) { return ::wengert::ones({count}, ::wengert::requires_grad()); };
  register_step("micro/empty", [] { return [] { benchmark::DoNotOptimize(::wengert::empty({1})); }; });
  for (const int64_t count : {1, 1024}) {
    register_step(fmt::format("micro/view, {}", count), [=] { return [x = row(count)] { x.view({1, -1}); }; });
    register_step(fmt::format("micro/add, {}", count), [=] { return [x = row(count)] { x + x; }; });
    register_step(fmt::format("micro/add in place, {}", count), [=] { return [x = row(count)] { x.add_(1); }; });
    register_step(fmt::format("micro/add recorded, {}", count), [=] { return [x = leaf(count)] { x + x; }; });
    register_step(fmt::format("micro/add and backward, {}", count),
                  [=] { return [x = leaf(count), g = row(count)] { (x + 1).backward(g); }; });
    register_step(fmt::format("micro/pow and backward, {}", count),
                  [=] { return [x = leaf(count), g = row(count)] { pow(x, 2).backward(g); }; });
  }
}

void register_cases() {
  register_micro_cases();
  const struct {
    const char* name;
    bench::Contender contender;
  } contenders[] = {{"hand", bench::by_hand()}, {"wengert", bench::wengert()}, {"replay", bench::replay()}};
  for (const bench::Size size : bench::kSizes) {
    for (const auto& [name, contender] : contenders) {
      register_step(fmt::format("notebook/{},{},{}/{}", size.n, size.m, size.k, name),
                    [=, &notebook = *contender.notebook] { return notebook(size, bench::Loss::kSumOfPow); });
    }
  }
  for (const int64_t count : bench::kChainSizes) {
    for (const auto& [name, contender] : contenders) {
      register_step(fmt::format("chain of {}/{}/{}", bench::kChainLength, count, name),
                    [=, &chain = *contender.chain] { return chain(count); });
    }
  }
  for (const std::string_view name : bench::kOperations) {
    for (const bench::Shape& shape : bench::kShapes) {
      register_step(fmt::format("operation/{}/{}", name, shape.name),
                    [=] { return bench::wengert().operation(name, shape.rows, shape.columns); });
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  for (const bench::Contender& contender : {bench::wengert(), bench::by_hand()}) contender.set_num_threads(1);
  register_cases();
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
}
