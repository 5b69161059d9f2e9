#include <wengert/autograd/serialize/archive.h>
#include <wengert/optim/adagrad.h>
#include <wengert/optim/rule.h>
#include <wengert/optim/update.h>

namespace wengert::optim {
namespace {

struct AdagradRule : Descent {
  double lr, eps;  // the rate of this step

  template <class T>
  [[gnu::always_inline]] void operator()(T& p, T g, T& sum) const {
    g = gradient(p, g);
    sum += g * g;
    p -= T(lr) * g / (std::sqrt(sum) + T(eps));
  }
};

AdagradRule next(const AdagradOptions& options, AdagradParamState& state) {
  const auto steps_before = static_cast<double>(state.step()++);
  return {{options.weight_decay(), options.maximize()},
          options.lr() / (1 + steps_before * options.lr_decay()),
          options.eps()};
}

}  // namespace

void AdagradOptions::check() const {
  wengert::check(lr_ >= 0, "Invalid learning rate: {}", lr_);
  wengert::check(lr_decay_ >= 0, "Invalid lr_decay value: {}", lr_decay_);
  wengert::check(weight_decay_ >= 0, "Invalid weight_decay value: {}", weight_decay_);
  wengert::check(initial_accumulator_value_ >= 0, "Invalid initial_accumulator_value value: {}",
                 initial_accumulator_value_);
  wengert::check(eps_ >= 0, "Invalid epsilon value: {}", eps_);
}

void AdagradOptions::fields(serialize::Fields& fields) {
  fields("lr", lr_)("lr_decay", lr_decay_)("weight_decay", weight_decay_)(
      "initial_accumulator_value", initial_accumulator_value_)("eps", eps_)("maximize", maximize_);
}

void AdagradParamState::fields(serialize::Fields& fields) { fields("step", step_)("sum", sum_); }

Tensor Adagrad::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  step_each<AdagradOptions, AdagradParamState>(
      *this,
      [](const AdagradOptions& options, const Tensor& parameter, AdagradParamState& state) {
        state.sum(full_like(parameter, options.initial_accumulator_value()));
      },
      [](const ParameterStep<AdagradOptions, AdagradParamState>& step) {
        if (!step.grad.is_sparse()) return step.apply(next, step.state().sum());
        wengert::check(step.options().weight_decay() == 0,
                       "weight_decay option is not compatible with sparse gradients");
        step.apply_rows(next, step.state().sum());
      });
  return loss;
}

}  // namespace wengert::optim
