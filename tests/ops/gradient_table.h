#pragma once

#include <wengert/wengert.h>

#include <ostream>
#include <string>
#include <vector>

namespace wengert::test {

/// One differentiable operation, at one point: the tests in gradient_test.cpp run over all rows.
struct GradientRow {
  std::string op;              ///< as in ops.h or linalg.h, or the in-place method's name
  std::string variant;         ///< what is special about this row
  std::vector<Tensor> inputs;  ///< Double; all that are of floating point require grad
  autograd::CheckedFunction function;
  bool has_second_gradient = true;  ///< false where the first is piecewise constant
  bool takes_empty = true;          ///< whether the inputs may have size 0 in their first dimension

  GradientRow& without_second_gradient() {
    has_second_gradient = false;
    return *this;
  }
  GradientRow& without_empty() {
    takes_empty = false;
    return *this;
  }
};

/// How a failing test names the row.
void PrintTo(const GradientRow& row, std::ostream* out);

/// The table being filled, a family in each gradient_rows_*.cpp.
class GradientRows {
 public:
  using Inputs = std::vector<Tensor>;
  using Operation = std::function<Tensor(const Inputs&)>;

  /// The reference is good until the next row.
  GradientRow& row(const char* op, const char* variant, Inputs inputs, const Operation& operation);
  /// The in-place form of an operation on its first input; the input itself is a leaf, so a copy is changed.
  GradientRow& in_place_row(const char* op, const char* variant, Inputs inputs, const Operation& change);

  std::vector<GradientRow> take() && { return std::move(rows_); }

 private:
  std::vector<GradientRow> rows_;
};
using Inputs = GradientRows::Inputs;

// Inputs away from 0 and from one another's singularities; inside: between -0.8 and 0.8.
Tensor real(IntArrayRef sizes, int salt = 0);
Tensor positive(IntArrayRef sizes, int salt = 0);
Tensor inside(IntArrayRef sizes, int salt = 0);

void add_arithmetic_rows(GradientRows& rows);
void add_pointwise_rows(GradientRows& rows);
void add_reduction_rows(GradientRows& rows);
void add_matrix_rows(GradientRows& rows);
void add_shape_rows(GradientRows& rows);
void add_position_rows(GradientRows& rows);
void add_loss_rows(GradientRows& rows);

const std::vector<GradientRow>& gradient_table();

}  // namespace wengert::test
