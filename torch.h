#pragma once

// For programs written for libtorch: include this in place of <torch/torch.h>.

#include <wengert/wengert.h>

namespace torch = wengert;
namespace at = wengert;
namespace c10 = wengert;
