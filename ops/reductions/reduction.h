#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <functional>
#include <optional>
#include <vector>

namespace wengert::ops {

/// The shape of a reduction's result, with or without the reduced dimensions.
Dims reduced_shape(IntArrayRef sizes, DimSet reduced, bool keepdim);

/// How many elements go into each of its results.
int64_t reduced_count(IntArrayRef sizes, DimSet reduced);

/// The dtype in which x's elements are added up or multiplied, if no other is asked for: whole numbers and bools as
/// Long.
inline ScalarType summed_type(const Tensor& x, std::optional<ScalarType> dtype = {}) {
  return dtype.value_or(isFloatingType(x.dtype()) ? x.dtype() : kLong);
}

/// Whether an element is 0, where a formula that divides would not do.
bool has_zero(const Tensor& x);

/// Whether what is asked of all of x's elements is better asked part by part: they are more than a core's cache holds,
/// and no step is being traced.
bool goes_by_parts(const Tensor& x);
/// f(part), for parts of x that together are x and whose temporaries stay in a core's cache, on several threads. The
/// cut depends on x's shape alone. Without history.
std::vector<double> over_parts(const Tensor& x, const std::function<double(const Tensor& part)>& f);
/// The sum of x's elements, of floating point, in double.
double sum_in_double(const Tensor& x);
/// The sum of over_parts.
double sum_over_parts(const Tensor& x, const std::function<double(const Tensor& part)>& f);

/// Whether the next function may be asked: for floats alike in dtype and shape, contiguous, and no step being traced
/// (a Replay fuses the passes itself).
bool can_sum_squared_differences(const Tensor& x, const Tensor& t);
/// The sum of (x - t)^2, in one pass and without history.
Tensor sum_of_squared_differences(const Tensor& x, const Tensor& t);

}  // namespace wengert::ops
