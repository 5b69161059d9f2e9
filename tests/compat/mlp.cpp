#include TORCH_HEADER  // <torch/torch.h> or <wengert/torch.h>

#include <cstdio>

// A classifier of three classes on a made-up set: spirals, mini-batches, dropout, layer norm, parameter groups.

namespace {

struct Data {
  torch::Tensor points, classes;
};

Data spirals(int64_t each) {
  std::vector<torch::Tensor> points, classes;
  for (int64_t c = 0; c < 3; ++c) {
    const auto t = torch::linspace(0.1, 1, each, torch::kDouble);
    const auto angle = t * 4 + static_cast<double>(c) * 2.0943951023931953 + torch::randn({each}, torch::kDouble) * 0.1;
    points.push_back(torch::stack({t * angle.cos(), t * angle.sin()}, 1));
    classes.push_back(torch::full({each}, c, torch::kLong));
  }
  return {torch::cat(points), torch::cat(classes)};
}

}  // namespace

int main() {
  torch::manual_seed(3);
  const Data data = spirals(60);
  const auto leaf = [](torch::IntArrayRef sizes, double scale) {
    return (torch::randn(sizes, torch::kDouble) * scale).requires_grad_();
  };
  std::vector<torch::Tensor> weights{leaf({24, 2}, 1.0), leaf({24, 24}, 0.2), leaf({3, 24}, 0.2)};
  std::vector<torch::Tensor> biases{leaf({24}, 0.1), leaf({24}, 0.1), leaf({3}, 0.1)};
  std::vector<torch::optim::OptimizerParamGroup> groups;
  groups.emplace_back(weights,
                      std::make_unique<torch::optim::AdamOptions>(torch::optim::AdamOptions(0.01).weight_decay(1e-4)));
  groups.emplace_back(biases);
  torch::optim::Adam optimizer(groups, torch::optim::AdamOptions(0.02));

  const auto model = [&](const torch::Tensor& x, bool train) {
    auto h = torch::relu(torch::linear(x, weights[0], biases[0]));
    h = torch::layer_norm(h, {24});
    h = torch::gelu(torch::linear(torch::dropout(h, 0.1, train), weights[1], biases[1]));
    return torch::linear(h, weights[2], biases[2]);
  };
  for (int epoch = 0; epoch < 20; ++epoch) {
    const auto order = torch::randperm(data.classes.size(0));
    double total = 0;
    for (const auto& batch : order.split(30)) {
      optimizer.zero_grad();
      const auto loss = torch::cross_entropy_loss(model(data.points.index({batch}), true), data.classes.index({batch}));
      loss.backward();
      optimizer.step();
      total += loss.item<double>();
    }
    if (epoch % 5 == 4) std::printf("epoch %2d loss %.5f\n", epoch, total / 6);
  }
  torch::NoGradGuard no_grad;
  const auto logits = model(data.points, false);
  const auto right = (std::get<1>(logits.max(1)) == data.classes).sum().item<int64_t>();
  std::printf("right %d of %d, entropy %.5f\n", static_cast<int>(right), static_cast<int>(data.classes.numel()),
              -(logits.softmax(1) * logits.log_softmax(1)).sum(1).mean().item<double>());
}
