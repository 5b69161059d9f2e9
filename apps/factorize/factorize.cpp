#include <CLI/CLI.hpp>
#include <factorize/factorize.h>
#include <factorize/fit.h>
#include <factorize/interrupt.h>
#include <factorize/matrix_file.h>
#include <factorize/notebook.h>
#include <factorize/report.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace factorize {
namespace {

constexpr int kFailure = 1;
constexpr int kWrongUsage = 2;
constexpr int kInterrupted = 130;  // 128 + SIGINT, as shells have it

struct FitArguments {
  std::string file;
  std::string out;
  bool quiet = false;
  FitOptions fit;
};

template <class T>
struct ValueOfOptional {
  using type = T;
};
template <class T>
struct ValueOfOptional<std::optional<T>> {
  using type = T;
};
template <class T>
using ValueOf = typename ValueOfOptional<T>::type;

// An option whose value is one of a few words. It is stored in `target`, an enumeration or an optional one.
template <class Target>
void add_choice(CLI::App& app, const std::string& name, Target& target,
                const std::vector<std::pair<std::string, ValueOf<Target>>>& choices, const std::string& description) {
  std::string words;
  for (const auto& [word, value] : choices) words += fmt::format("{}{}", words.empty() ? "" : "|", word);
  const auto take = [&target, name, choices, words](const std::string& word) {
    const auto is_it = [lower = CLI::detail::to_lower(word)](const auto& choice) { return choice.first == lower; };
    const auto found = std::find_if(choices.begin(), choices.end(), is_it);
    if (found == choices.end()) throw CLI::ValidationError(name, fmt::format("{} is none of {}", word, words));
    target = found->second;
  };
  app.add_option_function<std::string>(name, take, description)->option_text(words);
}

void add_fit_options(CLI::App& app, FitArguments& arguments) {
  FitOptions& fit = arguments.fit;
  app.add_option("FILE", arguments.file, "matrix: CSV or TSV, .npy, Matrix Market array; - for standard input")
      ->required();
  app.add_option("--rank", fit.rank, "number of columns of C and rows of F")->required()->type_name("K");
  app.add_option("--iterations", fit.iterations, "most gradient steps")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N")
      ->capture_default_str();
  app.add_option(
         "--lr", fit.lr,
         "learning rate, for the matrix as scaled (default 0.2 for sgd and asgd, and 0.001 with --scale none; 0.1 for "
         "adagrad, 0.001 for rmsprop, 1 for adadelta and lbfgs, else 0.01)")
      ->check(CLI::PositiveNumber)
      ->type_name("RATE");
  add_choice(app, "--optimizer", fit.optimizer, optimizer_names(), "(default sgd)");
  add_choice(
      app, "--schedule", fit.schedule, schedule_names(),
      "of the learning rate over --iterations: a tenth after each third; down to a thousandth; down to 0 in a line "
      "or a cosine; up and down; a quarter where the loss stops falling (default none)");
  app.add_option("--momentum", fit.momentum, "of sgd, in [0, 1)")
      ->check(CLI::Range(0.0, 0.9999))
      ->type_name("BETA")
      ->capture_default_str();
  app.add_option("--seed", fit.seed, "of the starting factors")->type_name("S")->capture_default_str();
  add_choice(app, "--init", fit.init, {{"normal", Init::kNormal}, {"uniform", Init::kUniform}},
             "distribution of the starting factors (default normal; uniform with --nonnegative)");
  add_choice(app, "--dtype", fit.dtype, {{"float32", wengert::kFloat}, {"float64", wengert::kDouble}},
             "(default float32)");
  app.add_option("--tolerance", fit.tolerance,
                 "stop when the loss fell by less than this part over the last 200 iterations (where it rose in "
                 "between, at smaller rates too); 0: never")
      ->check(CLI::NonNegativeNumber)
      ->type_name("T")
      ->capture_default_str();
  app.add_flag("--nonnegative", fit.nonnegative, "keep C and F at or above zero, by projection after each step");
  app.add_option("--l2", fit.l2, "weight of the penalty |C|^2 + |F|^2, in the matrix's own units")
      ->check(CLI::NonNegativeNumber)
      ->type_name("LAMBDA")
      ->capture_default_str();
  add_choice(
      app, "--center", fit.center,
      {{"none", Center::kNone}, {"global", Center::kGlobal}, {"rows", Center::kRows}, {"columns", Center::kColumns}},
      "mean to take off before the fit (default none)");
  add_choice(app, "--scale", fit.scale, {{"auto", Scale::kAuto}, {"none", Scale::kNone}},
             "auto: divide the matrix by its largest singular value, so that one learning rate suits all units "
             "(default auto)");
  app.add_option("--out", arguments.out, "folder for C.npy, F.npy, metrics.json and loss.csv")->type_name("DIR");
  app.add_flag("--quiet", arguments.quiet, "print nothing but errors");
}

int run_fit(const FitArguments& arguments) {
  const wengert::Tensor matrix = read_matrix(arguments.file);
  const FitResult result = fit(matrix, arguments.fit, !arguments.quiet);
  if (!arguments.quiet) print_summary(arguments.file, matrix, arguments.fit, result);
  if (!arguments.out.empty()) {
    write_results(arguments.out, arguments.file, matrix, arguments.fit, result);
    if (!arguments.quiet) fmt::print("written to {}: C.npy, F.npy, metrics.json, loss.csv\n", arguments.out);
  }
  if (result.stop == Stop::kDiverged) {
    fmt::print(stderr,
               "factorize: the loss is no longer finite at iteration {}; the factors of iteration {} are kept. Try a "
               "smaller --lr than {:g}\n",
               result.iterations, result.best_iteration, result.lr);
    return kFailure;
  }
  return result.stop == Stop::kInterrupted ? kInterrupted : 0;
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App app{"Factorizes a matrix D into C F by gradient descent. Without a command it runs the notebook."};
  app.name("factorize");
  app.set_version_flag("--version", std::string("factorize ") + wengert::kVersion);
  app.require_subcommand(0, 1);

  NotebookOptions notebook;
  CLI::App* notebook_app = app.add_subcommand("notebook", "Factorize a 3 x 4 matrix with rank 2, printing every step");
  notebook_app->add_flag("--recorded", notebook.recorded, "start from the figures that the notebook once printed");
  notebook_app->add_option("--seed", notebook.seed, "of the random matrices")->type_name("S")->capture_default_str();

  FitArguments arguments;
  CLI::App* fit_app = app.add_subcommand("fit", "Factorize a dense matrix from a file");
  add_fit_options(*fit_app, arguments);

  try {
    app.parse(argc, argv);
  } catch (const CLI::Success& help_or_version) {
    return app.exit(help_or_version);
  } catch (const CLI::ParseError& error) {
    fmt::print(stderr, "factorize: {} (see factorize --help)\n", error.what());
    return kWrongUsage;
  }

  try {
    if (fit_app->parsed()) return run_fit(arguments);
    run_notebook(notebook, std::cout);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "factorize: {}\n", error.what());
    return kFailure;
  }
}

}  // namespace factorize
