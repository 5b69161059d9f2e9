#pragma once

#include <factorize/input/data.h>
#include <wengert/autograd/serialize/file.h>

namespace factorize {

/// A whole matrix of an .npy file; NaN are missing elements. In several processes each reads a block of rows.
void read_npy_matrix(const wengert::serialize::Input& input, const Processes& processes, wengert::ScalarType dtype,
                     Data& data);

/// A matrix of an .npz file: as scipy.sparse.save_npz writes it (COO, CSR, CSC), or its only array. In several
/// processes each reads some of the entries, or a block of rows.
void read_npz_matrix(const wengert::serialize::Input& input, const Processes& processes, wengert::ScalarType dtype,
                     Data& data);

}  // namespace factorize
