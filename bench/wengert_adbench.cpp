#include <adbench.h>
#include <wengert/torch.h>

#include "adbench.inc"

namespace bench {

std::vector<Objective> wengert_objectives() { return all_objectives(); }

}  // namespace bench
