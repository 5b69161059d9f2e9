#include <factorize/model/share.h>
#include <fmt/format.h>
#include <wengert/autograd/base/error.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace factorize {
namespace {

using wengert::Error;
using wengert::Tensor;
using Positions = std::vector<int32_t>;

// Blocks of lines with about as many entries each, and at least one line.
std::vector<int64_t> blocks_of(const Processes& processes, const char* what, const Positions& lines, int64_t count) {
  const int64_t p = processes.count();
  if (count < p) {
    throw Error(fmt::format("{} processes can't share {} {}s; start at most as many", p, count, what));
  }
  // How many entries each so many lines have.
  constexpr int64_t kMost = 1 << 16;
  const int64_t width = (count + kMost - 1) / kMost;
  Tensor in_bucket = wengert::zeros({(count + width - 1) / width}, wengert::kLong);
  for (const int32_t line : lines) ++in_bucket.data_ptr<int64_t>()[line / width];
  in_bucket = processes.sum(in_bucket);
  const auto* entries = in_bucket.data_ptr<int64_t>();
  const int64_t total = in_bucket.sum().item<int64_t>();
  std::vector<int64_t> cuts{0};
  int64_t before = 0, bucket = 0;
  for (int64_t i = 1; i < p; ++i) {
    // Where it is nearer to its part with the bucket than without.
    while (bucket < in_bucket.numel() && 2 * (before * p - total * i) + entries[bucket] * p <= 0) {
      before += entries[bucket++];
    }
    cuts.push_back(std::clamp(bucket * width, cuts.back() + 1, count - p + i));
  }
  cuts.push_back(count);
  return cuts;
}

// Those of a list that go to each, as bytes.
template <class T>
std::vector<std::string> dealt(const std::vector<T>& values, const std::vector<uint16_t>& to, int count) {
  std::vector<std::string> bytes(static_cast<size_t>(count));
  for (size_t e = 0; e < values.size(); ++e) {
    bytes[to[e]].append(reinterpret_cast<const char*>(&values[e]), sizeof values[e]);
  }
  return bytes;
}

// Ratings whose lines lie in this process's block, in the order of the file.
Ratings of_block(const Processes& processes, const Ratings& ratings, Positions Ratings::*lines,
                 const std::vector<int64_t>& cuts) {
  std::vector<uint16_t> to;
  to.reserve(ratings.size());
  for (const int32_t line : ratings.*lines) {
    to.push_back(static_cast<uint16_t>(std::upper_bound(cuts.begin(), cuts.end(), line) - cuts.begin() - 1));
  }
  Ratings own;
  const auto take = [&](auto member) {
    for (const std::string& part : processes.exchange(dealt(ratings.*member, to, processes.count()))) {
      add_values(own.*member, part);
    }
  };
  take(&Ratings::rows);
  take(&Ratings::columns);
  take(&Ratings::values);
  if (processes.any(!ratings.weights.empty())) take(&Ratings::weights);
  return own;
}

// Ascending, each once, and all of the own block among them.
Positions needed(const Processes& processes, const std::vector<int64_t>& cuts,
                 const std::vector<const Positions*>& lists) {
  const int64_t begin = cuts[static_cast<size_t>(processes.index())];
  Positions all(static_cast<size_t>(cuts[static_cast<size_t>(processes.index()) + 1] - begin));
  std::iota(all.begin(), all.end(), static_cast<int32_t>(begin));
  for (const Positions* list : lists) all.insert(all.end(), list->begin(), list->end());
  std::sort(all.begin(), all.end());
  all.erase(std::unique(all.begin(), all.end()), all.end());
  return all;
}

// Positions in the matrix become places among the own or the needed lines.
void to_own(Positions& positions, const Lines& lines) {
  for (int32_t& position : positions) position -= static_cast<int32_t>(lines.begin());
}
void to_needed(Positions& positions, const Lines& lines) {
  for (int32_t& position : positions) position = lines.place_of(position);
}

}  // namespace

Share::Share(Entries entries, std::optional<Entries> validation, std::optional<Entries> test)
    : rows(entries.pattern.rows()),
      columns(entries.pattern.columns()),
      of_rows(std::move(entries)),
      of_columns(of_rows),
      validation(std::move(validation)),
      test(std::move(test)),
      count(of_rows.count),
      squares_within(of_rows.squares_within),
      size(of_rows.size()),
      duplicates(of_rows.duplicates) {}

