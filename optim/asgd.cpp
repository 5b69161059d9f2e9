#include <wengert/autograd/serialize/archive.h>
#include <wengert/optim/asgd.h>
#include <wengert/optim/rule.h>
#include <wengert/optim/update.h>

namespace wengert::optim {
namespace {

struct ASGDRule : Descent {
  double lambd, eta, mu;

  template <class T>
  [[gnu::always_inline]] void operator()(T& p, T g, T& ax) const {
    g = gradient(p, g);
    p = T(1 - lambd * eta) * p - T(eta) * g;
    ax = mu == 1 ? p : ax + (p - ax) * T(mu);
  }
};

ASGDRule next(const ASGDOptions& options, ASGDParamState& state) {
  const ASGDRule rule{{options.weight_decay(), options.maximize()}, options.lambd(), state.eta(), state.mu()};
  const auto t = static_cast<double>(++state.step());
  state.eta(options.lr() / std::pow(1 + options.lambd() * options.lr() * t, options.alpha()));
  state.mu(1 / std::max(1.0, t - options.t0()));
  return rule;
}

}  // namespace

void ASGDOptions::check() const {
  wengert::check(lr_ >= 0, "Invalid learning rate: {}", lr_);
  wengert::check(weight_decay_ >= 0, "Invalid weight_decay value: {}", weight_decay_);
}

void ASGDOptions::fields(serialize::Fields& fields) {
  fields("lr", lr_)("lambd", lambd_)("alpha", alpha_)("t0", t0_)("weight_decay", weight_decay_)("maximize", maximize_);
}

void ASGDParamState::fields(serialize::Fields& fields) { fields("step", step_)("eta", eta_)("mu", mu_)("ax", ax_); }

Tensor ASGD::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  step_each<ASGDOptions, ASGDParamState>(
      *this,
      [](const ASGDOptions& options, const Tensor& parameter, ASGDParamState& state) {
        state.eta(options.lr());
        state.ax(zeros_like(parameter));
      },
      [](const ParameterStep<ASGDOptions, ASGDParamState>& step) {
        wengert::check(!step.grad.is_sparse(), "ASGD does not support sparse gradients");
        step.apply(next, step.state().ax());
      });
  return loss;
}

}  // namespace wengert::optim
