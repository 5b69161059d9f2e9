#include <wengert/autograd/serialize/archive.h>
#include <wengert/optim/adamax.h>
#include <wengert/optim/rule.h>
#include <wengert/optim/update.h>

namespace wengert::optim {
namespace {

struct AdamaxRule : Descent {
  double step_size, beta1, beta2, eps;

  template <class T>
  [[gnu::always_inline]] void operator()(T& p, T g, T& exp_avg, T& exp_inf) const {
    g = gradient(p, g);
    average(exp_avg, beta1, g);
    const T before = T(beta2) * exp_inf, now = std::abs(g) + T(eps);
    exp_inf = before > now ? before : now;
    p -= T(step_size) * exp_avg / exp_inf;
  }
};

AdamaxRule next(const AdamaxOptions& options, AdamaxParamState& state) {
  const auto [beta1, beta2] = options.betas();
  const auto t = static_cast<double>(++state.step());
  return {{options.weight_decay(), options.maximize()},
          options.lr() / (1 - std::pow(beta1, t)),
          beta1,
          beta2,
          options.eps()};
}

}  // namespace

void AdamaxOptions::check() const { check_adam_options(*this); }

void AdamaxOptions::fields(serialize::Fields& fields) {
  fields("lr", lr_)("betas", betas_)("eps", eps_)("weight_decay", weight_decay_)("maximize", maximize_);
}

void AdamaxParamState::fields(serialize::Fields& fields) {
  fields("step", step_)("exp_avg", exp_avg_)("exp_inf", exp_inf_);
}

Tensor Adamax::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  step_each<AdamaxOptions, AdamaxParamState>(
      *this,
      [](const AdamaxOptions&, const Tensor& parameter, AdamaxParamState& state) {
        state.exp_avg(zeros_like(parameter));
        state.exp_inf(zeros_like(parameter));
      },
      [](const ParameterStep<AdamaxOptions, AdamaxParamState>& step) {
        wengert::check(!step.grad.is_sparse(), "Adamax does not support sparse gradients");
        step.apply(next, step.state().exp_avg(), step.state().exp_inf());
      });
  return loss;
}

}  // namespace wengert::optim
