#include <wengert/autograd/serialize/archive.h>
#include <wengert/optim/sparse_adam.h>
#include <wengert/optim/update.h>

namespace wengert::optim {
namespace {

struct SparseAdamRule {
  double step_size, beta1, beta2, eps;
  bool maximize;

  template <class T>
  [[gnu::always_inline]] void operator()(T& p, T g, T& exp_avg, T& exp_avg_sq) const {
    if (maximize) g = -g;
    exp_avg += T(1 - beta1) * (g - exp_avg);
    exp_avg_sq += T(1 - beta2) * (g * g - exp_avg_sq);
    p -= T(step_size) * exp_avg / (std::sqrt(exp_avg_sq) + T(eps));
  }
};

SparseAdamRule next(const SparseAdamOptions& options, SparseAdamParamState& state) {
  const auto [beta1, beta2] = options.betas();
  const auto t = static_cast<double>(++state.step());
  const double step_size = options.lr() * std::sqrt(1 - std::pow(beta2, t)) / (1 - std::pow(beta1, t));
  return {step_size, beta1, beta2, options.eps(), options.maximize()};
}

}  // namespace

void SparseAdamOptions::check() const {
  const auto [beta1, beta2] = betas_;
  wengert::check(lr_ > 0, "Invalid learning rate: {}", lr_);
  wengert::check(eps_ > 0, "Invalid epsilon value: {}", eps_);
  wengert::check(0 <= beta1 && beta1 < 1, "Invalid beta parameter at index 0: {}", beta1);
  wengert::check(0 <= beta2 && beta2 < 1, "Invalid beta parameter at index 1: {}", beta2);
}

void SparseAdamOptions::fields(serialize::Fields& fields) {
  fields("lr", lr_)("betas", betas_)("eps", eps_)("maximize", maximize_);
}

void SparseAdamParamState::fields(serialize::Fields& fields) {
  fields("step", step_)("exp_avg", exp_avg_)("exp_avg_sq", exp_avg_sq_);
}

Tensor SparseAdam::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  step_each<SparseAdamOptions, SparseAdamParamState>(
      *this,
      [](const SparseAdamOptions&, const Tensor& parameter, SparseAdamParamState& state) {
        state.exp_avg(zeros_like(parameter));
        state.exp_avg_sq(zeros_like(parameter));
      },
      [](const ParameterStep<SparseAdamOptions, SparseAdamParamState>& step) {
        wengert::check(step.grad.is_sparse(),
                       "SparseAdam does not support dense gradients, please consider Adam instead");
        step.apply_rows(next, step.state().exp_avg(), step.state().exp_avg_sq());
      });
  return loss;
}

}  // namespace wengert::optim
