#include <differential/operation.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

// What changes the graph rather than elements: hooks, custom Functions, checkpoints, backward passes in between.

namespace differential {
namespace {

template <class Tensor>
inline constexpr bool kIsTorch = std::is_same_v<Tensor, at::Tensor>;

// y = x^2 s, with a gradient of its own that is twice the right one where x > 0: it is seen which is used.
struct TorchFunction : torch::autograd::Function<TorchFunction> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x, double scale) {
    context->save_for_backward({x});
    context->saved_data["scale"] = scale;
    return x * x * scale;
  }
  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    const at::Tensor x = context->get_saved_variables()[0];
    return {grads[0] * x * (x > 0).to(x.dtype()) * (4 * context->saved_data["scale"].toDouble()), at::Tensor()};
  }
};
struct WengertFunction : wengert::autograd::Function<WengertFunction> {
  static wengert::Tensor forward(wengert::autograd::AutogradContext* context, const wengert::Tensor& x, double scale) {
    context->save_for_backward({x});
    context->saved_data["scale"] = scale;
    return x * x * scale;
  }
  static wengert::autograd::variable_list backward(wengert::autograd::AutogradContext* context,
                                                   wengert::autograd::variable_list grads) {
    const wengert::Tensor x = context->get_saved_variables()[0];
    return {grads[0] * x * (x > 0).to(x.dtype()) * (4 * context->saved_data["scale"].toDouble()), wengert::Tensor()};
  }
};

}  // namespace

void add_graphs(Operations& operations) {
  operations.add("custom_function", {Kind::kReal}, [](const auto& in, const Numbers& n) {
    if constexpr (kIsTorch<std::decay_t<decltype(in[0])>>) {
      return TorchFunction::apply(in[0], n.real);
    } else {
      return WengertFunction::apply(in[0], n.real);
    }
  });
  operations.add("hook", {Kind::kReal}, [](const auto& in, const Numbers& n) {
    const auto y = in[0] * 1;
    if (!y.requires_grad()) return y;
    if (n.flag(0)) y.register_hook([](const auto& grad) { return grad * 2; });
    const auto handle = y.register_hook([](const auto& grad) { return grad + 1; });
    if (n.flag(1)) y.remove_hook(handle);
    return y;
  });
  operations.add("hook_on_operand", {Kind::kReal}, [](const auto& in, const Numbers&) {
    // Of a tensor that retains its gradient libtorch 1.13 keeps it as it was before hooks that were hung on it later.
    // And of a view without history, that requires grad for its base's sake, libtorch 1.13 crashes.
    const bool has_history = !in[0].is_view() || in[0].grad_fn() != nullptr;
    if (in[0].requires_grad() && has_history && !in[0].retains_grad())
      in[0].register_hook([](const auto& grad) { return grad * 0.5; });
    return in[0] * 2;
  });
  operations.add("retain_grad", {Kind::kReal}, [](const auto& in, const Numbers&) {
    const auto y = in[0] * 3;
    if (y.requires_grad()) y.retain_grad();
    return y;
  });
  operations.add("checkpoint", {Kind::kReal, Kind::kReal}, [](const auto& in, const Numbers&) {
    const auto f = [](const auto& x) { return (x[0] * x[1]).tanh() + x[1]; };
    using Tensor = std::decay_t<decltype(in[0])>;
    if constexpr (kIsTorch<Tensor>) {
      return f(in);  // libtorch has checkpoints in Python only
    } else {
      return wengert::autograd::checkpoint([f](const std::vector<Tensor>& x) { return std::vector<Tensor>{f(x)}; },
                                           {in[0] * 1, in[1] * 1})[0];
    }
  });
  operations.add("detach_", {Kind::kReal}, [](const auto& in, const Numbers&) {
    auto y = in[0] * 2;
    y.detach_();
    return y;
  });
  operations.add("set_data", {Kind::kReal, Kind::kReal}, [](const auto& in, const Numbers& n) {
    auto y = in[0].detach().clone();
    if (y.is_inference()) return y;  // libtorch loses count of what is an inference tensor then
    y.requires_grad_(n.flag(0));
    y.set_data(in[1].detach().to(y.dtype()) * 2);
    return y;
  });
  operations.add("data", {Kind::kReal}, [](const auto& in, const Numbers&) { return in[0].data() * 2; });
  // A backward in between. One that throws may have reached some leaves, so nothing is compared after it.
  operations
      .add("backward", {Kind::kReal},
           [](const auto& in, const Numbers&) {
             using Tensor = std::decay_t<decltype(in[0])>;
             const auto y = in[0] * 1;
             if (y.requires_grad() && y.numel() > 0) (y * y).sum().backward(Tensor(), /*retain_graph=*/true);
             return in[0].detach() * 1;
           })
      .in_place = true;
  operations.add("grad_of_grad", {Kind::kReal}, [](const auto& in, const Numbers&) {
    using Tensor = std::decay_t<decltype(in[0])>;
    const auto x = in[0] * 1;
    if (!x.requires_grad()) return x;
    const auto y = (x * x * x).sum();
    if constexpr (kIsTorch<Tensor>) {
      return torch::autograd::grad({y}, {x}, {}, true, true)[0];
    } else {
      return wengert::autograd::grad({y}, {x}, {}, true, true)[0];
    }
  });
}

}  // namespace differential
