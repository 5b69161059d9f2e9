#include <factorize/ask/commands.h>
#include <factorize/ask/evaluation.h>
#include <factorize/report/report_page.h>
#include <wengert/wengert.h>

#include <nlohmann/json.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>

namespace factorize {
namespace {

struct Arguments {
  std::vector<std::string> models;
  std::string file;
  Output output;
  int threads = 0;
  RankingOptions ranking;
  std::string page;
};

// What metrics.json says, by the names that it has.
constexpr const char* kFigures[] = {"file",      "rows",    "columns",         "entries",   "rank",
                                    "used_rank", "rmse",    "validation_rmse", "test_rmse", "relative_error",
                                    "loss",      "stopped", "iterations",      "seconds"};

nlohmann::json metrics_of(const std::string& folder) {
  const std::string path = (std::filesystem::path(folder) / "metrics.json").string();
  const auto input = wengert::serialize::Input::file(path);
  try {
    return nlohmann::json::parse(input.read(0, input.size()));
  } catch (const nlohmann::json::exception&) {
    throw wengert::Error(fmt::format("{}: it is no valid JSON", path));
  }
}

Cell cell_of(const nlohmann::json& metrics, const char* name) {
  const auto found = metrics.find(name);
  if (found == metrics.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  if (found->is_number_integer()) return found->get<int64_t>();
  if (found->is_number()) return found->get<double>();
  return {};
}

nlohmann::ordered_json json_of(const Cell& cell) {
  return std::visit(
      []<class T>(const T& value) -> nlohmann::ordered_json {
        if constexpr (std::is_same_v<T, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_floating_point_v<T>) {
          return rounded(value, 6);
        } else {
          return value;
        }
      },
      cell);
}

// A row for each figure, and a column for each model. What is measured is drawn, too, but losses, which need not be
// one.
void write_page(const std::string& file, const std::vector<std::string>& header,
                const std::vector<std::vector<Cell>>& models) {
  ReportPage page("factorize: models side by side", fmt::format("{} models", models.size()));
  nlohmann::ordered_json figures = nlohmann::ordered_json::array();
  std::vector<std::string> names;
  names.reserve(models.size() + 1);
  for (const std::vector<Cell>& model : models) names.push_back(std::get<std::string>(model[0]));
  for (size_t i = 1; i < header.size(); ++i) {
    nlohmann::ordered_json values = nlohmann::ordered_json::array();
    for (const std::vector<Cell>& model : models) values.push_back(json_of(model[i]));
    const auto is_measured = [](const auto& value) { return value.is_number_float(); };
    if (header[i] != "loss" && std::any_of(values.begin(), values.end(), is_measured)) {
      page.add_comparison(header[i], names, values);
    }
    values.insert(values.begin(), header[i]);
    figures.push_back(std::move(values));
  }
  names.insert(names.begin(), "");
  page.add_table("Models", names, std::move(figures));
  page.write(file);
}

int compare(const Arguments& arguments) {
  use_threads(arguments.threads);
  std::vector<std::string> header{"model"};
  std::vector<std::vector<Cell>> rows;
  std::optional<Data> data;
  if (!arguments.file.empty()) {
    FileArguments file;
    file.file = arguments.file;
    data = read_shown(file, true);
  }
  for (const char* name : kFigures) header.emplace_back(name);
  for (const std::string& folder : arguments.models) {
    std::vector<Cell>& cells = rows.emplace_back();
    cells.emplace_back(folder);
    const nlohmann::json metrics = metrics_of(folder);
    for (const char* name : kFigures) cells.push_back(cell_of(metrics, name));
    if (!data) continue;
    const SavedModel saved = load_model(folder);
    for (const Measure& measure : evaluate(saved, asked_entries(*data, saved, Duplicates::kMean), arguments.ranking)) {
      const std::string name = "on file: " + measure.name;
      // Models of implicit feedback have no errors, and those of whole matrices no rankings.
      size_t at = static_cast<size_t>(std::find(header.begin(), header.end(), name) - header.begin());
      if (at == header.size()) header.push_back(name);
      cells.resize(std::max(cells.size(), at + 1));
      cells[at] = measure.value ? Cell(rounded(*measure.value, 6)) : Cell();
    }
  }
  for (std::vector<Cell>& cells : rows) cells.resize(header.size());
  if (!arguments.page.empty()) write_page(arguments.page, header, rows);
  write_table(arguments.output, header, [&](TableWriter& table) {
    for (const std::vector<Cell>& cells : rows) table.row(cells);
  });
  return 0;
}

}  // namespace

void add_compare(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("compare", "Models side by side, a line each");
  command->add_option("MODEL", arguments->models, "folders that fit --out has written")->required();
  command->add_option("--on", arguments->file, "entries to evaluate all of them on")->type_name("FILE");
  command->add_option("-n", arguments->ranking.count, "how many columns are recommended to a row, then")
      ->check(CLI::PositiveNumber)
      ->type_name("N")
      ->capture_default_str();
  command->add_option("--report", arguments->page, "a page on them, which browsers show without a network")
      ->type_name("FILE.html");
  add_output_options(*command, arguments->output, arguments->threads);
  command->callback([arguments, &action] { action = [arguments] { return compare(*arguments); }; });
}

}  // namespace factorize
