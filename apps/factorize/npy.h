#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <string>
#include <string_view>

namespace factorize {

// NumPy's format for one array (NEP 1): a magic string, a header that is a Python dictionary of dtype, order and
// shape, then the elements.

/// Whether the content is in this format.
bool is_npy(std::string_view content);

/// Parses a two-dimensional array of float32 or float64, little-endian, in C or Fortran order. Returns a Double
/// tensor (n, m). Throws wengert::Error with `name` for anything else.
wengert::Tensor parse_npy(const std::string& name, std::string_view content);

/// A two-dimensional Float or Double tensor in this format, version 1.0, C order.
std::string to_npy(const wengert::Tensor& matrix);

}  // namespace factorize
