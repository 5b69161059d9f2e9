#pragma once

#include <cstdint>
#include <type_traits>

namespace wengert::kernels {

/// Calls f with a count: a small one as a number that compilers know, so that loops to it become straight code.
template <class F>
void with_count(int64_t count, const F& f) {
  switch (count) {
    case 1: return f(std::integral_constant<int64_t, 1>());
    case 2: return f(std::integral_constant<int64_t, 2>());
    case 3: return f(std::integral_constant<int64_t, 3>());
    case 4: return f(std::integral_constant<int64_t, 4>());
    default: return f(count);
  }
}

}  // namespace wengert::kernels
