#include <factorize/fit/bpr.h>
#include <factorize/terminal/interrupt.h>
#include <factorize/terminal/progress.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace factorize {
namespace {

using wengert::NoGradGuard;
using wengert::Tensor;

constexpr int64_t kBatch = 8192;

// Draws triples (row, a column with an entry there, one without).
class Triples {
 public:
  explicit Triples(const wengert::SparsePattern& pattern)
      : starts_(pattern.crow_indices()),
        columns_(pattern.col_indices()),
        rows_(rows_of(pattern)),
        m_(pattern.columns()) {}

  struct Batch {
    Tensor rows, with, without;
  };
  Batch draw(int64_t count) const {
    const Tensor entries = wengert::randint(0, rows_.numel(), {count}, wengert::kLong);
    Batch batch{rows_.index_select(0, entries), columns_.index_select(0, entries),
                wengert::randint(0, m_, {count}, wengert::kLong)};
    const auto* row = batch.rows.data_ptr<int64_t>();
    auto* column = batch.without.data_ptr<int64_t>();
    constexpr int kTries = 10;  // a row may have nearly all columns
    for (int64_t e = 0; e < count; ++e) {
      for (int i = 0; i < kTries && is_entry(row[e], column[e]); ++i) {
        column[e] = wengert::randint(0, m_, {1}, wengert::kLong).item<int64_t>();
      }
    }
    return batch;
  }

 private:
  int64_t start(int64_t row) const { return starts_.data_ptr<int64_t>()[row]; }
  bool is_entry(int64_t row, int64_t column) const {
    const auto* columns = columns_.data_ptr<int64_t>();
    return std::binary_search(columns + start(row), columns + start(row + 1), column);
  }

  Tensor starts_, columns_, rows_;
  int64_t m_;
};

}  // namespace

FitResult fit_by_bpr(const Entries& entries, const FitOptions& options, const Running& running) {
  wengert::manual_seed(options.seed);
  const wengert::SparsePattern& pattern = entries.pattern;
  const int64_t n = pattern.rows(), m = pattern.columns(), k = options.rank.value_or(default_rank(n, m));
  const double l2 = options.l2.value_or(0.01);
  const auto factor = [&](int64_t lines) {
    return (wengert::randn({lines, k}, entries.values.options()) * 0.1).requires_grad_();
  };
  // Of a bias of the rows nothing would be seen.
  const Tensor rows = factor(n), columns = factor(m),
               bias = wengert::zeros({m, 1}, entries.values.options()).requires_grad_();
  FitResult result;
  result.lr = options.lr.value_or(0.05);
  result.optimizer = OptimizerKind::kAdagrad;
  wengert::optim::Adagrad optimizer({rows, columns, bias}, wengert::optim::AdagradOptions(result.lr));
  const Triples triples(pattern);
  const int64_t batches = std::max<int64_t>(1, pattern.nnz() / kBatch);
  const double tolerance = options.tolerance.value_or(1e-3);

  const auto save = [&](wengert::serialize::OutputArchive& archive) {
    archive.write("rows", rows);
    archive.write("columns", columns);
    archive.write("bias", bias);
    archive.write("optimizer", optimizer);
    archive.write("iterations", result.iterations);
    archive.write("losses", tensor_of(result.losses));
    archive.write("generator", wengert::get_rng_state());
  };
  if (const auto* resumed = running.resumed()) {
    const NoGradGuard no_grad;
    for (const auto& [name, parameter] :
         {std::pair("rows", rows), std::pair("columns", columns), std::pair("bias", bias)}) {
      Tensor value;
      resumed->read(name, value);
      parameter.copy_(value);
    }
    resumed->read("optimizer", optimizer);
    resumed->read("iterations", result.iterations);
    result.losses = numbers_in(*resumed, "losses");
    wengert::Generator generator;
    resumed->read("generator", generator);
    wengert::set_rng_state(generator);
  }

  const InterruptGuard interrupt;
  const auto start = std::chrono::steady_clock::now();
  Progress progress(running.show_progress, options.iterations, running.loss_unit);
  result.stop = Stop::kIterations;
  while (result.iterations < options.iterations) {
    double sum = 0;
    for (int64_t i = 0; i < batches; ++i) {
      const auto [row, with, without] = triples.draw(kBatch);
      optimizer.zero_grad();
      const auto rows_of = [&](const Tensor& table, const Tensor& at) {
        return wengert::embedding(table, at, -1, false, true);
      };
      const Tensor p = rows_of(rows, row), q = rows_of(columns, with), r = rows_of(columns, without);
      const Tensor b = rows_of(bias, with), c = rows_of(bias, without);
      const Tensor preference = (p * (q - r)).sum(1) + (b - c).squeeze(1);
      const Tensor errors = -wengert::log_sigmoid(preference).sum();
      (errors + l2 * (p.square().sum() + q.square().sum() + r.square().sum())).backward();
      optimizer.step();
      sum += errors.item<double>();
    }
    result.losses.push_back(sum / static_cast<double>(batches * kBatch));
    ++result.iterations;
    progress.update(result.iterations, result.losses.back());
    running.save(interrupt.interrupted(), save);
    const size_t epochs = result.losses.size();
    constexpr size_t kWindow = 5;
    const bool has_stalled = epochs > kWindow && result.losses[epochs - 1 - kWindow] - result.losses.back() <
                                                     tolerance * result.losses.back();
    if (interrupt.interrupted() || has_stalled || !std::isfinite(sum)) {
      result.stop = interrupt.interrupted() ? Stop::kInterrupted : has_stalled ? Stop::kConverged : Stop::kDiverged;
      break;
    }
  }
  const NoGradGuard no_grad;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.best_iteration = result.iterations;
  result.C = rows.detach().clone();
  result.F = columns.detach().t().contiguous();
  result.row_bias = wengert::zeros({n}, entries.values.options());
  result.column_bias = bias.detach().squeeze(1).clone();
  result.used_rank = k;
  result.count = entries.count;
  return result;
}

}  // namespace factorize
