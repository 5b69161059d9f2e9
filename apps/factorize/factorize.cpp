#include <CLI/CLI.hpp>
#include <factorize/factorize.h>
#include <factorize/fit.h>
#include <factorize/input/data.h>
#include <factorize/interrupt.h>
#include <factorize/notebook.h>
#include <factorize/report.h>
#include <factorize/whole.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
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
  int threads = 0;  // 0: as many as there are processors
  FitOptions fit;
  ReadOptions read;
  Duplicates duplicates = Duplicates::kMean;
  double holdout = 0;
  Holdout holdout_by = Holdout::kRandom;
  double validation = 0;
  std::optional<double> checkpoint;
  bool resume = false;
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

void add_reading_options(CLI::App& app, FitArguments& arguments) {
  ReadOptions& read = arguments.read;
  app.add_option(
         "FILE", arguments.file,
         "entries (row, column, value) or a whole matrix: text, .npy, .npz, Matrix Market; gzip, Zstandard; - for "
         "standard input")
      ->required();
  add_choice(app, "--format", read.format,
             {{"triples", Format::kTriples},
              {"dense", Format::kDense},
              {"matrix-market", Format::kMatrixMarket},
              {"npy", Format::kNpy},
              {"npz", Format::kNpz}},
             "(default: as the content tells)");
  app.add_option("--columns", read.columns,
                 "where entries have what, by name or number from 1: row,column,value[,weight][,time]; time=NAME for a "
                 "time alone")
      ->delimiter(',')
      ->type_name("LIST");
  app.add_option("--separator", read.separator,
                 "of text: a character, ::, tab or space (default: as the content tells)")
      ->type_name("TEXT");
  add_choice(app, "--duplicates", arguments.duplicates,
             {{"mean", Duplicates::kMean},
              {"last", Duplicates::kLast},
              {"sum", Duplicates::kSum},
              {"error", Duplicates::kError}},
             "what becomes of several values for one pair: a mean weighs as much as all of them (default mean)");
  app.add_option("--test", read.test, "another file of entries, on which the model is tested")->type_name("FILE");
  app.add_option("--holdout", arguments.holdout, "part of the entries to test on")
      ->check(CLI::Range(0.0, 0.99))
      ->type_name("PART");
  add_choice(app, "--holdout-by", arguments.holdout_by,
             {{"random", Holdout::kRandom}, {"row", Holdout::kRows}, {"time", Holdout::kTime}},
             "which: any, as many of each row, the last (default random)");
  app.add_option("--validation", arguments.validation,
                 "part of the entries that tells when to stop; the factors that were best on it are kept")
      ->check(CLI::Range(0.0, 0.99))
      ->type_name("PART");
}

