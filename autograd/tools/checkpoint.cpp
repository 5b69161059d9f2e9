#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/generator.h>
#include <wengert/autograd/tape/autograd.h>
#include <wengert/autograd/tape/engine.h>
#include <wengert/autograd/tape/history.h>
#include <wengert/autograd/tape/saved_tensor.h>
#include <wengert/autograd/tools/checkpoint.h>

#include <algorithm>
#include <optional>

namespace wengert::autograd {
namespace {

bool requires_grad(const Tensor& tensor) { return tensor.defined() && tensor.requires_grad(); }

// Puts the process's generator into a state, and back when it dies.
class RandomStateGuard {
 public:
  explicit RandomStateGuard(const std::optional<Generator>& state) {
    if (!state) return;
    previous_ = get_rng_state();
    set_rng_state(*state);
  }
  ~RandomStateGuard() {
    if (previous_) set_rng_state(*previous_);
  }
  RandomStateGuard(const RandomStateGuard&) = delete;
  RandomStateGuard& operator=(const RandomStateGuard&) = delete;

 private:
  std::optional<Generator> previous_;
};

// y = f(x).   VJP:   f is run again, now recorded, and a backward goes through its graph.
class CheckpointBackward final : public Node {
 public:
  CheckpointBackward(const CheckpointFunction& fn, const variable_list& inputs,
                     const std::optional<Generator>& random_state)
      : fn_(fn), random_state_(random_state) {
    for (const Tensor& input : inputs) inputs_.emplace_back(input);
  }

  Gradients apply(Gradients grads) override {
    check(
        !GradMode::is_enabled(),
        "Checkpointing is not compatible with create_graph: the graph of the second run is not connected to the first");
    variable_list inputs;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const Tensor input = inputs_[i].unpack();
      inputs.push_back(input.defined() ? input.detach() : input);
      if (needs_grad(i)) inputs[i].requires_grad_();
    }
    variable_list outputs;
    {
      const AutoGradMode grad_mode(true);
      const RandomStateGuard random_state(random_state_);
      outputs = fn_(inputs);
    }
    check(outputs.size() == num_inputs(), "A checkpointed function returned {} tensors at first and {} when run again",
          num_inputs(), outputs.size());

    variable_list roots, entering;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (i >= grads.size() || !grads[i].defined() || !requires_grad(outputs[i])) continue;
      roots.push_back(outputs[i]);
      entering.push_back(grads[i]);
    }
    return gradients_of(inputs, roots, entering);
  }

  std::string name() const override { return kName.text; }
  NodeName source() const override { return kName; }
  ArrayRef<SavedTensor> saved_tensors() const override { return inputs_; }
  void release_variables() override {
    for (SavedTensor& input : inputs_) input.release();
  }

 private:
  static constexpr NodeName kName = "CheckpointBackward";
  Gradients gradients_of(const variable_list& inputs, const variable_list& roots, const variable_list& entering) {
    Gradients out(inputs.size());
    if (roots.empty()) return out;
    if (!Engine::running_backward_is_partial()) {
      backward(roots, entering);
      for (size_t i = 0; i < inputs.size(); ++i) {
        if (inputs[i].defined()) out[i] = inputs[i].grad();
      }
      return out;
    }
    // Particular gradients were asked for: no other tensor's grad() may be touched.
    variable_list wanted;
    for (const Tensor& input : inputs) {
      if (requires_grad(input)) wanted.push_back(input);
    }
    variable_list found = grad(roots, wanted, entering, std::nullopt, false, true);
    for (size_t i = 0, next = 0; i < inputs.size(); ++i) {
      if (requires_grad(inputs[i])) out[i] = std::move(found[next++]);
    }
    return out;
  }

  CheckpointFunction fn_;
  std::vector<SavedTensor> inputs_;
  std::optional<Generator> random_state_;
};

}  // namespace

variable_list checkpoint(const CheckpointFunction& fn, const variable_list& inputs, bool preserve_rng_state) {
  if (!GradMode::is_enabled()) return fn(inputs);
  std::optional<Generator> random_state;
  if (preserve_rng_state) random_state = get_rng_state();

  bool recorded = std::any_of(inputs.begin(), inputs.end(), requires_grad);
  variable_list outputs;
  {
    // Where no input requires grad, a parameter that fn knows may: then its graph tells, and is dropped.
    const AutoGradMode grad_mode(!recorded);
    outputs = fn(inputs);
    recorded |= std::any_of(outputs.begin(), outputs.end(), requires_grad);
  }
  if (!recorded) return outputs;

  const std::vector<std::reference_wrapper<const Tensor>> references(inputs.begin(), inputs.end());
  const auto node = make_node<CheckpointBackward>(references, fn, inputs, random_state);
  node->set_num_inputs(static_cast<uint32_t>(outputs.size()));
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].defined()) continue;
    outputs[i] = outputs[i].detach();
    if (outputs[i].is_floating_point()) set_history(outputs[i], node, static_cast<uint32_t>(i));
  }
  return outputs;
}

Tensor checkpoint(const std::function<Tensor(const variable_list&)>& fn, const variable_list& inputs,
                  bool preserve_rng_state) {
  const CheckpointFunction list_of_one = [fn](const variable_list& in) { return variable_list{fn(in)}; };
  return checkpoint(list_of_one, inputs, preserve_rng_state)[0];
}

}  // namespace wengert::autograd
