// Writes ratings of which the best possible error is known: the noise's. Lines of row, column and rating, from 0 on.
//
//     rating = 3.5 + b_i + c_j + P_i . Q_j + noise,   in half stars from 0.5 to 5
//
// Rows and columns are as popular as Zipf's law has it: the r-th with (r + 10)^-0.6 and (r + 10)^-0.9.
//
// usage: planted_ratings ROWS COLUMNS RATINGS RANK NOISE SEED

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <random>
#include <vector>

namespace {

using Random = std::mt19937_64;

class Popularity {
 public:
  Popularity(int64_t size, double exponent) : cumulative_(static_cast<size_t>(size)) {
    double sum = 0;
    for (size_t i = 0; i < cumulative_.size(); ++i) {
      cumulative_[i] = sum += std::pow(static_cast<double>(i) + 10, -exponent);
    }
    for (double& x : cumulative_) x /= sum;
    order_.resize(cumulative_.size());
    std::iota(order_.begin(), order_.end(), 0);
  }
  void shuffle(Random& random) { std::shuffle(order_.begin(), order_.end(), random); }
  size_t draw(Random& random) {
    const double u = uniform_(random);
    const auto rank = std::lower_bound(cumulative_.begin(), cumulative_.end(), u) - cumulative_.begin();
    return static_cast<size_t>(order_[static_cast<size_t>(rank)]);
  }

 private:
  std::vector<double> cumulative_;
  std::vector<int> order_;
  std::uniform_real_distribution<double> uniform_{0, 1};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fprintf(stderr, "usage: planted_ratings ROWS COLUMNS RATINGS RANK NOISE SEED\n");
    return 2;
  }
  const auto rows = std::atoll(argv[1]), columns = std::atoll(argv[2]), ratings = std::atoll(argv[3]);
  const auto rank = static_cast<size_t>(std::atoll(argv[4]));
  const auto noise = static_cast<float>(std::atof(argv[5]));
  Random random(static_cast<uint64_t>(std::atoll(argv[6])));
  std::normal_distribution<float> normal;
  const auto numbers = [&](size_t count, float deviation) {
    std::vector<float> drawn(count);
    for (float& x : drawn) x = deviation * normal(random);
    return drawn;
  };
  const float deviation = std::sqrt(0.35F / std::sqrt(static_cast<float>(rank)));
  const auto n = static_cast<size_t>(rows), m = static_cast<size_t>(columns);
  const std::vector<float> P = numbers(n * rank, deviation), Q = numbers(m * rank, deviation), b = numbers(n, 0.4F),
                           c = numbers(m, 0.5F);
  Popularity of_rows(rows, 0.6), of_columns(columns, 0.9);
  of_rows.shuffle(random);
  of_columns.shuffle(random);
  for (int64_t e = 0; e < ratings; ++e) {
    const size_t i = of_rows.draw(random), j = of_columns.draw(random);
    float value = 3.5F + b[i] + c[j];
    for (size_t l = 0; l < rank; ++l) value += P[i * rank + l] * Q[j * rank + l];
    value += noise * normal(random);
    std::printf("%zu %zu %g\n", i, j, static_cast<double>(std::round(2 * std::clamp(value, 0.5F, 5.0F)) / 2));
  }
}
