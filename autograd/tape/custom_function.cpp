#include <cxxabi.h>
#include <wengert/autograd/base/check.h>
#include <wengert/autograd/tape/custom_function.h>
#include <wengert/autograd/tape/history.h>
#include <wengert/autograd/tensor/factories.h>

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace wengert::autograd {
namespace {

bool contains(const variable_list& list, const Tensor& tensor) {
  return std::any_of(list.begin(), list.end(), [&](const Tensor& t) { return t.is_same(tensor); });
}

}  // namespace

std::string short_type_name(const std::type_info& type) {
  const std::unique_ptr<char, decltype(&std::free)> demangled(
      abi::__cxa_demangle(type.name(), nullptr, nullptr, nullptr), &std::free);
  const std::string name = demangled ? demangled.get() : type.name();
  const size_t colon = name.rfind("::");
  return colon == std::string::npos ? name : name.substr(colon + 2);
}

variable_list AutogradContext::get_saved_variables() const {
  check(!node_->released_,
        "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
        "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
        "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
        "saved tensors after calling backward.");
  variable_list unpacked;
  for (const SavedTensor& saved : saved_) unpacked.push_back(saved.unpack(node_));
  return unpacked;
}

bool AutogradContext::needs_input_grad(size_t i) const { return node_->needs_grad(i); }

void FunctionNode::add_argument(const Tensor& input) {
  argument_is_tensor_.push_back(true);
  inputs_.push_back(input);
}

void FunctionNode::connect() {
  recorded_ = GradMode::is_enabled() && std::any_of(inputs_.begin(), inputs_.end(), [](const Tensor& input) {
                return input.defined() && input.requires_grad();
              });
  if (!recorded_) return;
  for (const Tensor& input : inputs_) {
    add_next_edge(input.defined() ? gradient_edge(input) : Edge());
    input_meta_.push_back(input.defined() ? std::optional<Meta>(meta_of(input)) : std::nullopt);
  }
}

Tensor FunctionNode::give_history(const Tensor& output, const IntrusivePtr<Node>& self, uint32_t output_nr) {
  const bool is_input = contains(inputs_, output);
  if (contains(context_.dirty_, output)) {
    check(!(output.is_leaf() && output.requires_grad()) || !GradMode::is_enabled(),
          "a leaf Variable that requires grad has been used in an in-place operation.");
    return end_in_place(output, recorded_ ? self : nullptr, output_nr);
  }
  const bool differentiable =
      recorded_ && output.is_floating_point() && !contains(context_.non_differentiable_, output);
  // An input returned as it is becomes an output in its own right: the same elements, another history.
  Tensor out = is_input || (!differentiable && output.requires_grad()) ? output.detach() : output;
  if (differentiable) set_history(out, self, output_nr);
  return out;
}

void FunctionNode::finish(variable_list& outputs, const IntrusivePtr<Node>& self) {
  variable_list given;
  for (const Tensor& output : outputs) {
    const auto i = static_cast<ptrdiff_t>(given.size());
    output_meta_.push_back(output.defined() ? meta_of(output) : Meta{{}, get_default_dtype()});
    // An output that is returned twice is one tensor for the caller too.
    const auto first =
        std::find_if(outputs.begin(), outputs.begin() + i, [&](const Tensor& t) { return t.is_same(output); });
    if (first != outputs.begin() + i) {
      given.push_back(given[static_cast<size_t>(first - outputs.begin())]);
    } else {
      given.push_back(output.defined() ? give_history(output, self, static_cast<uint32_t>(i)) : Tensor());
    }
  }
  set_num_inputs(static_cast<uint32_t>(outputs.size()));
  if (recorded_) {
    for (const Tensor& tensor : context_.to_save_) {
      const auto output = std::find_if(outputs.begin(), outputs.end(),
                                       [&](const Tensor& t) { return tensor.defined() && t.is_same(tensor); });
      const bool is_output =
          output != outputs.end() && !(contains(inputs_, tensor) && !contains(context_.dirty_, tensor));
      context_.saved_.push_back(is_output ? SavedTensor::output(tensor, static_cast<uint32_t>(output - outputs.begin()))
                                          : SavedTensor(tensor));
    }
  }
  context_.to_save_.clear();
  context_.dirty_.clear();
  context_.non_differentiable_.clear();
  inputs_.clear();
  outputs = std::move(given);
}

Gradients FunctionNode::apply(Gradients grads) {
  variable_list entering(output_meta_.size());
  for (size_t i = 0; i < entering.size(); ++i) {
    if (i < grads.size() && grads[i].defined()) {
      entering[i] = std::move(grads[i]);
    } else if (context_.materialize_grads_) {
      entering[i] = zeros(output_meta_[i].sizes, output_meta_[i].dtype);
    }
  }
  variable_list returned = call_backward(&context_, std::move(entering));

  const size_t expected = argument_is_tensor_.size();
  while (returned.size() > expected && !returned.back().defined()) returned.pop_back();
  check(
      returned.size() == expected,
      "function {} returned an incorrect number of gradients (expected {}, got {}) (docs/errors/function-gradients.md)",
      name_, expected, returned.size());
  Gradients out;
  for (size_t i = 0; i < expected; ++i) {
    Tensor& grad = returned[i];
    if (!argument_is_tensor_[i]) {
      check(!grad.defined(),
            "function {} returned a gradient different than None at position {}, but the corresponding forward input "
            "was not a Variable",
            name_, i + 1);
      continue;
    }
    const std::optional<Meta>& meta = input_meta_[out.size()];
    if (grad.defined() && meta) {
      check(is_expandable_to(meta->sizes, grad.sizes()),
            "Function {} returned an invalid gradient at index {} - got {} but expected shape compatible with {}",
            name_, i, grad.sizes(), IntArrayRef(meta->sizes));
      grad = grad.sum_to_size(meta->sizes).to(meta->dtype);
    }
    out.push_back(std::move(grad));
  }
  return out;
}

void FunctionNode::release_variables() {
  released_ = !context_.saved_.empty();
  context_.saved_.clear();
}

}  // namespace wengert::autograd
