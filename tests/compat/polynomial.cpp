#include TORCH_HEADER  // <torch/torch.h> or <wengert/torch.h>

#include <cmath>
#include <cstdio>

// A cubic is fitted to the sine: by gradient descent with gradients clipped, and by the normal equations.

int main() {
  torch::manual_seed(2);
  const auto x = torch::linspace(-M_PI, M_PI, 200, torch::kDouble);
  const auto y = torch::sin(x);
  const auto powers = torch::stack({torch::ones_like(x), x, x.pow(2), x.pow(3)}, 1);
  auto w = torch::randn({4}, torch::dtype(torch::kDouble).requires_grad(true));
  torch::optim::Adam optimizer({w}, torch::optim::AdamOptions(0.05));
  for (int step = 1; step <= 500; ++step) {
    optimizer.zero_grad();
    const auto loss = torch::mse_loss(powers.mv(w), y, torch::Reduction::Sum);
    loss.backward();
    const double norm = torch::nn::utils::clip_grad_norm_({w}, 100.0);
    optimizer.step();
    if (step % 100 == 0) std::printf("step %d loss %.5f norm %.5f\n", step, loss.item<double>(), norm);
  }
  const auto gram = powers.t().mm(powers);
  const auto best = torch::linalg_solve(gram, powers.t().mv(y));
  std::printf("best %.6f %.6f", best[1].item<double>(), best[3].item<double>());
  const auto hessian =
      torch::autograd::grad({torch::mse_loss(powers.mv(w), y, torch::Reduction::Sum)}, {w}, {}, true, true)[0];
  const auto curvature = torch::autograd::grad({hessian.sum()}, {w})[0];
  std::printf("\ncurvature %.4f of %.4f\n", curvature.sum().item<double>(), (gram * 2).sum().item<double>());
}
