#include <factorize/ask/asking.h>
#include <factorize/ask/commands.h>
#include <wengert/wengert.h>

#include <memory>

namespace factorize {
namespace {

using wengert::Tensor;

struct Arguments {
  Asking asking;
  int64_t count = 5;
};

// The lines that stand out in a factor, by the sizes of their elements.
void put_strongest(TableWriter& table, const Names& names, const Tensor& elements, int64_t factor, int64_t count) {
  const Tensor at = std::get<1>(wengert::topk(elements.abs(), std::min(count, elements.numel())));
  for (int64_t r = 0; r < at.numel(); ++r) {
    const int64_t position = at[r].item<int64_t>();
    table.row({names.what(), factor, r + 1, names[position], cell_of(elements, position)});
  }
}

int inspect(const Arguments& arguments) {
  const SavedModel saved = arguments.asking.open();
  const Model& model = saved.model;
  const Tensor columns = model.F.t().contiguous(), rows = model.C.t().contiguous();
  const Tensor strengths = (model.C.square().sum(0) * columns.square().sum(0)).sqrt();
  write_table(arguments.asking.output, {"what", "factor", "rank", "id", "value"}, [&](TableWriter& table) {
    const auto say = [&](const char* what, const Cell& value) { table.row({std::string(what), {}, {}, {}, value}); };
    say("rows", model.rows());
    say("columns", model.columns());
    say("factors", model.rank());
    say("used factors", strengths.gt(0).sum().item<int64_t>());
    say("dtype", std::string(model.C.dtype() == wengert::kFloat ? "float32" : "float64"));
    if (saved.fitted) say("entries", saved.fitted->columns.numel());
    if (saved.validated) say("validation entries", saved.validated->columns.numel());
    say("loss", name_of(model.loss, loss_names()));
    say("feedback", name_of(model.feedback, feedback_names()));
    if (model.nonnegative) say("nonnegative", std::string("yes"));
    if (!model.offset.defined()) say("mean", model.mean);
    if (model.row_bias.defined()) {
      say("deviation of row biases", std::sqrt(model.row_bias.square().mean().item<double>()));
      say("deviation of column biases", std::sqrt(model.column_bias.square().mean().item<double>()));
    }
    for (int64_t l = 0; l < model.rank(); ++l) {
      if (strengths[l].item<double>() == 0) continue;
      table.row({std::string("strength"), l + 1, {}, {}, cell_of(strengths, l)});
      put_strongest(table, saved.rows, rows[l].contiguous(), l + 1, arguments.count);
      put_strongest(table, saved.columns, columns.select(1, l).contiguous(), l + 1, arguments.count);
    }
  });
  return 0;
}

}  // namespace

void add_inspect(CLI::App& app, Action& action) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = app.add_subcommand(
      "inspect", "What a model holds, and the rows and columns with the largest elements of each factor");
  add_asking_options(*command, arguments->asking);
  command->add_option("-n", arguments->count, "how many of each")
      ->check(CLI::PositiveNumber)
      ->type_name("N")
      ->capture_default_str();
  command->callback([arguments, &action] { action = [arguments] { return inspect(*arguments); }; });
}

}  // namespace factorize