void add_model_options(CLI::App& app, FitOptions& fit) {
  app.add_option("--rank", fit.rank, "number of columns of C and rows of F, at most (default 14 for entries)")
      ->type_name("K");
  app.add_flag("!--no-biases", fit.biases, "of entries: C F alone, without a mean and biases of rows and columns");
  app.add_option("--l2", fit.l2,
                 "weight of the penalty |C|^2 + |F|^2, in the matrix's own units (default 0; for entries what follows "
                 "from the data)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("LAMBDA");
  app.add_option("--l2-bias", fit.l2_bias, "the same of the biases (default as --l2)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("LAMBDA");
  app.add_flag("--l2-by-count", fit.l2_by_count, "penalties times the number of entries of the row or column");
  add_choice(app, "--loss", fit.loss, loss_names(), "of entries (default squared)");
  app.add_option("--huber-delta", fit.huber_delta, "where Huber's loss becomes straight")
      ->check(CLI::PositiveNumber)
      ->type_name("DELTA")
      ->capture_default_str();
  add_choice(app, "--implicit", fit.feedback, {{"als", Feedback::kAls}, {"bpr", Feedback::kBpr}},
             "entries are counts of implicit feedback. als: all other pairs are 0, with confidence 1 beside 1 + alpha "
             "count; bpr: entries rank before the others, by random pairs");
  app.add_option("--alpha", fit.alpha, "of --implicit als")
      ->check(CLI::PositiveNumber)
      ->type_name("ALPHA")
      ->capture_default_str();
  app.add_flag("--nonnegative", fit.nonnegative, "keep C and F at or above zero");
  add_choice(
      app, "--center", fit.center,
      {{"none", Center::kNone}, {"global", Center::kGlobal}, {"rows", Center::kRows}, {"columns", Center::kColumns}},
      "of whole matrices: mean to take off before the fit (default none)");
  add_choice(app, "--dtype", fit.dtype, {{"float32", wengert::kFloat}, {"float64", wengert::kDouble}},
             "(default float32)");
}

void add_training_options(CLI::App& app, FitOptions& fit) {
  add_choice(app, "--optimizer", fit.optimizer, optimizer_names(),
             "als: alternating least squares; the others descend (default auto: als, or sgd where --lr, --schedule or "
             "--scale are given)");
  app.add_option("--iterations", fit.iterations, "most gradient steps, or sweeps of als")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N")
      ->capture_default_str();
  app.add_option(
         "--tolerance", fit.tolerance,
         "stop when the loss fell by less than this part over the last 200 iterations (where it rose in "
         "between, at smaller rates too), or in a sweep; 0: never (default 1e-5; for als 1e-6, of entries 0.01)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("T");
  app.add_option("--patience", fit.patience, "sweeps, or hundreds of gradient steps, without a better validation")
      ->check(CLI::PositiveNumber)
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--seed", fit.seed, "of the starting factors, and of what is held out")
      ->type_name("S")
      ->capture_default_str();
  app.add_option(
         "--lr", fit.lr,
         "learning rate, for the matrix as scaled (default 0.2 for sgd and asgd, and 0.001 with --scale none; 0.1 for "
         "adagrad, 0.001 for rmsprop, 1 for adadelta and lbfgs, else 0.01)")
      ->check(CLI::PositiveNumber)
      ->type_name("RATE");
  add_choice(
      app, "--schedule", fit.schedule, schedule_names(),
      "of the learning rate over --iterations: a tenth after each third; down to a thousandth; down to 0 in a line "
      "or a cosine; up and down; a quarter where the loss stops falling (default none)");
  app.add_option("--momentum", fit.momentum, "of sgd, in [0, 1)")
      ->check(CLI::Range(0.0, 0.9999))
      ->type_name("BETA")
      ->capture_default_str();
  add_choice(app, "--init", fit.init, {{"normal", Init::kNormal}, {"uniform", Init::kUniform}},
             "distribution of the factors that descent begins with (default normal; uniform with --nonnegative)");
  add_choice(app, "--scale", fit.scale, {{"auto", Scale::kAuto}, {"none", Scale::kNone}},
             "of descent. auto: divide the matrix by its largest singular value, so that one learning rate suits all "
             "units (default auto)");
}

void add_fit_options(CLI::App& app, FitArguments& arguments) {
  add_reading_options(app, arguments);
  add_model_options(app, arguments.fit);
  add_training_options(app, arguments.fit);
  app.add_option("--threads", arguments.threads, "(default: as many as there are processors)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
  app.add_option("--out", arguments.out,
                 "folder for the model: factors.safetensors, C.npy, F.npy, ids, metrics.json ...")
      ->type_name("DIR");
  app.add_option(
         "--checkpoint", arguments.checkpoint,
         "seconds after which the state is saved in the folder, again and again, and when the run is interrupted")
      ->check(CLI::NonNegativeNumber)
      ->type_name("SECONDS");
  app.add_flag("--resume", arguments.resume, "go on from the folder's checkpoint, if there is one, to the same bits");
  app.add_flag("--quiet", arguments.quiet, "print nothing but errors");
}

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// What a fit of entries leaves for the report.
struct Fitted {
  FitResult result;
  Metrics metrics;
};

// Where the state is saved, if it is: in the folder, with what tells this run from others beside it.
std::optional<Checkpoint> make_checkpoint(const FitArguments& arguments, const Data& data,
                                          const wengert::Tensor& values) {
  if (!arguments.checkpoint && !arguments.resume) return std::nullopt;
  make_folder(arguments.out);
  const FitOptions& fit = arguments.fit;
  const auto shown = [](const auto& value) { return value ? fmt::format("{}", *value) : "-"; };
  const auto number_of = [](auto choice) { return static_cast<int>(choice); };
  const std::string of_model =
      fmt::format("rank {}, l2 {} {} {}, loss {} {}, feedback {} {}, {} {} {} {}", shown(fit.rank), shown(fit.l2),
                  shown(fit.l2_bias), fit.l2_by_count, number_of(fit.loss), fit.huber_delta, number_of(fit.feedback),
                  fit.alpha, fit.nonnegative, fit.biases, number_of(fit.center), number_of(fit.dtype));
  const std::string of_training = fmt::format(
      "optimizer {} {} {}, lr {}, momentum {}, seed {}, init {}", number_of(fit.optimizer), number_of(fit.schedule),
      number_of(fit.scale), shown(fit.lr), fit.momentum, fit.seed, fit.init ? number_of(*fit.init) : -1);
  const std::string run =
      fmt::format("{} x {}, sum {:.9g}, squares {:.9g}; {}; {}", data.rows, data.columns, values.sum().item<double>(),
                  values.square().sum().item<double>(), of_model, of_training);
  constexpr double kNever = 1e9;
  Checkpoint checkpoint(std::filesystem::path(arguments.out) / "checkpoint.safetensors",
                        arguments.checkpoint.value_or(kNever), run);
  if (arguments.resume) checkpoint.resume();
  return checkpoint;
}

Fitted fit_entries(const FitArguments& arguments, Data& data, const Entries& entries,
                   const std::optional<Entries>& validation) {
  const FitOptions& options = arguments.fit;
  std::optional<Checkpoint> checkpoint = make_checkpoint(arguments, data, entries.values);
  const Running running(!arguments.quiet, checkpoint ? &*checkpoint : nullptr);
  Fitted fitted{fit(entries, validation ? &*validation : nullptr, options, running), {}};
  fitted.metrics.rmse = std::sqrt(fitted.result.squared_error / fitted.result.count);
  fitted.metrics.entries = entries.size();
  fitted.metrics.duplicates = entries.duplicates;
  if (data.test && options.feedback == Feedback::kExplicit) {
    const Entries test = entries_of(*data.test, data, Duplicates::kMean, options.dtype);
    fitted.metrics.test_entries = static_cast<int64_t>(data.test->size());
    fitted.metrics.test_rmse = std::sqrt(squared_error(fitted.result, test) / test.count);
  }
  return fitted;
}

Fitted fit_data(const FitArguments& arguments, Data& data) {
  if (auto* ratings = std::get_if<Ratings>(&data.content)) {
    if (arguments.holdout > 0) {
      data.test = take_out(*ratings, arguments.holdout, arguments.holdout_by, arguments.fit.seed);
    }
    std::optional<Entries> validation;
    if (arguments.validation > 0) {
      const Ratings taken = take_out(*ratings, arguments.validation, Holdout::kRandom, arguments.fit.seed + 1);
      validation = entries_of(taken, data, Duplicates::kMean, arguments.fit.dtype);
    }
    const Entries entries = entries_of(*ratings, data, arguments.duplicates, arguments.fit.dtype);
    *ratings = {};
    return fit_entries(arguments, data, entries, validation);
  }
  const auto& matrix = std::get<wengert::Tensor>(data.content);
  if (data.holes > 0) {
    const Entries entries = entries_of(matrix);
    return fit_entries(arguments, data, entries, std::nullopt);
  }
  std::optional<Checkpoint> checkpoint = make_checkpoint(arguments, data, matrix);
  Fitted fitted{fit(matrix, arguments.fit, {!arguments.quiet, checkpoint ? &*checkpoint : nullptr}), {}};
  fitted.metrics = metrics_of(matrix, fitted.result);
  return fitted;
}

int run_fit(FitArguments& arguments, const std::string& command) {
  const auto start = Clock::now();
  if (arguments.threads > 0) wengert::set_num_threads(arguments.threads);
  if ((arguments.checkpoint || arguments.resume) && arguments.out.empty()) {
    throw wengert::Error("--checkpoint and --resume need a folder, --out DIR");
  }
  arguments.read.dtype = arguments.fit.dtype;
  Data data = read_data(arguments.file, arguments.read);
  const double read_seconds = seconds_since(start);
  if (std::holds_alternative<wengert::Tensor>(data.content) && data.holes == 0) {
    check_rank(std::get<wengert::Tensor>(data.content), arguments.fit);
  }
  if (!arguments.quiet) fmt::print("{}\n", description(data));
  Fitted fitted = fit_data(arguments, data);
  const FitResult& result = fitted.result;
  fitted.metrics.read_seconds = read_seconds;
  fitted.metrics.seconds = seconds_since(start);
  const Report report{data, arguments.fit, result, fitted.metrics, command};
  if (!arguments.quiet) print_summary(report);
  if (!arguments.out.empty()) {
    write_results(arguments.out, report);
    if (!arguments.quiet)
      fmt::print("written to {}: factors.safetensors, C.npy, F.npy, metrics.json ...\n", arguments.out);
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

  FitArguments arguments;
  CLI::App* fit_app = app.add_subcommand("fit", "Factorize a matrix from a file");
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
    if (fit_app->parsed()) return run_fit(arguments, command_line(argc, argv));
    run_notebook(notebook, std::cout);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "factorize: {}\n", error.what());
    return kFailure;
  }
}

}  // namespace factorize
