#include <wengert/autograd/serialize/archive.h>
#include <wengert/optim/adam_rule.h>
#include <wengert/optim/adamw.h>

namespace wengert::optim {

void AdamWOptions::check() const { check_adam_options(*this); }

void AdamWOptions::fields(serialize::Fields& fields) {
  fields("lr", lr_)("betas", betas_)("eps", eps_)("weight_decay", weight_decay_)("amsgrad", amsgrad_)("maximize",
                                                                                                      maximize_);
}

void AdamWParamState::fields(serialize::Fields& fields) {
  fields("step", step_)("exp_avg", exp_avg_)("exp_avg_sq", exp_avg_sq_)("max_exp_avg_sq", max_exp_avg_sq_);
}

Tensor AdamW::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  adam_step<true, AdamWOptions, AdamWParamState>(*this, "AdamW");
  return loss;
}

}  // namespace wengert::optim
