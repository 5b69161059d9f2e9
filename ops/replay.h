#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <functional>
#include <memory>

namespace wengert {

/// A step of training, recorded once and then run again and again without building a graph.
///
///     const Tensor lr = torch::tensor(0.01);
///     const Replay step([&] {
///       C.grad().zero_();
///       F.grad().zero_();
///       loss = torch::sum(torch::pow(D - torch::mm(C, F), 2));
///       loss.backward();
///       const NoGradGuard no_grad;
///       C -= lr * C.grad();
///       F -= lr * F.grad();
///     });
///     for (int i = 0; i < 1000; ++i) step();
///
/// Tracing runs the step, once. A replay then does the same work on the same memory: it reads what D, C, F and lr
/// hold by then, and writes C, F, their gradients and `loss`. To give it other data, copy them into those tensors
/// (`D.copy_(batch)`, `lr.fill_(0.005)`); numbers that are not tensors (`0.01f * C.grad()`) are what they were when the
/// step was recorded. A number of the program's own can be made a tensor: `torch::from_blob(&lr, {}, torch::kDouble)`;
/// for the learning rate of optim::SGD that happens by itself. Results equal those of the step itself but for rounding.
///
/// What cannot be done again is refused, with an Error that names it, when it is recorded: item() and other looks at
/// elements, and shapes that depend on them; hooks; random numbers; tensors that a step reads and replaces
/// (`x = x - g`) instead of changing them in place; operations that have not been taught to be traced. A leaf's
/// gradient must be there before (run the step once), or be reset by the step.
///
/// Copies share the trace. One thread at a time may run it.
class Replay {
 public:
  explicit Replay(const std::function<void()>& step);

  /// Does the step again.
  void operator()() const;

  /// How many passes over memory, or calls of a kernel, a step is.
  size_t passes() const;
  /// Bytes of memory that a step needs for what it computes and nobody else holds.
  size_t buffer_bytes() const;

 private:
  struct Plan;
  std::shared_ptr<const Plan> plan_;
};

}  // namespace wengert
