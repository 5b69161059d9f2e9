#pragma once

#include <wengert/autograd/base/cpu.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/ops/kernels/parallel.h>
#include <wengert/ops/kernels/simd.h>
#include <wengert/ops/kernels/strided_loop.h>
#include <wengert/ops/kernels/unary.h>

#include <algorithm>
#include <array>
#include <bit>
#include <concepts>
#include <cstring>
#include <functional>
#include <optional>
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
/// side_by_side: does the same to operands without gaps; where inner runs are short, it gets pieces of several of them,
/// for which operands are copied side by side.
template <size_t N>
void for_each_run(const StridedLoop<N>& loop, const std::array<Operand, N>& operands, Run run,
                  std::optional<Run> side_by_side = {});

// out[i] = f(a[i], b[i], ...) over strided operands. The inner loops treat apart the case that all operands are
// contiguous, or constant along the run: there functions that have a run() of their own use it, and compilers make SIMD
// code of the others, for AVX2 where the CPU has it. The bits are the same: no product is fused with a sum.

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
  static constexpr bool has_digits_of_its_own = !simd::is_exact(op);  ///< not those of operator()
  std::array<double, simd::kUnaryParameters> parameters = {};
  template <std::floating_point T>
  void run(T* out, const T* x, int64_t count) const {
    std::array<T, simd::kUnaryParameters> own;
    for (size_t i = 0; i < own.size(); ++i) own[i] = static_cast<T>(parameters[i]);
    simd::unary(op, out, x, count, own.data());
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

/// An input of a loop, which moves along or not; one number that does not is in nobody else's memory.
template <int Step, class In>
struct LoopInput {
  explicit LoopInput(const In* from) : at(from), one(Step == 0 ? *from : In()) {}
  const In* at;
  In one;
  In operator[](int64_t i) const { return Step == 0 ? one : at[i]; }
};

/// Rows of an operand, and the elements from one to the next.
template <class T>
struct OperandRows {
  T* first;
  int64_t step;
};

/// Rows of out[i] = f(inputs[i]...), where `Step` of an input is 1, or 0 for one number a row. (A function of our own:
/// what it holds is in nobody else's memory, and stays in registers.)
template <int... Step, class Out, class F, class... In>
void do_plain_rows(OperandRows<Out> out, int64_t rows, int64_t count, const F& f, OperandRows<const In>... inputs) {
  cpu::vectorized([=] {
    const auto loop = [&](Out* to, const LoopInput<Step, In>... in) {
      const F own = f;
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) to[i] = own(in[i]...);
    };
    for (int64_t r = 0; r < rows; ++r) {
      loop(out.first + r * out.step, LoopInput<Step, In>(inputs.first + r * inputs.step)...);
    }
  });
}

/// One of them.
template <int... Step, class Out, class F, class... In>
void do_plain_loop(Out* out, int64_t count, const F& f, const In*... inputs) {
  constexpr int64_t kFew = 8;
  if (count > kFew)
    return do_plain_rows<Step...>(OperandRows<Out>{out, 0}, 1, count, f, OperandRows<const In>{inputs, 0}...);
  const F own = f;
  for (int64_t i = 0; i < count; ++i) out[i] = own(inputs[Step * i]...);
}

/// Whether there is code of its own for rows: of numbers of one type, where F does not say that its operands seldom
/// broadcast.
template <class F, class Out, class... In>
inline constexpr bool kHasRows = std::is_floating_point_v<Out> && (std::is_same_v<Out, In> && ...) && !requires {
  requires F::seldom_broadcasts;
};

/// Whether a loop is rows, none of them short or long, of elements side by side, or of one number a row.
template <size_t N>
bool goes_by_plain_rows(const StridedLoop<N>& loop) {
  constexpr int64_t kShort = 16, kLong = 4096;
  if (loop.dims() != 2 || loop.inner_size() < kShort || loop.inner_size() > kLong || tracing::listener != nullptr) {
    return false;
  }
  for (size_t i = 1; i < N; ++i) {
    if ((loop.inner_stride(i) | 1) != 1) return false;
  }
  return loop.inner_stride(0) == 1;
}

