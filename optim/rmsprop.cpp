#include <wengert/autograd/serialize/archive.h>
#include <wengert/optim/rmsprop.h>
#include <wengert/optim/rule.h>
#include <wengert/optim/update.h>

namespace wengert::optim {
namespace {

struct RMSpropRule : Descent {
  double lr, alpha, eps, momentum;

  template <class T>
  [[gnu::always_inline]] void move(T& p, T g, T divisor) const {
    p -= T(lr) * g / (divisor + T(eps));
  }
  template <class T>
  [[gnu::always_inline]] void move(T& p, T g, T divisor, T& buffer) const {
    buffer = T(momentum) * buffer + g / (divisor + T(eps));
    p -= T(lr) * buffer;
  }
};
struct PlainRule : RMSpropRule {
  // buffer: with momentum.
  template <class T, class... Buffer>
  [[gnu::always_inline]] void operator()(T& p, T g, T& square_avg, Buffer&... buffer) const {
    g = gradient(p, g);
    average(square_avg, alpha, g * g);
    move(p, g, std::sqrt(square_avg), buffer...);
  }
};
struct CenteredRule : RMSpropRule {
  template <class T, class... Buffer>
  [[gnu::always_inline]] void operator()(T& p, T g, T& square_avg, T& grad_avg, Buffer&... buffer) const {
    g = gradient(p, g);
    average(square_avg, alpha, g * g);
    average(grad_avg, alpha, g);
    move(p, g, std::sqrt(square_avg - grad_avg * grad_avg), buffer...);
  }
};

template <class Rule>
Rule next(const RMSpropOptions& options, RMSpropParamState& state) {
  ++state.step();
  return {
      {{options.weight_decay(), options.maximize()}, options.lr(), options.alpha(), options.eps(), options.momentum()}};
}

}  // namespace

void RMSpropOptions::check() const {
  wengert::check(lr_ >= 0, "Invalid learning rate: {}", lr_);
  wengert::check(eps_ >= 0, "Invalid epsilon value: {}", eps_);
  wengert::check(momentum_ >= 0, "Invalid momentum value: {}", momentum_);
  wengert::check(weight_decay_ >= 0, "Invalid weight_decay value: {}", weight_decay_);
  wengert::check(alpha_ >= 0, "Invalid alpha value: {}", alpha_);
}

void RMSpropOptions::fields(serialize::Fields& fields) {
  fields("lr", lr_)("alpha", alpha_)("eps", eps_)("weight_decay", weight_decay_)("momentum", momentum_)(
      "centered", centered_)("maximize", maximize_);
}

void RMSpropParamState::fields(serialize::Fields& fields) {
  fields("step", step_)("square_avg", square_avg_)("momentum_buffer", momentum_buffer_)("grad_avg", grad_avg_);
}

Tensor RMSprop::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  step_each<RMSpropOptions, RMSpropParamState>(
      *this,
      [](const RMSpropOptions&, const Tensor& parameter, RMSpropParamState& state) {
        state.square_avg(zeros_like(parameter));
      },
      [](const ParameterStep<RMSpropOptions, RMSpropParamState>& step) {
        wengert::check(!step.grad.is_sparse(), "RMSprop does not support sparse gradients");
        RMSpropParamState& state = step.state();
        const bool has_momentum = step.options().momentum() > 0;
        if (has_momentum) make_zeros(state.momentum_buffer(), step.parameter);
        if (step.options().centered()) {
          make_zeros(state.grad_avg(), step.parameter);
          if (has_momentum)
            return step.apply(next<CenteredRule>, state.square_avg(), state.grad_avg(), state.momentum_buffer());
          return step.apply(next<CenteredRule>, state.square_avg(), state.grad_avg());
        }
        if (has_momentum) return step.apply(next<PlainRule>, state.square_avg(), state.momentum_buffer());
        step.apply(next<PlainRule>, state.square_avg());
      });
  return loss;
}

}  // namespace wengert::optim
