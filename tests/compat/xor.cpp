#include TORCH_HEADER  // <torch/torch.h> or <wengert/torch.h>

#include <cstdio>

// A network of two layers, made of plain tensors, learns the exclusive or.

int main() {
  torch::manual_seed(1);
  const auto x = torch::tensor({{0.0, 0.0}, {0.0, 1.0}, {1.0, 0.0}, {1.0, 1.0}}, torch::kDouble);
  const auto y = torch::tensor({0.0, 1.0, 1.0, 0.0}, torch::dtype(torch::kDouble)).unsqueeze(1);
  const auto options = torch::TensorOptions().dtype(torch::kDouble).requires_grad(true);
  std::vector<torch::Tensor> parameters{torch::randn({2, 8}, options), torch::zeros({8}, options),
                                        torch::randn({8, 1}, options), torch::zeros({1}, options)};
  torch::optim::SGD optimizer(parameters, torch::optim::SGDOptions(0.5).momentum(0.9));
  for (int step = 0; step <= 300; ++step) {
    optimizer.zero_grad();
    const auto hidden = torch::tanh(torch::matmul(x, parameters[0]) + parameters[1]);
    const auto logits = torch::addmm(parameters[3], hidden, parameters[2]);
    const auto loss = torch::binary_cross_entropy_with_logits(logits, y);
    loss.backward();
    optimizer.step();
    if (step % 60 == 0) std::printf("step %3d loss %.6f\n", step, loss.item<double>());
  }
  torch::NoGradGuard no_grad;
  const auto hidden = torch::tanh(torch::matmul(x, parameters[0]) + parameters[1]);
  const auto answers = (hidden.mm(parameters[2]) + parameters[3]) > 0;
  for (int i = 0; i < 4; ++i) std::printf("%d", answers[i][0].item<bool>() ? 1 : 0);
  std::printf("\n");
}
