#include <wengert/ops/elementwise.h>

#include <cmath>

// Functions of one tensor, element by element. Each struct is one function: its name in the graph, what its
// gradient needs, the function, and the VJP, for G = dL/dy.

namespace wengert {
namespace ops {
namespace {

// y = -x.   VJP:   dx = -G.
struct Neg {
  static constexpr auto kName = "NegBackward0";
  static constexpr Saves kSaves = Saves::kNothing;
  static constexpr Domain kDomain = Domain::kNumber;
  template <class T>
  static T forward(T x) {
    return -x;
  }
  static Tensor vjp(const Tensor& g, const Tensor&) { return -g; }
};

// y = |x|.   VJP:   dx = G sign(x).
struct Abs {
  static constexpr auto kName = "AbsBackward0";
  static constexpr Saves kSaves = Saves::kInput;
  static constexpr Domain kDomain = Domain::kNumber;
  template <class T>
  static T forward(T x) {
    return std::abs(x);
  }
  static Tensor vjp(const Tensor& g, const Tensor& x) { return g * x.sign(); }
};

// y = sign(x).   VJP:   dx = 0.
struct Sign {
  static constexpr auto kName = "SignBackward0";
  static constexpr Saves kSaves = Saves::kNothing;
  static constexpr Domain kDomain = Domain::kAny;
  template <class T>
  static T forward(T x) {
    if constexpr (std::is_same_v<T, bool>) {
      return x;
    } else {
      return static_cast<T>((x > 0) - (x < 0));
    }
  }
  static Tensor vjp(const Tensor& g, const Tensor&) { return zeros_like(g); }
};

// y = sqrt(x).   VJP:   dx = G / (2 y).
struct Sqrt {
  static constexpr auto kName = "SqrtBackward0";
  static constexpr Saves kSaves = Saves::kOutput;
  static constexpr Domain kDomain = Domain::kReal;
  template <class T>
  static T forward(T x) {
    return std::sqrt(x);
  }
  static Tensor vjp(const Tensor& g, const Tensor& y) { return g / (y * 2); }
};

// y = 1 / x.   VJP:   dx = -G y^2.
struct Reciprocal {
  static constexpr auto kName = "ReciprocalBackward0";
  static constexpr Saves kSaves = Saves::kOutput;
  static constexpr Domain kDomain = Domain::kReal;
  template <class T>
  static T forward(T x) {
    return T(1) / x;
  }
  static Tensor vjp(const Tensor& g, const Tensor& y) { return -g * (y * y); }
};

// y = e^x.   VJP:   dx = G y.
struct Exp {
  static constexpr auto kName = "ExpBackward0";
  static constexpr Saves kSaves = Saves::kOutput;
  static constexpr Domain kDomain = Domain::kReal;
  template <class T>
  static T forward(T x) {
    return std::exp(x);
  }
  static Tensor vjp(const Tensor& g, const Tensor& y) { return g * y; }
};

// y = ln x.   VJP:   dx = G / x.
struct Log {
  static constexpr auto kName = "LogBackward0";
  static constexpr Saves kSaves = Saves::kInput;
  static constexpr Domain kDomain = Domain::kReal;
  template <class T>
  static T forward(T x) {
    return std::log(x);
  }
  static Tensor vjp(const Tensor& g, const Tensor& x) { return g / x; }
};

// y = tanh(x).   VJP:   dx = G (1 - y^2).
struct Tanh {
  static constexpr auto kName = "TanhBackward0";
  static constexpr Saves kSaves = Saves::kOutput;
  static constexpr Domain kDomain = Domain::kReal;
  template <class T>
  static T forward(T x) {
    return std::tanh(x);
  }
  static Tensor vjp(const Tensor& g, const Tensor& y) { return g * (1 - y * y); }
};

// y = 1 / (1 + e^-x).   VJP:   dx = G y (1 - y).
struct Sigmoid {
  static constexpr auto kName = "SigmoidBackward0";
  static constexpr Saves kSaves = Saves::kOutput;
  static constexpr Domain kDomain = Domain::kReal;
  template <class T>
  static T forward(T x) {
    return T(1) / (T(1) + std::exp(-x));
  }
  static Tensor vjp(const Tensor& g, const Tensor& y) { return g * ((1 - y) * y); }
};

// y = max(x, 0), NaN for NaN.   VJP:   dx = G where y > 0 (or NaN), else 0.
struct Relu {
  static constexpr auto kName = "ReluBackward0";
  static constexpr Saves kSaves = Saves::kOutput;
  static constexpr Domain kDomain = Domain::kNumber;
  template <class T>
  static T forward(T x) {
    return x < T(0) ? T(0) : x;
  }
  static Tensor vjp(const Tensor& g, const Tensor& y) { return where(y <= 0, zeros({}, g.options()), g); }
};

// y = a where the condition holds, else b.   VJP:   da = G where it holds, else 0;   db the other way round.
class WhereBackward final : public Node {
 public:
  WhereBackward(const Tensor& condition, const Tensor& a, const Tensor& b)
      : condition_(condition), a_sizes_(a.sizes()), b_sizes_(b.sizes()) {}
  Gradients apply(Gradients grads) override {
    const Tensor& g = grads[0];
    const Tensor condition = condition_.unpack(), zero = zeros({}, g.options());
    return {Tensor(), needs_grad(1) ? where(condition, g, zero).sum_to_size(a_sizes_) : Tensor(),
            needs_grad(2) ? where(condition, zero, g).sum_to_size(b_sizes_) : Tensor()};
  }
  std::string name() const override { return "WhereBackward0"; }
  void release_variables() override { condition_.release(); }

