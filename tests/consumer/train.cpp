// What a project that uses the library compiles: descends to the root of x^2 - 2, and keeps it in files.

#include <wengert/autograd/gradcheck.h>  // by its former path
#include <wengert/autograd/serialize/npz.h>
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
  {
    const torch::NoGradGuard no_grad;  // whose mode is the library's, though this program hides its symbols
    if ((x * x).requires_grad()) return 1;
  }
  std::cout << "root of 2: " << x << "\n";
  torch::save(x, "root.safetensors");
  torch::save_npz({{"root", x}}, "root.npz");
  torch::Tensor loaded;
  torch::load(loaded, "root.safetensors");
  if (!torch::equal(loaded, x) || !torch::equal(torch::load_npz("root.npz").at("root"), x)) return 1;
  return std::abs(x.item<double>() - std::sqrt(2.0)) < 1e-9 ? 0 : 1;
}
