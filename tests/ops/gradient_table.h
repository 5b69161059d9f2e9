#pragma once

#include <wengert/wengert.h>

#include <string>
#include <vector>

namespace wengert::test {

/// One differentiable operation, at one point: the tests in gradient_test.cpp run over all rows.
struct GradientRow {
  std::string op;              ///< as in ops.h, or the in-place method's name
  std::string variant;         ///< what is special about this row
  std::vector<Tensor> inputs;  ///< Double; all that are of floating point require grad
  autograd::CheckedFunction function;
  bool has_second_gradient = true;  ///< false where the first is piecewise constant
  bool takes_empty = true;          ///< whether the inputs may have size 0 in their first dimension
};

const std::vector<GradientRow>& gradient_table();

}  // namespace wengert::test
