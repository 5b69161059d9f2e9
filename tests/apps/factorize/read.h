#pragma once

#include <factorize/input/data.h>

#include <string>

namespace factorize {

/// A whole matrix in a file, of Double.
inline wengert::Tensor read_matrix(const std::string& path) {
  ReadOptions options;
  options.format = Format::kDense;
  options.dtype = wengert::kDouble;
  return std::get<wengert::Tensor>(read_data(path, options).content);
}

}  // namespace factorize
