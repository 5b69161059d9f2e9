#include <factorize/ask/asking.h>
#include <factorize/ask/commands.h>
#include <factorize/model/ranking.h>
#include <wengert/wengert.h>

#include <memory>

namespace factorize {
namespace {

using wengert::Tensor;

enum class Of { kRows, kColumns };

struct Arguments {
  Asking asking;
  std::string id;
  Of of = Of::kColumns;
  int64_t count = 10;
};

int similar(const Arguments& arguments) {
  const SavedModel saved = arguments.asking.open();
  const bool are_rows = arguments.of == Of::kRows;
  const Names& names = are_rows ? saved.rows : saved.columns;
  const Tensor factors = are_rows ? saved.model.C : saved.model.F.t().contiguous();
  const int64_t position = names.position_of(arguments.id);
  if (factors[position].square().sum().item<double>() == 0) {
    throw wengert::Error(fmt::format("{} {} has no factors that are not 0", names.what(), arguments.id));
  }
  const auto alike = most_alike(directions_of(factors), position, arguments.count);
  const Tensor &at = std::get<0>(alike), &highest = std::get<1>(alike);
  write_table(arguments.asking.output, {names.what(), "rank", "similar", "cosine"}, [&](TableWriter& table) {
    for (int64_t r = 0; r < highest.numel(); ++r) {
      table.row({arguments.id, r + 1, names[at[r].item<int64_t>()], cell_of(highest, r)});
    }
  });
  return 0;
}

}  // namespace

void add_similar(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand("similar", "The columns, or rows, whose factors point the same way");
  add_asking_options(*command, arguments->asking);
  command->add_option("ID", arguments->id, "of a column or a row")->required();
  add_choice(*command, "--of", arguments->of, {{"rows", Of::kRows}, {"columns", Of::kColumns}},
             "what ID is one of (default columns)");
  command->add_option("-n", arguments->count, "how many")
      ->check(CLI::PositiveNumber)
      ->type_name("N")
      ->capture_default_str();
  command->callback([arguments, &action] { action = [arguments] { return similar(*arguments); }; });
}

}  // namespace factorize
