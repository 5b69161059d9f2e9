#include <wengert/autograd/base/cpu.h>
#include <wengert/ops/kernels/share_lines.h>
#include <wengert/ops/kernels/sparse_lines.h>

#include <algorithm>
#include <cstring>

namespace wengert::kernels {
namespace {

// Entries ahead of which what they need is asked for: rows and values that lie nowhere in order.
constexpr int64_t kAhead = 16;

template <class T>
[[gnu::always_inline]] inline T dot(const T* a, const T* b, int64_t k) {
  T sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t l = 0; l < k; ++l) sum += a[l] * b[l];
  return sum;
}

// Calls take(i, e, product) for each entry of these lines.
template <class T, class Index, class Take>
[[gnu::always_inline]] inline void for_each_product(const T* a, const T* b, int64_t k, const int64_t* starts,
                                                    const Index* places, int64_t begin, int64_t end, const Take& take) {
  for (int64_t i = begin; i < end; ++i) {
    for (int64_t e = starts[i]; e < starts[i + 1]; ++e) {
      // Beyond the line's end, too: its places are the next one's.
      if (e + kAhead < starts[end]) __builtin_prefetch(b + places[e + kAhead] * k);
      take(i, e, dot(a + i * k, b + places[e] * k, k));
    }
  }
}

template <class T, class Index>
[[gnu::always_inline]] inline void sampled_lines(T* out, const T* a, const T* b, int64_t k, const int64_t* starts,
                                                 const Index* places, int64_t begin, int64_t end) {
  for_each_product(
      a, b, k, starts, places, begin,
      end, [=](int64_t, int64_t e, T product) __attribute__((always_inline)) { out[e] = product; });
}

template <class T>
struct Residuals {
  T* out;
  double* errors;
  const T *values, *weights;
};

template <class T, class Index>
[[gnu::always_inline]] inline void residual_lines(const Residuals<T>& residuals, const T* a, const T* b, int64_t k,
                                                  const int64_t* starts, const Index* places, int64_t begin,
                                                  int64_t end) {
  std::fill(residuals.errors + begin, residuals.errors + end, 0.0);
  for_each_product(
      a, b, k, starts, places, begin, end, [=](int64_t i, int64_t e, T product) __attribute__((always_inline)) {
        const T difference = residuals.values[e] - product;
        const T weighted = residuals.weights == nullptr ? difference : residuals.weights[e] * difference;
        residuals.out[e] = weighted;
        residuals.errors[i] += static_cast<double>(weighted) * static_cast<double>(difference);
      });
}

template <class T, class Index>
[[gnu::always_inline]] inline void prefetch_entry(const T* weights, const T* b, int64_t k, const Index* places,
                                                  const Index* at, int64_t e) {
  __builtin_prefetch(b + places[e] * k);
  if (at != nullptr) __builtin_prefetch(weights + at[e]);
}

// Some elements of a row, which are one register with AVX2.
template <class T>
using Vector [[gnu::vector_size(32)]] = T;
template <class T>
constexpr int64_t kLanes = 32 / static_cast<int64_t>(sizeof(T));

// Columns from `column` on, as many as `vectors` hold, of the sum of one line: in registers. at: null for the entries'
// own numbers. known: the end of those that may be looked at ahead.
template <int vectors, class T, class Index>
[[gnu::always_inline]] inline void sum_vectors(T* row, const T* weights, const T* b, int64_t k, int64_t begin,
                                               int64_t end, const Index* places, const Index* at, int64_t column,
                                               int64_t known) {
  Vector<T> sums[vectors] = {};
  for (int64_t e = begin; e < end; ++e) {
    const T weight = weights[at == nullptr ? e : static_cast<int64_t>(at[e])];
    const T* added = b + places[e] * k + column;
    if (e + kAhead < known) prefetch_entry(weights, b + column, k, places, at, e + kAhead);
    for (int v = 0; v < vectors; ++v) {
      Vector<T> x;
      std::memcpy(&x, added + v * kLanes<T>, sizeof(x));
      sums[v] += weight * x;
    }
  }
  std::memcpy(row + column, sums, sizeof(sums));
}

template <class T, class Index>
[[gnu::always_inline]] inline void summed_lines(T* out, const T* weights, const T* b, int64_t k, const int64_t* starts,
                                                const Index* places, const Index* at, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end; ++i) {
    T* row = out + i * k;
    int64_t column = 0;
    for (; column + 4 * kLanes<T> <= k; column += 4 * kLanes<T>) {
      sum_vectors<4>(row, weights, b, k, starts[i], starts[i + 1], places, at, column, starts[end]);
    }
    for (; column + 2 * kLanes<T> <= k; column += 2 * kLanes<T>) {
      sum_vectors<2>(row, weights, b, k, starts[i], starts[i + 1], places, at, column, starts[end]);
    }
    for (; column + kLanes<T> <= k; column += kLanes<T>) {
      sum_vectors<1>(row, weights, b, k, starts[i], starts[i + 1], places, at, column, starts[end]);
    }
    if (column == k) continue;
    T sums[kLanes<T>] = {};
    for (int64_t e = starts[i]; e < starts[i + 1]; ++e) {
      const T weight = weights[at == nullptr ? e : static_cast<int64_t>(at[e])];
      const T* added = b + places[e] * k + column;
      for (int64_t l = 0; l < k - column; ++l) sums[l] += weight * added[l];
    }
    std::copy_n(sums, k - column, row + column);
  }
}

}  // namespace

