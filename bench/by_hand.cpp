#include "contenders.h"

#include <cblas.h>

#include <random>
#include <vector>

extern "C" void openblas_set_num_threads(int) __attribute__((weak));

namespace bench {
namespace {

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

// residual -= target. Returns the sum of its squares.
float subtract(float* residual, const float* target, size_t count) {
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (size_t i = 0; i < count; ++i) {
    residual[i] -= target[i];
    squares += residual[i] * residual[i];
  }
  return squares;
}

void update(float* x, const float* gradient, size_t count) {
#pragma omp simd
  for (size_t i = 0; i < count; ++i) x[i] -= kLearningRate * gradient[i];
}

// Has the compiler believe that the memory is read and written.
void keep(const void* memory) { asm volatile("" : : "r"(memory) : "memory"); }

class Notebook {
 public:
  explicit Notebook(Size size)
      : size_(size),
        D_(random(size.n * size.m)),
        C_(random(size.n * size.k)),
        F_(random(size.k * size.m)),
        R_(D_.size()),
        dC_(C_.size()),
        dF_(F_.size()) {}

  void operator()() {
    const auto [n, m, k] = size_;
    product(false, false, n, m, k, 1, C_.data(), F_.data(), R_.data());
    loss_ = subtract(R_.data(), D_.data(), R_.size());
    product(false, true, n, k, m, 2, R_.data(), F_.data(), dC_.data());
    product(true, false, k, m, n, 2, C_.data(), R_.data(), dF_.data());
    update(C_.data(), dC_.data(), C_.size());
    update(F_.data(), dF_.data(), F_.size());
    keep(this);
  }

 private:
  static std::vector<float> random(int count) {
    std::mt19937 engine;
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = std::uniform_real_distribution<float>()(engine);
    return values;
  }

  Size size_;
  std::vector<float> D_, C_, F_, R_, dC_, dF_;
  float loss_ = 0;
};

// The same passes over memory, one an operation.
class Chain {
 public:
  explicit Chain(int64_t count) : x_(static_cast<size_t>(count), 1.0f), y_(x_.size()), gradient_(x_.size()) {}

  void operator()() {
    y_ = x_;
    for (int i = 0; i < kChainLength / 2; ++i) {
      for (float& element : y_) element *= 0.999f;
      keep(y_.data());
      for (float& element : y_) element += 0.001f;
      keep(y_.data());
    }
    gradient_.assign(x_.size(), 1.0f);
    for (int i = 0; i < kChainLength / 2; ++i) {
      for (float& element : gradient_) element *= 0.999f;
      keep(gradient_.data());
    }
  }

 private:
  std::vector<float> x_, y_, gradient_;
};

void set_num_threads(int threads) {
  if (openblas_set_num_threads != nullptr) openblas_set_num_threads(threads);
}

}  // namespace

Contender by_hand() {
  return {set_num_threads, [](Size size, Loss) -> Step { return Notebook(size); },
          [](int64_t count) -> Step { return Chain(count); }, nullptr};
}

}  // namespace bench
