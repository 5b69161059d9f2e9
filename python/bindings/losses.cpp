#include <bindings/casters.h>

namespace wengert::python {
namespace {

// "mean", "sum" or "none", as PyTorch's functions take it.
int64_t reduction_of(const std::string& name) {
  if (name == "mean") return Reduction::Mean;
  if (name == "sum") return Reduction::Sum;
  if (name == "none") return Reduction::None;
  throw py::value_error(name + " is not a valid value for reduction");
}

}  // namespace

void bind_losses(Binder& binder) {
  Binder functional(binder.module().def_submodule("functional", "Losses, activations and layers, as functions."));
  const auto reduction = ("reduction"_a = "mean");
  const auto weight = ("weight"_a = py::none());
  functional
      .function(
          "mse_loss",
          [](const Tensor& input, const Tensor& target, const std::string& how) {
            return mse_loss(input, target, reduction_of(how));
          },
          "input"_a, "target"_a, reduction)
      .function(
          "l1_loss",
          [](const Tensor& input, const Tensor& target, const std::string& how) {
            return l1_loss(input, target, reduction_of(how));
          },
          "input"_a, "target"_a, reduction)
      .function(
          "smooth_l1_loss",
          [](const Tensor& input, const Tensor& target, const std::string& how, double beta) {
            return smooth_l1_loss(input, target, reduction_of(how), beta);
          },
          "input"_a, "target"_a, reduction, "beta"_a = 1.0)
      .function(
          "huber_loss",
          [](const Tensor& input, const Tensor& target, const std::string& how, double delta) {
            return huber_loss(input, target, reduction_of(how), delta);
          },
          "input"_a, "target"_a, reduction, "delta"_a = 1.0)
      .function(
          "binary_cross_entropy",
          [](const Tensor& input, const Tensor& target, const OptionalTensor& weights, const std::string& how) {
            return binary_cross_entropy(input, target, or_undefined(weights), reduction_of(how));
          },
          "input"_a, "target"_a, weight, reduction)
      .function(
          "binary_cross_entropy_with_logits",
          [](const Tensor& input, const Tensor& target, const OptionalTensor& weights, const std::string& how,
             const OptionalTensor& pos_weight) {
            return binary_cross_entropy_with_logits(input, target, or_undefined(weights), or_undefined(pos_weight),
                                                    reduction_of(how));
          },
          "input"_a, "target"_a, weight, reduction, "pos_weight"_a = py::none())
      .function(
          "kl_div",
          [](const Tensor& input, const Tensor& target, const std::string& how, bool log_target) {
            if (how == "batchmean") return kl_div(input, target, Reduction::Sum, log_target) / input.size(0);
            return kl_div(input, target, reduction_of(how), log_target);
          },
          "input"_a, "target"_a, reduction, "log_target"_a = false)
      .function(
          "nll_loss",
          [](const Tensor& input, const Tensor& target, const OptionalTensor& weights, int64_t ignore_index,
             const std::string& how) {
            return nll_loss(input, target, or_undefined(weights), reduction_of(how), ignore_index);
          },
          "input"_a, "target"_a, weight, "ignore_index"_a = -100, reduction)
      .function(
          "cross_entropy",
          [](const Tensor& input, const Tensor& target, const OptionalTensor& weights, int64_t ignore_index,
             const std::string& how, double label_smoothing) {
            return cross_entropy_loss(input, target, or_undefined(weights), reduction_of(how), ignore_index,
                                      label_smoothing);
          },
          "input"_a, "target"_a, weight, "ignore_index"_a = -100, reduction, "label_smoothing"_a = 0.0)
      .function("cosine_similarity", cosine_similarity, "x1"_a, "x2"_a, "dim"_a = 1, "eps"_a = 1e-8)
      .function(
          "linear",
          [](const Tensor& input, const Tensor& weights, const OptionalTensor& bias) {
            return linear(input, weights, or_undefined(bias));
          },
          "input"_a, "weight"_a, "bias"_a = py::none())
      .function(
          "embedding",
          [](const Tensor& input, const Tensor& weights, std::optional<int64_t> padding_idx, bool scale_grad_by_freq,
             bool sparse) { return embedding(weights, input, padding_idx.value_or(-1), scale_grad_by_freq, sparse); },
          "input"_a, "weight"_a, "padding_idx"_a = py::none(), "scale_grad_by_freq"_a = false, "sparse"_a = false)
      .function(
          "dropout", [](const Tensor& input, double p, bool training) { return dropout(input, p, training); },
          "input"_a, "p"_a = 0.5, "training"_a = true)
      .function(
          "layer_norm",
          [](const Tensor& input, IntArrayRef shape, const OptionalTensor& weights, const OptionalTensor& bias,
             double eps) { return layer_norm(input, shape, or_undefined(weights), or_undefined(bias), eps); },
          "input"_a, "normalized_shape"_a, weight, "bias"_a = py::none(), "eps"_a = 1e-5)
      .function("relu", of<const Tensor&>(&relu), "input"_a)
      .function("sigmoid", of<const Tensor&>(&sigmoid), "input"_a)
      .function("tanh", of<const Tensor&>(&wengert::tanh), "input"_a)
      .function("logsigmoid", log_sigmoid, "input"_a)
      .function("silu", silu, "input"_a)
      .function("softsign", softsign, "input"_a)
      .function("leaky_relu", leaky_relu, "input"_a, "negative_slope"_a = Scalar(0.01))
      .function(
          "elu", [](const Tensor& input, Scalar alpha) { return elu(input, alpha); }, "input"_a, "alpha"_a = Scalar(1))
      .function("softplus", softplus, "input"_a, "beta"_a = Scalar(1), "threshold"_a = Scalar(20))
      .function("hardtanh", hardtanh, "input"_a, "min_val"_a = Scalar(-1), "max_val"_a = Scalar(1))
      .function(
          "gelu", [](const Tensor& input, const std::string& approximate) { return gelu(input, approximate); },
          "input"_a, py::kw_only(), "approximate"_a = "none")
      .function("softmax", softmax, "input"_a, "dim"_a, "dtype"_a = py::none())
      .function("log_softmax", log_softmax, "input"_a, "dim"_a, "dtype"_a = py::none());
  for (const char* name : {"one_hot", "pad"}) functional.module().attr(name) = binder.module().attr(name);
}

}  // namespace wengert::python
