#include <factorize/ask/asking.h>
#include <factorize/ask/commands.h>
#include <factorize/fit/report.h>
#include <wengert/autograd/serialize/npy.h>
#include <wengert/autograd/serialize/safetensors.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <iterator>
#include <memory>

namespace factorize {
namespace {

using wengert::Tensor;
using wengert::serialize::Sink;

enum class As { kNpy, kSafetensors, kCsv, kWord2vec };

struct Arguments {
  std::string folder;
  std::string out;
  As as = As::kCsv;
  bool inner = false;
};

// A line "count width", and one for each name with its vector. Names end at a blank, so theirs become _.
void write_word2vec(const std::string& path, const Names& names, const Tensor& vectors) {
  wengert::serialize::write_file(path, [&](const Sink& write) {
    std::string text = fmt::format("{} {}\n", vectors.size(0), vectors.size(1));
    for (int64_t i = 0; i < vectors.size(0); ++i) {
      std::string name = names[i];
      std::replace_if(
          name.begin(), name.end(), [](unsigned char c) { return std::isspace(c) != 0; }, '_');
      text += name;
      for (int64_t l = 0; l < vectors.size(1); ++l) {
        std::visit(
            [&]<class T>(const T& value) {
              if constexpr (std::is_floating_point_v<T>) fmt::format_to(std::back_inserter(text), " {}", value);
            },
            cell_of(vectors, i * vectors.size(1) + l));
      }
      text += '\n';
      write(text.data(), text.size());
      text.clear();
    }
    write(text.data(), text.size());
  });
}

void write_csv(const std::string& path, const Names& names, const Tensor& vectors) {
  std::vector<std::string> header{"id"};
  for (int64_t l = 1; l <= vectors.size(1); ++l) header.push_back(fmt::format("factor{}", l));
  Output output;
  output.file = path;
  write_table(output, header, [&](TableWriter& table) {
    std::vector<Cell> cells;
    for (int64_t i = 0; i < vectors.size(0); ++i) {
      cells = {names[i]};
      add_cells(cells, vectors, i);
      table.row(cells);
    }
  });
}

int export_factors(const Arguments& arguments) {
  const SavedModel saved = load_model(arguments.folder);
  const Predictor predictor(saved.model);
  Tensor rows = saved.model.C, columns = predictor.column_factors();
  if (arguments.inner) {
    rows = wengert::cat({rows, wengert::ones({rows.size(0), 1}, rows.options())}, 1);
    columns = wengert::cat({columns, predictor.column_levels().unsqueeze(1)}, 1);
  }
  make_folder(arguments.out);
  const std::filesystem::path into(arguments.out);
  if (arguments.as == As::kSafetensors) {
    wengert::serialize::write_file(into / "factors.safetensors", [&](const Sink& sink) {
      wengert::serialize::write_safetensors(sink, {{"rows", rows}, {"columns", columns}}, {});
    });
  }
  for (const auto& [name, names, vectors] :
       {std::tuple("rows", &saved.rows, rows), std::tuple("columns", &saved.columns, columns)}) {
    switch (arguments.as) {
      case As::kNpy: wengert::save_npy(vectors, into / (std::string(name) + ".npy")); break;
      case As::kCsv: write_csv(into / (std::string(name) + ".csv"), *names, vectors); break;
      case As::kWord2vec: write_word2vec(into / (std::string(name) + ".txt"), *names, vectors); break;
      case As::kSafetensors: break;
    }
    if (arguments.as != As::kNpy && arguments.as != As::kSafetensors) continue;
    write_names(into / (std::string(name) + "_ids.txt"), names->all());
  }
  return 0;
}

}  // namespace

void add_export(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("export", "The factors of rows and columns, for other programs");
  command->add_option("MODEL", arguments->folder, "the folder that fit --out has written")->required();
  command->add_option("--out", arguments->out, "folder for rows and columns")->required()->type_name("DIR");
  add_choice(
      *command, "--as", arguments->as,
      {{"csv", As::kCsv}, {"npy", As::kNpy}, {"safetensors", As::kSafetensors}, {"word2vec", As::kWord2vec}},
      "csv with ids, word2vec's text as vector indexes read it, or arrays with the ids beside them (default csv)");
  command->add_flag("--inner", arguments->inner,
                    "one element more: 1 in rows, the bias in columns, so that inner products rank as recommend does");
  command->callback([arguments, &action] { action = [arguments] { return export_factors(*arguments); }; });
}

}  // namespace factorize
