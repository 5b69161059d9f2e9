// ADBench's objectives with gradients that were derived by hand, as loops over memory that is there already.

#include <adbench.h>

#include <algorithm>
#include <memory>

namespace bench {
namespace {

// --- The Gaussian mixture ---

struct MixtureByHand {
  explicit MixtureByHand(Mixture from) : m(std::move(from)), diagonal(m.q.size()), sums(static_cast<size_t>(m.k)) {}

  // log sum_k exp(alpha_k + sum q_k - |Q_k (x - mu_k)|^2 / 2), summed over x, less n log sum exp(alphas).
  template <bool with_gradient>
  double run() {
    const int64_t d = m.d, k = m.k, below = d * (d - 1) / 2;
    for (size_t i = 0; i < m.q.size(); ++i) diagonal[i] = std::exp(m.q[i]);
    for (int64_t c = 0; c < k; ++c) {
      sums[static_cast<size_t>(c)] = m.alphas[static_cast<size_t>(c)];
      for (int64_t i = 0; i < d; ++i) sums[static_cast<size_t>(c)] += m.q[static_cast<size_t>(c * d + i)];
    }
    if (with_gradient) {
      for (Numbers* g : {&d_alphas, &d_means, &d_q, &d_l}) g->clear();
      d_alphas.resize(m.alphas.size()), d_means.resize(m.means.size()), d_q.resize(m.q.size()), d_l.resize(m.l.size());
    }
    Numbers centred(static_cast<size_t>(k * d)), y(centred.size()), inner(static_cast<size_t>(k));
    double total = 0;
    for (int64_t n = 0; n < m.n; ++n) {
      const double* x = m.x.data() + n * d;
      for (int64_t c = 0; c < k; ++c) {
        double *xc = centred.data() + c * d, *yc = y.data() + c * d;
        const double *mean = m.means.data() + c * d, *q = diagonal.data() + c * d, *l = m.l.data() + c * below;
        for (int64_t i = 0; i < d; ++i) xc[i] = x[i] - mean[i];
        for (int64_t i = 0; i < d; ++i) yc[i] = q[i] * xc[i];
        for (int64_t j = 0; j < d; ++j) {
          for (int64_t i = j + 1; i < d; ++i) yc[i] += *l++ * xc[j];
        }
        double square = 0;
        for (int64_t i = 0; i < d; ++i) square += yc[i] * yc[i];
        inner[static_cast<size_t>(c)] = sums[static_cast<size_t>(c)] - 0.5 * square;
      }
      const double most = *std::max_element(inner.begin(), inner.end());
      double sum = 0;
      for (double& v : inner) sum += v = std::exp(v - most);
      total += most + std::log(sum);
      if (!with_gradient) continue;
      for (int64_t c = 0; c < k; ++c) {
        const double part = inner[static_cast<size_t>(c)] / sum;
        const double *xc = centred.data() + c * d, *yc = y.data() + c * d, *q = diagonal.data() + c * d,
                     *l = m.l.data() + c * below;
        double *mean = d_means.data() + c * d, *dq = d_q.data() + c * d, *dl = d_l.data() + c * below;
        d_alphas[static_cast<size_t>(c)] += part;
        for (int64_t i = 0; i < d; ++i) {
          mean[i] += part * q[i] * yc[i];
          dq[i] += part * (1 - yc[i] * q[i] * xc[i]);
        }
        for (int64_t j = 0; j < d; ++j) {
          double of_mean = 0;
          for (int64_t i = j + 1; i < d; ++i, ++l, ++dl) {
            of_mean += *l * yc[i];
            *dl -= part * yc[i] * xc[j];
          }
          mean[j] += part * of_mean;
        }
      }
    }
    const double most = *std::max_element(m.alphas.begin(), m.alphas.end());
    double sum = 0;
    for (const double alpha : m.alphas) sum += std::exp(alpha - most);
    if (with_gradient) {
      for (size_t c = 0; c < d_alphas.size(); ++c)
        d_alphas[c] -= static_cast<double>(m.n) * std::exp(m.alphas[c] - most) / sum;
    }
    return total - static_cast<double>(m.n) * (most + std::log(sum));
  }

