#include <factorize/entries.h>
#include <fmt/format.h>
#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/base/error.h>
#include <wengert/autograd/base/generator.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <cmath>

namespace factorize {
namespace {

using wengert::Error;
using wengert::Tensor;

std::string id_of(const std::vector<std::string>& ids, int32_t position) {
  return ids.empty() ? std::to_string(position + 1) : ids[static_cast<size_t>(position)];
}

}  // namespace

Entries entries_of(const Ratings& ratings, const Data& data, Duplicates duplicates, wengert::ScalarType dtype) {
  const wengert::SparsePattern::Coalesced sorted =
      wengert::SparsePattern::coalesced(ratings.rows, ratings.columns, data.rows, data.columns);
  const int64_t nnz = sorted.pattern.nnz();
  Entries entries{sorted.pattern, wengert::empty({nnz}, dtype), {}};
  entries.duplicates = static_cast<int64_t>(ratings.size()) - nnz;
  const bool have_weights = !ratings.weights.empty() || (duplicates == Duplicates::kMean && entries.duplicates > 0);
  if (have_weights) entries.weights = wengert::empty({nnz}, dtype);
  const auto *order = sorted.order.data_ptr<int64_t>(), *starts = sorted.starts.data_ptr<int64_t>();
  const auto weight_of = [&](size_t e) {
    return ratings.weights.empty() ? 1.0 : static_cast<double>(ratings.weights[e]);
  };
  // The values and weights of an entry as one; what they differ from their mean goes to squares_within.
  const auto merge = [&](int64_t begin, int64_t end) -> std::pair<double, double> {
    const auto last = static_cast<size_t>(order[end - 1]);
    if (end - begin == 1 || duplicates == Duplicates::kLast) return {ratings.values[last], weight_of(last)};
    if (duplicates == Duplicates::kError) {
      throw Error(fmt::format("{}: there are several values for row {}, column {}", data.name,
                              id_of(data.row_ids, ratings.rows[last]), id_of(data.column_ids, ratings.columns[last])));
    }
    double sum = 0, weighted_sum = 0, weight = 0, largest = 0;
    for (int64_t p = begin; p < end; ++p) {
      const auto e = static_cast<size_t>(order[p]);
      const double value = static_cast<double>(ratings.values[e]), w = weight_of(e);
      sum += value;
      weighted_sum += w * value;
      weight += w;
      largest = std::max(largest, w);
    }
    if (duplicates == Duplicates::kSum) return {sum, largest};
    const double mean = weight > 0 ? weighted_sum / weight : 0;
    for (int64_t p = begin; p < end; ++p) {
      const auto e = static_cast<size_t>(order[p]);
      const double difference = static_cast<double>(ratings.values[e]) - mean;
      entries.squares_within += weight_of(e) * difference * difference;
    }
    return {mean, weight};
  };
  wengert::dispatch_floating(dtype, "entries_of", [&]<class T>() {
    T *values = entries.values.data_ptr<T>(), *weights = have_weights ? entries.weights.data_ptr<T>() : nullptr;
    for (int64_t e = 0; e < nnz; ++e) {
      const auto [value, weight] = merge(starts[e], starts[e + 1]);
      values[e] = static_cast<T>(value);
      if (have_weights) weights[e] = static_cast<T>(weight);
      entries.count += weight;
    }
  });
  if (entries.count <= 0) throw Error(fmt::format("{}: all weights are 0", data.name));
  return entries;
}

Entries entries_of(const Tensor& matrix) {
  const int64_t n = matrix.size(0), m = matrix.size(1);
  std::vector<int32_t> rows, columns;
  Tensor values;
  wengert::dispatch_floating(matrix.dtype(), "entries_of", [&]<class T>() {
    const T* at = matrix.data_ptr<T>();
    std::vector<T> known;
    for (int64_t i = 0; i < matrix.numel(); ++i) {
      if (std::isnan(at[i])) continue;
      rows.push_back(static_cast<int32_t>(i / m));
      columns.push_back(static_cast<int32_t>(i % m));
      known.push_back(at[i]);
    }
    values = wengert::empty({static_cast<int64_t>(known.size())}, matrix.dtype());
    std::copy(known.begin(), known.end(), values.data_ptr<T>());
  });
  return {wengert::SparsePattern(rows, columns, n, m), values, {}, static_cast<double>(values.numel())};
}

Ratings take_out(Ratings& ratings, double part, Holdout holdout, uint64_t seed) {
  const size_t size = ratings.size();
  if (holdout == Holdout::kTime && ratings.times.empty()) throw Error("--holdout-by time: the file has no times");
  wengert::manual_seed(seed);
  const Tensor shuffled = wengert::randperm(static_cast<int64_t>(size));
  const auto* drawn = shuffled.data_ptr<int64_t>();
  std::vector<size_t> order(drawn, drawn + size);
  // Those that come first are taken out.
  auto taken = static_cast<size_t>(std::llround(part * static_cast<double>(size)));
  if (holdout == Holdout::kTime) {
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return ratings.times[a] > ratings.times[b]; });
  } else if (holdout == Holdout::kRows) {
    // Of a row with c entries, those that are drawn first, part * c of them.
    std::vector<double> in_row, seen;
    const auto rows = static_cast<size_t>(*std::max_element(ratings.rows.begin(), ratings.rows.end())) + 1;
    in_row.resize(rows);
    seen.resize(rows);
    for (const int32_t row : ratings.rows) in_row[static_cast<size_t>(row)] += part;
    const auto first = std::stable_partition(order.begin(), order.end(), [&](size_t e) {
      const auto row = static_cast<size_t>(ratings.rows[e]);
      return ++seen[row] <= in_row[row];
    });
    taken = static_cast<size_t>(first - order.begin());
  }
  if (taken == 0 || taken >= size) {
    throw Error(
        fmt::format("--holdout {} takes {} of {} entries; expected some, and some to be left", part, taken, size));
  }
  std::vector<bool> is_out(size);
  for (size_t i = 0; i < taken; ++i) is_out[order[i]] = true;
  Ratings out, rest;
  for (size_t e = 0; e < size; ++e) {
    Ratings& to = is_out[e] ? out : rest;
    to.rows.push_back(ratings.rows[e]);
    to.columns.push_back(ratings.columns[e]);
    to.values.push_back(ratings.values[e]);
    if (!ratings.weights.empty()) to.weights.push_back(ratings.weights[e]);
    if (!ratings.times.empty()) to.times.push_back(ratings.times[e]);
  }
  ratings = std::move(rest);
  return out;
}

}  // namespace factorize
