// The elementary functions, which vector code of our own computes, beside the C++ library's in long double: over all
// that a float or a double can be, and densely where their values are neither 0 nor infinite.

#include <gtest/gtest.h>
#include <wengert/wengert.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <random>
#include <vector>

namespace wengert {
namespace {

struct Function {
  const char* name;
  Tensor (*ours)(const Tensor&);
  long double (*exact)(long double);
  double low, high;            // where most numbers are drawn from
  double of_float, of_double;  // ulps: libm's worst, as glibc 2.36 is found or said to have it, and one more
};

#define FUNCTION(name, ...)                                                                                          \
  Function {                                                                                                         \
#name, [](const Tensor& x) { return wengert::name(x); }, [](long double x) { return std::name(x); }, __VA_ARGS__ \
  }

const Function kFunctions[] = {
    FUNCTION(exp, -20, 20, 1.5, 1.5),  FUNCTION(expm1, -5, 5, 1.8, 1.8),     FUNCTION(log, 0, 10, 1.8, 1.5),
    FUNCTION(log1p, -1, 10, 1.8, 1.8), FUNCTION(log2, 0, 10, 1.7, 1.5),      FUNCTION(log10, 0, 10, 2.9, 2.6),
    FUNCTION(sin, -10, 10, 1.5, 1.5),  FUNCTION(cos, -4000, 4000, 1.5, 1.5), FUNCTION(tan, -10, 10, 1.9, 1.6),
    FUNCTION(asin, -1, 1, 1.8, 1.5),   FUNCTION(acos, -1, 1, 1.8, 1.5),      FUNCTION(atan, -5, 5, 1.8, 1.5),
    FUNCTION(sinh, -20, 20, 2.6, 2.6), FUNCTION(cosh, -20, 20, 2.3, 2.0),    FUNCTION(tanh, -5, 5, 3.1, 3.1),
    FUNCTION(erf, -4, 4, 1.9, 2.0),    FUNCTION(erfc, -6, 12, 4.0, 4.6),
};

void PrintTo(const Function& f, std::ostream* out) { *out << f.name; }

// Ulps between a result and the exact value. Beyond the largest number, infinity and that one are equally good.
template <class T>
double error_in_ulps(T got, long double exact) {
  const T nearest = static_cast<T>(exact);
  if (std::isnan(got) || std::isnan(nearest)) return std::isnan(got) == std::isnan(nearest) ? 0 : 1e9;
  if (std::isinf(got) || std::isinf(nearest)) {
    if (got == nearest) return 0;
    return std::abs(got) >= std::numeric_limits<T>::max() && std::signbit(got) == std::signbit(nearest) ? 1 : 1e9;
  }
  if (got == 0 && nearest == 0) return std::signbit(got) == std::signbit(nearest) ? 0 : 1e8;
  const int exponent = std::max(std::ilogb(nearest == 0 ? std::numeric_limits<T>::min() : nearest),
                                std::numeric_limits<T>::min_exponent - 1);
  const long double ulp = std::ldexp(1.0L, exponent - std::numeric_limits<T>::digits + 1);
  return static_cast<double>(std::abs(static_cast<long double>(got) - exact) / ulp);
}

template <class T>
std::vector<T> arguments(const Function& f) {
  using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
  using Limits = std::numeric_limits<T>;
  std::mt19937_64 random(17);
  std::vector<T> x{T(0),
                   -T(0),
                   1,
                   -1,
                   T(0.5),
                   -T(0.5),
                   Limits::infinity(),
                   -Limits::infinity(),
                   Limits::quiet_NaN(),
                   Limits::denorm_min(),
                   -Limits::denorm_min(),
                   Limits::min(),
                   Limits::max(),
                   Limits::lowest(),
                   std::nextafter(T(1), T(2)),
                   std::nextafter(T(1), T(0)),
                   T(88.73),
                   T(-104),
                   T(709.79),
                   T(-745.2)};
  for (int i = 0; i < 40'000; ++i) {
    const Bits bits = static_cast<Bits>(random());
    T value;
    std::memcpy(&value, &bits, sizeof(T));
    x.push_back(value);
  }
  std::uniform_real_distribution<double> within(f.low, f.high), exponents(-40, 10);
  for (int i = 0; i < 60'000; ++i) x.push_back(static_cast<T>(within(random)));
  for (int i = 0; i < 20'000; ++i) {
    x.push_back(static_cast<T>(std::exp2(exponents(random))));
    x.push_back(-x.back());
  }
  // Multiples of pi/4, and their neighbours.
  for (int i = -300; i <= 300; ++i) {
    const T at = static_cast<T>(i * 0.785398163397448309616L);
    for (const T each : {at, std::nextafter(at, T(1e9)), std::nextafter(at, T(-1e9))}) x.push_back(each);
  }
  return x;
}

template <class T>
void check(const Function& f, double bound) {
  const std::vector<T> x = arguments<T>(f);
  const Tensor y = f.ours(tensor(x, sizeof(T) == 4 ? kFloat : kDouble));
  double worst = 0;
  T at = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double error = error_in_ulps(y.data_ptr<T>()[i], f.exact(x[i]));
    if (error > worst) worst = error, at = x[i];
  }
  EXPECT_LE(worst, bound) << f.name << " at " << std::hexfloat << at;
}

class VectorMath : public testing::TestWithParam<Function> {};

TEST_P(VectorMath, IsWithinAnUlpOfTheLibrarysWorst) {
  check<float>(GetParam(), GetParam().of_float);
  check<double>(GetParam(), GetParam().of_double);
}

TEST_P(VectorMath, GivesAnElementTheSameBitsWhereverItStands) {
  for (const ScalarType type : {kFloat, kDouble}) {
    const Tensor x = linspace(GetParam().low, GetParam().high, 77, type), y = GetParam().ours(x);
    for (int64_t i = 0; i < x.numel(); ++i) {
      EXPECT_TRUE(equal(GetParam().ours(x[i]), y[i]) || y[i].isnan().item<bool>()) << i;
    }
    const Tensor apart = stack({x, x}, 1).select(1, 0);
    EXPECT_TRUE(allclose(GetParam().ours(apart), y, 0, 0, true));
  }
}

template <class T>
void check_atan2(double bound) {
  std::vector<T> y, x;
  const std::vector<T> all = arguments<T>({"", nullptr, nullptr, -3, 3, 0, 0});
  std::mt19937 random(5);
  const auto any = [&] { return all[random() % all.size()]; };
  for (int i = 0; i < 200'000; ++i) y.push_back(any()), x.push_back(any());
  for (size_t i = 0; i < 20; ++i) {  // zeros, infinities, NaN and the like, each with each
    for (size_t j = 0; j < 20; ++j) y.push_back(all[i]), x.push_back(all[j]);
  }
  const ScalarType type = sizeof(T) == 4 ? kFloat : kDouble;
  const Tensor angle = atan2(tensor(y, type), tensor(x, type));
  double worst = 0;
  size_t at = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    const double error = error_in_ulps(angle.data_ptr<T>()[i], std::atan2(static_cast<long double>(y[i]), x[i]));
    if (error > worst) worst = error, at = i;
  }
  EXPECT_LE(worst, bound) << std::hexfloat << y[at] << " " << x[at];
}

// glibc's: 0.55 ulp for doubles, 1.5 for floats, and one more.
TEST(VectorMath, Atan2IsWithinAnUlpOfTheLibrarysWorst) {
  check_atan2<float>(2.5);
  check_atan2<double>(1.55);
}

INSTANTIATE_TEST_SUITE_P(Functions, VectorMath, testing::ValuesIn(kFunctions),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace wengert
