// A curve is fitted by Ceres; the residuals are computed with tensors, the Jacobian is the tape's.

#include <ceres/ceres.h>
#include <wengert/ops/interop/ceres.h>
#include <wengert/torch.h>

#include <cmath>
#include <iostream>

int main() {
  const torch::Tensor x = torch::linspace(0, 5, 60, torch::kDouble);
  const torch::Tensor y = torch::exp(0.3 * x + 0.1);
  const auto residuals = [&](const std::vector<torch::Tensor>& p) { return torch::exp(p[0] * x + p[1]) - y; };
  double slope = 0, level[] = {0};
  ceres::Problem problem;
  problem.AddResidualBlock(new wengert::CeresCostFunction(residuals, 60, {1, 1}), nullptr, &slope, level);
  ceres::Solver::Options options;
  options.logging_type = ceres::SILENT;
  ceres::Solver::Summary summary;
  ceres::Solve(options, &problem, &summary);
  std::cout << "e^(0.3 x + 0.1):  " << slope << " " << level[0] << "\n";
  return std::abs(slope - 0.3) < 1e-6 && std::abs(level[0] - 0.1) < 1e-6 ? 0 : 1;
}
