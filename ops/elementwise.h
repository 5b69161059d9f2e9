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

/// Throws "result type Float can't be cast to the desired output type Long" where it can't.
void check_can_cast(ScalarType result, ScalarType to);

// --- Functions of one tensor ---------------------------------------------------------------------------
// Such a function is a struct in pointwise.cpp that says all there is to it:
//
//     struct Exp {
//       static constexpr auto kName = "ExpBackward0";
//       static constexpr Saves kSaves = Saves::kOutput;
//       static constexpr Domain kDomain = Domain::kReal;
//       template <class T> static T forward(T x);
//       static Tensor vjp(const Tensor& g, const Tensor& saved);
//     };

/// What the gradient formula needs: x, or y = f(x), or neither.
enum class Saves { kInput, kOutput, kNothing };
/// kReal: whole numbers become floating point first. kNumber: the dtype stays; not for bool. kAny: for all.
enum class Domain { kReal, kNumber, kAny };

template <class Function>
class UnaryBackward final : public Node {
 public:
  void save(SavedTensor tensor) { saved_ = std::move(tensor); }

  Gradients apply(Gradients grads) override {
    Tensor saved;
    if constexpr (Function::kSaves != Saves::kNothing) saved = saved_.unpack(this);
    return {Function::vjp(grads[0], saved)};
  }
  std::string name() const override { return Function::kName; }
  void release_variables() override {
    if constexpr (Function::kSaves != Saves::kNothing) saved_.release();
  }

 private:
  SavedTensor saved_;
};

template <class Function>
void compute_unary(const Tensor& out, const Tensor& x) {
  const auto loop = [&]<class T>() { apply<T, T>(out, x, [](T v) -> T { return Function::forward(v); }); };
  if constexpr (Function::kDomain == Domain::kReal) {
    dispatch_floating(x.dtype(), Function::kName, loop);
  } else if constexpr (Function::kDomain == Domain::kNumber) {
    dispatch_numbers(x.dtype(), Function::kName, loop);
  } else {
    dispatch(x.dtype(), loop);
  }
}

/// y = f(x).
template <class Function>
Tensor unary(const Tensor& input) {
  const Tensor x = Function::kDomain == Domain::kReal ? input.to(to_floating(input.dtype())) : input;
  Tensor y = empty(x.sizes(), x.options());
  compute_unary<Function>(y, x);
  if (autograd::must_record({x})) {
    auto node = autograd::make_node<UnaryBackward<Function>>({x});
    if constexpr (Function::kSaves == Saves::kInput) node->save(x);
    if constexpr (Function::kSaves == Saves::kOutput) node->save(SavedTensor::output(y));
    autograd::set_history(y, std::move(node));
  }
  return y;
}

/// x <- f(x).
template <class Function>
Tensor& unary_in_place(const Tensor& x) {
  if (Function::kDomain == Domain::kReal) check_can_cast(to_floating(x.dtype()), x.dtype());
  check_writable(x);
  auto node = autograd::begin_in_place<UnaryBackward<Function>>(x, {x});
  if (Function::kSaves == Saves::kInput && node) node->save(x.clone());
  compute_unary<Function>(x, x);
  Tensor& self = autograd::end_in_place(x, node);
  if (Function::kSaves == Saves::kOutput && node) node->save(SavedTensor::output(x));
  return self;
}

}  // namespace wengert::ops