  Mixture m;
  Numbers diagonal, sums, d_alphas, d_means, d_q, d_l;
};

double checked(const Numbers& x) { return checked_sum(x.data(), static_cast<int64_t>(x.size())); }

Objective by_hand(const Mixture& m) {
  const auto own = std::make_shared<MixtureByHand>(m);
  return {name_of(m), [own] { return own->run<false>(); },
          [own] {
            own->run<true>();
            return checked(own->d_alphas) + checked(own->d_means) + checked(own->d_q) + checked(own->d_l);
          }};
}

// --- Bundle adjustment ---

struct BundleByHand {
  explicit BundleByHand(Bundle from) : b(std::move(from)) {
    for (auto& row : rows)
      row = {Numbers(static_cast<size_t>(b.count * 11)), Numbers(static_cast<size_t>(b.count * 3)),
             Numbers(static_cast<size_t>(b.count))};
  }

  template <bool with_gradient>
  double run() {
    double total = 0;
    for (int64_t o = 0; o < b.count; ++o) {
      const auto at = static_cast<size_t>(o);
      const double* camera = b.cameras.data() + b.camera[at] * 11;
      const double* point = b.points.data() + b.point[at] * 3;
      const double weight = b.weights[at], focal = camera[6], k1 = camera[9], k2 = camera[10];
      const double angle = std::sqrt(camera[0] * camera[0] + camera[1] * camera[1] + camera[2] * camera[2]);
      const double a[3] = {camera[0] / angle, camera[1] / angle, camera[2] / angle};
      const double x[3] = {point[0] - camera[3], point[1] - camera[4], point[2] - camera[5]};
      const double c = std::cos(angle), s = std::sin(angle), dot = a[0] * x[0] + a[1] * x[1] + a[2] * x[2];
      const double across[3] = {a[1] * x[2] - a[2] * x[1], a[2] * x[0] - a[0] * x[2], a[0] * x[1] - a[1] * x[0]};
      double r[3];
      for (int i = 0; i < 3; ++i) r[i] = x[i] * c + across[i] * s + a[i] * dot * (1 - c);
      const double u[2] = {r[0] / r[2], r[1] / r[2]}, square = u[0] * u[0] + u[1] * u[1];
      const double distortion = 1 + k1 * square + k2 * square * square;
      double seen[2];
      for (int e = 0; e < 2; ++e) {
        seen[e] = u[e] * distortion * focal + camera[7 + e] - b.features[2 * at + static_cast<size_t>(e)];
        total += weight * seen[e];
      }
      total += 1 - weight * weight;
      if (!with_gradient) continue;
      // d rotated / d offset = R, d rotated / d rotation = of_angle a' + (d rotated / d a) (I - a a') / angle.
      double R[3][3], of_rotation[3][3];
      const double cross_x[3][3] = {{0, -x[2], x[1]}, {x[2], 0, -x[0]}, {-x[1], x[0], 0}};
      const double cross_a[3][3] = {{0, -a[2], a[1]}, {a[2], 0, -a[0]}, {-a[1], a[0], 0}};
      for (int i = 0; i < 3; ++i) {
        const double of_angle = -x[i] * s + across[i] * c + a[i] * dot * s;
        double of_axis[3], along = 0;
        for (int j = 0; j < 3; ++j) {
          R[i][j] = (i == j ? c : 0) + s * cross_a[i][j] + (1 - c) * a[i] * a[j];
          of_axis[j] = -s * cross_x[i][j] + (1 - c) * ((i == j ? dot : 0) + a[i] * x[j]);
          along += of_axis[j] * a[j];
        }
        for (int j = 0; j < 3; ++j) of_rotation[i][j] = of_angle * a[j] + (of_axis[j] - along * a[j]) / angle;
      }
      const double slope = 2 * (k1 + 2 * k2 * square);
      for (int e = 0; e < 2; ++e) {
        auto& [cameras, points, weights] = rows[e];
        const double of_u[2] = {(e == 0 ? distortion : 0) + slope * u[e] * u[0],
                                (e == 1 ? distortion : 0) + slope * u[e] * u[1]};
        const double scale = weight * focal / r[2];
        const double of_r[3] = {scale * of_u[0], scale * of_u[1], -scale * (of_u[0] * u[0] + of_u[1] * u[1])};
        double *to = cameras.data() + o * 11, *to_point = points.data() + o * 3;
        for (int j = 0; j < 3; ++j) {
          to[j] = of_r[0] * of_rotation[0][j] + of_r[1] * of_rotation[1][j] + of_r[2] * of_rotation[2][j];
          to_point[j] = of_r[0] * R[0][j] + of_r[1] * R[1][j] + of_r[2] * R[2][j];
          to[3 + j] = -to_point[j];
        }
        to[6] = weight * u[e] * distortion;
        to[7] = e == 0 ? weight : 0;
        to[8] = e == 1 ? weight : 0;
        to[9] = weight * focal * u[e] * square;
        to[10] = to[9] * square;
        weights[at] = seen[e];
      }
    }
    return total;
  }

