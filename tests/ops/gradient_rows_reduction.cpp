#include <ops/gradient_table.h>
#include <support/inputs.h>

namespace wengert::test {

void add_reduction_rows(GradientRows& rows) {
  rows.row("sum", "all", {real({3, 4})}, [](const Inputs& in) { return sum(in[0]); });
  rows.row("sum", "dim", {real({3, 4, 2})}, [](const Inputs& in) { return sum(in[0], 1); });
  rows.row("sum", "dims_kept", {real({3, 4, 2})}, [](const Inputs& in) { return sum(in[0], {0, -1}, true); });
  rows.row("mean", "all", {real({3, 4})}, [](const Inputs& in) { return mean(in[0]); });
  rows.row("mean", "dim", {real({3, 4, 2})}, [](const Inputs& in) { return mean(in[0], 1); });
  rows.row("mean", "dims_kept", {real({3, 4, 2})}, [](const Inputs& in) { return mean(in[0], {1, 2}, true); });
  rows.row("sum_to_size", "", {real({3, 4, 2})},
           [](const Inputs& in) {
             return sum_to_size(in[0], {4, 1});
           })
      .without_empty();

  const Inputs cube{real({3, 4, 2})}, positive_cube{positive({3, 4, 2})};
  rows.row("nansum", "", cube, [](const Inputs& in) { return nansum(in[0], {1}, true); });
  rows.row("prod", "all", {positive({2, 3})}, [](const Inputs& in) { return prod(in[0]); });
  rows.row("prod", "dim", positive_cube, [](const Inputs& in) { return prod(in[0], 1); });
  rows.row("prod", "with_zeros", {positive({3, 4})},
           [](const Inputs& in) {
             const Tensor mask =
                 tensor({{1.0, 0.0, 1.0, 1.0}, {0.0, 1.0, 0.0, 1.0}, {1.0, 1.0, 1.0, 1.0}}, in[0].options());
             return prod(in[0] * mask, 1, true);
           })
      .without_empty();
  rows.row("cumsum", "", cube, [](const Inputs& in) { return cumsum(in[0], 1); });
  rows.row("cumprod", "", positive_cube, [](const Inputs& in) { return cumprod(in[0], 1); });
  rows.row("cumprod", "with_zeros", {positive({3, 4})},
           [](const Inputs& in) {
             const Tensor mask =
                 tensor({{1.0, 0.0, 1.0, 1.0}, {0.0, 1.0, 0.0, 1.0}, {1.0, 1.0, 1.0, 1.0}}, in[0].options());
             return cumprod(in[0] * mask, 1);
           })
      .without_empty();
  rows.row("var", "all", cube, [](const Inputs& in) { return var(in[0]); });
  rows.row("var", "dims", cube, [](const Inputs& in) { return var(in[0], {1, 2}, false, true); });
  rows.row("std", "all", cube, [](const Inputs& in) { return std(in[0]); });
  rows.row("std", "dim", cube, [](const Inputs& in) { return std(in[0], {1}, true); });
  rows.row("norm", "", cube, [](const Inputs& in) { return norm(in[0]); }).without_empty();
  rows.row("norm", "dim", cube, [](const Inputs& in) { return norm(in[0], 2, {1}); });
  rows.row("norm", "one", cube, [](const Inputs& in) { return norm(in[0], 1, {1, 2}); }).without_second_gradient();
  rows.row("norm", "three", positive_cube, [](const Inputs& in) { return norm(in[0], 3, {1}, true); });
  rows.row("norm", "half", positive_cube, [](const Inputs& in) { return norm(in[0], 0.5, {1}); });
  const double infinity = std::numeric_limits<double>::infinity();
  rows.row("norm", "largest", cube, [infinity](const Inputs& in) { return norm(in[0], infinity, {1}); })
      .without_second_gradient();
  rows.row("norm", "smallest", cube, [infinity](const Inputs& in) { return norm(in[0], -infinity, {1}); })
      .without_second_gradient();
  rows.row("softmax", "", cube, [](const Inputs& in) { return softmax(in[0], 1); });
  rows.row("log_softmax", "", cube, [](const Inputs& in) { return log_softmax(in[0], -1); });
  rows.row("logsumexp", "", cube, [](const Inputs& in) { return logsumexp(in[0], {1, 2}); });
  rows.row("logsumexp", "kept", cube, [](const Inputs& in) { return logsumexp(in[0], 1, true); });

  // Order: an element is passed on as it is.
  const auto chosen = [&](const char* op, const char* variant, Inputs inputs,
                          const GradientRows::Operation& f) -> GradientRow& {
    return rows.row(op, variant, std::move(inputs), f).without_second_gradient();
  };
  chosen("max", "all", cube, [](const Inputs& in) { return max(in[0]); }).without_empty();
  chosen("min", "all", cube, [](const Inputs& in) { return min(in[0]); }).without_empty();
  chosen("max", "dim", cube, [](const Inputs& in) { return std::get<0>(max(in[0], 1)); });
  chosen("min", "dim_kept", cube, [](const Inputs& in) { return std::get<0>(min(in[0], 1, true)); });
  chosen("max", "of_two", {real({3, 4}), real({4}, 1)}, [](const Inputs& in) { return max(in[0], in[1]); });
  chosen("min", "of_two", {real({3, 4}), real({4}, 1)}, [](const Inputs& in) { return min(in[0], in[1]); });
  chosen("amax", "", cube, [](const Inputs& in) { return amax(in[0], {1, 2}); });
  chosen("amin", "", cube, [](const Inputs& in) { return amin(in[0], {1}, true); });
  chosen("sort", "", cube, [](const Inputs& in) { return std::get<0>(sort(in[0], 1)); });
  chosen("sort", "falling", cube, [](const Inputs& in) { return std::get<0>(sort(in[0], -1, true)); });
  chosen("topk", "", cube, [](const Inputs& in) { return std::get<0>(topk(in[0], 2, 1)); });
  chosen("median", "all", cube, [](const Inputs& in) { return median(in[0]); }).without_empty();
  chosen("median", "dim", cube, [](const Inputs& in) { return std::get<0>(median(in[0], 1)); });
}

}  // namespace wengert::test
