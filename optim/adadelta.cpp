#include <wengert/autograd/serialize/archive.h>
#include <wengert/optim/adadelta.h>
#include <wengert/optim/rule.h>
#include <wengert/optim/update.h>

namespace wengert::optim {
namespace {

struct AdadeltaRule : Descent {
  double lr, rho, eps;

  template <class T>
  [[gnu::always_inline]] void operator()(T& p, T g, T& square_avg, T& acc_delta) const {
    g = gradient(p, g);
    average(square_avg, rho, g * g);
    const T delta = std::sqrt(acc_delta + T(eps)) / std::sqrt(square_avg + T(eps)) * g;
    average(acc_delta, rho, delta * delta);
    p -= T(lr) * delta;
  }
};

AdadeltaRule next(const AdadeltaOptions& options, AdadeltaParamState& state) {
  ++state.step();
  return {{options.weight_decay(), options.maximize()}, options.lr(), options.rho(), options.eps()};
}

}  // namespace

void AdadeltaOptions::check() const {
  wengert::check(lr_ >= 0, "Invalid learning rate: {}", lr_);
  wengert::check(0 <= rho_ && rho_ <= 1, "Invalid rho value: {}", rho_);
  wengert::check(eps_ >= 0, "Invalid epsilon value: {}", eps_);
  wengert::check(weight_decay_ >= 0, "Invalid weight_decay value: {}", weight_decay_);
}

void AdadeltaOptions::fields(serialize::Fields& fields) {
  fields("lr", lr_)("rho", rho_)("eps", eps_)("weight_decay", weight_decay_)("maximize", maximize_);
}

void AdadeltaParamState::fields(serialize::Fields& fields) {
  fields("step", step_)("square_avg", square_avg_)("acc_delta", acc_delta_);
}

Tensor Adadelta::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  step_each<AdadeltaOptions, AdadeltaParamState>(
      *this,
      [](const AdadeltaOptions&, const Tensor& parameter, AdadeltaParamState& state) {
        state.square_avg(zeros_like(parameter));
        state.acc_delta(zeros_like(parameter));
      },
      [](const ParameterStep<AdadeltaOptions, AdadeltaParamState>& step) {
        wengert::check(!step.grad.is_sparse(), "Adadelta does not support sparse gradients");
        step.apply(next, step.state().square_avg(), step.state().acc_delta());
      });
  return loss;
}

}  // namespace wengert::optim
