#include <cblas.h>
#include <fmt/format.h>
#include <wengert/ops/kernels/gemm.h>
#include <wengert/ops/kernels/threads.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <functional>
#include <random>
#include <string_view>
#include <vector>

// Matrix products on one thread and on two beside the BLAS on one, in turns. Results are compared before anything is
// timed: two threads with one bit for bit, and one with the BLAS to a bound.

extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace {

struct Shape {
  int n, m, k;
  bool a_transposed, b_transposed;
};

// The three products of a step of the notebook, C F, G Fᵀ and Cᵀ G, at growing sizes; squares; thin ones.
constexpr Shape kShapes[] = {
    {300, 300, 20, false, false},    {300, 20, 300, false, true},      {20, 300, 300, true, false},
    {1000, 1000, 32, false, false},  {1000, 32, 1000, false, true},    {32, 1000, 1000, true, false},
    {2000, 1000, 20, false, false},  {2000, 20, 1000, false, true},    {20, 1000, 2000, true, false},
    {4000, 4000, 128, false, false}, {4000, 128, 4000, false, true},   {128, 4000, 4000, true, false},
    {4000, 2500, 5, false, false},   {4000, 5, 2500, false, true},     {5, 2500, 4000, true, false},
    {200, 200, 200, false, false},   {1000, 1000, 1000, false, false}, {3000, 1, 1000, false, false},
    {1000, 1, 3000, true, false},
};

template <class T>
std::vector<T> random_elements(int64_t count) {
  static std::mt19937 generator(1);
  std::uniform_real_distribution<T> distribution(-1, 1);
  std::vector<T> elements(static_cast<size_t>(count));
  for (T& element : elements) element = distribution(generator);
  return elements;
}

// The least microseconds of each, taking turns.
std::vector<double> time_in_turns(const std::vector<std::function<void()>>& contenders) {
  std::vector<double> least(contenders.size(), 1e300);
  for (int round = 0; round < 15; ++round) {
    for (size_t i = 0; i < contenders.size(); ++i) {
      const auto start = std::chrono::steady_clock::now();
      contenders[i]();
      least[i] = std::min(least[i],
                          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count());
    }
  }
  return least;
}

template <class T>
bool compare_and_time(const Shape& s, const char* type) {
  const std::vector<T> a = random_elements<T>(int64_t{s.n} * s.k), b = random_elements<T>(int64_t{s.k} * s.m);
  std::vector<T> ours(static_cast<size_t>(int64_t{s.n} * s.m)), threaded(ours.size()), by_blas(ours.size());
  const wengert::kernels::Matrix<T> x{a.data(), s.a_transposed ? 1 : s.k, s.a_transposed ? s.n : 1};
  const wengert::kernels::Matrix<T> y{b.data(), s.b_transposed ? 1 : s.m, s.b_transposed ? s.k : 1};
  const auto on_threads = [&](int threads, std::vector<T>& c) {
    wengert::set_num_threads(threads);
    wengert::kernels::gemm(s.n, s.m, s.k, x, y, c.data());
  };
  const auto blas = [&] {
    const auto call = [&](auto* gemm) {
      gemm(CblasRowMajor, s.a_transposed ? CblasTrans : CblasNoTrans, s.b_transposed ? CblasTrans : CblasNoTrans, s.n,
           s.m, s.k, T(1), a.data(), s.a_transposed ? s.n : s.k, b.data(), s.b_transposed ? s.k : s.m, T(0),
           by_blas.data(), s.m);
    };
    if constexpr (sizeof(T) == sizeof(float)) {
      call(cblas_sgemm);
    } else {
      call(cblas_dgemm);
    }
  };
  on_threads(1, ours);
  on_threads(2, threaded);
  blas();
  double difference = 0;
  for (size_t i = 0; i < ours.size(); ++i) difference = std::max<double>(difference, std::abs(ours[i] - by_blas[i]));
  const double bound = 32 * std::sqrt(s.k) * (sizeof(T) == sizeof(float) ? 6e-8 : 1.2e-16);
  if (std::memcmp(ours.data(), threaded.data(), ours.size() * sizeof(T)) != 0 || !(difference <= bound)) {
    fmt::print(stderr, "{} {},{},{}: results differ\n", type, s.n, s.m, s.k);
    return false;
  }
  const std::vector<double> us = time_in_turns({[&] { on_threads(1, ours); }, [&] { on_threads(2, threaded); }, blas});
  fmt::print("| {} | {},{},{}{}{} | {:.0f} | {:.0f} | {:.0f} | {:.2f} | {:.2f} |\n", type, s.n, s.m, s.k,
             s.a_transposed ? " A'" : "", s.b_transposed ? " B'" : "", us[0], us[1], us[2], us[2] / us[0],
             us[0] / us[1]);
  return true;
}

}  // namespace

int main() {
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(1);
  fmt::print(
      "| product | n,m,k | one thread, us | two | BLAS | BLAS / one | one / two "
      "|\n|---|---|---:|---:|---:|---:|---:|\n");
  bool right = true;
  for (const Shape& shape : kShapes) right &= compare_and_time<float>(shape, "float");
  for (const Shape& shape : kShapes) right &= compare_and_time<double>(shape, "double");
  return right ? 0 : 1;
}