  Bundle b;
  struct Row {
    Numbers cameras, points, weights;
  };
  std::array<Row, 2> rows;
};

Objective by_hand(const Bundle& b) {
  const auto own = std::make_shared<BundleByHand>(b);
  return {name_of(b), [own] { return own->run<false>(); },
          [own] {
            own->run<true>();
            double sum = -2 * checked(own->b.weights);
            for (int e = 0; e < 2; ++e) {
              const auto& [cameras, points, weights] = own->rows[static_cast<size_t>(e)];
              sum += (e + 1) * (checked(cameras) + checked(points) + checked(weights));
            }
            return sum;
          }};
}

// --- The LSTM ---

struct SequenceByHand {
  explicit SequenceByHand(Sequence from)
      : s(std::move(from)),
        steps(static_cast<size_t>((s.length - 1) * s.layers * kKept * s.width)),
        inputs(static_cast<size_t>((s.length - 1) * 2 * s.width)) {}

  static double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

  // What the backward needs of a layer's step: the gates, the cell before and after it as tanh, input and hidden state.
  enum Kept { kForget, kIn, kOut, kChange, kCellBefore, kTanhCell, kInput, kHiddenBefore, kKept };
  double* kept(int64_t t, int64_t layer, Kept what) {
    return steps.data() + ((t * s.layers + layer) * kKept + what) * s.width;
  }

  template <bool with_gradient>
  double run() {
    const int64_t width = s.width, layers = s.layers, last = s.length - 1;
    Numbers state = s.state, input(static_cast<size_t>(width)), predicted(input.size());
    double total = 0;
    for (int64_t t = 0; t < last; ++t) {
      const double* x = s.x.data() + t * width;
      for (int64_t j = 0; j < width; ++j) input[static_cast<size_t>(j)] = x[j] * s.extra[static_cast<size_t>(j)];
      for (int64_t i = 0; i < layers; ++i) {
        const double *w = s.main.data() + i * 8 * width, *b = w + 4 * width;
        double *hidden = state.data() + i * 2 * width, *cell = hidden + width;
        for (int64_t j = 0; j < width; ++j) {
          double& in = input[static_cast<size_t>(j)];
          const double forget = sigmoid(in * w[j] + b[j]), gate = sigmoid(hidden[j] * w[width + j] + b[width + j]);
          const double out = sigmoid(in * w[2 * width + j] + b[2 * width + j]),
                       change = std::tanh(hidden[j] * w[3 * width + j] + b[3 * width + j]);
          const double before = cell[j];
          cell[j] = before * forget + gate * change;
          const double tanh_cell = std::tanh(cell[j]);
          if (with_gradient) {
            const std::array<double, kKept> all{forget, gate, out, change, before, tanh_cell, in, hidden[j]};
            for (int k = 0; k < kKept; ++k) kept(t, i, static_cast<Kept>(k))[j] = all[static_cast<size_t>(k)];
          }
          in = hidden[j] = out * tanh_cell;
        }
      }
      double sum = 2, gold = 0, along = 0;
      for (int64_t j = 0; j < width; ++j) {
        const auto at = static_cast<size_t>(j);
        predicted[at] =
            input[at] * s.extra[static_cast<size_t>(width + j)] + s.extra[static_cast<size_t>(2 * width + j)];
        sum += std::exp(predicted[at]);
        gold += x[width + j];
        along += x[width + j] * predicted[at];
      }
      total += along - gold * std::log(sum);
      if (with_gradient) {
        double *of_predicted = inputs.data() + t * 2 * width, *top = of_predicted + width;
        for (int64_t j = 0; j < width; ++j) {
          of_predicted[j] = x[width + j] - gold * std::exp(predicted[static_cast<size_t>(j)]) / sum;
          top[j] = input[static_cast<size_t>(j)];
        }
      }
    }
    const double scale = -1 / static_cast<double>(last * width);
    if (with_gradient) backward(scale);
    return total * scale;
  }

