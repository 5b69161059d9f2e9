#pragma once

#include <factorize/input/data.h>
#include <factorize/model/entries.h>
#include <factorize/model/model.h>
#include <factorize/processes/lines.h>

#include <optional>

namespace factorize {

/// What a process has of a matrix with holes: the entries of its own rows, and those of its own columns. Its model has
/// the own rows and the needed columns.
struct Share {
  Lines rows, columns;
  Entries of_rows;                          ///< own rows, needed columns
  Entries of_columns;                       ///< needed rows, own columns; of a single process the same as of_rows
  std::optional<Entries> validation, test;  ///< as of_rows
  double count = 0, squares_within = 0;     ///< of all processes' entries: see Entries
  int64_t size = 0, duplicates = 0;

  /// Of a single process.
  explicit Share(Entries entries, std::optional<Entries> validation = {}, std::optional<Entries> test = {});
  const Processes& processes() const { return rows.processes(); }
  bool is_whole() const { return !processes().are_several(); }
  /// The mean over all processes' entries: each has (nnz) of its own.
  double mean(const wengert::Tensor& of_entries) const;
  /// The same with values in another unit.
  Share in_unit(double unit) const;
  /// Of all processes' entries, each of which has some like these: factorize::squared_error(), the rmse, and the sum of
  /// their weights.
  double squared_error(const Model& own, const Entries& entries) const;
  double rmse(const Model& own, const Entries& entries) const;
  double count_of(const Entries& entries) const { return processes().sum(entries.count); }

  /// From the own part of a model to all of it, in the first process; elsewhere nothing is left of its tensors. And
  /// back.
  void make_whole(Model& model) const;
  void make_own(Model& model) const;
  /// The own part of a model, but with all columns.
  Model with_all_columns(Model own) const;
};

/// Takes entries from the processes that read them to those that work with them, each of which gets blocks of rows and
/// of columns with about as many entries as those of the others. data: of the whole matrix, of which positions are.
/// Throws wengert::Error where there are fewer rows or columns than processes.
Share deal(const Processes& processes, const Data& data, Ratings&& fitted, std::optional<Ratings>&& validation,
           std::optional<Ratings>&& test, Duplicates duplicates, wengert::ScalarType dtype);

}  // namespace factorize
