#pragma once

#include <wengert/autograd/base/scalar.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <type_traits>

namespace wengert::ops {

/// x within bounds. What is missing bounds nothing; whole numbers have whole bounds.
struct Within {
  using Real = std::numeric_limits<double>;
  using Whole = std::numeric_limits<int64_t>;
  Within(std::optional<Scalar> low, std::optional<Scalar> high)
      : least(low ? low->toDouble() : -Real::infinity()),
        most(high ? high->toDouble() : Real::infinity()),
        least_whole(low && is_whole(*low) ? low->toLong() : Whole::min()),
        most_whole(high && is_whole(*high) ? high->toLong() : Whole::max()) {}
  template <class T>
  T operator()(T x) const {
    if constexpr (std::is_floating_point_v<T>) {
      return limited(x, static_cast<T>(least), static_cast<T>(most));
    } else {
      return limited(x, static_cast<T>(least_whole), static_cast<T>(most_whole));
    }
  }
  template <class T>
  static T limited(T x, T low, T high) {
    const T raised = x < low ? low : x;
    return raised > high ? high : raised;
  }
  // Whether its whole part is one that 64 bits hold.
  static bool is_whole(Scalar bound) { return bound.isIntegral(true) || std::abs(bound.toDouble()) < 0x1p63; }
  double least, most;
  int64_t least_whole, most_whole;
};

}  // namespace wengert::ops