  void backward(double scale) {
    const int64_t width = s.width, layers = s.layers;
    d_main.assign(s.main.size(), 0), d_extra.assign(s.extra.size(), 0);
    Numbers d_state(s.state.size()), d_input(static_cast<size_t>(width));
    for (int64_t t = s.length - 1; t-- > 0;) {
      const double *of_predicted = inputs.data() + t * 2 * width, *top = of_predicted + width;
      for (int64_t j = 0; j < width; ++j) {
        const double g = scale * of_predicted[j];
        d_extra[static_cast<size_t>(width + j)] += g * top[j];
        d_extra[static_cast<size_t>(2 * width + j)] += g;
        d_input[static_cast<size_t>(j)] = g * s.extra[static_cast<size_t>(width + j)];
      }
      for (int64_t i = layers; i-- > 0;) {
        const double* w = s.main.data() + i * 8 * width;
        double *dw = d_main.data() + i * 8 * width, *db = dw + 4 * width;
        double *d_hidden = d_state.data() + i * 2 * width, *d_cell = d_hidden + width;
        const auto of = [&](Kept what) { return kept(t, i, what); };
        const double *forget = of(kForget), *gate = of(kIn), *out = of(kOut), *change = of(kChange),
                     *before = of(kCellBefore);
        const double *tanh_cell = of(kTanhCell), *in = of(kInput), *hidden = of(kHiddenBefore);
        for (int64_t j = 0; j < width; ++j) {
          const double dh = d_hidden[j] + d_input[static_cast<size_t>(j)];
          const double dc = d_cell[j] + dh * out[j] * (1 - tanh_cell[j] * tanh_cell[j]);
          const double d_forget = dc * before[j] * forget[j] * (1 - forget[j]),
                       d_gate = dc * change[j] * gate[j] * (1 - gate[j]);
          const double d_out = dh * tanh_cell[j] * out[j] * (1 - out[j]),
                       d_change = dc * gate[j] * (1 - change[j] * change[j]);
          dw[j] += d_forget * in[j], db[j] += d_forget;
          dw[width + j] += d_gate * hidden[j], db[width + j] += d_gate;
          dw[2 * width + j] += d_out * in[j], db[2 * width + j] += d_out;
          dw[3 * width + j] += d_change * hidden[j], db[3 * width + j] += d_change;
          d_cell[j] = dc * forget[j];
          d_hidden[j] = d_gate * w[width + j] + d_change * w[3 * width + j];
          d_input[static_cast<size_t>(j)] = d_forget * w[j] + d_out * w[2 * width + j];
        }
      }
      const double* x = s.x.data() + t * width;
      for (int64_t j = 0; j < width; ++j) d_extra[static_cast<size_t>(j)] += d_input[static_cast<size_t>(j)] * x[j];
    }
  }

  Sequence s;
  Numbers steps, inputs, d_main, d_extra;
};

Objective by_hand(const Sequence& s) {
  const auto own = std::make_shared<SequenceByHand>(s);
  return {name_of(s), [own] { return own->run<false>(); },
          [own] {
            own->run<true>();
            return checked(own->d_main) + checked(own->d_extra);
          }};
}

}  // namespace

std::vector<Objective> objectives_by_hand() {
  std::vector<Objective> all;
  for (const Mixture& m : mixtures()) all.push_back(by_hand(m));
  for (const Bundle& b : bundles()) all.push_back(by_hand(b));
  for (const Sequence& s : sequences()) all.push_back(by_hand(s));
  return all;
}

}  // namespace bench
