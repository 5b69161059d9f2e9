#include <factorize/model/ranking.h>
#include <wengert/autograd/base/dispatch.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace factorize {

using wengert::Tensor;

namespace {

template <class T>
void take_best(const Tensor& scores, const Tensor& columns, int64_t row, BestColumns& best) {
  const int64_t count = scores.size(1);
  const T* score = scores.data_ptr<T>() + row * count;
  const auto* column = columns.data_ptr<int64_t>() + row * count;
  best.columns.clear();
  best.scores.clear();
  for (int64_t i = 0; i < count && score[i] > -std::numeric_limits<T>::infinity(); ++i) {
    best.columns.push_back(column[i]);
    best.scores.push_back(static_cast<double>(score[i]));
  }
}

}  // namespace

Tensor directions_of(const Tensor& rows) {
  const wengert::NoGradGuard no_grad;
  return rows / rows.square().sum(1, true).sqrt().clamp_min(1e-30);
}

std::tuple<Tensor, Tensor> most_alike(const Tensor& directions, int64_t position, int64_t count) {
  const wengert::NoGradGuard no_grad;
  const Tensor cosines = wengert::mv(directions, directions[position]);
  cosines[position].fill_(-2);
  const auto [highest, at] = wengert::topk(cosines, std::min(count, directions.size(0) - 1));
  return {at, highest};
}

void for_each_ranked(const Predictor& predictor, const Tensor& factors, int64_t count, const LeaveOut& leave_out,
                     const std::function<void(int64_t row, const BestColumns&)>& take) {
  const wengert::NoGradGuard no_grad;
  const int64_t rows = factors.size(0), m = predictor.model().columns();
  // So many that a product is worth its while, and few enough that the scores stay in a cache.
  constexpr int64_t kScores = 1 << 22;
  const int64_t batch = std::clamp<int64_t>(kScores / m, 16, 1024);
  std::vector<int64_t> out;
  BestColumns best;
  for (int64_t begin = 0; begin < rows; begin += batch) {
    const int64_t size = std::min(batch, rows - begin);
    const Tensor scores = predictor.scores(factors.narrow(0, begin, size));
    wengert::dispatch_floating(scores.dtype(), "recommend", [&]<class T>() {
      T* score = scores.data_ptr<T>();
      for (int64_t i = 0; i < size; ++i) {
        out.clear();
        leave_out(begin + i, out);
        for (const int64_t column : out) score[i * m + column] = -std::numeric_limits<T>::infinity();
      }
      const auto [highest, columns] = wengert::topk(scores, std::min(count, m), 1);
      for (int64_t i = 0; i < size; ++i) {
        take_best<T>(highest, columns, i, best);
        take(begin + i, best);
      }
    });
  }
}

Relevant relevant_of(const Tensor& rows, const Tensor& columns, const Tensor& values, std::optional<double> least) {
  Relevant relevant;
  const auto *row = rows.data_ptr<int64_t>(), *column = columns.data_ptr<int64_t>();
  const Tensor numbers = values.to(wengert::kDouble);
  for (int64_t e = 0; e < rows.numel(); ++e) {
    if (least && numbers.data_ptr<double>()[e] < *least) continue;
    if (relevant.rows.empty() || relevant.rows.back() != row[e]) {
      relevant.rows.push_back(row[e]);
      relevant.columns.emplace_back();
    }
    relevant.columns.back().insert(column[e]);
  }
  return relevant;
}

void MeanOfRows::add(double x) {
  sum += x;
  squares += x * x;
  ++count;
}

double MeanOfRows::deviation() const {
  if (count < 2) return 0;
  const double n = static_cast<double>(count);
  return std::sqrt(std::max(0.0, squares / n - mean() * mean()) / (n - 1));
}

RankingMeasures ranking_measures(const Predictor& predictor, const Relevant& relevant, int64_t count,
                                 const LeaveOut& leave_out) {
  const wengert::NoGradGuard no_grad;
  std::vector<double> discounts;
  for (int64_t r = 0; r < count; ++r) discounts.push_back(1 / std::log2(static_cast<double>(r) + 2));
  RankingMeasures measures;
  const int64_t m = predictor.model().columns();
  std::vector<bool> is_recommended(static_cast<size_t>(m));
  const Tensor factors = predictor.model().C.index_select(0, wengert::tensor(relevant.rows));
  for_each_ranked(predictor, factors, count, leave_out, [&](int64_t i, const BestColumns& best) {
    const auto& wanted = relevant.columns[static_cast<size_t>(i)];
    double hits = 0, gain = 0, ideal = 0, precisions = 0;
    for (size_t r = 0; r < best.columns.size(); ++r) {
      is_recommended[static_cast<size_t>(best.columns[r])] = true;
      if (!wanted.contains(best.columns[r])) continue;
      hits += 1;
      gain += discounts[r];
      precisions += hits / static_cast<double>(r + 1);
    }
    const size_t most = std::min(wanted.size(), static_cast<size_t>(count));
    for (size_t r = 0; r < most; ++r) ideal += discounts[r];
    measures.means[0].add(hits / static_cast<double>(count));
    measures.means[1].add(hits / static_cast<double>(wanted.size()));
    measures.means[2].add(gain / ideal);
    measures.means[3].add(precisions / static_cast<double>(most));
    measures.means[4].add(hits > 0 ? 1 : 0);
  });
  measures.coverage =
      static_cast<double>(std::count(is_recommended.begin(), is_recommended.end(), true)) / static_cast<double>(m);
  return measures;
}

}  // namespace factorize
