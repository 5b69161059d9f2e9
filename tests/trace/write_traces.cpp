// Writes pages of traces, for run.py:  write_traces FOLDER

#include <wengert/torch.h>

#include <fstream>
#include <string>

namespace {

using torch::Tensor;
using torch::autograd::Trace;

void save(const std::string& folder, const std::string& name, const Trace& trace) {
  std::ofstream(folder + "/" + name + ".html") << trace.html(name);
}

void second_gradient(const std::string& folder) {
  const Tensor x = torch::tensor({1.0, 2.0, 3.0}, torch::requires_grad());
  Trace trace;
  trace.name(x, "x");
  const Tensor dx = torch::autograd::grad({(x * x * x).sum()}, {x}, {}, true, /*create_graph=*/true)[0];
  dx.sum().backward();
  save(folder, "second gradient", trace);
}

void in_place(const std::string& folder) {
  const Tensor x = torch::arange(6, torch::kDouble).view({2, 3}).requires_grad_();
  x.sum().backward();
  Trace trace;
  trace.name(x, "x");
  const Tensor y = x * 2;
  y[0].mul_(3);
  y.register_hook([](const Tensor& g) { return g * 10; });
  y.sum().backward();
  save(folder, "in place", trace);
}

// A recurrent network of 60 steps: some 400 Nodes, and gradients too large to be shown as numbers.
void large(const std::string& folder) {
  torch::manual_seed(0);
  const Tensor W = torch::randn({30, 30}).mul_(0.1).requires_grad_(), b = torch::zeros({30}).requires_grad_();
  Tensor h = torch::randn({20, 30});
  Trace trace;
  trace.name(W, "W");
  trace.name(b, "b");
  for (int i = 0; i < 60; ++i) h = torch::tanh(torch::mm(h, W) + b) * torch::sigmoid(h) + h;
  (h * h).mean().backward();
  save(folder, "large", trace);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  second_gradient(argv[1]);
  in_place(argv[1]);
  large(argv[1]);
}
