#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <string>
#include <string_view>

namespace factorize {

/// Parses a matrix from text with one row a line, fields separated by tabs, semicolons, commas or blanks (the
/// first of these that occurs in the first line). If no field of the first line is a number, it is a header.
/// Numbers may be quoted; blank lines are passed over. Returns a Double tensor (n, m).
/// Throws wengert::Error with `name` and the line, for what is no number and for rows of different lengths.
wengert::Tensor parse_delimited(const std::string& name, std::string_view content);

/// The number that a field holds, "nan" and "inf" included; nullopt if it is none.
std::optional<double> parse_number(std::string_view field);

}  // namespace factorize
