// Rosenbrock's valley, outside a circle: NLopt's SLSQP, with gradients of objective and constraint from the tape.

#include <wengert/ops/interop/nlopt.h>
#include <wengert/torch.h>

#include <nlopt.hpp>
#include <cmath>
#include <iostream>

int main() {
  using torch::Tensor;
  const wengert::NloptFunction objective(
      [](const Tensor& x) { return 100 * (x[1] - x[0] * x[0]).square() + (1 - x[0]).square(); });
  const wengert::NloptFunction outside([](const Tensor& x) { return 4 - (x * x).sum(); });  // at most 0
  nlopt::opt optimizer(nlopt::LD_SLSQP, 2);
  optimizer.set_min_objective(wengert::NloptFunction::call, objective.data());
  optimizer.add_inequality_constraint(wengert::NloptFunction::call, outside.data(), 1e-9);
  optimizer.set_xtol_rel(1e-9);
  std::vector<double> x{1.5, 2};
  double least = 0;
  optimizer.optimize(x, least);
  std::cout << "(" << x[0] << ", " << x[1] << "), " << least << "\n";
  return std::abs(x[0] * x[0] + x[1] * x[1] - 4) < 1e-6 && least < 0.1 ? 0 : 1;
}
