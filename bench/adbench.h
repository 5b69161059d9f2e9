#pragma once

#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

// Three objectives of the ADBench suite (Šrajer, Kukelova and Fitzgibbon, A Benchmark of Selected Algorithmic
// Differentiation Tools on Some Problems in Computer Vision and Machine Learning, 2018), in float64: the log likelihood
// of a Gaussian mixture (without its Wishart prior), the reprojection errors of bundle adjustment with their sparse
// Jacobian, and the loss of a diagonal LSTM that predicts the next element of a sequence.

namespace bench {

using Numbers = std::vector<double>;

/// n points of d numbers, k components. q: logarithms of the diagonals of the inverse covariances' factors; l: what
/// lies below them, column by column.
struct Mixture {
  int64_t d, k, n;
  Numbers alphas, means, q, l, x;
};

/// Cameras of 11 numbers (rotation, centre, focal length, principal point, two of radial distortion), points of 3, and
/// observations: a camera, a point, a weight, and the feature seen.
struct Bundle {
  int64_t cameras_count, points_count, count;
  Numbers cameras, points, weights, features;
  std::vector<int64_t> camera, point;
};

/// Layers of `width` cells; a sequence of `length` elements of that width.
/// main: (layers, 2, 4, width), weights and biases of the gates; extra: (3, width); state: (layers, 2, width).
struct Sequence {
  int64_t layers, length, width;
  Numbers main, extra, state, x;
};

/// An objective in one version.
struct Objective {
  std::string name;
  std::function<double()> value;     ///< or a sum over several
  std::function<double()> gradient;  ///< the value too; returns a weighted sum over what was differentiated
};

/// Adds up a gradient so that each element counts on its own.
inline double checked_sum(const double* x, int64_t count) {
  double sum = 0;
  for (int64_t i = 0; i < count; ++i) sum += x[i] * static_cast<double>(1 + i % 5);
  return sum;
}

std::vector<Objective> wengert_objectives();
/// The same, each as a Replay of the step; without functions where that cannot be recorded.
std::vector<Objective> replayed_objectives();
std::vector<Objective> libtorch_objectives();
std::vector<Objective> objectives_by_hand();

inline Numbers drawn(std::mt19937_64& random, int64_t count, double low, double high) {
  std::uniform_real_distribution<double> uniform(low, high);
  Numbers numbers(static_cast<size_t>(count));
  for (double& x : numbers) x = uniform(random);
  return numbers;
}

inline std::vector<Mixture> mixtures() {
  std::vector<Mixture> all;
  for (const auto& [d, k, n] : std::vector<std::array<int64_t, 3>>{
           {2, 5, 1000}, {10, 5, 1000}, {10, 25, 1000}, {32, 10, 1000}, {64, 25, 1000}, {10, 25, 10'000}}) {
    std::mt19937_64 random(1);
    all.push_back({d, k, n, drawn(random, k, 0, 1), drawn(random, k * d, 0, 1), drawn(random, k * d, 0, 1),
                   drawn(random, k * d * (d - 1) / 2, 0, 1), drawn(random, n * d, 0, 1)});
  }
  return all;
}

inline std::vector<Bundle> bundles() {
  std::vector<Bundle> all;
  for (const auto& [cameras, points, count] :
       std::vector<std::array<int64_t, 3>>{{21, 1100, 3600}, {49, 7776, 31'843}}) {
    std::mt19937_64 random(2);
    Bundle b{cameras,
             points,
             count,
             drawn(random, cameras * 11, 0.1, 0.9),
             drawn(random, points * 3, 2, 4),
             drawn(random, count, 0.5, 1.5),
             drawn(random, count * 2, -1, 1),
             {},
             {}};
    for (int64_t i = 0; i < count; ++i) {
      b.camera.push_back(static_cast<int64_t>(random() % static_cast<uint64_t>(cameras)));
      b.point.push_back(static_cast<int64_t>(random() % static_cast<uint64_t>(points)));
    }
    all.push_back(std::move(b));
  }
  return all;
}

inline std::vector<Sequence> sequences() {
  std::vector<Sequence> all;
  for (const auto& [layers, length, width] :
       std::vector<std::array<int64_t, 3>>{{2, 1024, 14}, {4, 1024, 14}, {2, 256, 256}}) {
    std::mt19937_64 random(3);
    all.push_back({layers, length, width, drawn(random, layers * 8 * width, -1, 1), drawn(random, 3 * width, -1, 1),
                   drawn(random, layers * 2 * width, -1, 1), drawn(random, length * width, 0, 1)});
  }
  return all;
}

inline std::string name_of(const Mixture& m) {
  return "mixture d=" + std::to_string(m.d) + " k=" + std::to_string(m.k) + " n=" + std::to_string(m.n);
}
inline std::string name_of(const Bundle& b) { return "bundle of " + std::to_string(b.count) + " observations"; }
inline std::string name_of(const Sequence& s) {
  return "LSTM of " + std::to_string(s.layers) + " layers, " + std::to_string(s.length) + " x " +
         std::to_string(s.width);
}

}  // namespace bench
