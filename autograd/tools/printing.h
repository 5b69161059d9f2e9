#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <string>

namespace wengert {

/// How tensors are printed, as torch.set_printoptions in Python.
struct PrintOptions {
  int precision = 4;             ///< digits behind the point
  int64_t threshold = 1000;      ///< tensors with more elements are shown by their edges
  int64_t edgeitems = 3;         ///< how many at each edge
  int64_t linewidth = 80;        ///< characters
  std::optional<bool> sci_mode;  ///< scientific notation always or never; by the values if not set
};

PrintOptions get_printoptions();
void set_printoptions(const PrintOptions& options);

/// The tensor as PyTorch prints it in Python, over several lines if need be:
///
///     tensor([[1.0000, 2.5000]], grad_fn=<MmBackward0>)
std::string str(const Tensor& tensor);

/// Writes a Node as PyTorch prints it in Python: `<MmBackward0>`.
std::ostream& operator<<(std::ostream& out, const IntrusivePtr<autograd::Node>& node);

}  // namespace wengert
