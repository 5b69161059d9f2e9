#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <string>

namespace factorize {

/// Reads a dense matrix, as a Double tensor (n, m) with n, m >= 1 and finite elements. The format is told by
/// the content: .npy, Matrix Market, else delimited text. "-" reads standard input.
/// Throws wengert::Error, "FILE: what is wrong" or "FILE:LINE: what is wrong".
wengert::Tensor read_matrix(const std::string& path);

}  // namespace factorize
