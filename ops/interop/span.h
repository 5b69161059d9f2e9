#pragma once

#include <wengert/autograd/base/shape.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/interop/expect.h>

#include <span>

// A tensor's elements as std::span, and the other way round, without a copy. Views of several dimensions are Tensor's
// accessor<T, N>(): indices in brackets, sizes and strides, as std::mdspan has them.

namespace wengert {

/// The elements of a contiguous tensor in row-major order. It must live longer. T: its dtype's C++ type, perhaps const.
/// Throws wengert::Error for another dtype, or where elements do not stand together.
template <class T>
std::span<T> span_of(const Tensor& tensor) {
  interop::expect(tensor.is_contiguous(),
                  "span_of: the tensor's elements do not stand together; contiguous() copies them");
  return {tensor.data_ptr<T>(), static_cast<size_t>(tensor.numel())};
}

/// A leaf on memory that the caller owns and keeps alive: of as many elements, or of the sizes given.
template <class T>
Tensor tensor_on(std::span<T> elements) {
  return from_blob(elements.data(), {static_cast<int64_t>(elements.size())}, dtype_of<T>());
}
template <class T>
Tensor tensor_on(std::span<T> elements, IntArrayRef sizes) {
  const int64_t count = numel_of(sizes);
  interop::expect(count == static_cast<int64_t>(elements.size()), "tensor_on: there are ", elements.size(),
                  " elements; sizes ", sizes, " take ", count);
  return from_blob(elements.data(), sizes, dtype_of<T>());
}

}  // namespace wengert
