#pragma once

#include <factorize/ask/asking.h>

#include <optional>
#include <string>
#include <vector>

namespace factorize {

/// A measure of a model, with an interval that holds it with 95 % confidence, rows being what varies, and beside it
/// what models without factors come to.
struct Measure {
  std::string name;
  std::optional<double> value, low, high;
  std::optional<double> popularity;  ///< columns ranked by how many entries they have
  std::optional<double> biases;      ///< mean + b_i + c_j, fitted alone
};

struct RankingOptions {
  int64_t count = 10;                 ///< N: so many columns are recommended
  std::optional<double> least;        ///< entries from it on are relevant; none: all
  std::optional<int64_t> candidates;  ///< others than the relevant ones that are ranked with them; none: all
  uint64_t seed = 0;                  ///< of those
};

/// How well a model does on entries that it has not seen: rmse and mae (of values that are no implicit feedback); of
/// the ranking of all columns that a row has not been fitted to, or of a sample of them, precision, recall, ndcg, map
/// and hit rate at N, over the rows with relevant entries, and coverage at N, the part of the columns that are
/// recommended to any row.
std::vector<Measure> evaluate(const SavedModel& saved, const AskedEntries& asked, const RankingOptions& options);

}  // namespace factorize
