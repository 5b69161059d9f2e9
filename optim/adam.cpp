#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/optim/adam.h>

#include <cmath>

namespace wengert::optim {
namespace {

struct AdamState final : OptimizerParamState {
  int64_t steps = 0;
  Tensor mean, mean_square;
};

void check_options(const AdamOptions& options) {
  const auto [beta1, beta2] = options.betas();
  check(options.lr() >= 0, "Invalid learning rate: {}", options.lr());
  check(options.eps() >= 0, "Invalid epsilon value: {}", options.eps());
  check(0 <= beta1 && beta1 < 1, "Invalid beta parameter at index 0: {}", beta1);
  check(0 <= beta2 && beta2 < 1, "Invalid beta parameter at index 1: {}", beta2);
  check(options.weight_decay() >= 0, "Invalid weight_decay value: {}", options.weight_decay());
}

}  // namespace

Adam::Adam(std::vector<OptimizerParamGroup> groups, AdamOptions defaults)
    : Optimizer(std::move(groups), std::make_unique<AdamOptions>(defaults)) {
  check_options(defaults);
  for (const OptimizerParamGroup& group : param_groups()) {
    check_options(static_cast<const AdamOptions&>(group.options()));
  }
}

Adam::Adam(std::vector<Tensor> params, AdamOptions defaults)
    : Adam(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, defaults) {}

Tensor Adam::step(LossClosure closure) {
  tracing::refuse("optim::Adam::step(), which counts its steps,");
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  for (OptimizerParamGroup& group : param_groups()) {
    const auto& options = static_cast<const AdamOptions&>(group.options());
    const auto [beta1, beta2] = options.betas();
    for (const Tensor& parameter : group.params()) {
      if (!parameter.grad().defined()) continue;
      Tensor grad = parameter.grad();
      check(!grad.is_sparse(), "Adam does not support sparse gradients");
      if (options.weight_decay() != 0) grad = grad.add(parameter, options.weight_decay());
      auto& state = state_of<AdamState>(parameter);
      if (state.steps == 0) {
        state.mean = zeros_like(parameter);
        state.mean_square = zeros_like(parameter);
      }
      const auto t = static_cast<double>(++state.steps);
      state.mean.mul_(beta1).add_(grad, 1 - beta1);
      state.mean_square.mul_(beta2).add_(grad * grad, 1 - beta2);
      Tensor scale = state.mean_square.sqrt();
      scale.div_(std::sqrt(1 - std::pow(beta2, t))).add_(options.eps());
      parameter.add_(state.mean / scale, -options.lr() / (1 - std::pow(beta1, t)));
    }
  }
  return loss;
}

}  // namespace wengert::optim
