#pragma once

namespace wengert::kernels::simd {

/// The instruction sets that the SIMD loops are compiled for, the best first.
enum class Target { kAvx512, kAvx2, kSse4, kBaseline };

/// The best that this CPU has. Highway has this choice in its library too, which would be one more to load, and whose
/// static constructors take a millisecond.
Target choose_target();

/// Whether a loop may run that the compiler has made for AVX2: those that need no more than its vectors are not
/// Highway's.
bool has_avx2();

}  // namespace wengert::kernels::simd
