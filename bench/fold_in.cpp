// A new row folded into a model: 50 entries among 10,000 columns, with biases, and variances as where the
// regularization follows from the data.

#include <benchmark/benchmark.h>
#include <factorize/model/row_solver.h>
#include <wengert/wengert.h>

namespace {

using factorize::Model;
using wengert::Tensor;

void fold_in(benchmark::State& state, factorize::Feedback feedback) {
  constexpr int64_t kColumns = 10000, kEntries = 50;
  const int64_t rank = state.range(0);
  wengert::set_num_threads(1);
  wengert::manual_seed(1);
  Model model;
  model.C = wengert::randn({2, rank}) * 0.3;
  model.F = wengert::randn({rank, kColumns}) * 0.3;
  model.row_penalties = wengert::ones({rank + 1});
  model.feedback = feedback;
  if (feedback == factorize::Feedback::kExplicit) {
    model.row_bias = wengert::zeros({2});
    model.column_bias = wengert::randn({kColumns});
    model.column_variances = wengert::rand({rank, kColumns}) * 0.01;
  }
  const factorize::Predictor predictor(model);
  const factorize::RowSolver solver(predictor);
  const Tensor columns = wengert::randperm(kColumns).narrow(0, 0, kEntries).contiguous(),
               values = wengert::rand({kEntries});
  for (auto _ : state) {
    benchmark::DoNotOptimize(solver.solve(factorize::one_row(values), columns).factors.data_ptr());
  }
}

BENCHMARK_CAPTURE(fold_in, ratings, factorize::Feedback::kExplicit)->Arg(14)->Arg(64)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(fold_in, implicit, factorize::Feedback::kAls)->Arg(14)->Arg(64)->Unit(benchmark::kMicrosecond);

}  // namespace

BENCHMARK_MAIN();
