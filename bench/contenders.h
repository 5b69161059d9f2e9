#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

// What is timed, in several versions: with libtorch, with Wengert, recorded once and replayed, and by hand.

namespace bench {

/// One more step of some training or computation, on data of its own.
using Step = std::function<void()>;

/// D (n, m) is factorized as C (n, k) times F (k, m).
struct Size {
  int n, m, k;
};

enum class Loss { kSumOfPow, kMseSum };

inline constexpr float kLearningRate = 1e-7f;

/// Both libraries have the same interface, so that one source (contenders.inc) makes both.
struct Contender {
  void (*set_num_threads)(int);
  /// Zero the gradients, loss = sum (D - C F)^2, backward, C -= lr dC, F -= lr dF. float32.
  Step (*notebook)(Size, Loss);
  /// y = x, then 500 times y = y * a + b; backward from the sum. x has `count` elements.
  Step (*chain)(int64_t count);
  /// One operation on x (rows, columns) and what it needs besides, without recording. Names: see kOperations.
  Step (*operation)(std::string_view name, int64_t rows, int64_t columns);
};

inline constexpr Size kSizes[] = {{3, 4, 2},        {30, 40, 5},      {100, 100, 10},   {300, 300, 20},
                                  {1000, 1000, 32}, {2000, 2000, 64}, {4000, 4000, 128}};
inline constexpr int kChainLength = 1000;
inline constexpr int64_t kChainSizes[] = {1, 1024, 65536};

inline constexpr std::string_view kOperations[] = {
    "sum",          "sum rows",        "sum columns",      "mean rows", "max rows", "argmax rows", "cumsum rows",
    "softmax rows", "softmax columns", "log_softmax rows", "add",       "add row",  "add column",  "transpose",
    "gather",       "scatter_add",     "index_select",     "index_add", "exp",      "tanh"};
/// Of a float32 matrix; `name` tells its bytes.
struct Shape {
  const char* name;
  int64_t rows, columns;
};
inline constexpr Shape kShapes[] = {{"1 KB", 16, 16}, {"1 MB", 512, 512}, {"64 MB", 4096, 4096}};

Contender libtorch();
Contender wengert();
/// wengert::Replay of the same. Only `notebook` and `chain`.
Contender replay();
/// Plain loops when small and a BLAS when large, without automatic differentiation. Only `notebook` and `chain`.
Contender by_hand();

}  // namespace bench
