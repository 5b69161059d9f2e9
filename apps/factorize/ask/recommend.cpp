#include <factorize/ask/asking.h>
#include <factorize/ask/commands.h>
#include <factorize/ask/recommender.h>
#include <wengert/wengert.h>

#include <memory>
#include <numeric>

namespace factorize {
namespace {

struct Arguments {
  Asking asking;
  std::vector<std::string> rows;
  int64_t count = 10;
  bool with_seen = false;
  bool explain = false;
};

int recommend(const Arguments& arguments) {
  const SavedModel saved = arguments.asking.open();
  const Recommender recommender(saved);
  std::vector<int64_t> rows;
  for (const std::string& id : arguments.rows) rows.push_back(saved.rows.position_of(id));
  if (rows.empty()) {
    rows.resize(static_cast<size_t>(saved.model.rows()));
    std::iota(rows.begin(), rows.end(), int64_t{0});
  }
  std::vector<std::string> header{"row", "rank", "column", "score"};
  if (arguments.explain) {
    recommender.check_explains();
    header.insert(header.end(), {"because", "part"});
  }
  const std::vector<std::string> columns = saved.columns.all();
  write_table(arguments.asking.output, header, [&](TableWriter& table) {
    recommender.recommend(rows, arguments.count, arguments.with_seen,
                          [&](int64_t row, const BestColumns& best, const wengert::Tensor& predictions) {
                            constexpr int64_t kReasons = 5;
                            const auto parts = arguments.explain ? recommender.explain(row, best, kReasons)
                                                                 : std::vector<std::vector<Recommender::Part>>();
                            const std::string name = saved.rows[row];
                            for (size_t r = 0; r < best.columns.size(); ++r) {
                              const auto rank = static_cast<int64_t>(r);
                              const std::string& column = columns[static_cast<size_t>(best.columns[r])];
                              if (!arguments.explain) table.row({name, rank + 1, column, cell_of(predictions, rank)});
                              if (!arguments.explain) continue;
                              for (const auto& [entry, part] : parts[r]) {
                                table.row({name, rank + 1, column, cell_of(predictions, rank),
                                           columns[static_cast<size_t>(entry)], static_cast<float>(part)});
                              }
                            }
                          });
  });
  return 0;
}

}  // namespace

void add_recommend(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("recommend", "The columns with the highest predictions for rows");
  add_asking_options(*command, arguments->asking);
  command->add_option("--row", arguments->rows, "of which (default: all rows)")->type_name("ID ...");
  command->add_option("-n", arguments->count, "how many for each")
      ->check(CLI::PositiveNumber)
      ->type_name("N")
      ->capture_default_str();
  command->add_flag("--with-seen", arguments->with_seen, "also the columns where the row has an entry");
  command->add_flag("--explain", arguments->explain,
                    "which of the row's own entries speak for it, and how much of the score is theirs");
  command->callback([arguments, &action] { action = [arguments] { return recommend(*arguments); }; });
}

}  // namespace factorize
