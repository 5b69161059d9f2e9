#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/ops/kernels/target.h>
#include <wengert/optim/update.h>

#include <algorithm>

namespace wengert::optim {

Optimizer::Optimizer(std::vector<OptimizerParamGroup> groups, std::unique_ptr<OptimizerOptions> defaults)
    : defaults_(std::move(defaults)) {
  defaults_->check();
  for (const OptimizerParamGroup& group : groups) add_param_group(group);
}

void Optimizer::add_param_group(const OptimizerParamGroup& group) {
  const std::vector<Tensor> present = parameters();
  for (const Tensor& parameter : group.params()) {
    wengert::check(parameter.defined() && parameter.is_leaf(), "can't optimize a non-leaf Tensor");
    wengert::check(std::none_of(present.begin(), present.end(), [&](const Tensor& p) { return p.is_same(parameter); }),
                   "some parameters appear in more than one parameter group");
  }
  OptimizerParamGroup added = group;
  if (!added.has_options()) added.set_options(defaults_->clone());
  added.options().check();
  groups_.push_back(std::move(added));
}

std::vector<Tensor> Optimizer::parameters() const {
  std::vector<Tensor> all;
  for (const OptimizerParamGroup& group : groups_) all.insert(all.end(), group.params().begin(), group.params().end());
  return all;
}

void Optimizer::zero_grad(bool set_to_none) {
  for (OptimizerParamGroup& group : groups_) {
    for (const Tensor& parameter : group.params()) {
      Tensor& grad = parameter.mutable_grad();
      if (!grad.defined()) continue;
      if (set_to_none) {
        grad = Tensor();
      } else {
        grad.detach_();
        grad.zero_();
      }
    }
  }
}

Tensor Optimizer::compute_loss(const LossClosure& closure) {
  if (!closure) return {};
  const AutoGradMode enabled(true);
  return closure();
}

bool has_avx2() {
  static const bool present = [] {
    const kernels::simd::Target target = kernels::simd::choose_target();
    return target == kernels::simd::Target::kAvx2 || target == kernels::simd::Target::kAvx512;
  }();
  return present;
}

}  // namespace wengert::optim
