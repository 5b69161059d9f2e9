#pragma once

namespace wengert::kernels::simd {

/// The instruction sets that the SIMD loops are compiled for, the best first.
enum class Target { kAvx512, kAvx2, kSse4, kBaseline };

/// The best that this CPU has. Highway has this choice in its library too, which would be one more to load, and whose
/// static constructors take a millisecond.
Target choose_target();

}  // namespace wengert::kernels::simd
