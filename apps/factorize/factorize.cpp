#include <factorize/ask/commands.h>
#include <factorize/factorize.h>
#include <factorize/fit/fit_command.h>
#include <factorize/notebook.h>
#include <factorize/processes/processes.h>
#include <factorize/serve/serve.h>
#include <factorize/terminal/command_line.h>
#include <factorize/terminal/manual.h>
#include <factorize/terminal/table_writer.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <chrono>
#include <cstdio>
#include <iostream>
#include <thread>

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

// Of several processes one that fails ends all.
int failed(const char* what) {
  const Processes* processes = nullptr;
  try {
    processes = &Processes::world();
  } catch (const std::exception&) {
    // They can't work together, which is what is wrong.
  }
  if (processes == nullptr || !processes->are_several()) {
    fmt::print(stderr, "factorize: {}\n", what);
    return kFailure;
  }
  // What is wrong everywhere the first process says; the others are gone before they would.
  constexpr std::chrono::milliseconds kPatience(500);
  if (!processes->is_first()) std::this_thread::sleep_for(kPatience);
  fmt::print(stderr, "factorize: process {} on {}: {}\n", processes->index(), processes->host(), what);
  std::fflush(stderr);
  processes->abort(kFailure);
  return kFailure;
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
  notebook_app->add_option("--trace", notebook.trace, "a page on which to step through the first backward pass")
      ->type_name("FILE.html");
  notebook_app->add_option("--seed", notebook.seed, "of the random matrices")->type_name("S")->capture_default_str();

  Action action;
  add_fit(app, action, command_line(argc, argv));
  for (const auto add : {add_evaluate, add_predict, add_recommend, add_similar, add_fold_in, add_complete, add_inspect,
                         add_compare, add_export, add_serve}) {
    add(app, action);
  }

  CLI::App* manual = app.add_subcommand("manual", "Print the manual page, for man -l -");
  manual->callback([&] {
    action = [&] {
      fmt::print("{}", manual_page(app, wengert::kVersion));
      return 0;
    };
  });
  Shell shell = Shell::kBash;
  CLI::App* completing = app.add_subcommand("completion", "Print what a shell reads to complete commands and options");
  add_choice(*completing, "shell", shell, {{"bash", Shell::kBash}, {"zsh", Shell::kZsh}, {"fish", Shell::kFish}},
             "which shell");
  completing->get_option("shell")->required();
  completing->callback([&] {
    action = [&] {
      fmt::print("{}", completion(app, shell));
      return 0;
    };
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "factorize: {} (see factorize --help)\n", error.what());
    return kWrongUsage;
  }

  try {
    if (Processes::world().are_several() && !app.got_subcommand("fit")) {
      throw wengert::Error("of the commands only fit works in several processes; run the others without mpirun");
    }
    if (action) return action();
    run_notebook(notebook, std::cout);
    return 0;
  } catch (const PipeClosed&) {
    return 0;
  } catch (const std::exception& error) {
    return failed(error.what());
  }
}

}  // namespace factorize
