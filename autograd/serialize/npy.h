#pragma once

#include <wengert/autograd/serialize/file.h>
#include <wengert/autograd/tensor/tensor.h>

#include <functional>
#include <utility>

namespace wengert {

// NumPy's format for one array (NEP 1, numpy.lib.format): a magic string, the version, the header's length, the header,
// which is a Python dictionary of dtype, order and shape, and the elements.

/// Reads an array of bools, integers up to int64, or floating-point numbers up to float64, in either byte order, in C
/// or Fortran order: as Bool, Long, or Float or Double. Throws wengert::Error, "PATH: what is wrong", before anything
/// is allocated.
Tensor load_npy(const std::string& path);
/// Writes format version 1.0, in C order. The file is replaced whole or not at all.
void save_npy(const Tensor& tensor, const std::string& path);

namespace serialize {

/// Whether the content is in this format.
bool is_npy(const Input& input);
Tensor read_npy(const Input& input);
/// A block of an array's rows alone, those from begin up to end: of_rows(how many there are) -> {begin, end}. Throws
/// where the array is a number, or in Fortran order, which has no rows together.
Tensor read_npy_rows(const Input& input, const std::function<std::pair<int64_t, int64_t>(int64_t)>& of_rows);
void write_npy(const Tensor& tensor, const Sink& write);

}  // namespace serialize
}  // namespace wengert
