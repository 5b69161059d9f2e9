#include <factorize/ask/asking.h>
#include <factorize/ask/commands.h>
#include <wengert/wengert.h>

#include <memory>

namespace factorize {
namespace {

struct Arguments {
  Asking asking;
  FileArguments pairs;
};

int predict(Arguments& arguments) {
  const SavedModel saved = arguments.asking.open();
  arguments.pairs.read.pairs = true;
  Data data = read_shown(arguments.pairs, true);
  const auto* pairs = std::get_if<Ratings>(&data.content);
  if (pairs == nullptr) throw wengert::Error(fmt::format("{}: expected pairs of a row and a column", data.name));
  const auto positions = [&](const Names& names, const std::vector<std::string>& ids, int64_t count,
                             const std::vector<int32_t>& given) {
    const wengert::Tensor found = names.find_all(ids, count);
    const auto* position = found.data_ptr<int64_t>();
    wengert::Tensor of_pairs = wengert::empty({static_cast<int64_t>(given.size())}, wengert::kLong);
    auto* at = of_pairs.data_ptr<int64_t>();
    for (size_t e = 0; e < given.size(); ++e) {
      at[e] = position[given[e]];
      if (at[e] < 0) names.position_of(ids.empty() ? std::to_string(given[e] + 1) : ids[static_cast<size_t>(given[e])]);
    }
    return of_pairs;
  };
  const wengert::Tensor rows = positions(saved.rows, data.row_ids, data.rows, pairs->rows),
                        columns = positions(saved.columns, data.column_ids, data.columns, pairs->columns);
  const wengert::Tensor predicted = Predictor(saved.model).at(rows, columns);
  write_table(arguments.asking.output, {"row", "column", "prediction"}, [&](TableWriter& table) {
    for (int64_t e = 0; e < predicted.numel(); ++e) {
      table.row({saved.rows[rows.data_ptr<int64_t>()[e]], saved.columns[columns.data_ptr<int64_t>()[e]],
                 cell_of(predicted, e)});
    }
  });
  return 0;
}

}  // namespace

void add_predict(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("predict", "What a model says of pairs of a row and a column");
  add_asking_options(*command, arguments->asking);
  add_file_options(*command, arguments->pairs,
                   "pairs (row, column), further columns are not looked at; - for standard input");
  command->callback([arguments, &action] { action = [arguments] { return predict(*arguments); }; });
}

}  // namespace factorize
