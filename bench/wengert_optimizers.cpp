#include <optimizer_contenders.h>
#include <wengert/torch.h>

#include <memory>
#include <optional>

#include "optimizer_contenders.inc"

namespace bench {

std::vector<Contender> wengert_optimizers(int64_t tensors, int64_t numel) {
  using namespace torch::optim;
  std::vector<Contender> all = common_optimizers(tensors, numel);
  all.push_back(contender<Adadelta>("Adadelta", tensors, numel, AdadeltaOptions()));
  all.push_back(contender<Adamax>("Adamax", tensors, numel, AdamaxOptions()));
  all.push_back(contender<NAdam>("NAdam", tensors, numel, NAdamOptions()));
  all.push_back(contender<RAdam>("RAdam", tensors, numel, RAdamOptions()));
  all.push_back(contender<ASGD>("ASGD", tensors, numel, ASGDOptions()));
  all.push_back(contender<Rprop>("Rprop", tensors, numel, RpropOptions()));
  return all;
}

}  // namespace bench
