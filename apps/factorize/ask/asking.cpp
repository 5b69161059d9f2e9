#include <factorize/ask/asking.h>
#include <wengert/wengert.h>

namespace factorize {

using wengert::Tensor;

SavedModel Asking::open() const {
  use_threads(threads);
  return load_model(folder);
}

void add_output_options(CLI::App& app, Output& output, int& threads) {
  app.add_flag("--json", output.json, "an array of objects instead of CSV");
  app.add_option("--out", output.file, "where to write (default: standard output)")->type_name("FILE");
  add_threads_option(app, threads);
}

void add_asking_options(CLI::App& app, Asking& asking) {
  app.add_option("MODEL", asking.folder, "the folder that fit --out has written")->required();
  add_output_options(app, asking.output, asking.threads);
}

AskedEntries asked_entries(const Data& data, const SavedModel& saved, Duplicates duplicates) {
  const wengert::NoGradGuard no_grad;
  const Model& model = saved.model;
  const Tensor rows = saved.rows.find_all(data.row_ids, data.rows),
               columns = saved.columns.find_all(data.column_ids, data.columns);
  const Entries entries = entries_of(data, duplicates, model.C.dtype());
  const Tensor row_at = rows.index_select(0, rows_of(entries.pattern)),
               column_at = columns.index_select(0, entries.pattern.col_indices());
  const Tensor known = wengert::nonzero(row_at.ge(0).logical_and(column_at.ge(0))).squeeze(1);
  if (known.numel() == 0) {
    throw wengert::Error(
        fmt::format("{}: no entry is of a row and a column that the model {} has", data.name, saved.folder));
  }
  // Rows and columns may stand in another order in the model.
  const Tensor given_rows = row_at.index_select(0, known), given_columns = column_at.index_select(0, known);
  const wengert::SparsePattern pattern(given_rows, given_columns, model.rows(), model.columns());
  const Tensor from = known.index_select(0, pattern.order());
  AskedEntries asked{{pattern, entries.values.index_select(0, from), {}, static_cast<double>(known.numel())},
                     entries.size() - known.numel(),
                     rows_of(pattern),
                     pattern.col_indices()};
  if (entries.weights.defined()) {
    asked.entries.weights = entries.weights.index_select(0, from);
    asked.entries.count = asked.entries.weights.sum(wengert::kDouble).item<double>();
  }
  return asked;
}

}  // namespace factorize
