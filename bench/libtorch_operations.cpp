#include <operations.h>
#include <torch/torch.h>

#include <memory>

#include "operations.inc"

namespace bench {

std::vector<Operation> libtorch_operations() { return all_operations(); }
void set_libtorch_threads(int count) { torch::set_num_threads(count); }

}  // namespace bench
