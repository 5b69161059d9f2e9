#include <factorize/ask/commands.h>
#include <factorize/ask/evaluation.h>
#include <factorize/report/report_page.h>
#include <wengert/wengert.h>

#include <cmath>
#include <memory>

namespace factorize {
namespace {

struct Arguments {
  Asking asking;
  FileArguments file;
  RankingOptions ranking;
  std::string page;
};

Cell cell_of(const std::optional<double>& value) { return value ? Cell(rounded(*value, 6)) : Cell(); }

int evaluate_model(const Arguments& arguments) {
  const SavedModel saved = arguments.asking.open();
  const Data data = read_shown(arguments.file, true);
  const AskedEntries asked = asked_entries(data, saved, arguments.file.duplicates);
  if (asked.unknown > 0) {
    fmt::print(stderr, "factorize: {} of {} entries are left out: the model has no such row or column\n", asked.unknown,
               asked.unknown + asked.entries.size());
  }
  const std::vector<Measure> measures = evaluate(saved, asked, arguments.ranking);
  if (!arguments.page.empty()) {
    ReportPage page("factorize: " + saved.folder, fmt::format("On {}: {} entries", data.name, asked.entries.size()));
    nlohmann::ordered_json rows = nlohmann::ordered_json::array();
    const auto json = [](const std::optional<double>& value) {
      return value ? nlohmann::ordered_json(rounded(*value, 5)) : nlohmann::ordered_json();
    };
    for (const Measure& measure : measures) {
      rows.push_back({measure.name, json(measure.value), json(measure.low), json(measure.high),
                      json(measure.popularity), json(measure.biases)});
    }
    page.add_table("Measures, with 95 % intervals, beside models without factors",
                   {"measure", "model", "low", "high", "popularity", "biases"}, std::move(rows));
    page.add_errors(saved.model, asked.entries, saved.rows, saved.columns);
    page.add_factors(saved.model, saved.rows, saved.columns);
    page.write(arguments.page);
  }
  write_table(arguments.asking.output, {"measure", "model", "low", "high", "popularity", "biases"},
              [&](TableWriter& table) {
                for (const Measure& measure : measures) {
                  table.row({measure.name, cell_of(measure.value), cell_of(measure.low), cell_of(measure.high),
                             cell_of(measure.popularity), cell_of(measure.biases)});
                }
              });
  return 0;
}

}  // namespace

void add_evaluate(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "evaluate", "Errors and rankings of a model on entries that it has not seen, beside models without factors");
  add_asking_options(*command, arguments->asking);
  add_file_options(*command, arguments->file, "entries (row, column, value) or a table; - for standard input");
  RankingOptions& ranking = arguments->ranking;
  command->add_option("-n", ranking.count, "how many columns are recommended to a row")
      ->check(CLI::PositiveNumber)
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--relevant", ranking.least, "the least value that is relevant (default: all entries are)")
      ->type_name("VALUE");
  command
      ->add_option("--candidates", ranking.candidates,
                   "rank the relevant columns among so many others, drawn at random for each row, which flatters "
                   "models (Krichene and Rendle, 2020) (default: among all)")
      ->check(CLI::PositiveNumber)
      ->type_name("N");
  command->add_option("--seed", ranking.seed, "of those")->type_name("S")->capture_default_str();
  command->add_option("--report", arguments->page, "a page on it, which browsers show without a network")
      ->type_name("FILE.html");
  command->callback([arguments, &action] { action = [arguments] { return evaluate_model(*arguments); }; });
}

}  // namespace factorize
