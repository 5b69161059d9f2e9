#include <wengert/autograd/base/check.h>
#include <wengert/autograd/tape/autograd.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/autograd/tools/gradcheck.h>

#include <cmath>

namespace wengert::autograd {
namespace {

// Position in a tensor of the element with a given number in row-major order.
Dims index_of(int64_t number, IntArrayRef sizes) {
  Dims index(sizes.size());
  for (size_t d = sizes.size(); d-- > 0;) {
    index[d] = number % sizes[d];
    number /= sizes[d];
  }
  return index;
}

// One element, read and written unseen by version counters: the graph of each evaluation is new anyway.
class Element {
 public:
  Element(const Tensor& x, int64_t number) : x_(x), offset_(0) {
    const Dims index = index_of(number, x.sizes());
    for (size_t d = 0; d < index.size(); ++d) offset_ += index[d] * x.strides()[d];
  }
  double get() const { return x_.dtype() == kFloat ? x_.data_ptr<float>()[offset_] : x_.data_ptr<double>()[offset_]; }
  void set(double value) const {
    if (x_.dtype() == kFloat) {
      x_.data_ptr<float>()[offset_] = static_cast<float>(value);
    } else {
      x_.data_ptr<double>()[offset_] = value;
    }
  }

 private:
  const Tensor& x_;
  int64_t offset_;
};

std::vector<double> elements(const Tensor& x) {
  const Tensor flat = x.detach().to(kDouble).contiguous();
  return std::vector<double>(flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel());
}

// Row-major (output elements) x (input elements), by central differences.
std::vector<double> numerical_jacobian(const CheckedFunction& function, const variable_list& inputs, size_t output,
                                       const Tensor& input, double eps) {
  std::vector<double> jacobian;
  for (int64_t column = 0; column < input.numel(); ++column) {
    const Element element(input, column);
    const double original = element.get();  // put back as it was: formulas may compare with what they saved
    element.set(original + eps);
    const std::vector<double> above = elements(function(inputs)[output]);
    element.set(original - eps);
    const std::vector<double> below = elements(function(inputs)[output]);
    element.set(original);
    jacobian.resize(above.size() * static_cast<size_t>(input.numel()));
    for (size_t row = 0; row < above.size(); ++row) {
      jacobian[row * static_cast<size_t>(input.numel()) + static_cast<size_t>(column)] =
          (above[row] - below[row]) / (2 * eps);
    }
  }
  return jacobian;
}

// Row r of the Jacobian is the gradient for a gradient that enters at output element r alone.
std::vector<double> analytical_jacobian(const Tensor& output, const Tensor& input) {
  std::vector<double> jacobian;
  for (int64_t row = 0; row < output.numel(); ++row) {
    const Tensor entering = zeros_like(output);
    Element(entering, row).set(1);
    const Tensor grad = autograd::grad({output}, {input}, {entering}, true, false, true)[0];
    const std::vector<double> values =
        grad.defined() ? elements(grad) : std::vector<double>(static_cast<size_t>(input.numel()), 0);
    jacobian.insert(jacobian.end(), values.begin(), values.end());
  }
  return jacobian;
}

std::string compare(const std::vector<double>& analytical, const std::vector<double>& numerical, size_t output,
                    IntArrayRef output_sizes, size_t input, IntArrayRef input_sizes, const GradcheckOptions& options) {
  const auto columns = static_cast<size_t>(numel_of(input_sizes));
  for (size_t i = 0; i < analytical.size(); ++i) {
    const double a = analytical[i], n = numerical[i];
    const double tolerance = options.atol + options.rtol * std::abs(n);
    if (std::abs(a - n) <= tolerance) continue;  // false for NaN
    return fmt::format(
        "Jacobian mismatch for output {} with respect to input {}: d output{} / d input{} is {} analytically and {} "
        "numerically; they differ by {:.3g}, more than atol {:g} + rtol {:g} * |numerical| = {:.3g}",
        output, input, IntArrayRef(index_of(static_cast<int64_t>(i / columns), output_sizes)),
        IntArrayRef(index_of(static_cast<int64_t>(i % columns), input_sizes)), a, n, std::abs(a - n), options.atol,
        options.rtol, tolerance);
  }
  return "";
}

// Numbers without a pattern that a gradient formula could have in common with them.
Tensor arbitrary_like(const Tensor& like) {
  Tensor out = empty_like(like);
  for (int64_t i = 0; i < out.numel(); ++i) {
    const double value = std::cos(1.7 * static_cast<double>(i) + 0.3) + 0.2;
    if (out.dtype() == kFloat) {
      out.data_ptr<float>()[i] = static_cast<float>(value);
    } else {
      out.data_ptr<double>()[i] = value;
    }
  }
  return out;
}

}  // namespace

bool gradcheck(const CheckedFunction& function, const variable_list& inputs, const GradcheckOptions& options) {
  const variable_list outputs = function(inputs);
  bool any_input = false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined() || !inputs[i].requires_grad()) continue;
    any_input = true;
    for (size_t o = 0; o < outputs.size(); ++o) {
      const Tensor& output = outputs[o];
      if (!output.defined() || !output.is_floating_point()) continue;
      const std::vector<double> numerical = numerical_jacobian(function, inputs, o, inputs[i], options.eps);
      const std::vector<double> analytical =
          output.requires_grad() ? analytical_jacobian(output, inputs[i]) : std::vector<double>(numerical.size(), 0);
      const std::string mismatch = compare(analytical, numerical, o, output.sizes(), i, inputs[i].sizes(), options);
      if (mismatch.empty()) continue;
      if (options.raise_exception) throw Error(mismatch);
      return false;
    }
  }
  check(
      any_input,
      "gradcheck expects at least one input tensor to require gradient, but none of the them have requires_grad=True.");
  return true;
}

bool gradgradcheck(const CheckedFunction& function, const variable_list& inputs, const variable_list& grad_outputs,
                   const GradcheckOptions& options) {
  variable_list entering = grad_outputs;
  std::vector<size_t> differentiable;
  {
    const variable_list outputs = function(inputs);
    for (size_t o = 0; o < outputs.size(); ++o) {
      if (outputs[o].defined() && outputs[o].requires_grad()) differentiable.push_back(o);
    }
    if (entering.empty()) {
      for (const size_t o : differentiable) entering.push_back(arbitrary_like(outputs[o]).requires_grad_());
    }
  }
  if (differentiable.empty()) return true;  // no output depends on an input: nothing to differentiate

  const CheckedFunction gradient = [&, count = inputs.size()](const variable_list& all) {
    const variable_list x(all.begin(), all.begin() + static_cast<ptrdiff_t>(count));
    const variable_list g(all.begin() + static_cast<ptrdiff_t>(count), all.end());
    const variable_list outputs = function(x);
    variable_list chosen, wanted;
    for (const size_t o : differentiable) chosen.push_back(outputs[o]);
    for (const Tensor& input : x) {
      if (input.defined() && input.requires_grad()) wanted.push_back(input);
    }
    variable_list grads = autograd::grad(chosen, wanted, g, true, true, true);
    for (size_t i = 0; i < grads.size(); ++i) {
      if (!grads[i].defined()) grads[i] = zeros_like(wanted[i]);
    }
    return grads;
  };
  variable_list all = inputs;
  all.insert(all.end(), entering.begin(), entering.end());
  return gradcheck(gradient, all, options);
}

}  // namespace wengert::autograd
