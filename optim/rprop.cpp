#include <wengert/autograd/serialize/archive.h>
#include <wengert/optim/rprop.h>
#include <wengert/optim/update.h>

namespace wengert::optim {
namespace {

struct RpropRule {
  double etaminus, etaplus, smallest, largest;
  bool maximize;

  template <class T>
  [[gnu::always_inline]] void operator()(T& p, T g, T& prev, T& step_size) const {
    if (maximize) g = -g;
    const T sign = g * prev;
    const T s = step_size * (sign > 0 ? T(etaplus) : sign < 0 ? T(etaminus) : T(1));
    step_size = s < T(smallest) ? T(smallest) : s > T(largest) ? T(largest) : s;
    g = sign < 0 ? T(0) : g;
    p -= g > 0 ? step_size : g < 0 ? -step_size : T(0);
    prev = g;
  }
};

RpropRule next(const RpropOptions& options, RpropParamState& state) {
  ++state.step();
  const auto [etaminus, etaplus] = options.etas();
  const auto [smallest, largest] = options.step_sizes();
  return {etaminus, etaplus, smallest, largest, options.maximize()};
}

}  // namespace

void RpropOptions::check() const {
  wengert::check(lr_ >= 0, "Invalid learning rate: {}", lr_);
  const auto [etaminus, etaplus] = etas_;
  wengert::check(0 < etaminus && etaminus < 1 && 1 < etaplus, "Invalid eta values: {}, {}", etaminus, etaplus);
}

void RpropOptions::fields(serialize::Fields& fields) {
  fields("lr", lr_)("etas", etas_)("step_sizes", step_sizes_)("maximize", maximize_);
}

void RpropParamState::fields(serialize::Fields& fields) {
  fields("step", step_)("prev", prev_)("step_size", step_size_);
}

Tensor Rprop::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  step_each<RpropOptions, RpropParamState>(
      *this,
      [](const RpropOptions& options, const Tensor& parameter, RpropParamState& state) {
        state.prev(zeros_like(parameter));
        state.step_size(full_like(parameter, options.lr()));
      },
      [](const ParameterStep<RpropOptions, RpropParamState>& step) {
        wengert::check(!step.grad.is_sparse(), "Rprop does not support sparse gradients");
        step.apply(next, step.state().prev(), step.state().step_size());
      });
  return loss;
}

}  // namespace wengert::optim
