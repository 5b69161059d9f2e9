#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace factorize {

/// What a file holds, for a message: in quotes, control characters escaped, the first 30 characters of it.
std::string shown(std::string_view text);

/// A number, whole, as "1", "+1.5e3", "nan" or "-inf"; none if it is something else.
std::optional<double> parse_number(std::string_view text);

/// Whether a cell says that there is no value: empty, NA, N/A, NaN, null, None or ?.
bool is_hole(std::string_view cell);

/// Without blanks at either end.
std::string_view trimmed(std::string_view text);

}  // namespace factorize
