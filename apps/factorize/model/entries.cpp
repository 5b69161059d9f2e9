#include <factorize/model/entries.h>
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

Tensor given_tensor(const std::vector<float>& given) {
  return wengert::from_blob(const_cast<float*>(given.data()), {static_cast<int64_t>(given.size())}, wengert::kFloat);
}

// Makes one of the values and weights of each position, which lie in the order of the positions.
void merge(Entries& entries, const Ratings& ratings, const Data& data, Duplicates duplicates,
           const wengert::SparsePattern::Coalesced& sorted) {
  const auto* starts = sorted.starts.data_ptr<int64_t>();
  const int64_t size = entries.size();
  if (duplicates == Duplicates::kError) {
    int64_t e = 0;
    while (starts[e + 1] == starts[e] + 1) ++e;
    const auto given = static_cast<size_t>(sorted.order[starts[e]].item<int64_t>());
    throw Error(fmt::format("{}: there are several values for row {}, column {}", data.name,
                            id_of(data.row_ids, ratings.rows[given]), id_of(data.column_ids, ratings.columns[given])));
  }
  if (duplicates == Duplicates::kLast) {
    const Tensor last = sorted.starts.narrow(0, 1, size) - 1;
    entries.values = entries.values.index_select(0, last);
    if (entries.weights.defined()) entries.weights = entries.weights.index_select(0, last);
    return;
  }
  const bool have_weights = entries.weights.defined();
  const Tensor merged = wengert::empty({size}, wengert::kDouble), merged_weights = wengert::empty_like(merged);
  const auto* values = entries.values.data_ptr<float>();
  const auto* weights = have_weights ? entries.weights.data_ptr<float>() : nullptr;
  auto *value_of = merged.data_ptr<double>(), *weight_of = merged_weights.data_ptr<double>();
  const auto weight_at = [&](int64_t p) { return have_weights ? static_cast<double>(weights[p]) : 1.0; };
  for (int64_t e = 0; e < size; ++e) {
    const int64_t begin = starts[e], end = starts[e + 1];
    value_of[e] = static_cast<double>(values[begin]);
    weight_of[e] = weight_at(begin);
    if (end - begin == 1) continue;
    double sum = 0, weighted_sum = 0, weight = 0, largest = 0;
    for (int64_t p = begin; p < end; ++p) {
      const double value = static_cast<double>(values[p]);
      sum += value;
      weighted_sum += weight_at(p) * value;
      weight += weight_at(p);
      largest = std::max(largest, weight_at(p));
    }
    if (duplicates == Duplicates::kSum) {
      value_of[e] = sum;
      weight_of[e] = largest;
      continue;
    }
    value_of[e] = weight > 0 ? weighted_sum / weight : 0;
    weight_of[e] = weight;
    for (int64_t p = begin; p < end; ++p) {
      const double difference = static_cast<double>(values[p]) - value_of[e];
      entries.squares_within += weight_at(p) * difference * difference;
    }
  }
  entries.values = merged;
  if (have_weights || duplicates == Duplicates::kMean) entries.weights = merged_weights;
}

}  // namespace

double largest_of(const Tensor& values) {
  return values.numel() == 0 ? 0 : std::max(-values.min().item<double>(), values.max().item<double>());
}

double unit_of(const Tensor& values) { return unit_of(largest_of(values)); }

double unit_of(double largest) {
  constexpr int kNear = 10;  // powers of two
  if (largest == 0 || !std::isfinite(largest)) return 1;
  const int power = std::ilogb(largest);
  return std::abs(power) <= kNear ? 1 : std::ldexp(1.0, power / 2 * 2);
}

Entries in_unit(const Entries& entries, double unit) {
  Entries scaled = entries;
  if (unit == 1) return scaled;
  scaled.values = entries.values / unit;
  scaled.squares_within /= unit * unit;
  return scaled;
}

Entries entries_of(const Ratings& ratings, const Data& data, Duplicates duplicates, wengert::ScalarType dtype) {
  const wengert::SparsePattern::Coalesced sorted =
      wengert::SparsePattern::coalesced(ratings.rows, ratings.columns, data.rows, data.columns);
  const int64_t nnz = sorted.pattern.nnz();
  const auto in_order = [&](const std::vector<float>& given) {
    return given_tensor(given).index_select(0, sorted.order);
  };
  Entries entries{sorted.pattern, in_order(ratings.values), {}, static_cast<double>(nnz)};
  if (!ratings.weights.empty()) entries.weights = in_order(ratings.weights);
  entries.duplicates = static_cast<int64_t>(ratings.size()) - nnz;
  if (entries.duplicates > 0) merge(entries, ratings, data, duplicates, sorted);
  if (entries.weights.defined()) {
    entries.count = entries.weights.sum(wengert::kDouble).item<double>();
    entries.weights = entries.weights.to(dtype);
  }
  entries.values = entries.values.to(dtype);
  if (entries.count <= 0 && ratings.size() > 0) throw Error(fmt::format("{}: all weights are 0", data.name));
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

Entries entries_of(const Data& data, Duplicates duplicates, wengert::ScalarType dtype) {
  if (const auto* ratings = std::get_if<Ratings>(&data.content)) return entries_of(*ratings, data, duplicates, dtype);
  return entries_of(std::get<Tensor>(data.content).to(dtype));
}

Tensor rows_of(const wengert::SparsePattern& pattern) {
  const int64_t n = pattern.rows();
  const Tensor starts = pattern.crow_indices();
  return wengert::arange(n).repeat_interleave(starts.narrow(0, 1, n) - starts.narrow(0, 0, n));
}

Entries one_row(const Tensor& values, const Tensor& weights) {
  const int64_t size = values.numel();
  const wengert::SparsePattern pattern(wengert::zeros({size}, wengert::kLong), wengert::arange(size), 1, size);
  return {pattern, values, weights, static_cast<double>(size)};
}

Tensor sums_at(const wengert::SparsePattern& pattern, const Tensor& of_rows, const Tensor& of_columns) {
  const Tensor rows = wengert::stack({of_rows, wengert::ones_like(of_rows)}, 1),
               columns = wengert::stack({wengert::ones_like(of_columns), of_columns}, 1);
  return wengert::sampled_mm(rows, columns.t(), pattern);
}

EntryRows by_rows(const Entries& entries) {
  return {entries.pattern.crow_indices(), entries.pattern.col_indices(), entries.values, entries.weights};
}

}  // namespace factorize
