#include <factorize/model/entry_losses.h>
#include <factorize/model/model.h>
#include <wengert/wengert.h>

namespace factorize {

using wengert::Tensor;

const std::vector<std::pair<std::string, LossKind>>& loss_names() {
  static const std::vector<std::pair<std::string, LossKind>> names{{"squared", LossKind::kSquared},
                                                                   {"absolute", LossKind::kAbsolute},
                                                                   {"huber", LossKind::kHuber},
                                                                   {"logistic", LossKind::kLogistic},
                                                                   {"poisson", LossKind::kPoisson}};
  return names;
}

const std::vector<std::pair<std::string, Feedback>>& feedback_names() {
  static const std::vector<std::pair<std::string, Feedback>> names{
      {"explicit", Feedback::kExplicit}, {"als", Feedback::kAls}, {"bpr", Feedback::kBpr}};
  return names;
}

Predictor::Predictor(const Model& model) : model_(model) {
  const wengert::NoGradGuard no_grad;
  const auto options = model.C.options();
  row_levels_ = wengert::full({model.rows()}, model.mean, options);
  column_levels_ = wengert::zeros({model.columns()}, options);
  if (model.row_bias.defined()) {
    row_levels_ = row_levels_ + model.row_bias;
    column_levels_ = model.column_bias;
  }
  if (model.offset.defined()) {
    if (model.offset.size(1) > 1) {
      column_levels_ = column_levels_ + model.offset.squeeze(0);
    } else {
      row_levels_ = row_levels_ + model.offset.squeeze(1);
    }
  }
  column_factors_ = model.F.t().contiguous();
  have_levels_ = column_levels_.ne(0).any().item<bool>();
  levelled_ = have_levels_ ? wengert::cat({model.F, column_levels_.unsqueeze(0)}, 0) : model.F;
}

Tensor Predictor::predicted(const Tensor& x) const { return inverse_link(x, model_.loss); }

Tensor Predictor::at(const Tensor& rows, const Tensor& columns) const {
  const wengert::NoGradGuard no_grad;
  constexpr int64_t kBatch = 1 << 16;
  const int64_t count = rows.numel();
  Tensor x = wengert::empty({count}, model_.C.options());
  for (int64_t begin = 0; begin < count; begin += kBatch) {
    const int64_t size = std::min(kBatch, count - begin);
    const Tensor i = rows.narrow(0, begin, size), j = columns.narrow(0, begin, size);
    const Tensor products = (model_.C.index_select(0, i) * column_factors_.index_select(0, j)).sum(1);
    x.narrow(0, begin, size).copy_(products + row_levels_.index_select(0, i) + column_levels_.index_select(0, j));
  }
  return predicted(x);
}

Tensor Predictor::scores(const Tensor& factors) const {
  const wengert::NoGradGuard no_grad;
  if (!have_levels_) return wengert::mm(factors, levelled_);
  const Tensor ones = wengert::ones({factors.size(0), 1}, factors.options());
  return wengert::mm(wengert::cat({factors, ones}, 1), levelled_);
}

double squared_error(const Model& model, const Entries& entries) {
  const wengert::NoGradGuard no_grad;
  Tensor predicted = wengert::sampled_mm(model.C, model.F, entries.pattern) + model.mean;
  if (model.row_bias.defined()) predicted = predicted + sums_at(entries.pattern, model.row_bias, model.column_bias);
  const Tensor errors = entries.values - inverse_link(predicted, model.loss);
  const double unit = unit_of(entries.values);
  const Tensor squares = (unit == 1 ? errors : errors / unit).square();
  return entries.weighted(squares).sum().item<double>() * unit * unit + entries.squares_within;
}

}  // namespace factorize
