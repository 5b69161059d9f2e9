#include <support/planted_pairs.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

namespace wengert::test {

PlantedPairs planted_pairs(int64_t rows, int64_t columns, int64_t pairs, int64_t rank, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::uniform_real_distribution<double> uniform(0, 1);
  const auto k = static_cast<size_t>(rank);
  const auto numbers = [&](int64_t count) {
    std::vector<float> drawn(static_cast<size_t>(count) * k);
    for (float& x : drawn) x = normal(random);
    return drawn;
  };
  const std::vector<float> p = numbers(rows), q = numbers(columns);
  std::vector<double> cumulative(static_cast<size_t>(columns));
  double sum = 0;
  for (size_t j = 0; j < cumulative.size(); ++j) {
    cumulative[j] = sum += std::pow(static_cast<double>(j) + 10, -0.9);
  }
  const float steepness = 3 / std::sqrt(static_cast<float>(rank));
  const double mean = static_cast<double>(pairs) / static_cast<double>(rows);
  PlantedPairs planted;
  std::vector<int64_t> taken_by(static_cast<size_t>(columns), -1);
  for (int64_t i = 0; i < rows; ++i) {
    const auto wanted = std::min(columns / 2, std::max<int64_t>(1, std::llround(mean * (0.5 + uniform(random)))));
    int64_t taken = 0;
    for (int64_t tries = 0; taken < wanted && tries < 100 * wanted; ++tries) {
      const double u = uniform(random) * sum;
      const auto j =
          static_cast<size_t>(std::lower_bound(cumulative.begin(), cumulative.end(), u) - cumulative.begin());
      if (taken_by[j] == i) continue;
      const float* pi = &p[static_cast<size_t>(i) * k];
      const float preference = steepness * std::inner_product(pi, pi + k, &q[j * k], 0.0F) - 2;
      if (uniform(random) > 1 / (1 + std::exp(-static_cast<double>(preference)))) continue;
      taken_by[j] = i;
      planted.rows.push_back(static_cast<int32_t>(i));
      planted.columns.push_back(static_cast<int32_t>(j));
      ++taken;
    }
  }
  return planted;
}

}  // namespace wengert::test
