#include <factorize/terminal/command_line.h>
#include <factorize/terminal/progress.h>
#include <wengert/wengert.h>

namespace factorize {

void add_file_options(CLI::App& app, FileArguments& arguments, const std::string& what) {
  ReadOptions& read = arguments.read;
  app.add_option("FILE", arguments.file, what)->required();
  add_choice(app, "--format", read.format,
             {{"triples", Format::kTriples},
              {"dense", Format::kDense},
              {"matrix-market", Format::kMatrixMarket},
              {"npy", Format::kNpy},
              {"npz", Format::kNpz}},
             "(default: as the content tells)");
  app.add_option("--columns", read.columns,
                 "where entries have what, by name or number from 1: row,column[,value[,weight][,time]]; time=NAME for "
                 "a time alone; without a value all are 1")
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
}

void add_threads_option(CLI::App& app, int& threads) {
  app.add_option("--threads", threads, "(default: as many as there are processors)")
      ->check(CLI::Range(1, 1024))
      ->type_name("N");
}

void use_threads(int threads) {
  if (threads > 0) wengert::set_num_threads(threads);
}

Data read_shown(const FileArguments& arguments, bool show_progress) {
  ReadingProgress progress(show_progress);
  ReadOptions options = arguments.read;
  options.on_read = [&](const auto&... how_far) { progress.update(how_far...); };
  return read_data(arguments.file, options);
}

}  // namespace factorize
