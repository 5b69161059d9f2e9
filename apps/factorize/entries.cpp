#include <factorize/entries.h>
#include <fmt/format.h>
#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/base/error.h>
#include <wengert/autograd/base/generator.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace factorize {
namespace {

using wengert::Error;
using wengert::Tensor;

std::string id_of(const std::vector<std::string>& ids, int32_t position) {
  return ids.empty() ? std::to_string(position + 1) : ids[static_cast<size_t>(position)];
}

}  // namespace

Entries entries_of(const Ratings& ratings, const Data& data, Duplicates duplicates, wengert::ScalarType dtype) {
  auto [pattern, value_of] = wengert::SparsePattern::coalesced(ratings.rows, ratings.columns, data.rows, data.columns);
  const auto nnz = static_cast<size_t>(pattern.nnz());
  const int64_t* at = value_of.data_ptr<int64_t>();
  Entries entries{pattern, {}, {}, 0, 0, static_cast<int64_t>(ratings.size() - nnz)};
  std::vector<double> sums(nnz), weights(nnz);
  const auto weight_of = [&](size_t e) {
    return ratings.weights.empty() ? 1.0 : static_cast<double>(ratings.weights[e]);
  };
  for (size_t e = 0; e < ratings.size(); ++e) {
    const auto i = static_cast<size_t>(at[e]);
    if (weights[i] != 0 && duplicates == Duplicates::kError) {
      throw Error(fmt::format("{}: there are several values for row {}, column {}", data.name,
                              id_of(data.row_ids, ratings.rows[e]), id_of(data.column_ids, ratings.columns[e])));
    }
    const double weight = weight_of(e), value = static_cast<double>(ratings.values[e]);
    switch (duplicates) {
      case Duplicates::kError:
      case Duplicates::kLast:
        sums[i] = value;
        weights[i] = weight;
        break;
      case Duplicates::kSum:
        sums[i] += value;
        weights[i] = std::max(weights[i], weight);
        break;
      case Duplicates::kMean: sums[i] += weight * value; weights[i] += weight;
    }
  }
  if (duplicates == Duplicates::kMean) {
    for (size_t i = 0; i < nnz; ++i) sums[i] = weights[i] > 0 ? sums[i] / weights[i] : 0;
    if (entries.duplicates > 0) {
      for (size_t e = 0; e < ratings.size(); ++e) {
        const double difference = static_cast<double>(ratings.values[e]) - sums[static_cast<size_t>(at[e])];
        entries.squares_within += weight_of(e) * difference * difference;
      }
    }
  }
  entries.count = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (entries.count <= 0) throw Error(fmt::format("{}: all weights are 0", data.name));
  wengert::dispatch_floating(dtype, "entries_of", [&]<class T>() {
    const auto tensor_of = [&](const std::vector<double>& numbers) {
      Tensor tensor = wengert::empty({static_cast<int64_t>(nnz)}, dtype);
      std::transform(numbers.begin(), numbers.end(), tensor.data_ptr<T>(), [](double x) { return static_cast<T>(x); });
      return tensor;
    };
    entries.values = tensor_of(sums);
    const bool all_ones = std::all_of(weights.begin(), weights.end(), [](double weight) { return weight == 1; });
    if (!all_ones) entries.weights = tensor_of(weights);
  });
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