 private:
  SavedTensor condition_;
  Dims a_sizes_, b_sizes_;
};

}  // namespace
}  // namespace ops

using namespace ops;

Tensor neg(const Tensor& x) {
  check(x.dtype() != kBool,
        "Negation, the `-` operator, on a bool tensor is not supported. If you are trying to invert a mask, use the "
        "`~` or `logical_not()` operator instead.");
  return unary<Neg>(x);
}
Tensor abs(const Tensor& x) { return unary<Abs>(x); }
Tensor sign(const Tensor& x) { return unary<Sign>(x); }
Tensor square(const Tensor& x) { return pow(x, 2); }
Tensor sqrt(const Tensor& x) { return unary<Sqrt>(x); }
Tensor reciprocal(const Tensor& x) { return unary<Reciprocal>(x); }
Tensor exp(const Tensor& x) { return unary<Exp>(x); }
Tensor log(const Tensor& x) { return unary<Log>(x); }
Tensor tanh(const Tensor& x) { return unary<Tanh>(x); }
Tensor sigmoid(const Tensor& x) { return unary<Sigmoid>(x); }
Tensor relu(const Tensor& x) {
  check(x.dtype() != kBool, "Boolean inputs not supported for relu");
  return unary<Relu>(x);
}

Tensor Tensor::operator-() const { return wengert::neg(*this); }
Tensor Tensor::neg() const { return wengert::neg(*this); }
Tensor Tensor::abs() const { return wengert::abs(*this); }
Tensor Tensor::sign() const { return wengert::sign(*this); }
Tensor Tensor::square() const { return wengert::square(*this); }
Tensor Tensor::sqrt() const { return wengert::sqrt(*this); }
Tensor Tensor::reciprocal() const { return wengert::reciprocal(*this); }
Tensor Tensor::exp() const { return wengert::exp(*this); }
Tensor Tensor::log() const { return wengert::log(*this); }
Tensor Tensor::tanh() const { return wengert::tanh(*this); }
Tensor Tensor::sigmoid() const { return wengert::sigmoid(*this); }
Tensor Tensor::relu() const { return wengert::relu(*this); }

Tensor& Tensor::neg_() const { return unary_in_place<Neg>(*this); }
Tensor& Tensor::abs_() const { return unary_in_place<Abs>(*this); }
Tensor& Tensor::sign_() const { return unary_in_place<Sign>(*this); }
Tensor& Tensor::square_() const { return pow_(2); }
Tensor& Tensor::sqrt_() const { return unary_in_place<Sqrt>(*this); }
Tensor& Tensor::reciprocal_() const { return unary_in_place<Reciprocal>(*this); }
Tensor& Tensor::exp_() const { return unary_in_place<Exp>(*this); }
Tensor& Tensor::log_() const { return unary_in_place<Log>(*this); }
Tensor& Tensor::tanh_() const { return unary_in_place<Tanh>(*this); }
Tensor& Tensor::sigmoid_() const { return unary_in_place<Sigmoid>(*this); }
Tensor& Tensor::relu_() const { return unary_in_place<Relu>(*this); }

Tensor where(const Tensor& condition, const Tensor& first, const Tensor& second) {
  check(condition.dtype() == kBool, "where expected condition to be a boolean tensor, but got a tensor with dtype {}",
        condition.dtype());
  const ScalarType dtype = result_type(first, second);
  const Tensor a = first.to(dtype), b = second.to(dtype);
  Tensor out = empty(broadcast_shapes(condition.sizes(), broadcast_shapes(a.sizes(), b.sizes())), dtype);
  const Dims sc = expanded_strides(condition.sizes(), condition.strides(), out.sizes());
  const Dims sa = expanded_strides(a.sizes(), a.strides(), out.sizes());
  const Dims sb = expanded_strides(b.sizes(), b.strides(), out.sizes());
  const kernels::StridedLoop<4> loop(span_of(out.sizes()),
                                     {span_of(out.strides()), span_of(sc), span_of(sa), span_of(sb)});
  dispatch(dtype, [&]<class T>() {
    kernels::map(loop, out.data_ptr<T>(), condition.data_ptr<bool>(), a.data_ptr<T>(), b.data_ptr<T>(),
                 [](bool holds, T x, T y) { return holds ? x : y; });
  });
  return autograd::record<WhereBackward>(out, {condition, a, b}, condition, a, b);
}

Tensor where(const Tensor& condition, const Tensor& a, Scalar b) {
  return where(condition, a, full({}, b, result_type(a, b)));
}
Tensor where(const Tensor& condition, Scalar a, const Tensor& b) {
  return where(condition, full({}, a, result_type(b, a)), b);
}

}  // namespace wengert
