#include <factorize/ask/commands.h>
#include <factorize/factorize.h>
#include <factorize/fit/fit_command.h>
#include <factorize/notebook.h>
#include <factorize/serve/serve.h>
#include <factorize/terminal/table_writer.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <cstdio>
#include <iostream>

namespace factorize {
namespace {

// As a shell would take it.
std::string command_line(int argc, char** argv) {
  std::string line;
  for (int i = 0; i < argc; ++i) {
    const std::string word = argv[i];
    const bool is_plain = !word.empty() && word.find_first_not_of(
                                               "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                               "0123456789-_=+.,:/@%") == std::string::npos;
    line += i == 0 ? "" : " ";
    if (is_plain) {
      line += word;
      continue;
    }
    line += '\'';
    for (const char c : word) line += c == '\'' ? "'\\''" : std::string(1, c);
    line += '\'';
  }
  return line;
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app{"Factorizes a matrix D, whole or with holes, into C F. Without a command it runs the notebook."};
  app.name("factorize");
  app.set_version_flag("--version", std::string("factorize ") + wengert::kVersion);
  app.require_subcommand(0, 1);

  NotebookOptions notebook;
  CLI::App* notebook_app = app.add_subcommand("notebook", "Factorize a 3 x 4 matrix with rank 2, printing every step");
  notebook_app->add_flag("--recorded", notebook.recorded, "start from the figures that the notebook once printed");
  notebook_app->add_option("--seed", notebook.seed, "of the random matrices")->type_name("S")->capture_default_str();

  Action action;
  add_fit(app, action, command_line(argc, argv));
  for (const auto add : {add_evaluate, add_predict, add_recommend, add_similar, add_fold_in, add_complete, add_inspect,
                         add_compare, add_export, add_serve}) {
    add(app, action);
  }

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "factorize: {} (see factorize --help)\n", error.what());
    return kWrongUsage;
  }

  try {
    if (action) return action();
    run_notebook(notebook, std::cout);
    return 0;
  } catch (const PipeClosed&) {
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "factorize: {}\n", error.what());
    return kFailure;
  }
}

}  // namespace factorize
