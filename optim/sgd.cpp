#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/optim/sgd.h>

namespace wengert::optim {
namespace {

struct SGDState final : OptimizerParamState {
  Tensor momentum_buffer;
};

void check_options(const SGDOptions& options) {
  check(options.lr() >= 0, "Invalid learning rate: {}", options.lr());
  check(options.momentum() >= 0, "Invalid momentum value: {}", options.momentum());
  check(options.weight_decay() >= 0, "Invalid weight_decay value: {}", options.weight_decay());
  check(!options.nesterov() || (options.momentum() > 0 && options.dampening() == 0),
        "Nesterov momentum requires a momentum and zero dampening");
}

}  // namespace

SGD::SGD(std::vector<OptimizerParamGroup> groups, SGDOptions defaults)
    : Optimizer(std::move(groups), std::make_unique<SGDOptions>(defaults)) {
  check_options(defaults);
  for (const OptimizerParamGroup& group : param_groups()) {
    check_options(static_cast<const SGDOptions&>(group.options()));
  }
}

SGD::SGD(std::vector<Tensor> params, SGDOptions defaults)
    : SGD(std::vector<OptimizerParamGroup>{OptimizerParamGroup(std::move(params))}, defaults) {}

Tensor SGD::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  for (OptimizerParamGroup& group : param_groups()) {
    const auto& options = static_cast<const SGDOptions&>(group.options());
    for (const Tensor& parameter : group.params()) {
      if (!parameter.grad().defined()) continue;
      Tensor step = options.maximize() ? -parameter.grad() : parameter.grad();
      if (options.weight_decay() != 0) step = step.add(parameter, options.weight_decay());
      if (options.momentum() != 0) {
        Tensor& buffer = state_of<SGDState>(parameter).momentum_buffer;
        if (buffer.defined()) {
          buffer.mul_(options.momentum()).add_(step, 1 - options.dampening());
        } else {
          tracing::refuse("the first step of optim::SGD with momentum, which is unlike those that follow,");
          buffer = step.clone();
        }
        step = options.nesterov() ? step.add(buffer, options.momentum()) : buffer;
      }
      if (tracing::listener == nullptr) [[likely]] {
        parameter.add_(step, -options.lr());
      } else {
        // A replay reads the learning rate where it lies, and so follows schedulers.
        parameter.sub_(from_blob(const_cast<double*>(&options.lr()), {}, kDouble) * step);
      }
    }
  }
  return loss;
}

}  // namespace wengert::optim
