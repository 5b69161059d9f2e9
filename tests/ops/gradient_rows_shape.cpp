#include <ops/gradient_table.h>

namespace wengert::test {

void add_shape_rows(GradientRows& rows) {
  rows.row("view", "", {real({3, 4})}, [](const Inputs& in) { return in[0].clone().view({-1, 2}); }).without_empty();
  rows.row("reshape", "with_a_copy", {real({3, 4})},
           [](const Inputs& in) {
             return reshape(in[0].t(), {2, 6});
           })
      .without_empty();
  rows.row("t", "", {real({3, 4})}, [](const Inputs& in) { return t(in[0]); });
  rows.row("t", "vector", {real({3})}, [](const Inputs& in) { return t(in[0]); });
  rows.row("transpose", "", {real({3, 4, 2})}, [](const Inputs& in) { return transpose(in[0], 0, -1); });
  rows.row("permute", "", {real({3, 4, 2})}, [](const Inputs& in) { return permute(in[0], {2, 0, 1}); });
  rows.row("expand", "", {real({3, 1})}, [](const Inputs& in) { return expand(in[0], {2, 3, 4}); }).without_empty();
  rows.row("squeeze", "all", {real({3, 1, 4, 1})}, [](const Inputs& in) { return squeeze(in[0]); });
  rows.row("squeeze", "dim", {real({3, 1, 4, 1})}, [](const Inputs& in) { return squeeze(in[0], 1); });
  rows.row("unsqueeze", "", {real({3, 4})}, [](const Inputs& in) { return unsqueeze(in[0], -1); });
  rows.row("select", "", {real({3, 4})}, [](const Inputs& in) { return select(in[0], 1, -2); });
  rows.row("narrow", "", {real({3, 4})}, [](const Inputs& in) { return narrow(in[0], 1, 1, 2); });
  rows.row("slice", "", {real({3, 5})}, [](const Inputs& in) { return slice(in[0], 1, 1, std::nullopt, 2); });
  rows.row("as_strided", "", {real({4, 6})},
           [](const Inputs& in) {
             return as_strided(in[0].clone(), {2, 3}, {7, 2}, 3);
           })
      .without_empty();
  rows.row("as_strided", "repeated", {real({4})},
           [](const Inputs& in) {
             return as_strided(in[0].clone(), {3, 2}, {0, 2}, 1);
           })
      .without_empty();

  rows.row("split", "", {real({5, 3})}, [](const Inputs& in) { return split(in[0], 2).at(1); }).without_empty();
  rows.row("split", "sizes", {real({3, 5})}, [](const Inputs& in) {
    const auto parts = split(in[0], {1, 3, 1}, 1);
    return parts.at(1) * parts.at(2);
  });
  rows.row("split_with_sizes", "", {real({3, 5})}, [](const Inputs& in) {
    return split_with_sizes(in[0], {4, 1}, 1)[0];
  });
  rows.row("chunk", "", {real({3, 5})}, [](const Inputs& in) { return chunk(in[0], 2, 1).at(1); });
  rows.row("unbind", "", {real({3, 4})}, [](const Inputs& in) {
    const auto columns = unbind(in[0], 1);
    return columns.at(0) * columns.at(3);
  });
  rows.row("movedim", "", {real({3, 4, 2})}, [](const Inputs& in) { return movedim(in[0], 0, 2); });
  rows.row("movedim", "several", {real({3, 4, 2})}, [](const Inputs& in) { return movedim(in[0], {0, 1}, {2, 0}); });
  rows.row("broadcast_to", "", {real({3, 1})},
           [](const Inputs& in) {
             return broadcast_to(in[0], {2, 3, 4});
           })
      .without_empty();
  rows.row("flatten", "", {real({3, 4, 2})}, [](const Inputs& in) { return flatten(in[0], 1); });
  rows.row("cat", "", {real({3, 4}), real({3, 2}, 1)}, [](const Inputs& in) { return cat({in[0], in[1]}, 1); });
  rows.row("cat", "of_a_tensor_with_itself", {real({3, 4})}, [](const Inputs& in) { return cat({in[0], in[0]}); });
  rows.row("stack", "", {real({3, 4}), real({3, 4}, 1)}, [](const Inputs& in) { return stack({in[0], in[1]}, 1); });
  for (const char* indexing : {"ij", "xy"}) {
    rows.row("meshgrid", indexing, {real({3}), real({4}, 1), real({2}, 2)}, [indexing](const Inputs& in) {
      const std::vector<Tensor> grids = meshgrid({in[0], in[1], in[2]}, indexing);
      return grids[0] * grids[1] + grids[2] * 0.5;
    });
  }
  rows.row("repeat", "", {real({3, 4})}, [](const Inputs& in) { return repeat(in[0], {2, 1, 3}); });
  rows.row("tile", "", {real({3, 4})}, [](const Inputs& in) { return tile(in[0], {2}); });
  rows.row("repeat_interleave", "", {real({3, 4})}, [](const Inputs& in) { return repeat_interleave(in[0], 2, 1); });
  rows.row("repeat_interleave", "flat", {real({3, 4})}, [](const Inputs& in) { return repeat_interleave(in[0], 2); });
  rows.row("repeat_interleave", "tensor", {real({3, 4})}, [](const Inputs& in) {
    return repeat_interleave(in[0], tensor({2, 0, 1, 3}), 1);
  });
  rows.row("flip", "", {real({3, 4, 2})}, [](const Inputs& in) { return flip(in[0], {0, 2}); });
  rows.row("roll", "", {real({3, 4})}, [](const Inputs& in) { return roll(in[0], {1, -2}, {0, 1}); });
  rows.row("roll", "flat", {real({3, 4})}, [](const Inputs& in) { return roll(in[0], 5); });
  rows.row("pad", "", {real({3, 4})}, [](const Inputs& in) { return pad(in[0], {1, 2, 0, 1}, "constant", 0.5); });
  rows.row("constant_pad_nd", "negative", {real({3, 4})}, [](const Inputs& in) {
    return constant_pad_nd(in[0], {-1, 2}, 0.5);
  });

  // Copies.
  rows.row("clone", "", {real({3, 4})}, [](const Inputs& in) { return clone(in[0]); });
  rows.in_place_row("copy_", "", {real({3, 4}), real({4}, 1)}, [](const Inputs& in) { return in[0].copy_(in[1]); });
  rows.in_place_row("fill_", "", {real({3, 4})}, [](const Inputs& in) { return in[0].fill_(2.5); })
      .without_second_gradient();
  rows.in_place_row("fill_", "tensor", {real({3, 4}), real({}, 1)},
                    [](const Inputs& in) { return in[0].fill_(in[1]); });
  rows.in_place_row("zero_", "", {real({3, 4})}, [](const Inputs& in) { return in[0].zero_(); })
      .without_second_gradient();
}

}  // namespace wengert::test
