#include <optimizer_contenders.h>
#include <torch/torch.h>

#include <memory>
#include <optional>

#include "optimizer_contenders.inc"

namespace bench {

std::vector<Contender> libtorch_optimizers(int64_t tensors, int64_t numel) { return common_optimizers(tensors, numel); }

}  // namespace bench
