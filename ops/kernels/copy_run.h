#pragma once

#include <wengert/autograd/base/cpu.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace wengert::kernels {

/// to[i] = from[i] for i < count, where the two are the same memory or do not overlap. Long runs glibc copies with one
/// instruction, which takes AMD's CPUs ten times as long where `to` lies a few bytes further on in its page than
/// `from`: these are copied in vectors.
template <class T>
void copy_run(T* to, const T* from, int64_t count) {
  constexpr uintptr_t kPage = 4096, kFewBytes = 64;
  constexpr int64_t kLong = 1024, kBlock = 128 / sizeof(T);
  const uintptr_t apart = (reinterpret_cast<uintptr_t>(to) - reinterpret_cast<uintptr_t>(from)) % kPage;
  int64_t i = 0;
  if (apart != 0 && apart < kFewBytes && count * int64_t{sizeof(T)} >= kLong) {
    const int64_t end = count / kBlock * kBlock;
    cpu::vectorized([=] {
      using Vector [[gnu::vector_size(32)]] = char;
      for (int64_t at = 0; at < end; at += kBlock) {
        Vector a, b, c, d;
        const char* source = reinterpret_cast<const char*>(from + at);
        char* target = reinterpret_cast<char*>(to + at);
        std::memcpy(&a, source, 32), std::memcpy(&b, source + 32, 32);
        std::memcpy(&c, source + 64, 32), std::memcpy(&d, source + 96, 32);
        std::memcpy(target, &a, 32), std::memcpy(target + 32, &b, 32);
        std::memcpy(target + 64, &c, 32), std::memcpy(target + 96, &d, 32);
      }
    });
    i = end;
  }
  std::copy_n(from + i, count - i, to + i);
}
/// The same of few elements, a number that compilers know.
template <class T, int64_t count>
void copy_run(T* to, const T* from, std::integral_constant<int64_t, count>) {
  std::copy_n(from, count, to);
}

}  // namespace wengert::kernels
