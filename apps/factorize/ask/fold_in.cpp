#include <factorize/ask/asking.h>
#include <factorize/ask/commands.h>
#include <factorize/ask/recommender.h>
#include <wengert/wengert.h>

#include <memory>

namespace factorize {
namespace {

using wengert::Tensor;

struct Arguments {
  Asking asking;
  FileArguments entries;
  int64_t recommended = 0;
};

// The entries of the file at columns that the model has, with their positions.
struct NewRows {
  Entries entries;
  Tensor columns;
};
NewRows new_rows(const Data& data, const SavedModel& saved, Duplicates duplicates) {
  const Tensor columns = saved.columns.find_all(data.column_ids, data.columns);
  for (int64_t j = 0; j < data.columns; ++j) {
    if (columns.data_ptr<int64_t>()[j] >= 0) continue;
    if (data.column_ids.empty()) {
      throw wengert::Error(fmt::format("{}: there are {} columns; the model {} has {}", data.name, data.columns,
                                       saved.folder, saved.model.columns()));
    }
    (void)saved.columns.position_of(data.column_ids[static_cast<size_t>(j)]);
  }
  return {entries_of(data, duplicates, saved.model.C.dtype()), columns};
}

int fold_in(const Arguments& arguments) {
  const SavedModel saved = arguments.asking.open();
  const Model& model = saved.model;
  const Data data = read_shown(arguments.entries, true);
  const Recommender recommender(saved);
  const NewRows given = new_rows(data, saved, arguments.entries.duplicates);
  const Names names("row", data.row_ids, data.rows);
  if (arguments.recommended > 0) {
    write_table(arguments.asking.output, {"row", "rank", "column", "score"}, [&](TableWriter& table) {
      recommender.recommend(
          given.entries, given.columns, arguments.recommended,
          [&](int64_t i, const BestColumns& best, const Tensor& predictions) {
            for (size_t r = 0; r < best.columns.size(); ++r) {
              const auto rank = static_cast<int64_t>(r);
              table.row({names[i], rank + 1, saved.columns[best.columns[r]], cell_of(predictions, rank)});
            }
          });
    });
    return 0;
  }
  const RowSolver::Rows rows = recommender.solver().solve(given.entries, given.columns);
  std::vector<std::string> header{"row", "bias"};
  for (int64_t l = 1; l <= model.rank(); ++l) header.push_back(fmt::format("factor{}", l));
  write_table(arguments.asking.output, header, [&](TableWriter& table) {
    std::vector<Cell> cells;
    for (int64_t i = 0; i < data.rows; ++i) {
      cells = {names[i], cell_of(rows.bias, i)};
      add_cells(cells, rows.factors, i);
      table.row(cells);
    }
  });
  return 0;
}

}  // namespace

void add_fold_in(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("fold-in", "Factors of new rows, as half a sweep of the fit finds them");
  add_asking_options(*command, arguments->asking);
  add_file_options(*command, arguments->entries,
                   "entries (row, column, value) or a table of new rows; - for standard input");
  command->add_option("--recommend", arguments->recommended, "write N columns for each row instead of its factors")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command->callback([arguments, &action] { action = [arguments] { return fold_in(*arguments); }; });
}

}  // namespace factorize
