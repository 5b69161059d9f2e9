// A decay is fitted by Eigen's LevenbergMarquardt, whose Jacobian comes from the tape; matrices and tensors share
// memory.

#include <wengert/ops/interop/eigen.h>
#include <wengert/torch.h>

#include <Eigen/Dense>
#include <iostream>
#include <unsupported/Eigen/NonLinearOptimization>

int main() {
  const torch::Tensor t = torch::linspace(0, 4, 30, torch::kDouble);
  const torch::Tensor measured = 3 * torch::exp(-0.7 * t) + 0.5;
  const auto residuals = [&](const torch::Tensor& p) { return p[0] * torch::exp(-p[1] * t) + p[2] - measured; };
  wengert::EigenFunctor functor(residuals, 3, 30);
  Eigen::LevenbergMarquardt<wengert::EigenFunctor> solver(functor);
  Eigen::VectorXd p = Eigen::Vector3d(1, 1, 0);
  solver.minimize(p);
  std::cout << "3 e^(-0.7 t) + 0.5:  " << p.transpose() << "\n";

  Eigen::MatrixXd matrix = Eigen::MatrixXd::Random(3, 2);
  const torch::Tensor tensor = wengert::tensor_on(matrix);
  tensor.mul_(2);
  const bool is_shared = tensor[2][1].item<double>() == matrix(2, 1) &&
                         wengert::eigen_map<double>(tensor.t()).isApprox(matrix.transpose());
  return is_shared && p.isApprox(Eigen::Vector3d(3, 0.7, 0.5), 1e-6) ? 0 : 1;
}
