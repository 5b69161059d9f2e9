#include "contenders.h"

#include <torch/torch.h>

namespace api = torch;
#include "contenders.inc"

namespace bench {
Contender libtorch() { return {torch::set_num_threads, notebook, chain, operation}; }
}  // namespace bench
