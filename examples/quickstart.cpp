#include <wengert/torch.h>

#include <iostream>

int main() {
  torch::manual_seed(0);
  const torch::Tensor D = torch::rand({3, 4});  // to be approximated by C F
  const torch::Tensor C = torch::rand({3, 2}, torch::requires_grad());
  const torch::Tensor F = torch::rand({2, 4}, torch::requires_grad());
  torch::optim::SGD sgd({C, F}, /*lr=*/0.1);
  for (int iteration = 0; iteration < 2000; ++iteration) {
    sgd.zero_grad();
    torch::sum(torch::pow(D - torch::mm(C, F), 2)).backward();
    sgd.step();
  }
  std::cout << "D\n" << D << "\nC F\n" << torch::mm(C, F) << "\n";
}