template <class T, class Index>
void sampled_products(T* out, const T* a, const T* b, int64_t k, const std::vector<int64_t>& starts,
                      const Index* places) {
  share_lines(starts.data(), static_cast<int64_t>(starts.size()) - 1, k,
              [=, first = starts.data()](int64_t begin, int64_t end) {
                cpu::vectorized([=] { sampled_lines(out, a, b, k, first, places, begin, end); });
              });
}

template <class T, class Index>
void sampled_residuals(T* out, double* errors, const T* values, const T* weights, const T* a, const T* b, int64_t k,
                       const std::vector<int64_t>& starts, const Index* places) {
  const Residuals<T> residuals{out, errors, values, weights};
  share_lines(starts.data(), static_cast<int64_t>(starts.size()) - 1, k,
              [=, first = starts.data()](int64_t begin, int64_t end) {
                cpu::vectorized([=] { residual_lines(residuals, a, b, k, first, places, begin, end); });
              });
}

template <class T, class Index>
void weighted_sums(T* out, const T* weights, const T* b, int64_t k, const std::vector<int64_t>& starts,
                   const Index* places, const Index* at) {
  share_lines(starts.data(), static_cast<int64_t>(starts.size()) - 1, k,
              [=, first = starts.data()](int64_t begin, int64_t end) {
                cpu::vectorized([=] { summed_lines(out, weights, b, k, first, places, at, begin, end); });
              });
}

template void sampled_products(float*, const float*, const float*, int64_t, const std::vector<int64_t>&,
                               const int32_t*);
template void sampled_products(float*, const float*, const float*, int64_t, const std::vector<int64_t>&,
                               const int64_t*);
template void sampled_products(double*, const double*, const double*, int64_t, const std::vector<int64_t>&,
                               const int32_t*);
template void sampled_products(double*, const double*, const double*, int64_t, const std::vector<int64_t>&,
                               const int64_t*);
template void sampled_residuals(float*, double*, const float*, const float*, const float*, const float*, int64_t,
                                const std::vector<int64_t>&, const int32_t*);
template void sampled_residuals(float*, double*, const float*, const float*, const float*, const float*, int64_t,
                                const std::vector<int64_t>&, const int64_t*);
template void sampled_residuals(double*, double*, const double*, const double*, const double*, const double*, int64_t,
                                const std::vector<int64_t>&, const int32_t*);
template void sampled_residuals(double*, double*, const double*, const double*, const double*, const double*, int64_t,
                                const std::vector<int64_t>&, const int64_t*);
template void weighted_sums(float*, const float*, const float*, int64_t, const std::vector<int64_t>&, const int32_t*,
                            const int32_t*);
template void weighted_sums(float*, const float*, const float*, int64_t, const std::vector<int64_t>&, const int64_t*,
                            const int64_t*);
template void weighted_sums(double*, const double*, const double*, int64_t, const std::vector<int64_t>&, const int32_t*,
                            const int32_t*);
template void weighted_sums(double*, const double*, const double*, int64_t, const std::vector<int64_t>&, const int64_t*,
                            const int64_t*);

}  // namespace wengert::kernels
