#pragma once

// For programs written for libtorch: include this in place of <torch/torch.h>. The namespaces torch, at and c10, and
// those within, are namespaces of their own that show what wengert's hold, so that a program may add to them.

#include <wengert/wengert.h>

#include <optional>

namespace torch {
using namespace ::wengert;  // NOLINT: the same names are what this header is for
namespace autograd {
using namespace ::wengert::autograd;  // NOLINT
namespace functional {
using namespace ::wengert::autograd::functional;  // NOLINT
}
}  // namespace autograd
namespace indexing {
using namespace ::wengert::indexing;  // NOLINT
}
namespace nn {
using namespace ::wengert::nn;  // NOLINT
namespace utils {
using namespace ::wengert::nn::utils;  // NOLINT
}
}  // namespace nn
namespace cuda {
using namespace ::wengert::cuda;  // NOLINT
}
namespace optim {
using namespace ::wengert::optim;  // NOLINT
}
namespace serialize {
using namespace ::wengert::serialize;  // NOLINT
}
}  // namespace torch

namespace at {
using namespace ::wengert;  // NOLINT
namespace indexing {
using namespace ::wengert::indexing;  // NOLINT
}
}  // namespace at

namespace c10 {
using namespace ::wengert;  // NOLINT
// What c10 has of its own and the standard library has by now.
using std::nullopt;
using std::optional;
}  // namespace c10

namespace torch {
using std::nullopt;
using std::optional;
}  // namespace torch
