// What a project that uses the library compiles: descends to the root of x^2 - 2.

#include <wengert/autograd/gradcheck.h>  // by its former path
#include <wengert/torch.h>

#include <cmath>
#include <iostream>

int main() {
  const torch::Tensor x = torch::ones({}, torch::dtype(torch::kDouble).requires_grad(true));
  torch::optim::SGD sgd({x}, 0.05);
  for (int i = 0; i < 200; ++i) {
    sgd.zero_grad();
    (x * x - 2).square().backward();
    sgd.step();
  }
  std::cout << "root of 2: " << x << "\n";
  return std::abs(x.item<double>() - std::sqrt(2.0)) < 1e-9 ? 0 : 1;
}
