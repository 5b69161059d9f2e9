#include <factorize/fit/bpr.h>
#include <factorize/fit/wholes.h>
#include <factorize/processes/lookup.h>
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

// Draws triples (own row, a column with an entry there, one without); columns by their positions in the matrix.
class Triples {
 public:
  explicit Triples(const Share& share)
      : starts_(share.of_rows.pattern.crow_indices()),
        columns_(share.columns.positions().index_select(0, share.of_rows.pattern.col_indices())),
        rows_(rows_of(share.of_rows.pattern)),
        m_(share.columns.all()) {}

  struct Batch {
    Tensor rows, with, without;
  };
  Batch draw(int64_t count) const {
    const Tensor entries = wengert::randint(0, std::max<int64_t>(1, rows_.numel()), {count}, wengert::kLong);
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

FitResult fit_by_bpr(const Share& share, const FitOptions& options, const Running& running) {
  wengert::manual_seed(options.seed);
  const Processes& processes = share.processes();
  const int64_t k = options.rank.value_or(default_rank(share.rows.all(), share.columns.all()));
  const double l2 = options.l2.value_or(0.01);
  const auto dtype = share.of_rows.values.options();
  const auto factor = [&](const Lines& lines) { return lines.randn(k, dtype) * 0.1; };
  const Tensor rows = factor(share.rows).requires_grad_();
  // Beside the factors the bias; of one of the rows nothing would be seen.
  const Tensor columns = wengert::cat({factor(share.columns), wengert::zeros({share.columns.own(), 1}, dtype)}, 1);
  columns.requires_grad_();
  const std::vector<Parameter> parameters{{rows, 0}, {columns, 0}};
  const Wholes wholes(processes, parameters);
  FitResult result;
  result.lr = options.lr.value_or(0.05);
  result.optimizer = OptimizerKind::kAdagrad;
  const auto adagrad = [&](const std::vector<Tensor>& of) {
    return wengert::optim::Adagrad(of, wengert::optim::AdagradOptions(result.lr));
  };
  wengert::optim::Adagrad optimizer = adagrad({rows, columns});
  const Triples triples(share);
  const int64_t batches = std::max<int64_t>(1, share.size / kBatch), own = share.of_rows.size(),
                before = processes.sum_before(own);
  const int64_t own_batch = kBatch * (before + own) / share.size - kBatch * before / share.size;
  const double tolerance = options.tolerance.value_or(1e-3);

  const auto save = [&](wengert::serialize::OutputArchive& archive) {
    archive.write("rows", wholes.whole(0, rows));
    archive.write("columns", wholes.whole(1, columns));
    wengert::optim::Adagrad of_wholes = adagrad(wholes.leaves());
    hand_over(optimizer, of_wholes, [&](size_t i, const Tensor& x) { return wholes.whole(i, x); });
    archive.write("optimizer", of_wholes);
    archive.write("iterations", result.iterations);
    archive.write("losses", tensor_of(result.losses));
  };
  if (const auto* resumed = running.resumed()) {
    const NoGradGuard no_grad;
    for (const auto& [name, i] : {std::pair("rows", size_t{0}), std::pair("columns", size_t{1})}) {
      Tensor value;
      resumed->read(name, value);
      parameters[i].own.copy_(wholes.own(i, value));
    }
    wengert::optim::Adagrad of_wholes = adagrad(wholes.leaves());
    resumed->read("optimizer", of_wholes);
    hand_over(of_wholes, optimizer, [&](size_t i, const Tensor& x) { return wholes.own(i, x); });
    resumed->read("iterations", result.iterations);
    result.losses = numbers_in(*resumed, "losses");
  }
  // What is drawn in an iteration follows from its number, so that a run goes on as it would have.
  const auto seed = [&] {
    constexpr uint64_t kApart = 0x9E3779B97F4A7C15;  // 2^64 over the golden ratio
    const int64_t turn = 1 + result.iterations * processes.count() + processes.index();
    wengert::manual_seed(options.seed + kApart * static_cast<uint64_t>(turn));
  };

  const InterruptGuard interrupt;
  const auto start = std::chrono::steady_clock::now();
  Progress progress(running.show_progress, options.iterations, running.loss_unit, running.on_iteration);
  result.stop = Stop::kIterations;
  while (result.iterations < options.iterations) {
    double sum = 0;
    seed();
    for (int64_t i = 0; i < batches; ++i) {
      const auto [row, with, without] = triples.draw(own_batch);
      const Lookup lookup(share.columns, wengert::cat({with, without}));
      optimizer.zero_grad();
      const Tensor p = wengert::embedding(rows, row, -1, false, true),
                   both = lookup.take(columns).requires_grad_();  // those with, then those without
      const Tensor factors = both.narrow(1, 0, k), bias = both.select(1, k);
      const auto difference = [&](const Tensor& x) {
        return x.narrow(0, 0, own_batch) - x.narrow(0, own_batch, own_batch);
      };
      const Tensor errors = -wengert::log_sigmoid((p * difference(factors)).sum(1) + difference(bias)).sum();
      (errors + l2 * (p.square().sum() + factors.square().sum())).backward();
      columns.mutable_grad() =
          wengert::sparse_coo_tensor(lookup.asked().unsqueeze(0), lookup.give(both.grad()), columns.sizes());
      optimizer.step();
      sum += errors.item<double>();
    }
    sum = processes.sum(sum);
    const bool is_interrupted = processes.any(interrupt.interrupted());
    result.losses.push_back(sum / static_cast<double>(batches * kBatch));
    ++result.iterations;
    progress.update(result.iterations, result.losses.back());
    running.save(is_interrupted, save);
    const size_t epochs = result.losses.size();
    constexpr size_t kWindow = 5;
    const bool has_stalled = epochs > kWindow && result.losses[epochs - 1 - kWindow] - result.losses.back() <
                                                     tolerance * result.losses.back();
    if (is_interrupted || has_stalled || !std::isfinite(sum)) {
      result.stop = is_interrupted ? Stop::kInterrupted : has_stalled ? Stop::kConverged : Stop::kDiverged;
      break;
    }
  }
  const NoGradGuard no_grad;
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.best_iteration = result.iterations;
  const Tensor needed = share.columns.bring(columns.detach()).get();
  result.C = rows.detach().clone();
  result.F = needed.narrow(1, 0, k).t().contiguous();
  result.row_bias = wengert::zeros({share.rows.own()}, dtype);
  result.column_bias = needed.select(1, k).clone();
  result.used_rank = k;
  result.count = share.count;
  return result;
}

}  // namespace factorize
