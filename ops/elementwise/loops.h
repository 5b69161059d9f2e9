#pragma once

#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/tape/history.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/autograd/tensor/tensor.h>
#include <wengert/ops/kernels/elementwise.h>
#include <wengert/ops/kernels/parallel.h>

// Loops over tensors' memory.

namespace wengert::ops {

// Operands are expandable to out's shape. Element types are those of the tensors; f takes and returns them.

inline std::span<const int64_t> span_of(IntArrayRef list) { return {list.data(), list.size()}; }

kernels::StridedLoop<2> strided_loop_over(const Tensor& out, const Tensor& a);
kernels::StridedLoop<3> strided_loop_over(const Tensor& out, const Tensor& a, const Tensor& b);
kernels::StridedLoop<4> strided_loop_over(const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& c);

/// Whether all elements are one in memory, as after expand().
bool is_one_number(const Tensor& x);

/// Elements by which x moves while contiguous `out` moves by one: 1 or 0, or -1 where that cannot be said so simply.
[[gnu::always_inline]] inline int64_t step_along(const Tensor& out, const Tensor& x) {
  if (x.is_contiguous() && x.numel() == out.numel()) [[likely]]
    return 1;
  return is_one_number(x) ? 0 : -1;
}

/// A new tensor of x's shape, laid out as x is where that leaves no gaps, as libtorch lays out elementwise results.
Tensor empty_laid_out_as(const Tensor& x, ScalarType dtype);
[[gnu::always_inline]] inline Tensor empty_as(const Tensor& x, ScalarType dtype) {
  return x.is_contiguous() ? empty(x.sizes(), dtype) : empty_laid_out_as(x, dtype);
}
/// The same for operands broadcast: as the first one that has the result's shape.
Tensor empty_broadcast(autograd::TensorRefs operands, ScalarType dtype);

/// Whether `out` is so little that no more is to be done than to call a kernel: no threads, no tracing.
[[gnu::always_inline]] inline bool is_short_run(const Tensor& out) {
  return out.is_contiguous() && out.numel() <= kernels::kParallelGrain && tracing::listener == nullptr;
}

/// The order in which to visit the elements of `out` and of what is expandable to its shape.
template <class... Tensors>
kernels::StridedLoop<1 + sizeof...(Tensors)> loop_over(const Tensor& out, const Tensors&... inputs) {
  // Mostly all are contiguous, or a single number: then no dimension needs a look.
  if (out.is_contiguous() && ((step_along(out, inputs) >= 0) && ...)) {
    return {out.numel(), {1, step_along(out, inputs)...}};
  }
  return strided_loop_over(out, inputs...);
}

/// Throws for sparse tensors, which have no elements in memory. Has a Replay that is being traced keep those of
/// others.
void note_memory(const Tensor& x);

/// The first element, for kernels that can be traced; T must be the dtype's type. Others use data_ptr(), which throws
/// while a step is traced.
template <class T>
[[gnu::always_inline]] inline T* elements(const Tensor& x) {
  const TensorImpl& impl = *x.impl();
  if (tracing::listener != nullptr || impl.sparse) [[unlikely]]
    note_memory(x);
  return static_cast<T*>(impl.storage->data()) + impl.offset;
}

/// out = f(a). f is called with elements and is itself plain bytes: it captures numbers, and nothing by reference.
template <class Out, class A, class F>
void apply(const Tensor& out, const Tensor& a, const F& f) {
  if constexpr (kernels::has_run<F, Out, A>) {
    if (is_short_run(out) && step_along(out, a) == 1) {
      return f.run(elements<Out>(out), elements<A>(a), out.numel());
    }
  }
  kernels::map(loop_over(out, a), elements<Out>(out), elements<A>(a), f);
}

/// out = f(a, b).
template <class Out, class A, class B, class F>
void apply(const Tensor& out, const Tensor& a, const Tensor& b, const F& f) {
  if constexpr (kernels::has_run<F, Out, A, B>) {
    const int64_t sa = step_along(out, a), sb = step_along(out, b);
    if (is_short_run(out) && (sa | sb) >= 0) {
      return f.run(elements<Out>(out), elements<A>(a), sa == 1, elements<B>(b), sb == 1, out.numel());
    }
  }
  kernels::map(loop_over(out, a, b), elements<Out>(out), elements<A>(a), elements<B>(b), f);
}

/// out = f(a, b, c).
template <class Out, class A, class B, class C, class F>
void apply(const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& c, const F& f) {
  kernels::map(loop_over(out, a, b, c), elements<Out>(out), elements<A>(a), elements<B>(b), elements<C>(c), f);
}

/// Throws unless `self` may be written in place: no two of its elements share memory.
void check_writable(const Tensor& self);
/// Throws unless `self` may be written elementwise from `other`: `other` broadcasts to self's shape, and
/// writing self does not change what is still to be read from `other`.
void check_writable(const Tensor& self, const Tensor& other);

/// Throws when a part of `self`, which is to be written, may be read through `other`.
void check_no_overlap(const Tensor& self, const Tensor& other);

/// to <- from, elements converted. In copy.cpp.
void copy_elements(const Tensor& to, const Tensor& from);

/// Throws "result type Float can't be cast to the desired output type Long" where it can't.
void check_can_cast(ScalarType result, ScalarType to);

}  // namespace wengert::ops
