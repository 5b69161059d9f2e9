// One step of the notebook: zero the gradients, loss = sum (D - C F)^2, backward, C -= lr dC, F -= lr dF.
// D is n x m, C n x k, F k x m; float32, one thread.

#include <benchmark/benchmark.h>
#include <cblas.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <vector>

namespace {

constexpr float kLearningRate = 1e-4f;

struct Size {
  int n, m, k;
};

void wengert_step(benchmark::State& state, Size size) {
  using namespace wengert;
  set_num_threads(1);
  manual_seed(0);
  const Tensor D = rand({size.n, size.m});
  Tensor C = rand({size.n, size.k}, requires_grad()), F = rand({size.k, size.m}, requires_grad());
  for (auto _ : state) {
    if (C.grad().defined()) {
      C.grad().zero_();
      F.grad().zero_();
    }
    const Tensor D_hat = mm(C, F);
    const Tensor loss = sum(pow(D - D_hat, 2));
    loss.backward();
    const NoGradGuard no_grad;
    C -= kLearningRate * C.grad();
    F -= kLearningRate * F.grad();
  }
}

// C = alpha op(A) op(B): three loops while a BLAS call costs more than the work.
void product(bool transpose_a, bool transpose_b, int n, int m, int k, float alpha, const float* a, const float* b,
             float* c) {
  if (n * m * k > 4096) {
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans, transpose_b ? CblasTrans : CblasNoTrans, n, m,
                k, alpha, a, transpose_a ? n : k, b, transpose_b ? k : m, 0, c, m);
    return;
  }
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < m; ++j) {
      float sum = 0;
      for (int l = 0; l < k; ++l)
        sum += a[transpose_a ? l * n + i : i * k + l] * b[transpose_b ? j * k + l : l * m + j];
      c[i * m + j] = alpha * sum;
    }
  }
}

void hand_step(benchmark::State& state, Size size) {
  wengert::set_num_threads(1);  // and with it OpenBLAS's
  wengert::mm(wengert::rand({64, 64}), wengert::rand({64, 64}));
  const auto [n, m, k] = size;
  const auto random = [](int count) {
    const wengert::Tensor x = wengert::rand({count});
    return std::vector<float>(x.data_ptr<float>(), x.data_ptr<float>() + count);
  };
  std::vector<float> D = random(n * m), C = random(n * k), F = random(k * m);
  std::vector<float> R(D.size()), dC(C.size()), dF(F.size());
  for (auto _ : state) {
    product(false, false, n, m, k, 1, C.data(), F.data(), R.data());
    float loss = 0;
    for (size_t i = 0; i < R.size(); ++i) {
      R[i] -= D[i];
      loss += R[i] * R[i];
    }
    benchmark::DoNotOptimize(loss);
    product(false, true, n, k, m, 2, R.data(), F.data(), dC.data());
    product(true, false, k, m, n, 2, C.data(), R.data(), dF.data());
    for (size_t i = 0; i < C.size(); ++i) C[i] -= kLearningRate * dC[i];
    for (size_t i = 0; i < F.size(); ++i) F[i] -= kLearningRate * dF[i];
    benchmark::ClobberMemory();
  }
}

const bool registered = [] {
  for (const Size size : {Size{3, 4, 2}, {30, 40, 5}, {100, 100, 10}, {300, 300, 20}, {1000, 1000, 32}}) {
    const std::string name = fmt::format("notebook_step {},{},{}", size.n, size.m, size.k);
    benchmark::RegisterBenchmark((name + "/hand").c_str(), hand_step, size);
    benchmark::RegisterBenchmark((name + "/wengert").c_str(), wengert_step, size);
  }
  return true;
}();

}  // namespace
