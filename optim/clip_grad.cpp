#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/ops.h>
#include <wengert/optim/clip_grad.h>

#include <cmath>

namespace wengert::nn::utils {

double clip_grad_norm_(const std::vector<Tensor>& parameters, double max_norm, double norm_type,
                       bool error_if_nonfinite) {
  const NoGradGuard no_grad;
  std::vector<Tensor> grads, norms;
  for (const Tensor& parameter : parameters) {
    if (!parameter.grad().defined()) continue;
    grads.push_back(parameter.grad());
    norms.push_back(norm(parameter.grad(), norm_type));
  }
  if (grads.empty()) return 0;
  const double total = norm(stack(norms), norm_type).item<double>();
  check(!error_if_nonfinite || std::isfinite(total),
        "The total norm of order {} for gradients from `parameters` is non-finite, so it cannot be clipped. To disable "
        "this error and scale the gradients with the non-finite norm anyway, set `error_if_nonfinite=false`",
        norm_type);
  const double scale = max_norm / (total + 1e-6);
  if (scale < 1) {
    for (const Tensor& grad : grads) grad.mul_(scale);
  }
  return total;
}

double clip_grad_norm_(Tensor parameter, double max_norm, double norm_type, bool error_if_nonfinite) {
  return clip_grad_norm_(std::vector<Tensor>{std::move(parameter)}, max_norm, norm_type, error_if_nonfinite);
}

void clip_grad_value_(const std::vector<Tensor>& parameters, double clip_value) {
  const NoGradGuard no_grad;
  for (const Tensor& parameter : parameters) {
    if (parameter.grad().defined()) parameter.grad().clamp_(-clip_value, clip_value);
  }
}

void clip_grad_value_(Tensor parameter, double clip_value) {
  clip_grad_value_(std::vector<Tensor>{std::move(parameter)}, clip_value);
}

Tensor parameters_to_vector(const std::vector<Tensor>& parameters) {
  std::vector<Tensor> flat;
  flat.reserve(parameters.size());
  for (const Tensor& parameter : parameters) flat.push_back(parameter.reshape({-1}));
  return cat(flat);
}

void vector_to_parameters(const Tensor& vector, const std::vector<Tensor>& parameters) {
  const NoGradGuard no_grad;
  int64_t start = 0;
  for (const Tensor& parameter : parameters) {
    parameter.copy_(vector.slice(0, start, start + parameter.numel()).view(parameter.sizes()));
    start += parameter.numel();
  }
}

}  // namespace wengert::nn::utils
