#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace wengert::ops {

/// Of two numbers the first where a condition holds, else the second, by their bits: without a branch, whatever they
/// are.
inline constexpr auto kChosen = []<class T>(bool holds, T x, T y) {
  using Bits = std::conditional_t<sizeof(T) == 1, uint8_t, std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>>;
  const Bits mask = static_cast<Bits>(-static_cast<Bits>(holds));
  return std::bit_cast<T>(static_cast<Bits>((std::bit_cast<Bits>(x) & mask) | (std::bit_cast<Bits>(y) & ~mask)));
};

}  // namespace wengert::ops
