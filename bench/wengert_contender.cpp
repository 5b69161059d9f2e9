#include "contenders.h"

#include <wengert/torch.h>

namespace api = wengert;
#include "contenders.inc"

namespace bench {
Contender wengert() { return {::wengert::set_num_threads, notebook, chain, operation}; }
}  // namespace bench
