#pragma once

#include <wengert/autograd/tensor.h>

namespace wengert::ops {

/// The shape of a reduction's result, with or without the reduced dimensions.
Dims reduced_shape(IntArrayRef sizes, DimSet reduced, bool keepdim);

/// How many elements go into each of its results.
int64_t reduced_count(IntArrayRef sizes, DimSet reduced);

/// Whether the next function may be asked: for floats alike in dtype and shape, contiguous, and no step being recorded
/// (a Replay fuses the passes itself).
bool can_sum_squared_differences(const Tensor& x, const Tensor& t);
/// The sum of (x - t)^2, in one pass and without history.
Tensor sum_of_squared_differences(const Tensor& x, const Tensor& t);

}  // namespace wengert::ops
