#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <type_traits>

namespace wengert {

// PyTorch's random numbers on the CPU: the Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998), and from its
// 32-bit words
//     a float in [0, 1)    the low 24 bits of one word, times 2^-24
//     a double in [0, 1)   the low 53 bits of two words (first the high one), times 2^-53
//     a whole number       one word modulo the range, or two words for ranges from 2^32
//     a normal number      the method of Box and Muller (1958)
// The order in which words are drawn is as much part of it as the formulas.

/// A source of random numbers. A copy goes on from where the original is.
class Generator {
 public:
  Generator() { seed(5489); }
  void seed(uint64_t seed);
  uint32_t word() {
    if (used_ == kWords) renew();
    return tempered_[used_++];
  }
  /// Uniform on [0, 1). T: float or double.
  template <class T>
  T uniform() {
    if constexpr (std::is_same_v<T, float>) {
      return static_cast<float>(word() & ((1u << 24) - 1)) * 0x1p-24f;
    } else {
      return static_cast<double>(two_words() & ((uint64_t{1} << 53) - 1)) * 0x1p-53;
    }
  }
  /// The same `count` times.
  template <class T>
  void fill_uniform(T* x, int64_t count);
  /// Uniform on 0 .. range-1.
  uint64_t below(uint64_t range) {
    if (range >> 32 != 0) return two_words() % range;
    return word() % static_cast<uint32_t>(range);  // which is far faster than a quotient of 64 bits
  }
  /// Standard normal. Two uniform numbers give two normal ones; the second is kept for the next call.
  double normal();

  /// Where it is: the twister's 624 words and how many of them are used up; the normal number that is kept.
  struct State {
    std::array<int64_t, 625> words;
    std::optional<double> spare_normal;
  };
  State state() const;
  /// False, and nothing is changed, where it is the state of no generator.
  bool set_state(const State& state);

 private:
  static constexpr size_t kWords = 624;

  uint64_t two_words() {
    const uint64_t high = word();
    return high << 32 | word();
  }
  void renew();   // the next kWords
  void temper();  // state_ -> tempered_

  std::array<uint32_t, kWords> state_;     // of the twister's recurrence
  std::array<uint32_t, kWords> tempered_;  // what is given out of it
  size_t used_ = kWords;
  std::optional<double> spare_normal_;
};

/// The process's generator, which all random operations draw from, locked for as long as this lives.
class LockedGenerator {
 public:
  LockedGenerator();
  Generator* operator->() { return &generator(); }
  Generator& operator*() { return generator(); }

 private:
  static Generator& generator();
  std::lock_guard<std::mutex> lock_;
};

/// Starts the process's generator anew.
void manual_seed(uint64_t seed);
/// Where the process's generator is, and back to there: the same numbers follow.
Generator get_rng_state();
void set_rng_state(const Generator& state);

}  // namespace wengert
