#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <functional>

namespace wengert::ops {

/// In which order an operation writes its result: each element after those of its inputs that it is made of were read,
/// or in any, and then into memory without gaps.
enum class Writes { kElementwise, kInAnyOrder };

/// Has write(to) write a result of these sizes and dtype: into `out` itself where that fits, else into a temporary that
/// `out` then takes over or has copied. `op` is for errors.
Tensor& write_out(const char* op, Tensor& out, TensorList inputs, IntArrayRef sizes, ScalarType dtype, Writes writes,
                  const std::function<void(const Tensor& to)>& write);
/// The same for an operation that makes a new tensor.
Tensor& write_out(const char* op, Tensor& out, TensorList inputs, const std::function<Tensor()>& result);

}  // namespace wengert::ops
