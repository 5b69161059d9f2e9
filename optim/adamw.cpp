#include <wengert/optim/adam_rule.h>
#include <wengert/optim/adamw.h>

namespace wengert::optim {

void AdamWOptions::check() const { check_adam_options(*this); }

Tensor AdamW::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  adam_step<true, AdamWOptions, AdamWParamState>(*this, "AdamW");
  return loss;
}

}  // namespace wengert::optim
