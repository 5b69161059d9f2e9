#pragma once

#include <factorize/input/data.h>
#include <wengert/autograd/serialize/file.h>

namespace factorize {

/// A whole matrix of an .npy file; NaN are missing elements.
void read_npy_matrix(const wengert::serialize::Input& input, wengert::ScalarType dtype, Data& data);

/// A matrix of an .npz file: as scipy.sparse.save_npz writes it (COO, CSR, CSC), or its only array.
void read_npz_matrix(const wengert::serialize::Input& input, wengert::ScalarType dtype, Data& data);

}  // namespace factorize
