// An operation with a gradient of one's own: log(1 + e^x), written so that neither large nor small x
// overflows, and checked against finite differences.

#include <wengert/torch.h>

#include <iostream>

using torch::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Softplus : torch::autograd::Function<Softplus> {
  // softplus(x) = max(x, 0) + log(1 + e^-|x|)
  static Tensor forward(AutogradContext* ctx, const Tensor& x) {
    ctx->save_for_backward({x});
    return x.relu() + (1 + (-x.abs()).exp()).log();
  }

  // d softplus / dx = sigmoid(x)
  static variable_list backward(AutogradContext* ctx, variable_list grad_outputs) {
    return {grad_outputs[0] * ctx->get_saved_variables()[0].sigmoid()};
  }
};

int main() {
  const Tensor x = torch::tensor({-1000.0, -1.5, 0.5, 2.0, 1000.0}, torch::requires_grad());
  const Tensor y = Softplus::apply(x);
  y.sum().backward();
  std::cout << "softplus " << y << "\ngradient " << x.grad() << "\n";

  const Tensor near_zero = torch::tensor({-2.0, -0.5, 0.25, 3.0}, torch::dtype(torch::kDouble).requires_grad(true));
  const auto softplus = torch::autograd::returning_one([](const variable_list& in) { return Softplus::apply(in[0]); });
  torch::autograd::gradcheck(softplus, {near_zero});
  torch::autograd::gradgradcheck(softplus, {near_zero});
  std::cout << "first and second derivatives agree with finite differences\n";
}
