#pragma once

#include <wengert/ops/kernels/function_ref.h>
#include <wengert/ops/kernels/strided_loop.h>

namespace wengert::kernels {

/// What is done to one run of elements: offsets[i] is where it starts in operand i.
using Run = FunctionRef<void(const int64_t* offsets, int64_t count)>;

/// Calls `run` for runs that together are all elements, on several threads when there are many. N: 1 to 5.
template <size_t N>
void for_each_run(const StridedLoop<N>& loop, Run run);

// out[i] = f(a[i], b[i], ...) over strided operands. The inner loops treat apart the cases that compilers
// turn into SIMD code: all operands contiguous, and one of two operands a constant along the run.

/// out = f(a). loop: over {out, a}.
template <class Out, class A, class F>
void map(const StridedLoop<2>& loop, Out* out, const A* a, const F& f) {
  const int64_t so = loop.inner_stride(0), sa = loop.inner_stride(1);
  for_each_run<2>(loop, [&](const int64_t* at, int64_t count) {
    Out* o = out + at[0];
    const A* x = a + at[1];
    if (so == 1 && sa == 1) {
      for (int64_t i = 0; i < count; ++i) o[i] = f(x[i]);
    } else {
      for (int64_t i = 0; i < count; ++i) o[i * so] = f(x[i * sa]);
    }
  });
}

/// out = f(a, b). loop: over {out, a, b}.
template <class Out, class A, class B, class F>
void map(const StridedLoop<3>& loop, Out* out, const A* a, const B* b, const F& f) {
  const int64_t so = loop.inner_stride(0), sa = loop.inner_stride(1), sb = loop.inner_stride(2);
  for_each_run<3>(loop, [&](const int64_t* at, int64_t count) {
    Out* o = out + at[0];
    const A* x = a + at[1];
    const B* y = b + at[2];
    if (so == 1 && sa == 1 && sb == 1) {
      for (int64_t i = 0; i < count; ++i) o[i] = f(x[i], y[i]);
    } else if (so == 1 && sa == 1 && sb == 0) {
      for (int64_t i = 0; i < count; ++i) o[i] = f(x[i], *y);
    } else if (so == 1 && sa == 0 && sb == 1) {
      for (int64_t i = 0; i < count; ++i) o[i] = f(*x, y[i]);
    } else {
      for (int64_t i = 0; i < count; ++i) o[i * so] = f(x[i * sa], y[i * sb]);
    }
  });
}

/// out = f(a, b, c). loop: over {out, a, b, c}.
template <class Out, class A, class B, class C, class F>
void map(const StridedLoop<4>& loop, Out* out, const A* a, const B* b, const C* c, const F& f) {
  const int64_t so = loop.inner_stride(0), sa = loop.inner_stride(1), sb = loop.inner_stride(2),
                sc = loop.inner_stride(3);
  for_each_run<4>(loop, [&](const int64_t* at, int64_t count) {
    Out* o = out + at[0];
    const A* x = a + at[1];
    const B* y = b + at[2];
    const C* z = c + at[3];
    for (int64_t i = 0; i < count; ++i) o[i * so] = f(x[i * sa], y[i * sb], z[i * sc]);
  });
}

}  // namespace wengert::kernels
