#include <wengert/autograd/serialize/archive.h>
#include <wengert/optim/radam.h>
#include <wengert/optim/rule.h>
#include <wengert/optim/update.h>

namespace wengert::optim {
namespace {

struct RAdamRule : Descent {
  double beta1, beta2, eps, step_size;
  bool rectified;

  template <class T>
  [[gnu::always_inline]] void operator()(T& p, T g, T& exp_avg, T& exp_avg_sq) const {
    g = gradient(p, g);
    average(exp_avg, beta1, g);
    average(exp_avg_sq, beta2, g * g);
    const T divisor = rectified ? std::sqrt(exp_avg_sq) + T(eps) : T(1);
    p -= T(step_size) * exp_avg / divisor;
  }
};

RAdamRule next(const RAdamOptions& options, RAdamParamState& state) {
  const auto [beta1, beta2] = options.betas();
  const auto t = static_cast<double>(++state.step());
  const double power = std::pow(beta2, t), correction2 = 1 - power;
  const double longest = 2 / (1 - beta2) - 1, length = longest - 2 * t * power / correction2;
  const bool rectified = length > 5;
  double step_size = options.lr() / (1 - std::pow(beta1, t));
  if (rectified) {
    step_size *=
        std::sqrt(correction2 * (length - 4) * (length - 2) * longest / ((longest - 4) * (longest - 2) * length));
  }
  return {{options.weight_decay(), options.maximize()}, beta1, beta2, options.eps(), step_size, rectified};
}

}  // namespace

void RAdamOptions::check() const { check_adam_options(*this); }

void RAdamOptions::fields(serialize::Fields& fields) {
  fields("lr", lr_)("betas", betas_)("eps", eps_)("weight_decay", weight_decay_)("maximize", maximize_);
}

void RAdamParamState::fields(serialize::Fields& fields) {
  fields("step", step_)("exp_avg", exp_avg_)("exp_avg_sq", exp_avg_sq_);
}

Tensor RAdam::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  step_each<RAdamOptions, RAdamParamState>(
      *this,
      [](const RAdamOptions&, const Tensor& parameter, RAdamParamState& state) {
        state.exp_avg(zeros_like(parameter));
        state.exp_avg_sq(zeros_like(parameter));
      },
      [](const ParameterStep<RAdamOptions, RAdamParamState>& step) {
        wengert::check(!step.grad.is_sparse(), "RAdam does not support sparse gradients");
        step.apply(next, step.state().exp_avg(), step.state().exp_avg_sq());
      });
  return loss;
}

}  // namespace wengert::optim
