#pragma once

#include <wengert/autograd/tensor.h>

namespace wengert::ops {

/// factor a b, broadcast, in one pass. a and b have one dtype. Gradient formulas are full of it.
Tensor mul_scaled(const Tensor& a, const Tensor& b, Scalar factor);

/// g * factor, for a gradient that is at its end: in its own memory, if nobody else can see that.
Tensor scaled(Tensor g, Scalar factor);

}  // namespace wengert::ops
