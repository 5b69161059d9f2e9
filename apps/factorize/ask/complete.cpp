#include <factorize/ask/asking.h>
#include <factorize/ask/commands.h>
#include <wengert/wengert.h>

#include <memory>

namespace factorize {
namespace {

using wengert::Tensor;

int complete(const Asking& asking) {
  const SavedModel saved = asking.open();
  const Model& model = saved.model;
  const Predictor predictor(model);
  const int64_t n = model.rows(), m = model.columns();
  Output output = asking.output;
  output.has_header = saved.columns.are_given();
  const bool have_names = saved.rows.are_given();
  std::vector<std::string> header;
  if (have_names) header.emplace_back("row");
  for (int64_t j = 0; j < m; ++j) header.push_back(saved.columns[j]);
  write_table(output, header, [&](TableWriter& table) {
    std::vector<Cell> cells;
    constexpr int64_t kElements = 1 << 20;
    const int64_t batch = std::max<int64_t>(1, kElements / m);
    for (int64_t begin = 0; begin < n; begin += batch) {
      const int64_t size = std::min(batch, n - begin);
      const Tensor levels = predictor.row_levels().narrow(0, begin, size).unsqueeze(1);
      const Tensor values = predictor.predicted(predictor.scores(model.C.narrow(0, begin, size)) + levels);
      for (int64_t i = 0; i < size; ++i) {
        cells.clear();
        if (have_names) cells.emplace_back(saved.rows[begin + i]);
        add_cells(cells, values, i);
        // What is known stays.
        if (saved.fitted) {
          const auto known = saved.fitted->columns_of(begin + i);
          for (size_t e = 0; e < known.size(); ++e) {
            cells[static_cast<size_t>(known[e]) + (have_names ? 1 : 0)] =
                cell_of(saved.fitted->values, saved.fitted->begin_of(begin + i) + static_cast<int64_t>(e));
          }
        }
        table.row(cells);
      }
    }
  });
  return 0;
}

}  // namespace

void add_complete(CLI::App& app, Action& action) {
  auto asking = std::make_shared<Asking>();
  CLI::App* command = app.add_subcommand(
      "complete", "The whole matrix: what was known, and predictions where there were holes; without holes, C F");
  add_asking_options(*command, *asking);
  command->callback([asking, &action] { action = [asking] { return complete(*asking); }; });
}

}  // namespace factorize
