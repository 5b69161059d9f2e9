#include <optimizer_contenders.h>
#include <wengert/torch.h>

#include <memory>
#include <optional>

#include "optimizer_contenders.inc"

namespace bench {
namespace {

// Of a table with rows of 10, a tenth of which have a gradient.
Contender sparse_adam(int64_t tensors, int64_t numel) {
  using torch::optim::SparseAdam;
  return contender<SparseAdam>(
      "SparseAdam", torch::optim::SparseAdamOptions(),
      [=] {
        Problem problem(tensors, numel);
        const int64_t rows = numel / 10;
        for (torch::Tensor& p : problem.parameters) {
          p = p.detach().reshape({rows, 10}).clone().set_requires_grad(true);
          const torch::Tensor with_gradient = torch::arange(0, rows, 10).unsqueeze(0);
          p.mutable_grad() =
              torch::sparse_coo_tensor(with_gradient, torch::ones({with_gradient.size(1), 10}), {rows, 10});
        }
        return problem;
      },
      [](SparseAdam& optimizer, Problem&) { optimizer.step(); });
}

}  // namespace

std::vector<Contender> wengert_optimizers(int64_t tensors, int64_t numel) {
  using namespace torch::optim;
  std::vector<Contender> all = common_optimizers(tensors, numel);
  all.push_back(contender<Adadelta>("Adadelta", tensors, numel, AdadeltaOptions()));
  all.push_back(contender<Adamax>("Adamax", tensors, numel, AdamaxOptions()));
  all.push_back(contender<NAdam>("NAdam", tensors, numel, NAdamOptions()));
  all.push_back(contender<RAdam>("RAdam", tensors, numel, RAdamOptions()));
  all.push_back(contender<ASGD>("ASGD", tensors, numel, ASGDOptions()));
  all.push_back(contender<Rprop>("Rprop", tensors, numel, RpropOptions()));
  all.push_back(sparse_adam(tensors, numel));
  return all;
}

}  // namespace bench
