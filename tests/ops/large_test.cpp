#include <gtest/gtest.h>
#include <ops/gradient_table.h>
#include <support/inputs.h>

#include <array>
#include <cctype>
#include <chrono>
#include <cstdlib>
#include <thread>

// Every operation of the gradient table on inputs so large that their work is cut: value and gradients must have the
// same bits on any number of threads, and when several threads of the program compute at once. It takes minutes, so
// that it is a program of its own. LARGE_TEST_REPEATS in the environment: how often each.

namespace wengert::test {
namespace {

using Results = std::vector<Tensor>;

// The same numbers again and again along all dimensions but those of size 1, which broadcast.
Tensor repeated(const Tensor& x, int64_t times) {
  std::vector<int64_t> counts;
  for (const int64_t size : x.sizes()) counts.push_back(size == 1 ? 1 : times);
  return x.repeat(counts);
}

// The row's inputs, repeated until an operand or the result has 2^21 elements, or it takes 30 ms. Empty
// for rows that want inputs of certain shapes.
std::vector<Tensor> enlarged(const GradientRow& row, ScalarType dtype) {
  constexpr int64_t kLarge = 1 << 21;
  const NoGradGuard no_grad;
  std::vector<Tensor> large;
  for (int64_t times = 2;; times *= 2) {
    std::vector<Tensor> inputs;
    int64_t most = 0;
    for (const Tensor& x : row.inputs) {
      inputs.push_back(repeated(x.detach(), times).to(dtype));
      most = std::max(most, inputs.back().numel());
    }
    const auto start = std::chrono::steady_clock::now();
    try {
      most = std::max(most, row.function(inputs)[0].numel());
    } catch (const Error&) {
      return large;
    }
    large = std::move(inputs);
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    if (most >= kLarge || taken.count() > 0.03 || times > kLarge) return large;
  }
}

// The value and the gradients of all inputs.
Results results(const GradientRow& row, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> leaves;
  for (const Tensor& x : inputs) leaves.push_back(x.detach().requires_grad_());
  const Tensor y = row.function(leaves)[0];
  Results all = autograd::grad({y}, leaves, {y.detach()}, std::nullopt, false, true);
  all.push_back(y.detach());
  return all;
}

int repeats() {
  const char* text = std::getenv("LARGE_TEST_REPEATS");
  return text == nullptr ? 1 : std::atoi(text);
}

class LargeTable : public testing::TestWithParam<std::tuple<GradientRow, ScalarType>> {};

TEST_P(LargeTable, ThreadsChangeNoBit) {
  const auto& [row, dtype] = GetParam();
  set_num_threads(1);
  const std::vector<Tensor> inputs = enlarged(row, dtype);
  if (inputs.empty()) GTEST_SKIP() << "inputs of certain shapes only";
  const Results expected = results(row, inputs);
  for (int i = 0; i < repeats(); ++i) {
    for (const int threads : {2, 3, 8}) {
      set_num_threads(threads);
      ASSERT_TRUE(same_bits(results(row, inputs), expected)) << threads << " threads";
    }
  }
  if (row.op == "dropout") return;  // whose random numbers come from one generator
  set_num_threads(2);
  std::array<bool, 4> right{};
  std::vector<std::thread> threads;
  for (bool& mine : right) {
    threads.emplace_back([&, row = row] {
      mine = true;
      for (int i = 0; i < repeats(); ++i) mine &= same_bits(results(row, inputs), expected);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, (std::array{true, true, true, true}));
}

INSTANTIATE_TEST_SUITE_P(Ops, LargeTable,
                         testing::Combine(testing::ValuesIn(gradient_table()), testing::Values(kFloat, kDouble)),
                         [](const auto& info) {
                           const GradientRow& row = std::get<0>(info.param);
                           std::string name =
                               row.op + "_" + row.variant + "_" + std::string(toString(std::get<1>(info.param)));
                           for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
                           return name + "_" + std::to_string(info.index);
                         });

}  // namespace
}  // namespace wengert::test
