#pragma once

#include <wengert/autograd/tensor/tensor.h>

namespace wengert::ops {

/// factor a b, broadcast, in one pass. a and b have one dtype. Gradient formulas are full of it.
Tensor mul_scaled(const Tensor& a, const Tensor& b, Scalar factor);

/// factor g (x - t), broadcast; where g is one number, in one pass over x and t.
Tensor scaled_difference(const Tensor& g, const Tensor& x, const Tensor& t, Scalar factor);

/// g * factor, for a gradient that is at its end: in its own memory, if nobody else can see that.
Tensor scaled(Tensor g, Scalar factor);

}  // namespace wengert::ops
