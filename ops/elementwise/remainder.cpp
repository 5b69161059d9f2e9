#include <wengert/ops/elementwise/functions.h>
#include <wengert/ops/elementwise/in_place.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

// Functions of two tensors beyond sum, product and power: division with rounding, remainders, angles; G = dL/dy.

namespace wengert {
namespace ops {
namespace {

void check_no_zero(const Tensor& dividend, const Tensor& divisor) {
  if (dividend.numel() == 0) return;
  const bool whole = isIntegralType(result_type(dividend, divisor), true);
  check(!whole || all(divisor != 0).item<bool>(), "ZeroDivisionError");
}

// Whole numbers; processors trap where there is no quotient, which ends the program. That is so of the least number by
// -1, and of zeros that an operation in place makes of its own divisor after they were looked for: 0.
int64_t whole_quotient(int64_t a, int64_t b) {
  if (b == -1) return static_cast<int64_t>(-static_cast<uint64_t>(a));
  return b == 0 ? 0 : a / b;
}
int64_t whole_remainder(int64_t a, int64_t b) { return b == -1 || b == 0 ? 0 : a % b; }

// std::fmod(a, b), whose result is exact, where the quotient is small: a - b trunc(a / b), in one rounding, is it or a
// b beside it. NaN where it is not found so.
template <class T>
[[gnu::always_inline]] inline T small_fmod(T a, T b) {
  const T size = std::abs(b), whole = std::abs(a);
  const T quotient = std::trunc(whole / size);
  T rest = std::fma(-quotient, size, whole);
  rest = rest < 0 ? rest + size : rest;
  rest = rest >= size ? rest - size : rest;
  constexpr T kMost = sizeof(T) == 4 ? T(0x1p22) : T(0x1p51);
  const bool found = quotient < kMost && size >= std::numeric_limits<T>::min() && rest >= 0 && rest < size;
  return found ? std::copysign(rest, a) : std::numeric_limits<T>::quiet_NaN();
}

// out = f(a, b, fmod(a, b)) for a run, along which b moves or not.
template <int kStepB, class T, class F>
void remainder_run(T* out, const T* a, const T* b, int64_t count, const F& f) {
  cpu::vectorized([=] {
    constexpr int64_t kPiece = 256;
    std::array<T, kPiece> rests;
    const kernels::LoopInput<kStepB, T> divisor(b);
    for (int64_t begin = 0; begin < count; begin += kPiece) {
      const int64_t size = std::min(kPiece, count - begin);
      const T* x = a + begin;
      T* to = out + begin;
#pragma omp simd
      for (int64_t i = 0; i < size; ++i) rests[static_cast<size_t>(i)] = small_fmod(x[i], divisor[begin + i]);
      for (int64_t i = 0; i < size; ++i) {
        T& rest = rests[static_cast<size_t>(i)];
        if (rest != rest) rest = std::fmod(x[i], divisor[begin + i]);
      }
#pragma omp simd
      for (int64_t i = 0; i < size; ++i) to[i] = f(x[i], divisor[begin + i], rests[static_cast<size_t>(i)]);
    }
  });
}

// A function of a, b and the rest of a / b, towards zero; f without branches. Whole numbers: their rest is a % b.
template <class F>
struct OfRemainder {
  F f;
  template <class T>
  T operator()(T a, T b) const {
    if constexpr (std::is_floating_point_v<T>) {
      return f(a, b, std::fmod(a, b));
    } else {
      return static_cast<T>(f(a, b, static_cast<T>(whole_remainder(a, b))));
    }
  }
  template <std::floating_point T>
  void run(T* out, const T* a, bool a_moves, const T* b, bool b_moves, int64_t count) const {
    if (cpu::has_avx2()) {  // without FMA the C++ library's own is no slower
      if (a_moves && b_moves) return remainder_run<1>(out, a, b, count, f);
      if (a_moves) return remainder_run<0>(out, a, b, count, f);
    }
    for (int64_t i = 0; i < count; ++i) out[i] = (*this)(a[a_moves ? i : 0], b[b_moves ? i : 0]);
  }
};
template <class F>
constexpr OfRemainder<F> of_remainder(F f) {
  return {f};
}

// The quotient rounded down, as Python's //: the remainder has the divisor's sign.
constexpr auto floor_quotient = of_remainder([](auto a, auto b, auto remainder) {
  using T = decltype(a);
  if constexpr (std::is_floating_point_v<T>) {
    const T exact = (a - remainder) / b;
    const T quotient = ((remainder != 0) & ((b < 0) != (remainder < 0))) ? exact - 1 : exact;
    const T floored = std::floor(quotient);
    const T rounded = quotient - floored > T(0.5) ? floored + 1 : floored;
    return b == 0 ? a / b : quotient == 0 ? std::copysign(T(0), a / b) : rounded;
  } else {
    const T quotient = static_cast<T>(whole_quotient(a, b));
    return static_cast<T>(remainder != 0 && (a < 0) != (b < 0) ? quotient - 1 : quotient);
  }
});

constexpr auto trunc_quotient = [](auto a, auto b) {
  if constexpr (std::is_floating_point_v<decltype(a)>) {
    return std::trunc(a / b);
  } else {
    return static_cast<decltype(a)>(whole_quotient(a, b));
  }
};

constexpr auto python_remainder = of_remainder([](auto, auto b, auto remainder) {
  const decltype(b) sum = remainder + b;
  return ((remainder != 0) & ((b < 0) != (remainder < 0))) ? sum : remainder;
});

constexpr auto c_remainder = of_remainder([](auto, auto, auto remainder) { return remainder; });

// y = a - b [a / b], rounded one way or the other.   VJP:   da = G,   db = -G [a / b].
template <class F>
constexpr auto remainder_function(const char* name, const char* rounding, F f) {
  return binary_function<Domain::kNumber, kOfNone, kOfBoth>(
      name, f, [](const Tensor& g, const Tensor&, const Tensor&) { return g; },
      [rounding](const Tensor& g, const Tensor& a, const Tensor& b) { return -g * div(a, b, rounding); });
}
constexpr auto remainder_by(const char* name) { return remainder_function(name, "floor", python_remainder); }
constexpr auto kRemainder = remainder_by("RemainderBackward1"), kRemainderByNumber = remainder_by("RemainderBackward0");
constexpr auto fmod_by(const char* name) { return remainder_function(name, "trunc", c_remainder); }
constexpr auto kFmod = fmod_by("FmodBackward1"), kFmodByNumber = fmod_by("FmodBackward0");

template <class F>
Tensor remainder_of(const F& f, const Tensor& a, const Tensor& b) {
  check_no_zero(a, b);
  return binary(f, a, b);
}

Tensor as_tensor(Scalar number, const Tensor& like) { return full({}, number, result_type(like, number)); }

}  // namespace
}  // namespace ops

using namespace ops;

// y = a / b, rounded.   VJP:   0, where it is rounded.
Tensor div(const Tensor& first, const Tensor& second, std::optional<std::string_view> rounding_mode) {
  if (!rounding_mode) return div(first, second);
  const bool down = *rounding_mode == "floor";
  check(down || *rounding_mode == "trunc",
        "div expected rounding_mode to be one of None, 'trunc', or 'floor' but found '{}'", *rounding_mode);
  const auto [a, b] = Operands(first, second);
  check_no_zero(a, b);
  const Tensor out = down ? compute_new<Domain::kNumber>("div_floor", a, b, floor_quotient)
                          : compute_new<Domain::kNumber>("div_trunc", a, b, trunc_quotient);
  return record<Broadcast<2>>("DivBackward2", out, {a, b}, saving(), kZeroGradient, kZeroGradient);
}
Tensor div(const Tensor& a, Scalar b, std::optional<std::string_view> rounding_mode) {
  return rounding_mode ? div(a, as_tensor(b, a), rounding_mode) : div(a, b);
}
Tensor floor_divide(const Tensor& a, const Tensor& b) { return div(a, b, "floor"); }
Tensor floor_divide(const Tensor& a, Scalar b) { return div(a, b, "floor"); }

Tensor remainder(const Tensor& a, const Tensor& b) { return remainder_of(kRemainder, a, b); }
Tensor remainder(const Tensor& a, Scalar b) { return remainder_of(kRemainderByNumber, a, as_tensor(b, a)); }
Tensor fmod(const Tensor& a, const Tensor& b) { return remainder_of(kFmod, a, b); }
Tensor fmod(const Tensor& a, Scalar b) { return remainder_of(kFmodByNumber, a, as_tensor(b, a)); }

struct Atan2 {
  template <std::floating_point T>
  T operator()(T y, T x) const {
    T angle;
    run(&angle, &y, true, &x, true, 1);
    return angle;
  }
  template <std::floating_point T>
  static void run(T* out, const T* y, bool y_moves, const T* x, bool x_moves, int64_t count) {
    kernels::simd::atan2(out, y, y_moves, x, x_moves, count);
  }
};

// y = the angle of (b, a).   VJP:   da = G b / (a^2 + b^2),   db = -G a / (a^2 + b^2).
Tensor atan2(const Tensor& first, const Tensor& second) {
  const auto [a, b] = Operands(first, second, computed_type<Domain::kReal>(first, second));
  const Tensor out = compute_new<Domain::kReal>("atan2", a, b, Atan2());
  return record<Broadcast<2>>("Atan2Backward0", out, {a, b}, saving(a, b), [](const Backward& c) -> Gradients {
    const Tensor a = c.saved(0), b = c.saved(1), g = c.grad() / (a * a + b * b);
    return {c.needs(0) ? g * b : Tensor(), c.needs(1) ? -g * a : Tensor()};
  });
}

// y = x ln y, and 0 where x is 0 (unless y is NaN).   VJP:   dx = G ln y,   dy = G x / y.
constexpr auto kXlogy = binary_function<Domain::kReal, kOfBoth, kOfBoth>(
    "XlogyBackward0", [](auto x, auto y) { return x == 0 && !std::isnan(y) ? decltype(x)(0) : x * std::log(y); },
    [](const Tensor& g, const Tensor& x, const Tensor& y) {
      return g * where(logical_and(x == 0, y <= 0), zeros({}, g.options()), log(y));
    },
    [](const Tensor& g, const Tensor& x, const Tensor& y) { return g * x / y; });
Tensor xlogy(const Tensor& x, const Tensor& y) { return binary(kXlogy, x, y); }

Tensor& Tensor::div_(const Tensor& other, std::optional<std::string_view> rounding_mode) const {
  return replace(*this, [&](const Tensor& x) { return wengert::div(x, other, rounding_mode); });
}
Tensor& Tensor::div_(Scalar other, std::optional<std::string_view> rounding_mode) const {
  return replace(*this, [&](const Tensor& x) { return wengert::div(x, other, rounding_mode); });
}
Tensor& Tensor::floor_divide_(const Tensor& other) const { return div_(other, "floor"); }
Tensor& Tensor::floor_divide_(Scalar other) const { return div_(other, "floor"); }
Tensor& Tensor::remainder_(const Tensor& other) const {
  check_no_zero(*this, other);
  return binary_in_place(kRemainder, *this, other);
}
Tensor& Tensor::remainder_(Scalar other) const { return remainder_(as_tensor(other, *this)); }
Tensor& Tensor::fmod_(const Tensor& other) const {
  check_no_zero(*this, other);
  return binary_in_place(kFmod, *this, other);
}
Tensor& Tensor::fmod_(Scalar other) const { return fmod_(as_tensor(other, *this)); }
Tensor& Tensor::atan2_(const Tensor& other) const {
  return replace(*this, [&](const Tensor& x) { return wengert::atan2(x, other); });
}

Tensor operator%(const Tensor& a, const Tensor& b) { return remainder(a, b); }
Tensor operator%(const Tensor& a, Scalar b) { return remainder(a, b); }

}  // namespace wengert
