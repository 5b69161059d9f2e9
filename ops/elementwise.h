#pragma once

#include <wengert/autograd/dispatch.h>
#include <wengert/autograd/factories.h>
#include <wengert/autograd/history.h>
#include <wengert/autograd/saved_tensor.h>
#include <wengert/ops/kernels/elementwise.h>
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

/// out = f(a).
template <class Out, class A, class F>
void apply(const Tensor& out, const Tensor& a, const F& f) {
  const Dims sa = expanded_strides(a.sizes(), a.strides(), out.sizes());
  kernels::map(kernels::StridedLoop<2>(span_of(out.sizes()), {span_of(out.strides()), span_of(sa)}),
               out.data_ptr<Out>(), a.data_ptr<A>(), f);
}

/// out = f(a, b).
template <class Out, class A, class B, class F>
void apply(const Tensor& out, const Tensor& a, const Tensor& b, const F& f) {
  const Dims sa = expanded_strides(a.sizes(), a.strides(), out.sizes());
  const Dims sb = expanded_strides(b.sizes(), b.strides(), out.sizes());
  kernels::map(kernels::StridedLoop<3>(span_of(out.sizes()), {span_of(out.strides()), span_of(sa), span_of(sb)}),
               out.data_ptr<Out>(), a.data_ptr<A>(), b.data_ptr<B>(), f);
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
    apply<T, T>(out, x, [forward = f.forward](T v) -> T { return static_cast<T>(forward(v)); });
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