/// Calls rows(first, count) for some of a loop's rows at a time.
template <size_t N, class Rows>
void for_plain_rows(const StridedLoop<N>& loop, const Rows& rows) {
  parallel_rows(loop.size(1), loop.inner_size(), [&](int64_t begin, int64_t end) { rows(begin, end - begin); });
}

/// out[i] = value for i < count.
template <class Out>
void fill_run(Out* out, Out value, int64_t count) {
  constexpr int64_t kFew = 64;
  if (count > kFew && std::bit_cast<std::array<char, sizeof(Out)>>(value) == std::array<char, sizeof(Out)>{}) {
    std::memset(out, 0, static_cast<size_t>(count) * sizeof(Out));
  } else {
    do_plain_loop<0>(out, count, std::identity(), &value);
  }
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

/// A run of out = f(a), with these steps.
template <class Out, class A, class F>
struct UnaryRun {
  F f;
  int64_t so, sa;
  void operator()(char* const* at, int64_t count) const {
    Out* o = reinterpret_cast<Out*>(at[0]);
    const A* x = reinterpret_cast<const A*>(at[1]);
    if (so == 1 && sa == 1) {
      if constexpr (has_run<F, Out, A>) {
        f.run(o, x, count);
      } else {
        do_plain_loop<1>(o, count, f, x);
      }
    } else if constexpr (requires { requires F::has_digits_of_its_own; }) {
      run_in_pieces(f, o, so, x, sa, count);
    } else if (so == 1 && sa == 0) {
      fill_run(o, static_cast<Out>(f(*x)), count);
    } else {
      for (int64_t i = 0; i < count; ++i) o[i * so] = f(x[i * sa]);
    }
  }
};

/// out = f(a). loop: over {out, a}.
template <class Out, class A, class F>
void map(const StridedLoop<2>& loop, Out* out, const A* a, const F& f) {
  if constexpr (kHasRows<F, Out, A> && has_run<F, Out, A> && !requires { requires F::has_digits_of_its_own; }) {
    if (goes_by_plain_rows(loop) && loop.inner_stride(1) == 0) {
      const auto [so, sa] = loop.strides(1);
      return for_plain_rows(loop, [&, so = so, sa = sa](int64_t first, int64_t rows) {
        do_plain_rows<0>(OperandRows<Out>{out + first * so, so}, rows, loop.inner_size(), f,
                         OperandRows<const A>{a + first * sa, sa});
      });
    }
  }
  using Each = UnaryRun<Out, A, F>;
  const Each run{f, loop.inner_stride(0), loop.inner_stride(1)}, side_by_side{f, 1, 1};
  for_each_run<2>(loop, {out, a}, run, side_by_side);
}

/// A run of out = f(a, b).
template <class Out, class A, class B, class F>
struct BinaryRun {
  F f;
  int64_t so, sa, sb;
  void operator()(char* const* at, int64_t count) const {
    Out* o = reinterpret_cast<Out*>(at[0]);
    const A* x = reinterpret_cast<const A*>(at[1]);
    const B* y = reinterpret_cast<const B*>(at[2]);
    if (so == 1 && (sa | sb | 1) == 1) {
      if constexpr (has_run<F, Out, A, B>) {
        return f.run(o, x, sa == 1, y, sb == 1, count);
      } else {
        if (sa == 1 && sb == 1) return do_plain_loop<1, 1>(o, count, f, x, y);
        if (sa == 1) return do_plain_loop<1, 0>(o, count, f, x, y);
      }
    }
    for (int64_t i = 0; i < count; ++i) o[i * so] = f(x[i * sa], y[i * sb]);
  }
};

/// out = f(a, b). loop: over {out, a, b}.
template <class Out, class A, class B, class F>
void map(const StridedLoop<3>& loop, Out* out, const A* a, const B* b, const F& f) {
  if constexpr (requires { f.run_rows(loop, out, a, b); }) {
    if (f.run_rows(loop, out, a, b)) return;
  }
  if constexpr (kHasRows<F, Out, A, B> && !has_run<F, Out, A, B>) {
    const int64_t a_inner = loop.inner_stride(1), b_inner = loop.inner_stride(2);
    if (goes_by_plain_rows(loop) && (a_inner | b_inner) != 0) {
      const auto [so, sa, sb] = loop.strides(1);
      return for_plain_rows(loop, [&, so = so, sa = sa, sb = sb](int64_t first, int64_t rows) {
        const OperandRows<Out> o{out + first * so, so};
        const OperandRows<const A> x{a + first * sa, sa};
        const OperandRows<const B> y{b + first * sb, sb};
        const int64_t count = loop.inner_size();
        if (a_inner == 0) return do_plain_rows<0, 1>(o, rows, count, f, x, y);
        if (b_inner == 0) return do_plain_rows<1, 0>(o, rows, count, f, x, y);
        do_plain_rows<1, 1>(o, rows, count, f, x, y);
      });
    }
  }
  using Each = BinaryRun<Out, A, B, F>;
  const Each run{f, loop.inner_stride(0), loop.inner_stride(1), loop.inner_stride(2)}, side_by_side{f, 1, 1, 1};
  for_each_run<3>(loop, {out, a, b}, run, side_by_side);
}

/// A run of out = f(a, b, c).
template <class Out, class A, class B, class C, class F>
struct TernaryRun {
  F f;
  int64_t so, sa, sb, sc;
  void operator()(char* const* at, int64_t count) const {
    Out* o = reinterpret_cast<Out*>(at[0]);
    const A* x = reinterpret_cast<const A*>(at[1]);
    const B* y = reinterpret_cast<const B*>(at[2]);
    const C* z = reinterpret_cast<const C*>(at[3]);
    if (so == 1 && sa == 1 && (sb | sc | 1) == 1) {
      if (sb == 1 && sc == 1) return do_plain_loop<1, 1, 1>(o, count, f, x, y, z);
      if (sb == 1) return do_plain_loop<1, 1, 0>(o, count, f, x, y, z);
      if (sc == 1) return do_plain_loop<1, 0, 1>(o, count, f, x, y, z);
    }
    for (int64_t i = 0; i < count; ++i) o[i * so] = f(x[i * sa], y[i * sb], z[i * sc]);
  }
};

/// out = f(a, b, c). loop: over {out, a, b, c}.
template <class Out, class A, class B, class C, class F>
void map(const StridedLoop<4>& loop, Out* out, const A* a, const B* b, const C* c, const F& f) {
  if constexpr (kHasRows<F, Out, A, B, C>) {
    const int64_t b_inner = loop.inner_stride(2), c_inner = loop.inner_stride(3);
    if (goes_by_plain_rows(loop) && loop.inner_stride(1) == 1 && (b_inner | c_inner) != 0) {
      const auto [so, sa, sb, sc] = loop.strides(1);
      return for_plain_rows(loop, [&, so = so, sa = sa, sb = sb, sc = sc](int64_t first, int64_t rows) {
        const OperandRows<Out> o{out + first * so, so};
        const OperandRows<const A> x{a + first * sa, sa};
        const OperandRows<const B> y{b + first * sb, sb};
        const OperandRows<const C> z{c + first * sc, sc};
        const int64_t count = loop.inner_size();
        if (b_inner == 0) return do_plain_rows<1, 0, 1>(o, rows, count, f, x, y, z);
        if (c_inner == 0) return do_plain_rows<1, 1, 0>(o, rows, count, f, x, y, z);
        do_plain_rows<1, 1, 1>(o, rows, count, f, x, y, z);
      });
    }
  }
  using Each = TernaryRun<Out, A, B, C, F>;
  const Each run{f, loop.inner_stride(0), loop.inner_stride(1), loop.inner_stride(2), loop.inner_stride(3)},
      side_by_side{f, 1, 1, 1, 1};
  for_each_run<4>(loop, {out, a, b, c}, run, side_by_side);
}

}  // namespace wengert::kernels
