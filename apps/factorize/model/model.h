#pragma once

#include <factorize/model/entries.h>
#include <wengert/autograd/tensor/tensor.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace factorize {

enum class LossKind { kSquared, kAbsolute, kHuber, kLogistic, kPoisson };
/// What the values say. Implicit feedback: counts, where no entry is one, too. als: all other pairs are 0, with
/// confidence 1 beside 1 + alpha value (Hu, Koren, Volinsky: Collaborative Filtering for Implicit Feedback Datasets,
/// 2008). bpr: see fit_by_bpr().
enum class Feedback { kExplicit, kAls, kBpr };

/// What they are called on the command line and in files.
const std::vector<std::pair<std::string, LossKind>>& loss_names();
const std::vector<std::pair<std::string, Feedback>>& feedback_names();
template <class T>
std::string name_of(T value, const std::vector<std::pair<std::string, T>>& names) {
  return std::find_if(names.begin(), names.end(), [&](const auto& name) { return name.second == value; })->first;
}

/// What a fit leaves. Element (i, j) is about mean + b_i + c_j + C_i F_j, through the inverse of the loss's link; of a
/// whole matrix about C F + offset. All in the matrix's own units.
struct Model {
  wengert::Tensor C;       ///< (n, k)
  wengert::Tensor F;       ///< (k, m)
  wengert::Tensor offset;  ///< of whole matrices, the mean taken off: (1, 1), (n, 1) or (1, m); undefined: none
  double mean = 0;
  wengert::Tensor row_bias, column_bias;  ///< (n), (m); undefined without biases
  LossKind loss = LossKind::kSquared;
  double huber_delta = 1;
  Feedback feedback = Feedback::kExplicit;
  double alpha = 1;  ///< of Feedback::kAls
  bool nonnegative = false;

  // What rows were solved with, or would have been: see RowSolver.
  wengert::Tensor row_penalties;  ///< (k + 1): weights of b_i^2 and C_i^2; undefined where rows have no such loss
  bool penalties_by_count = false;
  wengert::Tensor column_variances;  ///< (k, m): of F, in its posterior; undefined: 0
  double expected_curvature = 0;     ///< of an entry's loss, what variances are reckoned with; 0: its own

  int64_t rows() const { return C.size(0); }
  int64_t columns() const { return F.size(1); }
  int64_t rank() const { return C.size(1); }
};

/// visit(name, tensor) for each tensor of a model, as files name them; those that it does not have are undefined.
template <class AnyModel, class Visit>
void for_each_tensor(AnyModel& model, const Visit& visit) {
  visit("C", model.C);
  visit("F", model.F);
  visit("offset", model.offset);
  visit("row_bias", model.row_bias);
  visit("column_bias", model.column_bias);
  visit("row_penalties", model.row_penalties);
  visit("column_variances", model.column_variances);
}

/// The model's predictions, for pairs and for whole rows.
class Predictor {
 public:
  /// The model must live longer.
  explicit Predictor(const Model& model);

  const Model& model() const { return model_; }
  /// At pairs of positions, both Long (p): (p).
  wengert::Tensor at(const wengert::Tensor& rows, const wengert::Tensor& columns) const;
  /// Of rows of C, (b, k), for each column: (b, m). What ranks the columns of a row; with the row's level it is what
  /// predicted() takes.
  wengert::Tensor scores(const wengert::Tensor& factors) const;
  /// What all elements of a row have in common: (n).
  const wengert::Tensor& row_levels() const { return row_levels_; }
  /// (m).
  const wengert::Tensor& column_levels() const { return column_levels_; }
  /// Each column's factors, a row each: (m, k).
  const wengert::Tensor& column_factors() const { return column_factors_; }
  /// From what the model adds up to what it predicts.
  wengert::Tensor predicted(const wengert::Tensor& x) const;

 private:
  const Model& model_;
  wengert::Tensor row_levels_, column_levels_;
  wengert::Tensor column_factors_;
  wengert::Tensor levelled_;  // the factors, and where columns have levels those behind them: (k, m) or (k + 1, m)
  bool have_levels_;
};

/// The sum of weighted squared errors at these entries.
double squared_error(const Model& model, const Entries& entries);

}  // namespace factorize
