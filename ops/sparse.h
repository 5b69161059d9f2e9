#pragma once

#include <wengert/autograd/tensor/tensor.h>

namespace wengert {

// Sparse tensors in coordinate format: the positions of some elements, and the elements; all others are 0. Made for
// gradients that touch few rows of a large table (embedding with sparse = true): they may be added to each other and to
// dense tensors, scaled, coalesced and made dense. All else throws, for it would read memory that is not there.
// sparse_coo_tensor() makes them (autograd/tensor/factories.h).

namespace ops {
/// self + alpha * other, where one of them is sparse, or both. Without history.
Tensor add_sparse(const Tensor& self, const Tensor& other, Scalar alpha);
/// self <- the same.
void add_sparse_in_place(const Tensor& self, const Tensor& other, Scalar alpha);
/// The sparse tensor times a number; it shares the positions.
Tensor scale_sparse(const Tensor& x, Scalar factor);
/// The sparse tensor takes the positions and values of another of its size.
void assign_sparse(const Tensor& self, const Tensor& from);
/// One that holds no position.
Tensor empty_sparse_like(const Tensor& x);
}  // namespace ops

}  // namespace wengert
