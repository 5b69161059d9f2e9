#pragma once

// For programs written for libtorch: include this in place of <torch/torch.h>.

#include <wengert/wengert.h>

namespace wengert {
// What c10 has of its own and the standard library has by now.
using std::nullopt;
using std::optional;
}  // namespace wengert

namespace torch = wengert;
namespace at = wengert;
namespace c10 = wengert;
