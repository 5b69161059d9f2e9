#include <gtest/gtest.h>
#include <support/inputs.h>

#include <array>
#include <thread>

// At sizes that are really cut, results must have the same bits on any number of threads, and when several threads of
// the program compute at once.

namespace wengert::test {
namespace {

using Results = std::vector<Tensor>;

struct Case {
  const char* name;
  std::vector<Dims> sizes;  // of the operands
  std::function<Tensor(const std::vector<Tensor>&)> function;
};

void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

class OnThreads : public testing::TestWithParam<std::tuple<Case, ScalarType>> {
 protected:
  OnThreads() {
    set_num_threads(1);
    manual_seed(1);
    const auto& [c, dtype] = GetParam();
    for (const Dims& size : c.sizes) operands_.push_back(rand(size, dtype));
    expected_ = results();
  }
  ~OnThreads() override { set_num_threads(1); }

  // The value and the gradients of all operands.
  Results results() const {
    std::vector<Tensor> leaves;
    for (const Tensor& x : operands_) leaves.push_back(x.detach().requires_grad_());
    const Tensor y = std::get<0>(GetParam()).function(leaves);
    Results all = autograd::grad({y}, leaves, {y.detach()});
    all.push_back(y.detach());
    return all;
  }

  std::vector<Tensor> operands_;
  Results expected_;
};

constexpr int kTimes = THREADS_TEST_REPEATS;

TEST_P(OnThreads, TheNumberOfThreadsChangesNoBit) {
  for (const int threads : {2, 3, 8}) {
    set_num_threads(threads);
    for (int time = 0; time < kTimes; ++time) ASSERT_TRUE(same_bits(results(), expected_)) << threads << " threads";
  }
}

TEST_P(OnThreads, FourThreadsOfTheProgramAtOnceChangeNoBit) {
  std::array<bool, 4> right{};
  std::vector<std::thread> threads;
  for (bool& mine : right) {
    threads.emplace_back([&] {
      mine = true;
      for (int time = 0; time < kTimes; ++time) mine &= same_bits(results(), expected_);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, (std::array{true, true, true, true}));
}

const Case kCases[] = {
    {"mm_2000_20_1000", {{2000, 20}, {20, 1000}}, [](const auto& in) { return mm(in[0], in[1]); }},
    {"mm_4000_5_2500", {{4000, 5}, {5, 2500}}, [](const auto& in) { return mm(in[0], in[1]); }},
    {"mm_of_transposed", {{20, 2000}, {20, 1000}}, [](const auto& in) { return mm(in[0].t(), in[1]); }},
    {"mm_with_transposed", {{2000, 300}, {700, 300}}, [](const auto& in) { return mm(in[0], in[1].t()); }},
    {"mm_with_a_long_inner_dimension", {{30, 20000}, {20000, 40}}, [](const auto& in) { return mm(in[0], in[1]); }},
    {"bmm", {{6, 300, 50}, {6, 50, 400}}, [](const auto& in) { return bmm(in[0], in[1]); }},
    {"mv", {{3000, 1000}, {1000}}, [](const auto& in) { return mv(in[0], in[1]); }},
    {"a_step",
     {{2000, 20}, {20, 1000}, {2000, 1000}},
     [](const auto& in) { return pow(in[2] - mm(in[0], in[1]), 2).sum(); }},
    {"sum", {{2000, 1500}}, [](const auto& in) { return in[0].sum(); }},
    {"sum_of_rows", {{2000, 1500}}, [](const auto& in) { return in[0].sum(1); }},
    {"sum_of_columns", {{2000, 1500}}, [](const auto& in) { return in[0].sum(0); }},
    {"sum_of_high_columns", {{30000, 100}}, [](const auto& in) { return in[0].sum(0); }},
    {"softmax", {{2000, 1500}}, [](const auto& in) { return in[0].softmax(1); }},
    {"softmax_of_columns", {{2000, 1500}}, [](const auto& in) { return in[0].softmax(0); }},
    {"exp_of_transposed", {{2000, 1500}}, [](const auto& in) { return in[0].t().exp().contiguous(); }},
    {"broadcast_quotient", {{2000, 1}, {1, 1500}}, [](const auto& in) { return in[0] / (in[1] + 1); }},
    {"logsumexp", {{2000, 1500}}, [](const auto& in) { return in[0].logsumexp({1}); }},
    {"sort", {{400, 3000}}, [](const auto& in) { return std::get<0>(in[0].sort(1)); }},
    {"svd", {{120, 90}}, [](const auto& in) { return std::get<1>(linalg_svd(in[0], false)); }},
    {"solve",
     {{150, 150}, {150, 150}},
     [](const auto& in) { return linalg_solve(in[0] + 10 * eye(150, in[0].dtype()), in[1]); }},
};

INSTANTIATE_TEST_SUITE_P(Large, OnThreads,
                         testing::Combine(testing::ValuesIn(kCases), testing::Values(kFloat, kDouble)),
                         [](const auto& info) {
                           return std::string(std::get<0>(info.param).name) +
                                  (std::get<1>(info.param) == kFloat ? "_float" : "_double");
                         });

}  // namespace
}  // namespace wengert::test
