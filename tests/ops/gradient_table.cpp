#include <ops/gradient_table.h>
#include <support/inputs.h>

#include <utility>

namespace wengert::test {

void PrintTo(const GradientRow& row, std::ostream* out) { *out << row.op << " " << row.variant; }

GradientRow& GradientRows::row(const char* op, const char* variant, Inputs inputs, const Operation& operation) {
  rows_.push_back({op, variant, std::move(inputs), autograd::returning_one(operation)});
  return rows_.back();
}

GradientRow& GradientRows::in_place_row(const char* op, const char* variant, Inputs inputs, const Operation& change) {
  return row(op, variant, std::move(inputs), [change](const Inputs& in) {
    Inputs changed = in;
    changed[0] = in[0] * 1;
    return change(changed);
  });
}

Tensor real(IntArrayRef sizes, int salt) { return arbitrary(sizes, -1.5, 1.5, salt); }
Tensor positive(IntArrayRef sizes, int salt) { return arbitrary(sizes, 0.4, 1.6, salt); }
Tensor inside(IntArrayRef sizes, int salt) { return arbitrary(sizes, -0.8, 0.8, salt); }

const std::vector<GradientRow>& gradient_table() {
  static const std::vector<GradientRow> table = [] {
    GradientRows rows;
    add_arithmetic_rows(rows);
    add_pointwise_rows(rows);
    add_reduction_rows(rows);
    add_matrix_rows(rows);
    add_shape_rows(rows);
    add_position_rows(rows);
    add_loss_rows(rows);
    return std::move(rows).take();
  }();
  return table;
}

}  // namespace wengert::test
