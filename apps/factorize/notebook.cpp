#include <factorize/notebook.h>
#include <fmt/ostream.h>
#include <wengert/autograd/serialize/file.h>
#include <wengert/torch.h>

#include <ostream>
#include <utility>
#include <vector>

namespace factorize {
namespace {

using torch::Tensor;

struct Problem {
  Tensor D, C, F;
};

Problem random_problem(uint64_t seed) {
  torch::manual_seed(seed);
  const Tensor D = torch::rand({3, 4});
  const Tensor C = torch::rand({3, 2}, torch::requires_grad());
  const Tensor F = torch::rand({2, 4}, torch::requires_grad());
  return {D, C, F};
}

// What the notebook's run started from, to the four decimals that it printed.
Problem recorded_problem() {
  return {torch::tensor(
              {{0.0456, 0.1537, 0.0830, 0.0980}, {0.2683, 0.4260, 0.4277, 0.4913}, {0.4779, 0.7156, 0.7563, 0.8673}}),
          torch::tensor({{0.9721, 0.2518}, {0.0386, 0.5858}, {0.4206, 0.2610}}, torch::requires_grad()),
          torch::tensor({{0.8656, 0.0336, 0.1317, 0.2444}, {0.4919, 0.4990, 0.4563, 0.7689}}, torch::requires_grad())};
}

Tensor squared_error(const Tensor& D, const Tensor& D_hat) { return torch::sum(torch::pow(D - D_hat, 2)); }

// One step of gradient descent; the gradients start anew.
void step(Tensor& C, Tensor& F, double lr) {
  const torch::NoGradGuard no_grad;
  C -= lr * C.grad();
  F -= lr * F.grad();
  C.grad().zero_();
  F.grad().zero_();
}

// loss.backward(), which a page shows if it is asked for.
void first_backward(const Tensor& loss, const std::vector<std::pair<std::string, Tensor>>& names,
                    const std::string& page) {
  if (page.empty()) return loss.backward();
  torch::autograd::Trace trace;
  for (const auto& [name, tensor] : names) trace.name(tensor, name);
  loss.backward();
  torch::serialize::write_file(page, trace.html("loss = sum (D - C F)^2, backward"));
}

}  // namespace

void run_notebook(const NotebookOptions& options, std::ostream& out) {
  auto [D, C, F] = options.recorded ? recorded_problem() : random_problem(options.seed);
  out << "The matrix D\n" << D << "\n\nStarting factors C and F\n" << C << "\n" << F << "\n\n";

  Tensor D_hat = torch::mm(C, F);
  out << "D_hat = C F\n" << D_hat << "\nD_hat.grad_fn: " << D_hat.grad_fn() << "\n\n";

  Tensor loss = squared_error(D, D_hat);
  out << "loss = sum (D - D_hat)^2\n" << loss << "\nloss.grad_fn: " << loss.grad_fn() << "\n\n";

  first_backward(loss, {{"D_hat", D_hat}, {"C", C}, {"F", F}}, options.trace);
  out << "Gradients C.grad and F.grad\n" << C.grad() << "\n" << F.grad() << "\n\n";

  step(C, F, 0.01);
  out << "C and F after one step, learning rate 0.01\n" << C << "\n" << F << "\n\n";
  out << "The loss now\n" << squared_error(D, torch::mm(C, F)) << "\n\n";

  for (int iteration = 1; iteration <= 10000; ++iteration) {
    loss = squared_error(D, torch::mm(C, F));
    loss.backward();
    if (iteration == 1 || iteration % 1000 == 0) {
      fmt::print(out, "Iteration n.  {} . Loss:  {:.4f}\n", iteration, loss.item<double>());
    }
    step(C, F, 0.001);
  }

  const torch::NoGradGuard no_grad;
  D_hat = torch::mm(C, F);
  out << "\nD_hat\n" << D_hat << "\nD\n" << D << "\nD_hat - D\n" << D_hat - D << "\n";
}

}  // namespace factorize
