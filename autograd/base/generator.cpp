#include <wengert/autograd/base/generator.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace wengert {
namespace {

std::mutex& generator_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

void Generator::seed(uint64_t seed) {
  state_[0] = static_cast<uint32_t>(seed);
  for (uint32_t i = 1; i < kWords; ++i) state_[i] = 1812433253U * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
  used_ = kWords;
  spare_normal_.reset();
}

// x[i + 624] = x[i + 397] ^ twist(the highest bit of x[i], the others of x[i + 1]), in place of x[i].
void Generator::renew() {
  constexpr size_t kAhead = 397;
  uint32_t* x = state_.data();
  const auto twist = [](uint32_t high, uint32_t low, uint32_t ahead) {
    const uint32_t joined = (high & 0x80000000U) | (low & 0x7fffffffU);
    return ahead ^ (joined >> 1) ^ ((0U - (low & 1U)) & 0x9908b0dfU);
  };
  // Nothing that is read was written less than 227 words before.
#pragma omp simd
  for (size_t i = 0; i < kWords - kAhead; ++i) x[i] = twist(x[i], x[i + 1], x[i + kAhead]);
#pragma omp simd safelen(128)
  for (size_t i = kWords - kAhead; i < kWords - 1; ++i) x[i] = twist(x[i], x[i + 1], x[i + kAhead - kWords]);
  x[kWords - 1] = twist(x[kWords - 1], x[0], x[kAhead - 1]);
  temper();
  used_ = 0;
}

void Generator::temper() {
#pragma omp simd
  for (size_t i = 0; i < kWords; ++i) {
    uint32_t y = state_[i];
    y ^= y >> 11;
    y ^= (y << 7) & 0x9d2c5680U;
    y ^= (y << 15) & 0xefc60000U;
    tempered_[i] = y ^ (y >> 18);
  }
}

namespace {

// As Generator::uniform(), of tempered words.
void make_uniform(float* to, const uint32_t* words, int64_t count) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    to[i] = static_cast<float>(static_cast<int32_t>(words[i] & ((1U << 24) - 1))) * 0x1p-24F;
  }
}
void make_uniform(double* to, const uint32_t* words, int64_t count) {
  // The low word as a number with a sign, for which there is an instruction.
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    const auto high = static_cast<double>(static_cast<int32_t>(words[2 * i] & ((1U << 21) - 1)));
    const auto low = static_cast<double>(static_cast<int32_t>(words[2 * i + 1] ^ 0x80000000U)) + 0x1p31;
    to[i] = (high * 0x1p32 + low) * 0x1p-53;
  }
}

}  // namespace

template <class T>
void Generator::fill_uniform(T* x, int64_t count) {
  constexpr size_t kEach = sizeof(T) / sizeof(uint32_t);  // words of a number
  for (int64_t done = 0; done < count;) {
    if (used_ + kEach > kWords) {  // too few of this round are left
      x[done++] = uniform<T>();
      continue;
    }
    const uint32_t* words = tempered_.data() + used_;
    const int64_t size = std::min(count - done, static_cast<int64_t>((kWords - used_) / kEach));
    make_uniform(x + done, words, size);
    used_ += static_cast<size_t>(size) * kEach;
    done += size;
  }
}
template void Generator::fill_uniform(float*, int64_t);
template void Generator::fill_uniform(double*, int64_t);

double Generator::normal() {
  if (spare_normal_) return *std::exchange(spare_normal_, std::nullopt);
  const double u1 = uniform<double>(), u2 = uniform<double>();
  const double radius = std::sqrt(-2 * std::log1p(-u2));
  const double angle = 2 * std::numbers::pi * u1;
  spare_normal_ = radius * std::sin(angle);
  return radius * std::cos(angle);
}

Generator::State Generator::state() const {
  State state{{}, spare_normal_};
  std::copy(state_.begin(), state_.end(), state.words.begin());
  state.words.back() = static_cast<int64_t>(used_);
  return state;
}

bool Generator::set_state(const State& state) {
  const int64_t used = state.words.back();
  const auto is_word = [](int64_t word) { return 0 <= word && word <= int64_t{UINT32_MAX}; };
  if (!std::all_of(state.words.begin(), state.words.end(), is_word) || used > int64_t{kWords}) return false;
  std::transform(state.words.begin(), state.words.end() - 1, state_.begin(),
                 [](int64_t word) { return static_cast<uint32_t>(word); });
  temper();
  used_ = static_cast<size_t>(used);
  spare_normal_ = state.spare_normal;
  return true;
}

LockedGenerator::LockedGenerator() : lock_(generator_mutex()) {}

Generator& LockedGenerator::generator() {
  static Generator generator;
  return generator;
}

void manual_seed(uint64_t seed) { LockedGenerator()->seed(seed); }
Generator get_rng_state() { return *LockedGenerator(); }
void set_rng_state(const Generator& state) { *LockedGenerator() = state; }

}  // namespace wengert
