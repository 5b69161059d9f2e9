#pragma once

#include <factorize/input/data.h>

#include <string>
#include <string_view>

namespace factorize {

// The Matrix Market exchange format (Boisvert, Pozo and Remington, NISTIR 5935, 1996).

/// Whether the content is in this format.
bool is_matrix_market(std::string_view content);

/// Parses a whole matrix ("array") or entries ("coordinate"): real, integer or, of entries, pattern; general, symmetric
/// or skew-symmetric. Throws wengert::Error with `name` and the line for anything else.
void parse_matrix_market(const std::string& name, std::string_view content, wengert::ScalarType dtype, Data& data);

}  // namespace factorize
