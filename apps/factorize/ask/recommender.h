#pragma once

#include <factorize/model/ranking.h>
#include <factorize/model/row_solver.h>
#include <factorize/model/saved_model.h>

#include <functional>
#include <optional>
#include <vector>

namespace factorize {

/// Recommends columns to the rows of a saved model, and to new ones.
class Recommender {
 public:
  /// The model must live longer.
  explicit Recommender(const SavedModel& saved);

  const SavedModel& saved() const { return saved_; }
  const Predictor& predictor() const { return predictor_; }

  /// The best columns of a row with what is predicted for them, (count), the model's dtype.
  using Take = std::function<void(int64_t row, const BestColumns& best, const wengert::Tensor& predictions)>;
  /// For rows of the model. with_seen: also of columns where the row has an entry.
  void recommend(const std::vector<int64_t>& rows, int64_t count, bool with_seen, const Take& take) const;
  /// For new rows with entries at `columns`, Long, the model's: see RowSolver. Row i is the i-th of the entries.
  void recommend(const Entries& entries, const wengert::Tensor& columns, int64_t count, const Take& take) const;

  /// How much an entry of a row adds to a score.
  struct Part {
    int64_t column;
    double part;
  };
  /// Those entries of a row that add most, the most first, for each of its best columns: see
  /// RowSolver::parts_of_score(). Throws wengert::Error as check_explains() does.
  std::vector<std::vector<Part>> explain(int64_t row, const BestColumns& best, int64_t count) const;

  /// Throws wengert::Error where there are no entries, or scores are no sums over them.
  void check_explains() const;

  /// Throws wengert::Error for models whose rows are not solved for.
  const RowSolver& solver() const;

 private:
  const SavedModel& saved_;
  Predictor predictor_;
  std::optional<RowSolver> solver_;
};

}  // namespace factorize
