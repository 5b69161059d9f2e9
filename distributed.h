#pragma once

// Several processes that work together, over MPI: the library Wengert::distributed, where the build found it.

#include <wengert/ops/distributed/collectives.h>
#include <wengert/ops/distributed/process_group.h>
#include <wengert/optim/distributed_optimizer.h>
