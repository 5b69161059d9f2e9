#include <wengert/autograd/serialize/archive.h>
#include <wengert/optim/adam.h>
#include <wengert/optim/adam_rule.h>

namespace wengert::optim {

void AdamOptions::check() const { check_adam_options(*this); }

void AdamOptions::fields(serialize::Fields& fields) {
  fields("lr", lr_)("betas", betas_)("eps", eps_)("weight_decay", weight_decay_)("amsgrad", amsgrad_)("maximize",
                                                                                                      maximize_);
}

void AdamParamState::fields(serialize::Fields& fields) {
  fields("step", step_)("exp_avg", exp_avg_)("exp_avg_sq", exp_avg_sq_)("max_exp_avg_sq", max_exp_avg_sq_);
}

Tensor Adam::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  adam_step<false, AdamOptions, AdamParamState>(*this, "Adam");
  return loss;
}

}  // namespace wengert::optim
