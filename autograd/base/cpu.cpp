#include <wengert/autograd/base/cpu.h>

namespace wengert::cpu {

Target choose_target() {
#if defined(__x86_64__) || defined(__i386__)
  const auto has_all = [](auto... present) { return (present && ...); };
  if (has_all(__builtin_cpu_supports("sse4.1"), __builtin_cpu_supports("sse4.2"), __builtin_cpu_supports("pclmul"),
              __builtin_cpu_supports("aes"))) {
    if (!has_all(__builtin_cpu_supports("avx2"), __builtin_cpu_supports("fma"), __builtin_cpu_supports("bmi"),
                 __builtin_cpu_supports("bmi2"))) {
      return Target::kSse4;
    }
    return has_all(__builtin_cpu_supports("avx512f"), __builtin_cpu_supports("avx512cd"),
                   __builtin_cpu_supports("avx512dq"), __builtin_cpu_supports("avx512bw"),
                   __builtin_cpu_supports("avx512vl"))
               ? Target::kAvx512
               : Target::kAvx2;
  }
#endif
  return Target::kBaseline;
}

bool has_avx2() {
  static const bool present = choose_target() <= Target::kAvx2;
  return present;
}

}  // namespace wengert::cpu
