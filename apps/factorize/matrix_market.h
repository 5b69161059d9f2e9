#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <string>
#include <string_view>

namespace factorize {

// The Matrix Market exchange format (Boisvert, Pozo and Remington, NISTIR 5935, 1996).

/// Whether the content is in this format.
bool is_matrix_market(std::string_view content);

/// Parses a dense matrix ("array"): real or integer; general, symmetric or skew-symmetric. Returns a Double
/// tensor (n, m). Throws wengert::Error with `name` and the line for anything else.
wengert::Tensor parse_matrix_market(const std::string& name, std::string_view content);

}  // namespace factorize
