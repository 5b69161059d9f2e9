#include TORCH_HEADER

#include <iostream>

// A program that adds to libtorch's namespaces, as many do, and prints what everybody prints.

namespace torch {
Tensor doubled(const Tensor& x) { return x * 2; }
namespace optim {
// Steps against the sign of the gradient.
void sign_step(const Tensor& parameter, double rate) {
  NoGradGuard no_grad;
  parameter.sub_(parameter.grad().sign(), rate);
}
}  // namespace optim
namespace nn {
struct Scale {
  Tensor factor;
  Tensor forward(const Tensor& x) const { return x * factor; }
};
}  // namespace nn
}  // namespace torch
namespace at {
int64_t rows_of(const Tensor& x) { return x.size(0); }
}  // namespace at
namespace c10 {
int64_t total(IntArrayRef sizes) {
  int64_t product = 1;
  for (int64_t size : sizes) product *= size;
  return product;
}
}  // namespace c10

int main() {
  const torch::nn::Scale scale{torch::full({3}, 2.0, torch::requires_grad())};
  const torch::Tensor x = torch::arange(6, torch::kFloat).view({2, 3});
  for (int step = 0; step < 3; ++step) {
    if (scale.factor.grad().defined()) scale.factor.grad().zero_();
    const torch::Tensor loss = torch::doubled(scale.forward(x)).pow(2).sum();
    loss.backward();
    torch::optim::sign_step(scale.factor, 0.25);
    std::cout << loss.item<float>() << "\n";
  }
  std::cout << at::rows_of(x) << " " << c10::total(x.sizes()) << "\n";
  std::cout << x.sizes() << " " << x.strides() << " " << x.sum().sizes() << " " << x.device() << " "
            << torch::Device("cpu") << " " << torch::kCPU << " " << x.layout() << " " << torch::cuda::is_available()
            << "\n";
}
