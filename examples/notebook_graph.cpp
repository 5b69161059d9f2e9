// Prints the graph of loss = sum (D - C F)^2, with what flows through it when the loss goes backward, in Graphviz's
// language:  notebook_graph | dot -Tsvg > graph.svg

#include <wengert/torch.h>

#include <iostream>

int main() {
  const torch::Tensor D = torch::rand({3, 4});
  const torch::Tensor C = torch::rand({3, 2}, torch::requires_grad());
  const torch::Tensor F = torch::rand({2, 4}, torch::requires_grad());
  torch::Tensor loss = torch::sum(torch::pow(D - torch::mm(C, F), 2));
  torch::autograd::Trace trace;
  trace.name(C, "C");
  trace.name(F, "F");
  loss.backward();
  std::cout << trace.dot();
}
