#include <wengert/autograd/base/generator.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/ops.h>

#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

namespace wengert {
namespace ops {
namespace {

// Sixteen after sixteen uniform numbers become normal ones: x[i] and x[i + 8] give two (Box and Muller).
template <class T>
void make_normal(T* x, int64_t count, T mean, T std) {
  using kernels::simd::Unary;
  constexpr int64_t kMost = 32;  // sixteens at a time
  for (int64_t begin = 0; begin < count; begin += 16 * kMost) {
    T* const part = x + begin;
    const int64_t sixteens = std::min(kMost, (count - begin) / 16), pairs = 8 * sixteens;
    std::array<T, 8 * kMost> radius, angle, cosine;
    for (int64_t i = 0; i < pairs; ++i) {
      const auto to = static_cast<size_t>(i);
      radius[to] = T(1) - part[i / 8 * 16 + i % 8];
      angle[to] = T(2) * std::numbers::pi_v<T> * part[i / 8 * 16 + i % 8 + 8];
    }
    const auto apply = [&](Unary op, T* to, const T* from) { kernels::simd::unary<T>(op, to, from, pairs, nullptr); };
    apply(Unary::kLog, radius.data(), radius.data());
    for (int64_t i = 0; i < pairs; ++i) radius[static_cast<size_t>(i)] *= T(-2);
    apply(Unary::kSqrt, radius.data(), radius.data());
    apply(Unary::kCos, cosine.data(), angle.data());
    apply(Unary::kSin, angle.data(), angle.data());
    for (int64_t i = 0; i < pairs; ++i) {
      const auto from = static_cast<size_t>(i);
      part[i / 8 * 16 + i % 8] = radius[from] * cosine[from] * std + mean;
      part[i / 8 * 16 + i % 8 + 8] = radius[from] * angle[from] * std + mean;
    }
  }
}

// From 16 elements on: all are drawn as uniform numbers first, then turned normal sixteen at a time. If the
// number of elements is no multiple of 16, the last sixteen are drawn again.
template <class T>
void fill_normal(Generator& generator, T* x, int64_t count, T mean, T std) {
  generator.fill_uniform(x, count);
  make_normal(x, count / 16 * 16, mean, std);
  if (count % 16 != 0) {
    T* last = x + count - 16;
    generator.fill_uniform(last, 16);
    make_normal(last, 16, mean, std);
  }
}

// Calls write(element) for each element, in the order in which they lie in memory.
template <class T, class Write>
void for_each_in_order(const Tensor& self, const Write& write) {
  const kernels::StridedLoop<1> loop(span_of(self.sizes()), {span_of(self.strides())});
  loop.run([&](const int64_t* at, int64_t count) {
    T* data = self.data_ptr<T>() + at[0];
    for (int64_t i = 0; i < count; ++i) write(data[i * loop.inner_stride(0)]);
  });
}

// y <- what fill() writes.   VJP:   what y was before gets 0.
template <class Fill>
Tensor& fill_in_place(const char* name, const Tensor& y, const Fill& fill) {
  return record_in_place(name, y, {y}, saving(), fill, kZeroGradient);
}

// The factories ask for requires_grad only after the elements are there.
template <class Fill>
Tensor filled(const Tensor& out, const TensorOptions& options, const Fill& fill) {
  fill(out);
  return options.requires_grad() ? out.requires_grad_() : out;
}
template <class Fill>
Tensor filled(IntArrayRef sizes, const TensorOptions& options, const Fill& fill) {
  return filled(empty(sizes, options.requires_grad(false)), options, fill);
}
// Laid out as `like`: numbers are drawn in the order in which they lie in memory.
template <class Fill>
Tensor filled_like(const Tensor& like, const TensorOptions& options, const Fill& fill) {
  return filled(empty_as(like, options.has_dtype() ? options.dtype() : like.dtype()), options, fill);
}

constexpr auto kUniform = [](const Tensor& out) { out.uniform_(0, 1); };
constexpr auto kNormal = [](const Tensor& out) { out.normal_(0, 1); };

}  // namespace
}  // namespace ops

using namespace ops;

Tensor& Tensor::uniform_(double from, double to) const {
  check(from <= to, "uniform_ expects to return a [from, to) range, but found from={} > to={}", from, to);
  return fill_in_place("UniformBackward0", *this, [&] {
    dispatch_floating(dtype(), "check_uniform_bounds", [&]<class T>() {
      LockedGenerator generator;
      const T low = static_cast<T>(from), width = static_cast<T>(to) - low;
      if (is_contiguous()) {
        T* x = data_ptr<T>();
        generator->fill_uniform(x, numel());
        if (low == 0 && width == 1) return;
        for (int64_t i = 0; i < numel(); ++i) x[i] = x[i] * width + low;
        return;
      }
      for_each_in_order<T>(*this, [&](T& x) { x = generator->template uniform<T>() * width + low; });
    });
  });
}

Tensor& Tensor::normal_(double mean, double std) const {
  check(std >= 0, "normal expects std >= 0.0, but found std {}", std);
  return fill_in_place("NormalBackward0", *this, [&] {
    dispatch_floating(dtype(), "normal_kernel_cpu", [&]<class T>() {
      LockedGenerator generator;
      if (numel() >= 16 && is_contiguous()) {
        fill_normal(*generator, data_ptr<T>(), numel(), static_cast<T>(mean), static_cast<T>(std));
      } else {
        for_each_in_order<T>(*this, [&](T& x) { x = static_cast<T>(generator->normal() * std + mean); });
      }
    });
  });
}

Tensor& Tensor::bernoulli_(double p) const {
  check(p >= 0 && p <= 1, "bernoulli_ expects p to be in [0, 1], but got p={}", p);
  return fill_in_place("BernoulliBackward0", *this, [&] {
    dispatch(dtype(), [&]<class T>() {
      LockedGenerator generator;
      for_each_in_order<T>(*this, [&](T& x) { x = static_cast<T>(generator->uniform<double>() < p); });
    });
  });
}

Tensor& Tensor::bernoulli_(const Tensor& p) const {
  check(isFloatingType(p.dtype()), "bernoulli_ expects probabilities of floating point, but got {}", p.dtype());
  check_writable(*this, p);
  check(wengert::all(wengert::logical_and(p >= 0, p <= 1)).item<bool>(), "bernoulli_ expects all p to be in [0, 1]");
  if (!is_contiguous()) return copy_(empty(sizes(), options()).bernoulli_(p));  // one draw after another, row-major
  return fill_in_place("BernoulliBackward1", *this, [&] {
    dispatch_floating(p.dtype(), "bernoulli_tensor_cpu_p_", [&]<class P>() {
      dispatch(dtype(), [&]<class T>() {
        LockedGenerator generator;
        const Tensor probabilities = p.detach().expand(sizes()).contiguous();
        const P* probability = probabilities.data_ptr<P>();
        for_each_in_order<T>(*this, [&](T& x) { x = static_cast<T>(generator->uniform<P>() < *probability++); });
      });
    });
  });
}

Tensor bernoulli(const Tensor& x) {
  Tensor out = empty(x.sizes(), x.options());
  const NoGradGuard no_grad;
  return out.bernoulli_(x);
}

Tensor rand(IntArrayRef sizes, const TensorOptions& options) { return filled(sizes, options, kUniform); }
Tensor randn(IntArrayRef sizes, const TensorOptions& options) { return filled(sizes, options, kNormal); }
Tensor rand_like(const Tensor& like, const TensorOptions& options) { return filled_like(like, options, kUniform); }
Tensor randn_like(const Tensor& like, const TensorOptions& options) { return filled_like(like, options, kNormal); }

Tensor randint(int64_t high, IntArrayRef sizes, const TensorOptions& options) {
  return randint(0, high, sizes, options);
}

Tensor randint(int64_t low, int64_t high, IntArrayRef sizes, const TensorOptions& options) {
  check(low < high, "random_ expects 'from' to be less than 'to', but got from={} >= to={}", low, high);
  return filled(sizes, options.has_dtype() ? options : options.dtype(kLong), [&](const Tensor& out) {
    LockedGenerator generator;
    const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low);
    dispatch(out.dtype(), [&]<class T>() {
      for_each_in_order<T>(out, [&](T& x) {
        x = static_cast<T>(static_cast<int64_t>(generator->below(range) + static_cast<uint64_t>(low)));
      });
    });
    profiling::done("randint");
  });
}

// Fisher and Yates' shuffle.
Tensor randperm(int64_t n, const TensorOptions& options) {
  Tensor order = arange(n, kLong);
  LockedGenerator generator;
  int64_t* x = order.data_ptr<int64_t>();
  for (int64_t i = 0; i < n - 1; ++i) {
    const uint32_t word = generator->word();
    const auto left = static_cast<uint64_t>(n - i);
    std::swap(x[i], x[i + static_cast<int64_t>(left >> 32 == 0 ? word % static_cast<uint32_t>(left) : word)]);
  }
  const Tensor out = unrecorded("randperm", order).to(options.dtype_opt().value_or(kLong));
  return options.requires_grad() ? out.requires_grad_() : out;
}

}  // namespace wengert
