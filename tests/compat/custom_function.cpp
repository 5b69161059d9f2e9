#include TORCH_HEADER  // <torch/torch.h> or <wengert/torch.h>

#include <cstdio>

// Functions with gradients of their own: a clipped logarithm with a straight-through gradient, and one of several
// outputs, one of which has no gradient. Hooks, retain_grad, views and in-place changes around them.

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

struct SafeLog : Function<SafeLog> {
  static torch::Tensor forward(AutogradContext* ctx, torch::Tensor x, double least) {
    ctx->save_for_backward({x});
    ctx->saved_data["least"] = least;
    return torch::log(x.clamp_min(least));
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto x = ctx->get_saved_variables()[0];
    return {grads[0] / x.clamp_min(ctx->saved_data["least"].toDouble()), torch::Tensor()};
  }
};

struct Standardize : Function<Standardize> {
  static variable_list forward(AutogradContext* ctx, torch::Tensor x) {
    const auto mean = x.mean(), scale = 1 / x.std(false);
    const auto y = (x - mean) * scale;
    const auto outliers = y.abs() > 1.5;
    ctx->save_for_backward({y, scale});
    ctx->mark_non_differentiable({outliers});
    return {y, outliers};
  }
  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const auto saved = ctx->get_saved_variables();
    const auto &y = saved[0], &scale = saved[1], &g = grads[0];
    return {scale * (g - g.mean() - y * (g * y).mean())};
  }
};

int main() {
  torch::manual_seed(4);
  auto x = torch::rand({5, 4}, torch::dtype(torch::kDouble).requires_grad(true));
  int calls = 0;
  x.register_hook([&](torch::Tensor) { ++calls; });
  const auto logs = SafeLog::apply(x - 0.2, 0.05);
  logs.retain_grad();
  const auto parts = Standardize::apply(logs.flatten());
  auto y = parts[0].view({5, 4}) * 2;
  y.select(0, 1).mul_(3);
  y.index_put_({torch::indexing::Slice(2, 4), 0}, x.sum());
  const auto loss = (y.pow(2) + torch::where(parts[1].view({5, 4}), y, torch::zeros_like(y))).sum();
  loss.backward();
  std::printf("loss %.8f grad %.8f of logs %.8f, %d calls, outliers %d\n", loss.item<double>(),
              x.grad().norm().item<double>(), logs.grad().abs().sum().item<double>(), calls,
              static_cast<int>(parts[1].sum().item<int64_t>()));
  std::printf("second output requires grad: %d\n", parts[1].requires_grad());
  const char* text = "";
  try {
    loss.backward();
  } catch (const std::exception& error) {
    text = std::string(error.what()).find("backward through the graph a second time") != std::string::npos ? "refused"
                                                                                                           : "?";
  }
  std::printf("a second backward is %s\n", text);
}
