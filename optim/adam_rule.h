#pragma once

#include <wengert/optim/rule.h>
#include <wengert/optim/update.h>

namespace wengert::optim {

/// A step of Adam or, if `decoupled`, of AdamW.
template <bool decoupled>
struct AdamRule : Descent {
  double lr, beta1, beta2, eps;
  double step_size, correction;  // lr / (1 - beta1^t), sqrt(1 - beta2^t)

  /// largest: of exp_avg_sq so far, with amsgrad.
  template <class T, class... Largest>
  [[gnu::always_inline]] void operator()(T& p, T g, T& exp_avg, T& exp_avg_sq, Largest&... largest) const {
    if constexpr (decoupled) {
      g *= T(sign);
      p *= T(1 - lr * weight_decay);
    } else {
      g = gradient(p, g);
    }
    average(exp_avg, beta1, g);
    average(exp_avg_sq, beta2, g * g);
    T square = exp_avg_sq;
    ((square = largest = largest > square ? largest : square), ...);
    p -= T(step_size) * exp_avg / (std::sqrt(square) / T(correction) + T(eps));
  }

  template <class Options, class State>
  static AdamRule next(const Options& options, State& state) {
    const auto [beta1, beta2] = options.betas();
    const auto t = static_cast<double>(++state.step());
    return {{options.weight_decay(), options.maximize()},
            options.lr(),
            beta1,
            beta2,
            options.eps(),
            options.lr() / (1 - std::pow(beta1, t)),
            std::sqrt(1 - std::pow(beta2, t))};
  }
};

/// Adam's step, or AdamW's. `name`: for the error.
template <bool decoupled, class Options, class State>
void adam_step(Optimizer& optimizer, const char* name) {
  step_each<Options, State>(
      optimizer,
      [](const Options&, const Tensor& parameter, State& state) {
        state.exp_avg(zeros_like(parameter));
        state.exp_avg_sq(zeros_like(parameter));
      },
      [name](const ParameterStep<Options, State>& step) {
        wengert::check(!step.grad.is_sparse(), "{} does not support sparse gradients", name);
        constexpr auto next = &AdamRule<decoupled>::template next<Options, State>;
        State& state = step.state();
        if (!step.options().amsgrad()) return step.apply(next, state.exp_avg(), state.exp_avg_sq());
        make_zeros(state.max_exp_avg_sq(), step.parameter);
        step.apply(next, state.exp_avg(), state.exp_avg_sq(), state.max_exp_avg_sq());
      });
}

}  // namespace wengert::optim
