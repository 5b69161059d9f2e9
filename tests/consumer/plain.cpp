// What a program that knows the library by pkg-config alone compiles.

#include <wengert/torch.h>

#include <iostream>

int main() {
  const torch::Tensor x = torch::tensor({1.0, 2.0}, torch::requires_grad());
  (x * x).sum().backward();
  std::cout << x.grad() << "\n";
  return x.grad()[1].item<double>() == 4 ? 0 : 1;
}
