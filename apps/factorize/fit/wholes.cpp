#include <factorize/fit/wholes.h>
#include <wengert/autograd/serialize/archive.h>
#include <wengert/wengert.h>

namespace factorize {

using wengert::Tensor;

Wholes::Wholes(const Processes& processes, const std::vector<Parameter>& parameters)
    : processes_(processes), parameters_(parameters) {
  for (const auto& [own, dim, is_nonnegative] : parameters) {
    begins_.push_back(dim && are_blocks() ? processes.sum_before(own.size(*dim)) : 0);
  }
}

Tensor Wholes::whole(size_t i, const Tensor& own) const {
  const std::optional<int64_t>& dim = parameters_[i].dim;
  if (!dim || !are_blocks()) return own;
  return processes_.all(own.detach().transpose(0, *dim).contiguous()).transpose(0, *dim).contiguous();
}

Tensor Wholes::own(size_t i, const Tensor& whole) const {
  const auto& [own, dim, is_nonnegative] = parameters_[i];
  return dim && are_blocks() ? whole.narrow(*dim, begins_[i], own.size(*dim)).clone() : whole;
}

std::vector<Tensor> Wholes::leaves() const {
  std::vector<Tensor> leaves;
  leaves.reserve(parameters_.size());
  for (size_t i = 0; i < parameters_.size(); ++i) {
    leaves.push_back(whole(i, parameters_[i].own).detach().clone().requires_grad_());
  }
  return leaves;
}

void hand_over(const wengert::optim::Optimizer& from, wengert::optim::Optimizer& to,
               const std::function<Tensor(size_t, const Tensor&)>& change) {
  const std::vector<Tensor> parameters = from.parameters(), others = to.parameters();
  for (size_t i = 0; i < parameters.size(); ++i) {
    const auto found = from.state().find(parameters[i].impl());
    if (found == from.state().end()) continue;
    std::unique_ptr<wengert::optim::OptimizerParamState> state = found->second->clone();
    auto fields = wengert::serialize::Fields::visiting([&](Tensor& tensor) {
      if (tensor.defined() && tensor.sizes() == parameters[i].sizes()) tensor = change(i, tensor);
    });
    state->fields(fields);
    to.state()[others[i].impl()] = std::move(state);
  }
  for (size_t g = 0; g < from.param_groups().size(); ++g) {
    to.param_groups()[g].set_options(from.param_groups()[g].options().clone());
    to.param_groups()[g].initial_lr() = from.param_groups()[g].initial_lr();
  }
}

}  // namespace factorize
