#pragma once

namespace wengert::cpu {

/// The instruction sets that the SIMD loops are compiled for, the best first.
enum class Target { kAvx512, kAvx2, kSse4, kBaseline };

/// The best that this CPU has. Highway has this choice in its library too, which would be one more to load, and whose
/// static constructors take a millisecond.
Target choose_target();

/// Whether a loop may run that the compiler has made for AVX2 and FMA: those that need no more than these are not
/// Highway's. (A product is fused with a sum only where a loop calls std::fma.)
bool has_avx2();

#if defined(__x86_64__)
template <class Body>
[[gnu::target("avx2,fma"), gnu::flatten]] void run_with_avx2(const Body& body) {
  const Body own = body;  // in nobody else's memory, so that what it holds stays in registers
  own();
}
#endif
/// Calls body(), compiled for AVX2 where the CPU has it. It should hold copies: what is behind references is read again
/// and again where a loop writes. Loops that are marked (omp simd) become SIMD code.
template <class Body>
void vectorized(const Body& body) {
#if defined(__x86_64__)
  if (has_avx2()) return run_with_avx2(body);
#endif
  body();
}

}  // namespace wengert::cpu
