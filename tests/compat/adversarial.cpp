#include TORCH_HEADER  // <torch/torch.h> or <wengert/torch.h>

#include <cstdio>

// Two optimizers at odds: a generator moves a normal distribution to where a discriminator cannot tell it from data.

int main() {
  torch::manual_seed(5);
  const auto leaf = [](torch::IntArrayRef sizes) {
    return (torch::randn(sizes, torch::kDouble) * 0.3).detach().requires_grad_();
  };
  std::vector<torch::Tensor> generator{torch::zeros({1}, torch::dtype(torch::kDouble).requires_grad(true)),
                                       torch::ones({1}, torch::dtype(torch::kDouble).requires_grad(true))};
  std::vector<torch::Tensor> discriminator{leaf({2, 16}), leaf({16}), leaf({16, 1})};
  torch::optim::Adam of_generator(generator, torch::optim::AdamOptions(0.05).betas(std::make_tuple(0.5, 0.9)));
  torch::optim::SGD of_discriminator(discriminator, torch::optim::SGDOptions(0.1).momentum(0.5));

  const auto judge = [&](const torch::Tensor& samples) {
    const auto features = torch::stack({samples, samples * samples * 0.2}, 1);
    return torch::matmul(torch::leaky_relu(torch::matmul(features, discriminator[0]) + discriminator[1], 0.2),
                         discriminator[2])
        .squeeze(1);
  };
  const auto loss_of = [](const torch::Tensor& logits, double target) {
    return torch::binary_cross_entropy_with_logits(logits, torch::full_like(logits, target));
  };
  for (int step = 0; step <= 200; ++step) {
    const auto real = torch::randn({64}, torch::kDouble) * 0.5 + 2;
    const auto noise = torch::randn({64}, torch::kDouble);
    const auto fake = noise * generator[1] + generator[0];

    of_discriminator.zero_grad();
    const auto judgement = loss_of(judge(real), 1) + loss_of(judge(fake.detach()), 0);
    judgement.backward();
    of_discriminator.step();

    of_generator.zero_grad();
    const auto deceit = loss_of(judge(fake), 1);
    deceit.backward();
    of_generator.step();
    if (step % 50 == 0) {
      std::printf("step %3d discriminator %.5f generator %.5f mean %.5f\n", step, judgement.item<double>(),
                  deceit.item<double>(), generator[0].item<double>());
    }
  }
}
