#include <bindings/casters.h>

namespace wengert::python {
namespace {

using OneTensor = Tensor (*)(const Tensor&);
using OfTensors = Tensor (*)(const Tensor&, const Tensor&);

// f(x), x.f() and x.f_().
void bind_unary(Binder& binder, const char* name, OneTensor f, Tensor& (Tensor::*in_place)() const = nullptr) {
  binder.both(name, f);
  if (in_place != nullptr) binder.in_place((std::string(name) + "_").c_str(), in_place);
}

// f(x, y) and f(x, 2).
template <class... Rest, class... Arguments>
void bind_binary(Binder& binder, const char* name, Tensor (*of_tensors)(const Tensor&, const Tensor&, Rest...),
                 Tensor (*of_scalar)(const Tensor&, Scalar, Rest...), const Arguments&... arguments) {
  binder.both(name, of_tensors, "other"_a, arguments...).both(name, of_scalar, "other"_a, arguments...);
}

#define UNARY(name) bind_unary(binder, #name, wengert::name, &Tensor::name##_)

}  // namespace

void bind_elementwise(Binder& binder) {
  const py::kw_only kw_only;
  for (const char* name : {"add", "sub"}) {
    const bool is_add = name[0] == 'a';
    bind_binary(
        binder, name,
        is_add ? of<const Tensor&, const Tensor&, Scalar>(&add) : of<const Tensor&, const Tensor&, Scalar>(&sub),
        is_add ? of<const Tensor&, Scalar, Scalar>(&add) : of<const Tensor&, Scalar, Scalar>(&sub), kw_only,
        "alpha"_a = Scalar(1));
  }
  binder
      .in_place("add_", of<const Tensor&, Scalar>(&Tensor::add_, py::const_), "other"_a, kw_only, "alpha"_a = Scalar(1))
      .in_place("add_", of<Scalar, Scalar>(&Tensor::add_, py::const_), "other"_a, kw_only, "alpha"_a = Scalar(1))
      .in_place("sub_", of<const Tensor&, Scalar>(&Tensor::sub_, py::const_), "other"_a, kw_only, "alpha"_a = Scalar(1))
      .in_place("sub_", of<Scalar, Scalar>(&Tensor::sub_, py::const_), "other"_a, kw_only, "alpha"_a = Scalar(1));
  bind_binary(binder, "rsub", of<const Tensor&, const Tensor&, Scalar>(&rsub), of<const Tensor&, Scalar, Scalar>(&rsub),
              kw_only, "alpha"_a = Scalar(1));

#define BINARY(name)                                                           \
  bind_binary(binder, #name, of<const Tensor&, const Tensor&>(&wengert::name), \
              of<const Tensor&, Scalar>(&wengert::name))
#define BINARY_IN_PLACE(name)                                                            \
  BINARY(name);                                                                          \
  binder.in_place(#name "_", of<const Tensor&>(&Tensor::name##_, py::const_), "other"_a) \
      .in_place(#name "_", of<Scalar>(&Tensor::name##_, py::const_), "other"_a)
  BINARY_IN_PLACE(mul);
  BINARY_IN_PLACE(floor_divide);
  BINARY_IN_PLACE(remainder);
  BINARY_IN_PLACE(fmod);
  BINARY(eq);
  BINARY(ne);
  BINARY(lt);
  BINARY(le);
  BINARY(gt);
  BINARY(ge);
  using Mode = std::optional<std::string_view>;
  const auto mode = ("rounding_mode"_a = py::none());
  binder.both("div", of<const Tensor&, const Tensor&, Mode>(&div), "other"_a, kw_only, mode)
      .both("div", of<const Tensor&, Scalar, Mode>(&div), "other"_a, kw_only, mode)
      .in_place("div_", of<const Tensor&, Mode>(&Tensor::div_, py::const_), "other"_a, kw_only, mode)
      .in_place("div_", of<Scalar, Mode>(&Tensor::div_, py::const_), "other"_a, kw_only, mode);
  binder.both("pow", of<const Tensor&, Scalar>(&wengert::pow), "exponent"_a)
      .both("pow", of<const Tensor&, const Tensor&>(&wengert::pow), "exponent"_a)
      .function("pow", of<Scalar, const Tensor&>(&wengert::pow), "self"_a, "exponent"_a)
      .in_place("pow_", of<Scalar>(&Tensor::pow_, py::const_), "exponent"_a)
      .in_place("pow_", of<const Tensor&>(&Tensor::pow_, py::const_), "exponent"_a);
  binder.both("atan2", of<const Tensor&, const Tensor&>(&wengert::atan2), "other"_a)
      .in_place("atan2_", &Tensor::atan2_, "other"_a);
  binder.both("xlogy", of<const Tensor&, const Tensor&>(&xlogy), "other"_a);
  binder.both("lerp", of<const Tensor&, const Tensor&, Scalar>(&wengert::lerp), "end"_a, "weight"_a)
      .both("lerp", of<const Tensor&, const Tensor&, const Tensor&>(&wengert::lerp), "end"_a, "weight"_a)
      .in_place("lerp_", of<const Tensor&, Scalar>(&Tensor::lerp_, py::const_), "end"_a, "weight"_a)
      .in_place("lerp_", of<const Tensor&, const Tensor&>(&Tensor::lerp_, py::const_), "end"_a, "weight"_a);
  binder
      .both("addcmul", of<const Tensor&, const Tensor&, const Tensor&, Scalar>(&addcmul), "tensor1"_a, "tensor2"_a,
            kw_only, "value"_a = Scalar(1))
      .in_place("addcmul_", &Tensor::addcmul_, "tensor1"_a, "tensor2"_a, kw_only, "value"_a = Scalar(1))
      .both("addcdiv", of<const Tensor&, const Tensor&, const Tensor&, Scalar>(&addcdiv), "tensor1"_a, "tensor2"_a,
            kw_only, "value"_a = Scalar(1))
      .in_place("addcdiv_", &Tensor::addcdiv_, "tensor1"_a, "tensor2"_a, kw_only, "value"_a = Scalar(1));

  UNARY(neg);
  UNARY(abs);
  UNARY(sign);
  UNARY(square);
  UNARY(sqrt);
  UNARY(rsqrt);
  UNARY(reciprocal);
  UNARY(floor);
  UNARY(ceil);
  UNARY(trunc);
  UNARY(round);
  UNARY(frac);
  UNARY(exp);
  UNARY(expm1);
  UNARY(log);
  UNARY(log1p);
  UNARY(log2);
  UNARY(log10);
  UNARY(sin);
  UNARY(cos);
  UNARY(tan);
  UNARY(asin);
  UNARY(acos);
  UNARY(atan);
  UNARY(sinh);
  UNARY(cosh);
  UNARY(tanh);
  UNARY(erf);
  UNARY(erfc);
  UNARY(lgamma);
  UNARY(digamma);
  UNARY(relu);
  UNARY(sigmoid);
  bind_unary(binder, "isfinite", isfinite);
  bind_unary(binder, "isnan", isnan);
  bind_unary(binder, "isinf", isinf);
  bind_unary(binder, "logical_not", logical_not);
  bind_unary(binder, "bitwise_not", bitwise_not);
  bind_unary(binder, "bernoulli", bernoulli);
  const std::pair<const char*, OfTensors> of_tensors[] = {{"logical_and", logical_and}, {"logical_or", logical_or},
                                                          {"logical_xor", logical_xor}, {"bitwise_and", bitwise_and},
                                                          {"bitwise_or", bitwise_or},   {"bitwise_xor", bitwise_xor},
                                                          {"maximum", maximum},         {"minimum", minimum}};
  for (const auto& [name, f] : of_tensors) {
    binder.both(name, f, "other"_a);
  }
  binder.function("polygamma", of<int64_t, const Tensor&>(&polygamma), "n"_a, "input"_a)
      .method(
          "polygamma", [](const Tensor& self, int64_t n) { return polygamma(n, self); }, "n"_a);

  binder.function("where", of<const Tensor&, const Tensor&, const Tensor&>(&where), "condition"_a, "input"_a, "other"_a)
      .function("where", of<const Tensor&, const Tensor&, Scalar>(&where), "condition"_a, "input"_a, "other"_a)
      .function("where", of<const Tensor&, Scalar, const Tensor&>(&where), "condition"_a, "input"_a, "other"_a)
      .function("where", of<const Tensor&, Scalar, Scalar>(&where), "condition"_a, "input"_a, "other"_a)
      .function(
          "where", [](const Tensor& condition) { return TensorTuple{where(condition)}; }, "condition"_a)
      .method(
          "where",
          [](const Tensor& self, const Tensor& condition, const Tensor& other) {
            return where(condition, self, other);
          },
          "condition"_a, "other"_a);
  using Bound = std::optional<Scalar>;
  binder.both("clamp", of<const Tensor&, Bound, Bound>(&clamp), "min"_a = py::none(), "max"_a = py::none())
      .both("clamp", of<const Tensor&, const OptionalTensor&, const OptionalTensor&>(&clamp), "min"_a = py::none(),
            "max"_a = py::none())
      .in_place("clamp_", of<Bound, Bound>(&Tensor::clamp_, py::const_), "min"_a = py::none(), "max"_a = py::none())
      .both("clamp_min", of<const Tensor&, Scalar>(&clamp_min), "min"_a)
      .both("clamp_max", of<const Tensor&, Scalar>(&clamp_max), "max"_a)
      .in_place("clamp_min_", &Tensor::clamp_min_, "min"_a)
      .in_place("clamp_max_", &Tensor::clamp_max_, "max"_a);
  binder.both("masked_fill", of<const Tensor&, const Tensor&, Scalar>(&masked_fill), "mask"_a, "value"_a)
      .both("masked_fill", of<const Tensor&, const Tensor&, const Tensor&>(&masked_fill), "mask"_a, "value"_a)
      .in_place("masked_fill_", of<const Tensor&, Scalar>(&Tensor::masked_fill_, py::const_), "mask"_a, "value"_a)
      .in_place("masked_fill_", of<const Tensor&, const Tensor&>(&Tensor::masked_fill_, py::const_), "mask"_a,
                "value"_a);
  binder.both("equal", equal, "other"_a)
      .both("isclose", isclose, "other"_a, "rtol"_a = 1e-5, "atol"_a = 1e-8, "equal_nan"_a = false)
      .both("allclose", allclose, "other"_a, "rtol"_a = 1e-5, "atol"_a = 1e-8, "equal_nan"_a = false);

  binder.in_place("copy_", &Tensor::copy_, "src"_a)
      .in_place("fill_", of<Scalar>(&Tensor::fill_, py::const_), "value"_a)
      .in_place("fill_", of<const Tensor&>(&Tensor::fill_, py::const_), "value"_a)
      .in_place("zero_", &Tensor::zero_)
      .in_place("uniform_", &Tensor::uniform_, "from_"_a = 0.0, "to"_a = 1.0)
      .in_place("normal_", &Tensor::normal_, "mean"_a = 0.0, "std"_a = 1.0)
      .in_place("bernoulli_", of<double>(&Tensor::bernoulli_, py::const_), "p"_a = 0.5);
  binder.both("clone", clone);
}

}  // namespace wengert::python
