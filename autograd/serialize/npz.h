#pragma once

#include <wengert/autograd/serialize/npy.h>

#include <map>
#include <string>

// NumPy's format for several arrays: a zip archive with an .npy file for each. By itself a library, Wengert::npz, as it
// needs libzip.

namespace wengert {

/// The arrays by name, as load_npy() reads each. Throws wengert::Error, "PATH: what is wrong".
std::map<std::string, Tensor> load_npz(const std::string& path);
/// compressed: as numpy.savez_compressed does, and not as numpy.savez. The file is replaced whole or not at all; it is
/// put together in memory.
void save_npz(const std::map<std::string, Tensor>& arrays, const std::string& path, bool compressed = false);

namespace serialize {

std::map<std::string, Tensor> read_npz(const Input& input);
/// The arrays' files by name, for read_npy() and read_npy_rows(). What is read of one is unpacked then, and what lies
/// before it in the file, too, but that takes no memory.
std::map<std::string, Input> npz_members(const Input& input);

}  // namespace serialize
}  // namespace wengert
