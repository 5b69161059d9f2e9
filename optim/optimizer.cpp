#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/serialize/archive.h>
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

// In an archive "param_groups.size", and for group i its options under "param_groups.i", with how many parameters it
// has in "param_groups.i.params"; for the i-th of all parameters its state under "state.i".

namespace {

std::string group_name(size_t i) { return "param_groups." + std::to_string(i); }
std::string state_name(size_t i) { return "state." + std::to_string(i); }

}  // namespace

void OptimizerOptions::fields(serialize::Fields&) { wengert::fail("these options do not override fields()"); }
void OptimizerParamState::fields(serialize::Fields&) { wengert::fail("this state does not override fields()"); }

void Optimizer::save(serialize::OutputArchive& archive) const {
  serialize::Fields fields(archive);
  archive.write("param_groups.size", static_cast<int64_t>(groups_.size()));
  for (size_t i = 0; i < groups_.size(); ++i) {
    archive.write(group_name(i) + ".params", static_cast<int64_t>(groups_[i].params().size()));
    fields.of(group_name(i), *groups_[i].shared_options());
    std::optional<double> initial_lr = groups_[i].initial_lr();
    fields(group_name(i) + ".initial_lr", initial_lr);
  }
  const std::vector<Tensor> all = parameters();
  for (size_t i = 0; i < all.size(); ++i) {
    const auto state = state_.find(all[i].impl());
    if (state != state_.end() && state->second) fields.of(state_name(i), *state->second);
  }
}

void Optimizer::load(const serialize::InputArchive& archive) {
  auto fields = serialize::Fields::reading(archive);
  int64_t size = 0;
  archive.read("param_groups.size", size);
  if (size != static_cast<int64_t>(groups_.size())) {
    archive.fail(fmt::format("it has {} parameter groups; the optimizer has {}", size, groups_.size()));
  }
  for (size_t i = 0; i < groups_.size(); ++i) {
    archive.read(group_name(i) + ".params", size);
    if (size != static_cast<int64_t>(groups_[i].params().size())) {
      archive.fail(fmt::format("parameter group {} has {} parameters; the optimizer's has {}", i, size,
                               groups_[i].params().size()));
    }
    const std::unique_ptr<OptimizerOptions> options = groups_[i].options().clone();
    fields.of(group_name(i), *options);
    options->check();
    std::optional<double> initial_lr;
    fields(group_name(i) + ".initial_lr", initial_lr);
  }
  StateMap states;
  const std::vector<Tensor> all = parameters();
  for (size_t i = 0; i < all.size(); ++i) {
    if (!archive.contains(state_name(i))) continue;
    std::shared_ptr<OptimizerParamState> state = new_state();
    wengert::check(state != nullptr, "this optimizer does not override new_state()");
    fields.expect(state_sizes(all[i]), all[i].dtype());
    fields.of(state_name(i), *state);
    states[all[i].impl()] = std::move(state);
  }
  // All is there, and fits.
  for (size_t i = 0; i < groups_.size(); ++i) {
    fields.of(group_name(i), groups_[i].options());  // as they may be known to a Replay, they stay the same object
    fields(group_name(i) + ".initial_lr", groups_[i].initial_lr());
  }
  state_ = std::move(states);
}

Tensor Optimizer::compute_loss(const LossClosure& closure) {
  if (!closure) return {};
  const AutoGradMode enabled(true);
  return closure();
}

}  // namespace wengert::optim
