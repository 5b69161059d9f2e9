#include <wengert/autograd/serialize/archive.h>
#include <wengert/optim/nadam.h>
#include <wengert/optim/rule.h>
#include <wengert/optim/update.h>

namespace wengert::optim {
namespace {

struct NAdamRule : Descent {
  double beta1, beta2, eps, correction2;
  double grad_step, mean_step;  // how far to go by the gradient, and by the mean

  template <class T>
  [[gnu::always_inline]] void operator()(T& p, T g, T& exp_avg, T& exp_avg_sq) const {
    g = gradient(p, g);
    average(exp_avg, beta1, g);
    average(exp_avg_sq, beta2, g * g);
    const T divisor = std::sqrt(exp_avg_sq / T(correction2)) + T(eps);
    p -= (T(grad_step) * g + T(mean_step) * exp_avg) / divisor;
  }
};

NAdamRule next(const NAdamOptions& options, NAdamParamState& state) {
  const auto [beta1, beta2] = options.betas();
  const auto t = static_cast<double>(++state.step());
  const auto momentum_at = [&, beta = beta1](double step) {
    return beta * (1 - 0.5 * std::pow(0.96, step * options.momentum_decay()));
  };
  const double mu = momentum_at(t), mu_next = momentum_at(t + 1);
  state.mu_product() *= mu;
  return {{options.weight_decay(), options.maximize()},
          beta1,
          beta2,
          options.eps(),
          1 - std::pow(beta2, t),
          options.lr() * (1 - mu) / (1 - state.mu_product()),
          options.lr() * mu_next / (1 - state.mu_product() * mu * mu_next)};
}

}  // namespace

void NAdamOptions::check() const {
  check_adam_options(*this);
  wengert::check(momentum_decay_ >= 0, "Invalid momentum_decay value: {}", momentum_decay_);
}

void NAdamOptions::fields(serialize::Fields& fields) {
  fields("lr", lr_)("betas", betas_)("eps", eps_)("weight_decay", weight_decay_)("momentum_decay", momentum_decay_)(
      "maximize", maximize_);
}

void NAdamParamState::fields(serialize::Fields& fields) {
  fields("step", step_)("mu_product", mu_product_)("exp_avg", exp_avg_)("exp_avg_sq", exp_avg_sq_);
}

Tensor NAdam::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  step_each<NAdamOptions, NAdamParamState>(
      *this,
      [](const NAdamOptions&, const Tensor& parameter, NAdamParamState& state) {
        state.exp_avg(zeros_like(parameter));
        state.exp_avg_sq(zeros_like(parameter));
      },
      [](const ParameterStep<NAdamOptions, NAdamParamState>& step) {
        wengert::check(!step.grad.is_sparse(), "NAdam does not support sparse gradients");
        step.apply(next, step.state().exp_avg(), step.state().exp_avg_sq());
      });
  return loss;
}

}  // namespace wengert::optim
