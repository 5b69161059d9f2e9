#pragma once

#include <wengert/autograd/base/tracing.h>
#include <wengert/ops/kernels/simd.h>
#include <wengert/ops/kernels/strided_loop.h>

#include <algorithm>
#include <array>
#include <concepts>
#include <type_traits>

namespace wengert::kernels {

using tracing::Run;

/// An operand's first element, and the bytes from one to the next.
struct Operand {
  template <class T>
  Operand(T* data, bool written = false)  // NOLINT: reads so
      : data(const_cast<std::remove_const_t<T>*>(data)), element_size(sizeof(T)), written(written) {}
  void* data;
  int64_t element_size;
  bool written;  ///< besides operand 0, which always is
};

/// Calls `run` for runs that together are all elements, on several threads when there are many. N: 1 to 6.
template <size_t N>
void for_each_run(const StridedLoop<N>& loop, const std::array<Operand, N>& operands, Run run);

// out[i] = f(a[i], b[i], ...) over strided operands. The inner loops treat apart the case that all operands are
// contiguous, or constant along the run: there functions that have a run() of their own use it, and
// compilers see what they can turn into SIMD code themselves.

/// A function may do contiguous runs itself, in a method run(): of operands that go along with it or, where `moves`
/// says no, are one number for the whole run.
template <class F, class Out, class... Operands>
inline constexpr bool has_run = false;
template <class F, class Out, class A>
inline constexpr bool has_run<F, Out, A> = requires(const F& f, Out* out, const A* a) {
  f.run(out, a, int64_t{1});
};
template <class F, class Out, class A, class B>
inline constexpr bool has_run<F, Out, A, B> = requires(const F& f, Out* out, const A* a, const B* b) {
  f.run(out, a, true, b, true, int64_t{1});
};

/// out = a op b without a call for each run: in a matrix whose rows are contiguous, or constant in an operand, and in a
/// result larger than the caches. Returns false for other loops, and while a step is traced.
template <class T>
bool binary_in_rows(simd::Binary op, const StridedLoop<3>& loop, T* out, const T* a, const T* b);

/// Bases of functions whose runs of float and double are a SIMD kernel's.
template <simd::Unary op>
struct UnaryKernel {
  /// Whether the kernel's last digits are not those of the function for single elements.
  static constexpr bool has_digits_of_its_own =
      op == simd::Unary::kExp || op == simd::Unary::kTanh || op == simd::Unary::kSigmoid;
  template <std::floating_point T>
  static void run(T* out, const T* x, int64_t count) {
    simd::kernels<T>().unary(op, out, x, count);
  }
};
template <simd::Binary op>
struct BinaryKernel {
  template <std::floating_point T>
  static void run(T* out, const T* a, bool a_moves, const T* b, bool b_moves, int64_t count) {
    simd::kernels<T>().binary(op, out, a, a_moves, b, b_moves, count);
  }
  template <std::floating_point T>
  static bool run_rows(const StridedLoop<3>& loop, T* out, const T* a, const T* b) {
    return binary_in_rows(op, loop, out, a, b);
  }
};

/// out[i] = value for i < count.
template <class Out>
void fill_run(Out* out, Out value, int64_t count) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) out[i] = value;
}

/// out = value.
template <class Out>
void fill(const StridedLoop<1>& loop, Out* out, Out value) {
  for_each_run<1>(loop, {out}, [value, so = loop.inner_stride(0)](char* const* at, int64_t count) {
    Out* o = reinterpret_cast<Out*>(at[0]);
    if (so == 1) {
      fill_run(o, value, count);
    } else {
      for (int64_t i = 0; i < count; ++i) o[i * so] = value;
    }
  });
}

/// One run with gaps, each piece gathered, done as a run without, and scattered: an element's bits do not depend on
/// where it lies.
template <class T, class F>
void run_in_pieces(const F& f, T* out, int64_t out_step, const T* x, int64_t step, int64_t count) {
  constexpr int64_t kPiece = 256;
  std::array<T, kPiece> piece;
  for (int64_t begin = 0; begin < count; begin += kPiece) {
    const int64_t size = std::min(kPiece, count - begin);
    for (int64_t i = 0; i < size; ++i) piece[static_cast<size_t>(i)] = x[(begin + i) * step];
    f.run(piece.data(), piece.data(), size);
    for (int64_t i = 0; i < size; ++i) out[(begin + i) * out_step] = piece[static_cast<size_t>(i)];
  }
}

/// out = f(a). loop: over {out, a}.
template <class Out, class A, class F>
void map(const StridedLoop<2>& loop, Out* out, const A* a, const F& f) {
  const int64_t so = loop.inner_stride(0), sa = loop.inner_stride(1);
  for_each_run<2>(loop, {out, a}, [=](char* const* at, int64_t count) {
    Out* o = reinterpret_cast<Out*>(at[0]);
    const A* x = reinterpret_cast<const A*>(at[1]);
    if (so == 1 && sa == 1) {
      if constexpr (has_run<F, Out, A>) {
        f.run(o, x, count);
      } else {
        for (int64_t i = 0; i < count; ++i) o[i] = f(x[i]);
      }
    } else if constexpr (requires { requires F::has_digits_of_its_own; }) {
      run_in_pieces(f, o, so, x, sa, count);
    } else {
      for (int64_t i = 0; i < count; ++i) o[i * so] = f(x[i * sa]);
    }
  });
}

/// out = f(a, b). loop: over {out, a, b}.
template <class Out, class A, class B, class F>
void map(const StridedLoop<3>& loop, Out* out, const A* a, const B* b, const F& f) {
  if constexpr (requires { f.run_rows(loop, out, a, b); }) {
    if (f.run_rows(loop, out, a, b)) return;
  }
  const int64_t so = loop.inner_stride(0), sa = loop.inner_stride(1), sb = loop.inner_stride(2);
  for_each_run<3>(loop, {out, a, b}, [=](char* const* at, int64_t count) {
    Out* o = reinterpret_cast<Out*>(at[0]);
    const A* x = reinterpret_cast<const A*>(at[1]);
    const B* y = reinterpret_cast<const B*>(at[2]);
    const bool plain = so == 1 && (sa == 1 || sa == 0) && (sb == 1 || sb == 0);
    if constexpr (has_run<F, Out, A, B>) {
      if (plain) return f.run(o, x, sa == 1, y, sb == 1, count);
    } else {
      if (plain && sa == 1 && sb == 1) {
        for (int64_t i = 0; i < count; ++i) o[i] = f(x[i], y[i]);
        return;
      }
    }
    for (int64_t i = 0; i < count; ++i) o[i * so] = f(x[i * sa], y[i * sb]);
  });
}

/// out = f(a, b, c). loop: over {out, a, b, c}.
template <class Out, class A, class B, class C, class F>
void map(const StridedLoop<4>& loop, Out* out, const A* a, const B* b, const C* c, const F& f) {
  const int64_t so = loop.inner_stride(0), sa = loop.inner_stride(1), sb = loop.inner_stride(2),
                sc = loop.inner_stride(3);
  for_each_run<4>(loop, {out, a, b, c}, [=](char* const* at, int64_t count) {
    Out* o = reinterpret_cast<Out*>(at[0]);
    const A* x = reinterpret_cast<const A*>(at[1]);
    const B* y = reinterpret_cast<const B*>(at[2]);
    const C* z = reinterpret_cast<const C*>(at[3]);
    for (int64_t i = 0; i < count; ++i) o[i * so] = f(x[i * sa], y[i * sb], z[i * sc]);
  });
}

}  // namespace wengert::kernels
