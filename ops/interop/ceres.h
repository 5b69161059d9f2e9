#pragma once

#include <ceres/cost_function.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/autograd/tools/functional.h>
#include <wengert/ops/interop/expect.h>
#include <wengert/ops/ops.h>

#include <algorithm>
#include <functional>
#include <vector>

// Functions of tensors as residuals of Ceres Solver 2.0 and later.

namespace wengert {

/// Residuals that are computed with tensors, and their Jacobians, which the tape finds.
class CeresCostFunction : public ceres::CostFunction {
 public:
  using Residuals = std::function<Tensor(const std::vector<Tensor>& parameters)>;

  /// residuals: from a tensor for each block of parameters, Double (size), to Double (count).
  CeresCostFunction(Residuals residuals, int count, const std::vector<int>& block_sizes)
      : residuals_(std::move(residuals)) {
    set_num_residuals(count);
    for (const int size : block_sizes) mutable_parameter_block_sizes()->push_back(size);
  }

  /// False, so that Ceres tries a shorter step, where a residual or a derivative that is asked for is not finite.
  bool Evaluate(const double* const* parameters, double* residuals, double** jacobians) const override {
    std::vector<Tensor> blocks;
    for (size_t i = 0; i < parameter_block_sizes().size(); ++i) {
      blocks.push_back(from_blob(const_cast<double*>(parameters[i]), {parameter_block_sizes()[i]}, kDouble));
    }
    const Tensor values = from_blob(residuals, {num_residuals()}, kDouble);
    {
      const NoGradGuard no_grad;
      const Tensor computed = residuals_(blocks);
      interop::expect(computed.dim() == 1 && computed.size(0) == num_residuals(), "CeresCostFunction: expected ",
                      num_residuals(), " residuals, got a tensor of sizes ", computed.sizes());
      values.copy_(computed);
      if (!isfinite(values).all().item<bool>()) return false;
    }
    if (jacobians == nullptr) return true;
    const auto of_list = [this](const std::vector<Tensor>& list) { return std::vector<Tensor>{residuals_(list)}; };
    const std::vector<Tensor> found = autograd::functional::jacobian(of_list, blocks)[0];
    for (size_t i = 0; i < blocks.size(); ++i) {
      if (jacobians[i] == nullptr) continue;
      const Tensor into = from_blob(jacobians[i], {num_residuals(), parameter_block_sizes()[i]}, kDouble);
      into.copy_(found[i]);
      if (!isfinite(into).all().item<bool>()) return false;
    }
    return true;
  }

 private:
  Residuals residuals_;
};

}  // namespace wengert
