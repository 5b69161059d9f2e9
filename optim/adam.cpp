#include <wengert/optim/adam.h>
#include <wengert/optim/adam_rule.h>

namespace wengert::optim {

void AdamOptions::check() const { check_adam_options(*this); }

Tensor Adam::step(LossClosure closure) {
  const NoGradGuard no_grad;
  Tensor loss = compute_loss(closure);
  adam_step<false, AdamOptions, AdamParamState>(*this, "Adam");
  return loss;
}

}  // namespace wengert::optim
