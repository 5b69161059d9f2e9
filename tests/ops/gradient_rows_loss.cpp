#include <ops/gradient_table.h>
#include <support/inputs.h>

namespace wengert::test {

void add_loss_rows(GradientRows& rows) {
  const auto reductions = {std::pair{"none", Reduction::None}, std::pair{"mean", Reduction::Mean},
                           std::pair{"sum", Reduction::Sum}};
  const Inputs pair{real({3, 4}), real({3, 4}, 1)};
  // Probabilities, and targets for them.
  const Inputs probabilities{arbitrary({3, 4}, 0.1, 0.9), arbitrary({3, 4}, 0.1, 0.9, 1)};
  const Tensor weight = arbitrary({4}, 0.5, 1.5, 2);
  const Tensor classes = tensor({2, 0, 3});
  for (const auto& [name, reduction] : reductions) {
    const int64_t r = reduction;
    rows.row("mse_loss", name, pair, [r](const Inputs& in) { return mse_loss(in[0], in[1], r); });
    rows.row("l1_loss", name, pair, [r](const Inputs& in) { return l1_loss(in[0], in[1], r); })
        .without_second_gradient();
    rows.row("smooth_l1_loss", name, pair, [r](const Inputs& in) { return smooth_l1_loss(in[0], in[1], r, 0.8); });
    rows.row("huber_loss", name, pair, [r](const Inputs& in) { return huber_loss(in[0], in[1], r, 0.8); });
    rows.row("binary_cross_entropy", name, probabilities,
             [=](const Inputs& in) { return binary_cross_entropy(in[0], in[1], weight.to(in[0].dtype()), r); });
    rows.row("binary_cross_entropy_with_logits", name, {pair[0], probabilities[1]}, [=](const Inputs& in) {
      return binary_cross_entropy_with_logits(in[0], in[1], weight.to(in[0].dtype()), weight.to(in[0].dtype()) + 1, r);
    });
    rows.row("kl_div", name, {pair[0], probabilities[1]}, [r](const Inputs& in) { return kl_div(in[0], in[1], r); });
    rows.row("nll_loss", name, {real({3, 4})},
             [=](const Inputs& in) { return nll_loss(in[0], classes, weight.to(in[0].dtype()), r, 0); })
        .without_empty();
    rows.row("cross_entropy_loss", name, {real({3, 4})},
             [=](const Inputs& in) {
               return cross_entropy_loss(in[0], classes, weight.to(in[0].dtype()), r, -100, 0.1);
             })
        .without_empty();
  }
  rows.row("mse_loss", "broadcast", {real({3, 4}), real({4}, 1)},
           [](const Inputs& in) { return mse_loss(in[0], in[1]); });
  rows.row("kl_div", "log_target", pair, [](const Inputs& in) { return kl_div(in[0], in[1], Reduction::Sum, true); });
  rows.row("nll_loss", "image", {real({2, 3, 4})},
           [](const Inputs& in) {
             return nll_loss(in[0], tensor({{0, 1, 2, 1}, {2, 2, 0, 0}}));
           })
      .without_empty();
  rows.row("cross_entropy_loss", "probabilities", {real({3, 4}), probabilities[0]},
           [](const Inputs& in) { return cross_entropy_loss(in[0], in[1]); });
  rows.row("cosine_similarity", "", pair, [](const Inputs& in) { return cosine_similarity(in[0], in[1]); });
  rows.row("linear", "", {real({3, 4}), real({2, 4}, 1), real({2}, 2)},
           [](const Inputs& in) { return linear(in[0], in[1], in[2]); })
      .without_empty();
  rows.row("linear", "batches", {real({2, 3, 4}), real({2, 4}, 1), real({2}, 2)},
           [](const Inputs& in) { return linear(in[0], in[1], in[2]); });
  const Tensor words = tensor({{1, 3, 0}, {1, 1, 2}});
  rows.row("embedding", "", {real({4, 3})}, [=](const Inputs& in) { return embedding(in[0], words); }).without_empty();
  rows.row("embedding", "padding_and_frequency", {real({4, 3})},
           [=](const Inputs& in) {
             // What padding leaves out of the gradient is taken out of the value too.
             return embedding(in[0], words, 3, false) * (words != 3).unsqueeze(-1);
           })
      .without_empty();
  rows.row("dropout", "", {real({3, 4})}, [](const Inputs& in) {
    manual_seed(1);
    return dropout(in[0], 0.5, true);
  });
  rows.row("layer_norm", "", {real({3, 4}), real({4}, 1), real({4}, 2)},
           [](const Inputs& in) { return layer_norm(in[0], {4}, in[1], in[2]); });
  rows.row("layer_norm", "two_dims", {real({2, 3, 4})}, [](const Inputs& in) { return layer_norm(in[0], {3, 4}); });
}

}  // namespace wengert::test
