#pragma once

#include <wengert/autograd/dispatch.h>
#include <wengert/autograd/factories.h>
#include <wengert/autograd/history.h>
#include <wengert/autograd/saved_tensor.h>
#include <wengert/ops/kernels/elementwise.h>
#include <wengert/ops/kernels/parallel.h>
#include <wengert/ops/kernels/recorder.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/promotion.h>

// What elementwise operations share: loops over tensors' memory, and the Node of a function of one tensor.

namespace wengert::ops {

using autograd::Gradients;
using autograd::Node;
using autograd::SavedTensor;

// --- Loops over tensors --------------------------------------------------------------------------------
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

/// Whether `out` is so little that no more is to be done than to call a kernel: no threads, no recording.
inline bool is_short_run(const Tensor& out) {
  return out.is_contiguous() && out.numel() <= kernels::kParallelGrain && kernels::recorder == nullptr;
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

/// Throws for sparse tensors, which have no elements in memory. Has a Replay that is being recorded keep those of
/// others.
void note_memory(const Tensor& x);

/// The first element, for kernels that can be recorded; T must be the dtype's type. Others use data_ptr(), which throws
/// while a step is recorded.
template <class T>
[[gnu::always_inline]] inline T* elements(const Tensor& x) {
  const TensorImpl& impl = *x.impl();
  if (kernels::recorder != nullptr || impl.sparse) [[unlikely]]
    note_memory(x);
  return static_cast<T*>(impl.storage->data()) + impl.offset;
}

/// out = f(a). f is called with elements and is itself plain bytes: it captures numbers, and nothing by reference.
template <class Out, class A, class F>
void apply(const Tensor& out, const Tensor& a, const F& f) {
  if constexpr (kernels::has_run<F, Out, A>) {
    if (is_short_run(out) && step_along(out, a) == 1) {
      return kernels::run(f, elements<Out>(out), elements<A>(a), out.numel());
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
      return kernels::run(f, elements<Out>(out), elements<A>(a), sa == 1, elements<B>(b), sb == 1, out.numel());
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

/// Throws "result type Float can't be cast to the desired output type Long" where it can't.
void check_can_cast(ScalarType result, ScalarType to);

// --- Functions of one tensor ---------------------------------------------------------------------------
// Such a function is one statement that says all there is to it:
//
//     // y = e^x.   VJP, for G = dL/dy:   dx = G y.
//     constexpr auto kExp = from_output<Domain::kReal>(
//         "ExpBackward0", [](auto x) { return std::exp(x); },
//         [](const Tensor& g, const Tensor& y) { return g * y; });
//
//     Tensor exp(const Tensor& x) { return unary(kExp, x); }
//     Tensor& Tensor::exp_() const { return unary_in_place(kExp, *this); }

/// What the gradient formula needs: x, or y = f(x), or neither.
enum class Saves { kInput, kOutput, kNothing };
/// kReal: whole numbers become floating point first. kFloating: floating point only. kNumber: the dtype
/// stays; not for bool. kAny: for all.
enum class Domain { kReal, kFloating, kNumber, kAny };

template <Saves saves, Domain domain, class Forward, class Vjp>
struct UnaryFunction {
  const char* name;  // of its Node
  Forward forward;   // an element from an element
  Vjp vjp;           // dL/dx from G and what is saved
};

template <Domain domain, class Forward, class Vjp>
constexpr UnaryFunction<Saves::kInput, domain, Forward, Vjp> from_input(const char* name, Forward forward, Vjp vjp) {
  return {name, forward, vjp};
}
template <Domain domain, class Forward, class Vjp>
constexpr UnaryFunction<Saves::kOutput, domain, Forward, Vjp> from_output(const char* name, Forward forward, Vjp vjp) {
  return {name, forward, vjp};
}
/// For a VJP of G alone.
template <Domain domain, class Forward, class Vjp>
constexpr UnaryFunction<Saves::kNothing, domain, Forward, Vjp> from_nothing(const char* name, Forward forward,
                                                                            Vjp vjp) {
  return {name, forward, vjp};
}

using Simd = kernels::simd::Unary;

/// A forward function for whose float and double elements there is a SIMD kernel.
template <Simd op, class F>
struct WithSimd {
  F f;
  static constexpr auto kSimd = op;
  template <class T>
  T operator()(T x) const {
    return static_cast<T>(f(x));
  }
};
template <Simd op, class F>
constexpr WithSimd<op, F> with_simd(F f) {
  return {f};
}

template <Saves saves, class Vjp>
class UnaryBackward final : public Node {
 public:
  UnaryBackward(const char* name, const Vjp& vjp) : name_(name), vjp_(vjp) {}
  void save(SavedTensor tensor) { saved_ = std::move(tensor); }

  Gradients apply(Gradients grads) override {
    if constexpr (saves == Saves::kNothing) {
      return {vjp_(grads[0])};
    } else {
      return {vjp_(grads[0], saved_.unpack(this))};
    }
  }
  std::string name() const override { return name_; }
  void release_variables() override {
    if constexpr (saves != Saves::kNothing) saved_.release();
  }

 private:
  const char* name_;
  [[no_unique_address]] Vjp vjp_;
  SavedTensor saved_;
};

template <Saves saves, Domain domain, class Forward, class Vjp>
void compute_unary(const UnaryFunction<saves, domain, Forward, Vjp>& f, const Tensor& out, const Tensor& x) {
  const auto loop = [&]<class T>() {
    if constexpr (kernels::has_simd_kernel<Forward, T>) {
      apply<T, T>(out, x, f.forward);
    } else {
      apply<T, T>(out, x, [forward = f.forward](T v) -> T { return static_cast<T>(forward(v)); });
    }
  };
  if constexpr (domain == Domain::kReal || domain == Domain::kFloating) {
    dispatch_floating(x.dtype(), f.name, loop);
  } else if constexpr (domain == Domain::kNumber) {
    dispatch_numbers(x.dtype(), f.name, loop);
  } else {
    dispatch(x.dtype(), loop);
  }
}

/// y = f(x).
template <Saves saves, Domain domain, class Forward, class Vjp>
Tensor unary(const UnaryFunction<saves, domain, Forward, Vjp>& f, const Tensor& input) {
  const Tensor x = domain == Domain::kReal ? input.to(to_floating(input.dtype())) : input;
  Tensor y = empty(x.sizes(), x.options());
  compute_unary(f, y, x);
  if (autograd::must_record({x})) {
    auto node = autograd::make_node<UnaryBackward<saves, Vjp>>({x}, f.name, f.vjp);
    if constexpr (saves == Saves::kInput) node->save(x);
    if constexpr (saves == Saves::kOutput) node->save(SavedTensor::output(y));
    autograd::set_history(y, std::move(node));
  }
  return y;
}

/// x <- f(x).
template <Saves saves, Domain domain, class Forward, class Vjp>
Tensor& unary_in_place(const UnaryFunction<saves, domain, Forward, Vjp>& f, const Tensor& x) {
  if (domain == Domain::kReal) check_can_cast(to_floating(x.dtype()), x.dtype());
  check_writable(x);
  auto node = autograd::begin_in_place<UnaryBackward<saves, Vjp>>(x, {x}, f.name, f.vjp);
  if (saves == Saves::kInput && node) node->save(x.clone());
  compute_unary(f, x, x);
  Tensor& self = autograd::end_in_place(x, node);
  if (saves == Saves::kOutput && node) node->save(SavedTensor::output(x));
  return self;
}

}  // namespace wengert::ops