Share deal(const Processes& processes, const Data& data, Ratings&& fitted, std::optional<Ratings>&& validation,
           std::optional<Ratings>&& test, Duplicates duplicates, wengert::ScalarType dtype) {
  const std::vector<int64_t> row_cuts = blocks_of(processes, "row", fitted.rows, data.rows),
                             column_cuts = blocks_of(processes, "column", fitted.columns, data.columns);
  Ratings by_columns = of_block(processes, fitted, &Ratings::columns, column_cuts);
  Ratings by_rows = of_block(processes, std::exchange(fitted, {}), &Ratings::rows, row_cuts);
  for (auto* other : {&validation, &test}) {
    if (*other) *other = of_block(processes, **other, &Ratings::rows, row_cuts);
  }
  std::vector<const Positions*> of_columns{&by_rows.columns};
  for (auto* other : {&validation, &test}) {
    if (*other) of_columns.push_back(&(*other)->columns);
  }
  Lines rows(processes, row_cuts, needed(processes, row_cuts, {&by_columns.rows})),
      columns(processes, column_cuts, needed(processes, column_cuts, of_columns));

  to_needed(by_columns.rows, rows);
  to_own(by_columns.columns, columns);
  Data part;
  part.name = data.name;
  const auto entries = [&](Ratings& ratings, Duplicates what) {
    to_own(ratings.rows, rows);
    to_needed(ratings.columns, columns);
    part.rows = rows.own();
    part.columns = columns.needed();
    return entries_of(std::exchange(ratings, {}), part, what, dtype);
  };
  Entries of_rows = entries(by_rows, duplicates);
  Share share(std::move(of_rows));
  if (validation) share.validation = entries(*validation, Duplicates::kMean);
  if (test) share.test = entries(*test, Duplicates::kMean);
  part.rows = rows.needed();
  part.columns = columns.own();
  share.of_columns = entries_of(std::exchange(by_columns, {}), part, duplicates, dtype);
  share.rows = std::move(rows);
  share.columns = std::move(columns);
  share.count = processes.sum(share.count);
  share.squares_within = processes.sum(share.squares_within);
  share.size = processes.sum(share.size);
  share.duplicates = processes.sum(share.duplicates);
  if (share.count <= 0) throw Error(fmt::format("{}: all weights are 0", data.name));
  return share;
}

double Share::mean(const Tensor& of_entries) const {
  return is_whole() ? of_entries.mean().item<double>()
                    : processes().sum(of_entries.sum().item<double>()) / static_cast<double>(size);
}

Share Share::in_unit(double unit) const {
  if (unit == 1) return *this;
  Share scaled = *this;
  const auto scale = [&](Entries& entries) { entries = factorize::in_unit(entries, unit); };
  scale(scaled.of_rows);
  if (is_whole()) {
    scaled.of_columns = scaled.of_rows;
  } else {
    scale(scaled.of_columns);
  }
  if (scaled.validation) scale(*scaled.validation);
  if (scaled.test) scale(*scaled.test);
  scaled.squares_within /= unit * unit;
  return scaled;
}

double Share::squared_error(const Model& own, const Entries& entries) const {
  return processes().sum(factorize::squared_error(own, entries));
}

double Share::rmse(const Model& own, const Entries& entries) const {
  return std::sqrt(squared_error(own, entries) / count_of(entries));
}

void Share::make_whole(Model& model) const {
  if (is_whole()) return;
  const Processes& all = processes();
  const auto of_columns = [&](const Tensor& x) { return all.all_at_first(columns.own_of(x.t())).t().contiguous(); };
  model.C = all.all_at_first(model.C);
  model.F = of_columns(model.F);
  if (model.column_variances.defined()) model.column_variances = of_columns(model.column_variances);
  if (!model.row_bias.defined()) return;
  model.row_bias = all.all_at_first(model.row_bias);
  model.column_bias = all.all_at_first(columns.own_of(model.column_bias));
}

Model Share::with_all_columns(Model own) const {
  if (is_whole()) return own;
  own.F = processes().all(columns.own_of(own.F.t()).contiguous()).t().contiguous();
  if (own.column_bias.defined()) own.column_bias = processes().all(columns.own_of(own.column_bias).contiguous());
  own.column_variances = {};
  return own;
}

void Share::make_own(Model& model) const {
  if (is_whole()) return;
  const auto of_columns = [&](const Tensor& x) { return columns.needed_of_all(x.t()).t().contiguous(); };
  model.C = rows.own_of_all(model.C);
  model.F = of_columns(model.F);
  if (model.column_variances.defined()) model.column_variances = of_columns(model.column_variances);
  if (!model.row_bias.defined()) return;
  model.row_bias = rows.own_of_all(model.row_bias);
  model.column_bias = columns.needed_of_all(model.column_bias);
}

}  // namespace factorize
