#include <adbench.h>
#include <torch/torch.h>

#include "adbench.inc"

namespace bench {

std::vector<Objective> libtorch_objectives() { return all_objectives(); }

}  // namespace bench
