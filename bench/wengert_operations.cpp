#include <operations.h>
#include <wengert/torch.h>

#include <memory>

#include "operations.inc"

namespace bench {

std::vector<Operation> wengert_operations() { return all_operations(); }
void set_wengert_threads(int count) { torch::set_num_threads(count); }

}  // namespace bench
