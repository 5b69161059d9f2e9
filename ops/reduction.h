#pragma once

#include <wengert/autograd/shape.h>

namespace wengert::ops {

/// One flag a dimension: whether a reduction is over it.
using Reduced = InlineVector<bool, 8>;

/// The shape of a reduction's result, with or without the reduced dimensions.
Dims reduced_shape(IntArrayRef sizes, const Reduced& reduced, bool keepdim);

/// How many elements go into each of its results.
int64_t reduced_count(IntArrayRef sizes, const Reduced& reduced);

}  // namespace wengert::ops
