#include <factorize/model/holdout.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <tuple>

namespace factorize {
namespace {

using wengert::Error;
using wengert::Tensor;

void check_times(const Ratings& ratings, Holdout holdout) {
  if (holdout != Holdout::kTime || ratings.size() == 0 || !ratings.times.empty()) return;
  throw Error("--holdout-by time: the file has no times");
}

void check_part(double part, size_t taken, size_t size) {
  if (taken > 0 && taken < size) return;
  throw Error(
      fmt::format("--holdout {} takes {} of {} entries; expected some, and some to be left", part, taken, size));
}

Ratings move_out(Ratings& ratings, const std::vector<bool>& is_out) {
  Ratings out, rest;
  for (size_t e = 0; e < is_out.size(); ++e) {
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

// A random number for each place of a list (splitmix64: Steele, Lea and Flood, 2014).
uint64_t random_at(uint64_t place, uint64_t seed) {
  uint64_t x = seed * 0xD1342543DE82EF95ULL + (place + 1) * 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

// A whole number that ascends where the time falls.
uint64_t falling(double time) {
  const auto bits = std::bit_cast<uint64_t>(time);
  constexpr uint64_t kSign = uint64_t{1} << 63;
  return (bits & kSign) != 0 ? bits : ~bits & ~kSign;
}

// The least number up to which there are at least `count` of all processes' keys.
uint64_t nth_key(const Processes& processes, const std::vector<uint64_t>& keys, int64_t count) {
  uint64_t low = 0, high = UINT64_MAX;
  while (low < high) {
    const uint64_t middle = low + (high - low) / 2;
    const auto up_to = std::count_if(keys.begin(), keys.end(), [&](uint64_t key) { return key <= middle; });
    if (processes.sum(static_cast<int64_t>(up_to)) >= count) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

// Which entries are drawn first in their rows, so many of each row's. A row's entries come together in one process.
std::vector<bool> first_of_rows(const Processes& processes, const Ratings& ratings, const std::vector<uint64_t>& drawn,
                                double part) {
  const auto count = static_cast<size_t>(processes.count());
  const auto keeper_of = [&](int32_t row) { return static_cast<size_t>(row) % count; };
  std::vector<std::vector<int32_t>> rows(count);
  std::vector<std::vector<uint64_t>> keys(count);
  for (size_t e = 0; e < drawn.size(); ++e) {
    rows[keeper_of(ratings.rows[e])].push_back(ratings.rows[e]);
    keys[keeper_of(ratings.rows[e])].push_back(drawn[e]);
  }
  struct Asked {
    int32_t row;
    uint64_t key;
    size_t from, at;
    bool operator<(const Asked& other) const { return std::tie(row, key) < std::tie(other.row, other.key); }
  };
  std::vector<Asked> asked;
  std::vector<std::string> answers;
  {
    const std::vector<std::string> of_rows = processes.exchange(bytes_of_each(rows)),
                                   of_keys = processes.exchange(bytes_of_each(keys));
    for (size_t p = 0; p < count; ++p) {
      std::vector<int32_t> own_rows;
      std::vector<uint64_t> own_keys;
      add_values(own_rows, of_rows[p]);
      add_values(own_keys, of_keys[p]);
      for (size_t i = 0; i < own_rows.size(); ++i) asked.push_back({own_rows[i], own_keys[i], p, i});
      answers.emplace_back(own_rows.size(), '\0');
    }
  }
  std::sort(asked.begin(), asked.end());
  for (size_t begin = 0, end; begin < asked.size(); begin = end) {
    end = begin;
    while (end < asked.size() && asked[end].row == asked[begin].row) ++end;
    const auto taken = static_cast<size_t>(part * static_cast<double>(end - begin));
    for (size_t i = begin; i < begin + taken; ++i) answers[asked[i].from][asked[i].at] = 1;
  }
  const std::vector<std::string> told = processes.exchange(answers);
  std::vector<size_t> next(count);
  std::vector<bool> is_first(drawn.size());
  for (size_t e = 0; e < drawn.size(); ++e) {
    const size_t keeper = keeper_of(ratings.rows[e]);
    is_first[e] = told[keeper][next[keeper]++] != 0;
  }
  return is_first;
}

}  // namespace

Ratings take_out(Ratings& ratings, double part, Holdout holdout, uint64_t seed) {
  const size_t size = ratings.size();
  check_times(ratings, holdout);
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
  check_part(part, taken, size);
  std::vector<bool> is_out(size);
  for (size_t i = 0; i < taken; ++i) is_out[order[i]] = true;
  return move_out(ratings, is_out);
}

Ratings take_out(Ratings& ratings, double part, Holdout holdout, uint64_t seed, const Processes& processes) {
  if (!processes.are_several()) return take_out(ratings, part, holdout, seed);
  check_times(ratings, holdout);
  const auto own = static_cast<int64_t>(ratings.size());
  const auto before = static_cast<uint64_t>(processes.sum_before(own));
  const int64_t size = processes.sum(own);
  int64_t taken = std::llround(part * static_cast<double>(size));
  check_part(part, static_cast<size_t>(taken), static_cast<size_t>(size));
  std::vector<uint64_t> drawn(ratings.size());
  for (size_t e = 0; e < drawn.size(); ++e) drawn[e] = random_at(before + e, seed);
  if (holdout == Holdout::kRows) {
    const std::vector<bool> is_first = first_of_rows(processes, ratings, drawn, part);
    const auto of_rows = processes.sum(int64_t{std::count(is_first.begin(), is_first.end(), true)});
    check_part(part, static_cast<size_t>(of_rows), static_cast<size_t>(size));
    return move_out(ratings, is_first);
  }
  std::vector<bool> is_out(drawn.size()), may_be_out(drawn.size(), true);
  if (holdout == Holdout::kTime) {
    std::vector<uint64_t> times(drawn.size());
    std::transform(ratings.times.begin(), ratings.times.end(), times.begin(), falling);
    const uint64_t last = nth_key(processes, times, taken);
    int64_t later = 0;
    for (size_t e = 0; e < times.size(); ++e) {
      is_out[e] = times[e] < last;
      may_be_out[e] = times[e] == last;
      later += is_out[e] ? 1 : 0;
    }
    taken -= processes.sum(later);  // of those at that time, some
  }
  std::vector<uint64_t> keys;
  for (size_t e = 0; e < drawn.size(); ++e) {
    if (may_be_out[e]) keys.push_back(drawn[e]);
  }
  const uint64_t last = nth_key(processes, keys, taken);
  for (size_t e = 0; e < drawn.size(); ++e) is_out[e] = is_out[e] || (may_be_out[e] && drawn[e] <= last);
  return move_out(ratings, is_out);
}

}  // namespace factorize
