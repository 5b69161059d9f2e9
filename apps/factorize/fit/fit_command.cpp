#include <factorize/fit/fit.h>
#include <factorize/fit/fit_command.h>
#include <factorize/fit/mean_of_fits.h>
#include <factorize/fit/report.h>
#include <factorize/fit/tune.h>
#include <factorize/fit/whole.h>
#include <factorize/model/holdout.h>
#include <fmt/format.h>
#include <wengert/wengert.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <utility>

namespace factorize {
namespace {

struct FitArguments : FileArguments {
  std::string out;
  std::string page;
  bool quiet = false;
  int threads = 0;
  FitOptions fit;
  double holdout = 0;
  Holdout holdout_by = Holdout::kRandom;
  double validation = 0;
  std::optional<double> checkpoint;
  bool resume = false;
  bool tune = false;
  double budget = 60;
};

void add_reading_options(CLI::App& app, FitArguments& arguments) {
  add_file_options(
      app, arguments,
      "entries (row, column, value) or a whole matrix: text, .npy, .npz, Matrix Market; gzip, Zstandard; - for "
      "standard input");
  app.add_option("--test", arguments.read.test, "another file of entries, on which the model is tested")
      ->type_name("FILE");
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
  app.add_option("--tolerance", fit.tolerance,
                 "stop when the loss fell by less than this part over the last 200 iterations (where it rose in "
                 "between, at smaller rates too), or in a sweep; 0: never (default 1e-5; for als 1e-6, of entries 0.01 "
                 "or, where absolute errors count, 0.001)")
      ->check(CLI::NonNegativeNumber)
      ->type_name("T");
  app.add_option("--patience", fit.patience, "sweeps, or hundreds of gradient steps, without a better validation")
      ->check(CLI::PositiveNumber)
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--fits", fit.fits, "of entries: the mean of so many fits from different seeds")
      ->check(CLI::Range(1, 1000))
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
  add_threads_option(app, arguments.threads);
  app.add_option("--out", arguments.out,
                 "folder for the model: factors.safetensors, C.npy, F.npy, ids, metrics.json ...")
      ->type_name("DIR");
  app.add_option("--report", arguments.page, "a page on the fit, which browsers show without a network")
      ->type_name("FILE.html");
  app.add_option(
         "--checkpoint", arguments.checkpoint,
         "seconds after which the state is saved in the folder, again and again, and when the run is interrupted")
      ->check(CLI::NonNegativeNumber)
      ->type_name("SECONDS");
  app.add_flag("--resume", arguments.resume, "go on from the folder's checkpoint, if there is one, to the same bits");
  app.add_flag("--tune", arguments.tune,
               "search settings that are not given for those that do best on the validation (a tenth of the entries, "
               "unless --validation says otherwise), then fit with them to all of them; Ctrl-C keeps the best so far");
  app.add_option("--budget", arguments.budget, "seconds for --tune")
      ->check(CLI::PositiveNumber)
      ->type_name("SECONDS")
      ->capture_default_str();
  app.add_flag("--quiet", arguments.quiet, "print nothing but errors");
}

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// What a fit leaves for the report.
struct Fitted {
  FitResult result;
  Metrics metrics;
  std::optional<Share> share;  // of entries
};

// Where the state is saved, if it is: in the folder, with what tells this run from others beside it.
// values: of each process; none is missing.
std::optional<Checkpoint> make_checkpoint(const FitArguments& arguments, const Processes& processes, const Data& data,
                                          const wengert::Tensor& values) {
  if (!arguments.checkpoint && !arguments.resume) return std::nullopt;
  if (processes.is_first()) make_folder(arguments.out);
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
  // The same digits whoever adds up what.
  const auto sum = [&](const wengert::Tensor& x) { return processes.sum(x.sum(wengert::kDouble).item<double>()); };
  const std::string run = fmt::format("{} x {}, sizes {:.9g}, squares {:.9g}; {}; {}", data.rows, data.columns,
                                      sum(values.abs()), sum(values.square()), of_model, of_training);
  constexpr double kNever = 1e9;
  Checkpoint checkpoint(processes, std::filesystem::path(arguments.out) / "checkpoint.safetensors",
                        arguments.checkpoint.value_or(kNever), run);
  if (arguments.resume) checkpoint.resume();
  return checkpoint;
}

// The known elements of a matrix, or of a block of its rows, as ratings, in float32.
Ratings ratings_of(const wengert::Tensor& matrix, int64_t first_row = 0) {
  const Entries entries = entries_of(matrix);
  const wengert::Tensor starts = entries.pattern.crow_indices(), columns = entries.pattern.col_indices();
  const wengert::Tensor values = entries.values.to(wengert::kFloat);
  Ratings ratings;
  ratings.values.assign(values.data_ptr<float>(), values.data_ptr<float>() + values.numel());
  ratings.columns.assign(columns.data_ptr<int64_t>(), columns.data_ptr<int64_t>() + columns.numel());
  for (int64_t i = 0; i < matrix.size(0); ++i) {
    ratings.rows.resize(static_cast<size_t>(starts.data_ptr<int64_t>()[i + 1]), static_cast<int32_t>(first_row + i));
  }
  return ratings;
}

// Entries as a process works with them. data: of the whole matrix; its content is not looked at.
Share share_of(const FitArguments& arguments, const Processes& processes, const Data& data, Ratings&& fitted,
               std::optional<Ratings>&& validation, std::optional<Ratings>&& test) {
  const wengert::ScalarType dtype = arguments.fit.dtype;
  if (processes.are_several()) {
    return deal(processes, data, std::move(fitted), std::move(validation), std::move(test), arguments.duplicates,
                dtype);
  }
  const auto put_aside = [&](std::optional<Ratings>&& some) -> std::optional<Entries> {
    if (!some) return std::nullopt;
    return entries_of(*std::exchange(some, {}), data, Duplicates::kMean, dtype);
  };
  std::optional<Entries> of_validation = put_aside(std::move(validation)), of_test = put_aside(std::move(test));
  return Share(entries_of(std::exchange(fitted, {}), data, arguments.duplicates, dtype), std::move(of_validation),
               std::move(of_test));
}

// What the fit is of.
Share share_of(const FitArguments& arguments, const Processes& processes, Data& data) {
  const FitOptions& options = arguments.fit;
  const bool is_tested = data.test && (options.feedback == Feedback::kExplicit || !arguments.page.empty());
  std::optional<Ratings> validation, test;
  if (is_tested) test = *data.test;
  if (auto* ratings = std::get_if<Ratings>(&data.content)) {
    if (arguments.validation > 0) {
      validation = take_out(*ratings, arguments.validation, Holdout::kRandom, options.seed + 1, processes);
    }
    return share_of(arguments, processes, data, std::exchange(*ratings, {}), std::move(validation), std::move(test));
  }
  const auto& matrix = std::get<wengert::Tensor>(data.content);
  if (!processes.are_several()) return Share(entries_of(matrix));
  return share_of(arguments, processes, data, ratings_of(matrix, data.first_row), {}, {});
}

Fitted fit_entries(const FitArguments& arguments, const Processes& processes, Data& data) {
  const FitOptions& options = arguments.fit;
  const int64_t test_entries = data.test ? processes.sum(static_cast<int64_t>(data.test->size())) : 0;
  Fitted fitted{{}, {}, share_of(arguments, processes, data)};
  const Share& share = *fitted.share;
  std::optional<Checkpoint> checkpoint = make_checkpoint(arguments, processes, data, share.of_rows.values);
  const Running running(!arguments.quiet, checkpoint ? &*checkpoint : nullptr);
  const double waited_before = processes.seconds_waited();
  fitted.result = fit_several(share, options, running);
  Metrics& metrics = fitted.metrics;
  metrics.processes = work_of_each(processes, fitted.result.seconds, waited_before);
  metrics.rmse = std::sqrt(fitted.result.squared_error / fitted.result.count);
  metrics.entries = share.size;
  metrics.duplicates = share.duplicates;
  if (share.test && options.feedback == Feedback::kExplicit) {
    metrics.test_entries = test_entries;
    metrics.test_rmse = share.rmse(fitted.result, *share.test);
  }
  share.make_whole(fitted.result);
  return fitted;
}

Fitted fit_whole(const FitArguments& arguments, const Processes& processes, const Data& data) {
  const auto& matrix = std::get<wengert::Tensor>(data.content);
  std::optional<Checkpoint> checkpoint = make_checkpoint(arguments, processes, data, matrix);
  const double waited_before = processes.seconds_waited();
  const Running running = Running(!arguments.quiet, checkpoint ? &*checkpoint : nullptr).with_processes(processes);
  Fitted fitted{fit(matrix, arguments.fit, running), {}, {}};
  fitted.metrics = metrics_of(processes, matrix, fitted.result);
  fitted.metrics.processes = work_of_each(processes, fitted.result.seconds, waited_before);
  FitResult& result = fitted.result;
  result.C = processes.all_at_first(result.C);
  if (result.offset.defined() && arguments.fit.center == Center::kRows) {
    result.offset = processes.all_at_first(result.offset);
  }
  return fitted;
}

// Replaces the options by those that did best on a part of the entries.
Tuning tune_options(FitArguments& arguments, const Processes& processes, const Data& data) {
  constexpr double kUsual = 0.1;
  FitOptions options = arguments.fit;
  Ratings known;
  if (const auto* ratings = std::get_if<Ratings>(&data.content)) {
    known = *ratings;
  } else {
    wengert::Tensor matrix = std::get<wengert::Tensor>(data.content);
    if (data.is_whole()) {
      const wengert::Tensor offset =
          mean_to_take_off(RowBlocks(matrix, Running().with_processes(processes)), options.center);
      if (offset.defined()) matrix = matrix - offset;
      options.biases = false;
    }
    known = ratings_of(matrix, data.first_row);
  }
  const double part = arguments.validation > 0 ? arguments.validation : kUsual;
  Ratings taken = take_out(known, part, Holdout::kRandom, options.seed + 1, processes);
  const Share share = share_of(arguments, processes, data, std::move(known), std::move(taken), {});
  const bool is_error = options.feedback == Feedback::kExplicit;
  Tuning tuning = tune(share, options, !data.is_whole(), arguments.budget, [&](const Trial& trial) {
    if (arguments.quiet) return;
    fmt::print("{}\n", description(trial, is_error));
    std::fflush(stdout);
  });
  if (data.is_whole()) {
    tuning.best.biases = arguments.fit.biases;
    tuning.best.fits = 1;
    // The search's scale is that of entries without an offset; a whole matrix wants all of its sweeps.
    tuning.best.iterations = arguments.fit.iterations;
    tuning.best.tolerance = arguments.fit.tolerance;
  }
  arguments.fit = tuning.best;
  arguments.validation = 0;
  return tuning;
}

int run_fit(FitArguments& arguments, const std::string& command) {
  const auto start = Clock::now();
  const Processes& processes = Processes::world();
  arguments.quiet = arguments.quiet || !processes.is_first();
  arguments.read.processes = &processes;
  use_threads(arguments.threads);
  if ((arguments.checkpoint || arguments.resume) && arguments.out.empty()) {
    throw wengert::Error("--checkpoint and --resume need a folder, --out DIR");
  }
  if (arguments.checkpoint && (arguments.fit.fits > 1 || arguments.tune)) {
    throw wengert::Error("--checkpoint is of one fit: it goes neither with --fits nor with --tune");
  }
  arguments.read.dtype = arguments.fit.dtype;
  Data data = read_shown(arguments, !arguments.quiet);
  const double read_seconds = seconds_since(start);
  if (data.is_whole() && !arguments.tune) check_rank(data.rows, data.columns, arguments.fit);
  const std::string about = description(data);
  if (!arguments.quiet) fmt::print("{}\n", about);
  if (auto* ratings = std::get_if<Ratings>(&data.content); ratings != nullptr && arguments.holdout > 0) {
    data.test = take_out(*ratings, arguments.holdout, arguments.holdout_by, arguments.fit.seed, processes);
  }
  std::optional<Tuning> tuning;
  if (arguments.tune) tuning = tune_options(arguments, processes, data);
  Fitted fitted = data.is_whole() ? fit_whole(arguments, processes, data) : fit_entries(arguments, processes, data);
  const FitResult& result = fitted.result;
  fitted.metrics.read_seconds = read_seconds;
  fitted.metrics.seconds = seconds_since(start);
  const Report report{data,  arguments.fit, result, fitted.metrics, fitted.share ? &*fitted.share : nullptr,
                      about, command};
  if (!arguments.quiet) print_summary(report);
  if (!arguments.out.empty()) {
    write_results(arguments.out, report, processes);
    if (tuning && processes.is_first()) write_trials(arguments.out, *tuning);
    if (arguments.holdout > 0 && data.test) write_holdout(arguments.out, data, processes);
    if (!arguments.quiet)
      fmt::print("written to {}: factors.safetensors, C.npy, F.npy, metrics.json ...\n", arguments.out);
  }
  if (!arguments.page.empty()) {
    write_page(arguments.page, report, processes, tuning ? &*tuning : nullptr);
    if (!arguments.quiet) fmt::print("written: {}\n", arguments.page);
  }
  if (result.stop == Stop::kDiverged) {
    if (!processes.is_first()) return kFailure;
    fmt::print(stderr,
               "factorize: the loss is no longer finite at iteration {}; the factors of iteration {} are kept. Try a "
               "smaller --lr than {:g}\n",
               result.iterations, result.best_iteration, result.lr);
    return kFailure;
  }
  return result.stop == Stop::kInterrupted || (tuning && tuning->interrupted) ? kInterrupted : 0;
}

}  // namespace

void add_fit(CLI::App& app, Action& action, const std::string& command) {
  auto arguments = std::make_shared<FitArguments>();
  CLI::App* fit = app.add_subcommand("fit", "Factorize a matrix from a file");
  add_fit_options(*fit, *arguments);
  fit->callback(
      [arguments, command, &action] { action = [arguments, command] { return run_fit(*arguments, command); }; });
}

}  // namespace factorize
