// For run.py, which stops it in stop_here() and looks at what there is.

#include <wengert/torch.h>

[[gnu::noinline]] void stop_here() { asm volatile(""); }

int main() {
  const torch::Tensor x = torch::arange(6, torch::kFloat).view({2, 3}).requires_grad_();
  const torch::Tensor transposed = x.detach().t();
  const torch::Tensor whole = torch::arange(100);
  const torch::Tensor y = torch::mm(x, torch::ones({3, 1}));
  const torch::Tensor undefined;
  const torch::Dims& sizes = x.impl()->sizes;
  const torch::autograd::Node& node = *y.grad_fn();
  const torch::autograd::Node& leaf = *node.next_edge(0).function;
  stop_here();
  return static_cast<int>(sizes.size() + node.level() + leaf.level() + transposed.dim() + whole.dim() +
                          undefined.dim()) == 0;
}
