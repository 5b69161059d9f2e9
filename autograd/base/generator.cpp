#include <wengert/autograd/base/generator.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <sstream>
#include <utility>

namespace wengert {
namespace {

std::mutex& generator_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

void Generator::seed(uint64_t seed) {
  engine_.seed(static_cast<uint32_t>(seed));
  spare_normal_.reset();
}

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
  std::stringstream text;
  text << engine_;
  for (int64_t& word : state.words) text >> word;
  return state;
}

bool Generator::set_state(const State& state) {
  const int64_t used = state.words.back();
  const auto is_word = [](int64_t word) { return 0 <= word && word <= int64_t{UINT32_MAX}; };
  if (!std::all_of(state.words.begin(), state.words.end(), is_word) || used > 624) return false;
  std::stringstream text;
  for (const int64_t word : state.words) text << word << ' ';
  text >> engine_;
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
