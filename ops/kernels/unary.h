#pragma once

#include <cstdint>

// Functions of one number or two, of whole runs in SIMD: see ops/kernels/simd.h. T is float or double.

namespace wengert::kernels::simd {

/// The first ones are exact; of the others the last digits need not be those of the C++ library's function.
enum class Unary : uint8_t {
  kSquare,
  kNegate,
  kSqrt,
  kRelu,
  kExp,
  kExpm1,
  kLog,
  kLog1p,
  kLog2,
  kLog10,
  kSin,
  kCos,
  kTan,
  kAsin,
  kAcos,
  kAtan,
  kSinh,
  kCosh,
  kTanh,
  kErf,
  kErfc,
  kSigmoid,
  kLogSigmoid,
  kSilu,
  kGelu,
  kGeluTanh,
  kSoftplus,  ///< parameters: beta, threshold
  kDigamma,
  kPolygamma,  ///< parameters: n + 1, and (-1)^(n+1) n!, for the n-th derivative
  kElu         ///< parameters: of x above 0, of e^x - 1 below, of x there
};
constexpr bool is_exact(Unary op) { return op <= Unary::kRelu; }

inline constexpr int kUnaryParameters = 3;

/// out = op(x), with the parameters that it has; out may be x.
template <class T>
void unary(Unary op, T* out, const T* x, int64_t count, const T* parameters);

/// out = the angle of (b, a), as std::atan2(a, b).
template <class T>
void atan2(T* out, const T* a, bool a_moves, const T* b, bool b_moves, int64_t count);

}  // namespace wengert::kernels::simd
