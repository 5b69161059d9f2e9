#include <ops/gradient_table.h>
#include <support/inputs.h>

namespace wengert::test {

using indexing::None;
using indexing::Slice;

void add_position_rows(GradientRows& rows) {
  const Tensor positions = tensor({{0, 2, 1, 0}, {2, 2, 0, 1}});  // (2, 4), for dim 0 of size 3
  const auto position_row = [&](const char* op, const char* variant, Inputs inputs, const GradientRows::Operation& f) {
    rows.row(op, variant, std::move(inputs), f).without_empty();
  };
  const auto position_in_place_row = [&](const char* op, const char* variant, Inputs inputs,
                                         const GradientRows::Operation& f) {
    rows.in_place_row(op, variant, std::move(inputs), f).without_empty();
  };
  const Tensor distinct = tensor({{0, 2, 1, 0}, {2, 1, 0, 1}});

  position_row("gather", "", {real({3, 4})}, [=](const Inputs& in) { return gather(in[0], 0, positions); });
  position_row("gather", "last", {real({2, 4})}, [=](const Inputs& in) { return gather(in[0], 1, positions); });
  const Inputs scattered{real({3, 4}), real({2, 4}, 1)};
  position_row("scatter", "", scattered, [=](const Inputs& in) { return scatter(in[0], 0, distinct, in[1]); });
  position_row("scatter", "number", {real({3, 4})},
               [=](const Inputs& in) { return scatter(in[0], 0, positions, 1.5); });
  position_row("scatter_add", "", scattered, [=](const Inputs& in) { return scatter_add(in[0], 0, positions, in[1]); });
  position_in_place_row("scatter_", "", scattered,
                        [=](const Inputs& in) { return in[0].scatter_(0, distinct, in[1]); });
  position_in_place_row("scatter_", "number", {real({3, 4})},
                        [=](const Inputs& in) { return in[0].scatter_(0, positions, 1.5); });
  position_in_place_row("scatter_add_", "", scattered,
                        [=](const Inputs& in) { return in[0].scatter_add_(0, positions, in[1]); });
  const Tensor slices = tensor({2, 0, 2});
  position_row("index_select", "first", {real({3, 4})},
               [=](const Inputs& in) { return index_select(in[0], 0, slices); });
  position_row("index_select", "last", {real({2, 4, 3})},
               [=](const Inputs& in) { return index_select(in[0], -1, slices); });
  position_row("index_add", "", {real({4, 3}), real({4, 3}, 1)},
               [=](const Inputs& in) { return index_add(in[0], 1, slices, in[1], 1.5); });
  position_in_place_row("index_add_", "", {real({3, 4}), real({3, 4}, 1)},
                        [=](const Inputs& in) { return in[0].index_add_(0, slices, in[1], 1.5); });
  position_row("masked_select", "", {real({3, 4})}, [](const Inputs& in) {
    return masked_select(in[0], tensor({true, false, true, true}));
  });
  position_row("take", "", {real({3, 4})}, [=](const Inputs& in) { return take(in[0], tensor({{1, 11}, {5, 1}})); });

  // index takes positions, masks and whole dimensions.
  position_row("index", "rows", {real({3, 4})}, [=](const Inputs& in) { return index(in[0], {slices}); });
  position_row("index", "broadcast", {real({3, 4, 2})}, [=](const Inputs& in) {
    return index(in[0], {slices.unsqueeze(1), tensor({1, 3})});
  });
  position_row("index", "apart", {real({3, 4, 2})}, [=](const Inputs& in) {
    return index(in[0], {tensor({2, 0}), Tensor(), tensor({1, 1})});
  });
  position_row("index", "mask", {real({3, 4, 2})},
               [](const Inputs& in) { return index(in[0], {in[0].detach().select(2, 0) > 0}); });
  position_row("index", "slices", {real({3, 4, 2})}, [=](const Inputs& in) {
    return in[0].index({Slice(1, None), None, tensor({1, 3}), "...", -1});
  });
  position_row("index_put", "", {real({3, 4}), real({2, 4}, 1)}, [](const Inputs& in) {
    return index_put(in[0], {tensor({2, 0})}, in[1]);
  });
  position_row("index_put", "accumulate", {real({3, 4}), real({4}, 1)},
               [=](const Inputs& in) { return index_put(in[0], {slices}, in[1], true); });
  position_in_place_row("index_put_", "", {real({3, 4}), real({2, 2}, 1)}, [](const Inputs& in) {
    return in[0].index_put_({Slice(None, 2), tensor({3, 1})}, in[1]);
  });
  position_in_place_row("index_put_", "view", {real({3, 4}), real({2}, 1)}, [](const Inputs& in) {
    return in[0].index_put_({1, Slice(None, None, 2)}, in[1]);
  });
  position_in_place_row("index_put_", "mask_and_number", {real({3, 4})},
                        [](const Inputs& in) { return in[0].index_put_({in[0].detach() > 0}, 1.5); });
}

}  // namespace wengert::test
