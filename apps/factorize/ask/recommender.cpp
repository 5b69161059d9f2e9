#include <factorize/ask/recommender.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <algorithm>

namespace factorize {

using wengert::Tensor;

namespace {

Tensor predictions_of(const BestColumns& best, const Predictor& predictor, double level) {
  const Tensor x = wengert::tensor(best.scores, wengert::kDouble) + level;
  return predictor.predicted(x).to(predictor.model().C.dtype());
}

}  // namespace

Recommender::Recommender(const SavedModel& saved) : saved_(saved), predictor_(saved.model) {
  if (saved.model.row_penalties.defined()) solver_.emplace(predictor_);
}

const RowSolver& Recommender::solver() const {
  if (!solver_) throw wengert::Error("rows have no least squares in a model of --implicit bpr");
  return *solver_;
}

void Recommender::recommend(const std::vector<int64_t>& rows, int64_t count, bool with_seen, const Take& take) const {
  const wengert::NoGradGuard no_grad;
  const auto leave_out = [&](int64_t i, std::vector<int64_t>& columns) {
    if (with_seen) return;
    saved_.for_each_seen(rows[static_cast<size_t>(i)], [&](int64_t column) { columns.push_back(column); });
  };
  const Tensor& levels = predictor_.row_levels();
  const Tensor factors = saved_.model.C.index_select(0, wengert::tensor(rows));
  for_each_ranked(predictor_, factors, count, leave_out, [&](int64_t i, const BestColumns& best) {
    const int64_t row = rows[static_cast<size_t>(i)];
    take(row, best, predictions_of(best, predictor_, levels[row].item<double>()));
  });
}

void Recommender::recommend(const Entries& entries, const Tensor& columns, int64_t count, const Take& take) const {
  const wengert::NoGradGuard no_grad;
  const RowSolver::Rows rows = solver().solve(entries, columns);
  const EntryRows given = by_rows(entries);
  const auto leave_out = [&](int64_t i, std::vector<int64_t>& out) {
    for (const int64_t column : given.columns_of(i)) out.push_back(columns.data_ptr<int64_t>()[column]);
  };
  for_each_ranked(predictor_, rows.factors, count, leave_out, [&](int64_t i, const BestColumns& best) {
    take(i, best, predictions_of(best, predictor_, rows.level[i].item<double>()));
  });
}

void Recommender::check_explains() const {
  if (!saved_.fitted) throw wengert::Error(fmt::format("{}: there are no entries of a fit", saved_.folder));
  if (saved_.model.nonnegative) throw wengert::Error("scores of nonnegative factors are no sums over entries");
  (void)solver();
}

std::vector<std::vector<Recommender::Part>> Recommender::explain(int64_t row, const BestColumns& best,
                                                                 int64_t count) const {
  const wengert::NoGradGuard no_grad;
  check_explains();
  const RowSolver& solver = this->solver();
  const EntryRows& fitted = *saved_.fitted;
  const int64_t begin = fitted.begin_of(row), size = fitted.count_of(row);
  std::vector<std::vector<Part>> parts(best.columns.size());
  if (size == 0 || best.columns.empty()) return parts;
  const Entries own = one_row(fitted.values.narrow(0, begin, size),
                              fitted.weights.defined() ? fitted.weights.narrow(0, begin, size) : Tensor());
  const Tensor columns = fitted.columns.narrow(0, begin, size);
  const Tensor of_scores =
      solver.parts_of_score(own, columns, solver.solve(own, columns), wengert::tensor(best.columns));
  const auto highest = wengert::topk(of_scores.to(wengert::kDouble), std::min(count, size), 1);
  const auto* part = std::get<0>(highest).data_ptr<double>();
  const auto* at = std::get<1>(highest).data_ptr<int64_t>();
  const int64_t width = std::get<0>(highest).size(1);
  for (size_t r = 0; r < parts.size(); ++r) {
    for (int64_t i = static_cast<int64_t>(r) * width; i < static_cast<int64_t>(r + 1) * width && part[i] > 0; ++i) {
      parts[r].push_back({columns.data_ptr<int64_t>()[at[i]], part[i]});
    }
  }
  return parts;
}

}  // namespace factorize
