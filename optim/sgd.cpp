#include <wengert/autograd/serialize/archive.h>
#include <wengert/optim/rule.h>
#include <wengert/optim/sgd.h>
#include <wengert/optim/update.h>

namespace wengert::optim {
namespace {

struct SGDRule : Descent {
  double lr;

  template <class T>
  [[gnu::always_inline]] void operator()(T& p, T g) const {
    p -= T(lr) * gradient(p, g);
  }
};

template <bool nesterov>
struct MomentumRule : Descent {
  double lr, momentum;
  double decay, weight;  // of the buffer, of the gradient: 0 and 1 in the first step

  template <class T>
  [[gnu::always_inline]] void operator()(T& p, T g, T& buffer) const {
    g = gradient(p, g);
    buffer = T(decay) * buffer + T(weight) * g;
    p -= T(lr) * (nesterov ? g + T(momentum) * buffer : buffer);
  }
};

SGDRule next_without_momentum(const SGDOptions& options, SGDParamState&) {
  return {{options.weight_decay(), options.maximize()}, options.lr()};
}

template <bool nesterov>
MomentumRule<nesterov> next_with_momentum(const SGDOptions& options, SGDParamState& state) {
  const bool first = !std::exchange(state.holds_gradients(), true);
  return {{options.weight_decay(), options.maximize()},
          options.lr(),
          options.momentum(),
          first ? 0 : options.momentum(),
          first ? 1 : 1 - options.dampening()};
}

// The buffer is sparse, too, and has the rows of all gradients so far.
void step_sparse_with_momentum(const ParameterStep<SGDOptions, SGDParamState>& step) {
  tracing::refuse("optim::SGD::step() with a sparse gradient");
  const SGDOptions& options = step.options();
  const Tensor grad = options.maximize() ? step.grad.mul(-1) : step.grad;
  Tensor& buffer = step.state().momentum_buffer();
  buffer =
      buffer.defined() ? buffer.mul(options.momentum()).add(grad, 1 - options.dampening()).coalesce() : grad.coalesce();
  step.parameter.add_(options.nesterov() ? grad.add(buffer, options.momentum()) : buffer, -options.lr());
}

}  // namespace

void SGDOptions::check() const {
  wengert::check(lr_ >= 0, "Invalid learning rate: {}", lr_);
  wengert::check(momentum_ >= 0, "Invalid momentum value: {}", momentum_);
  wengert::check(weight_decay_ >= 0, "Invalid weight_decay value: {}", weight_decay_);
  wengert::check(!nesterov_ || (momentum_ > 0 && dampening_ == 0),
                 "Nesterov momentum requires a momentum and zero dampening");
}

void SGDOptions::fields(serialize::Fields& fields) {
  fields("lr", lr_)("momentum", momentum_)("dampening", dampening_)("weight_decay", weight_decay_)(
      "nesterov", nesterov_)("maximize", maximize_);
}

void SGDParamState::fields(serialize::Fields& fields) {
  fields.dense_or_sparse("momentum_buffer", momentum_buffer_)("holds_gradients", holds_gradients_);
}

Tensor SGD::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  step_each<SGDOptions, SGDParamState>(
      *this, [](const SGDOptions&, const Tensor&, SGDParamState&) {},
      [](const ParameterStep<SGDOptions, SGDParamState>& step) {
        const bool has_momentum = step.options().momentum() != 0;
        if (step.grad.is_sparse()) {
          wengert::check(step.options().weight_decay() == 0,
                         "weight_decay option is not compatible with sparse gradients");
          return has_momentum ? step_sparse_with_momentum(step) : step.apply_rows(next_without_momentum);
        }
        if (!has_momentum) return step.apply(next_without_momentum);
        make_zeros(step.state().momentum_buffer(), step.parameter);
        Tensor& buffer = step.state().momentum_buffer();
        if (step.options().nesterov()) return step.apply(next_with_momentum<true>, buffer);
        step.apply(next_with_momentum<false>, buffer);
      });
  return loss;
}

}  // namespace wengert::optim
