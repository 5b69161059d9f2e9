#include <apps/factorize/command.h>
#include <dirent.h>
#include <factorize/input/part.h>
#include <factorize/model/holdout.h>
#include <factorize/model/saved_model.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <support/inputs.h>
#include <wengert/autograd/serialize/npz.h>

#include <nlohmann/json.hpp>
#include <chrono>
#include <csignal>
#include <random>
#include <set>
#include <thread>

// `mpirun -n P factorize fit`, against one process.

namespace factorize {
namespace {

using nlohmann::json;
using wengert::Tensor;
using namespace std::chrono_literals;

constexpr int kRows = 300, kColumns = 200, kRank = 3, kEntries = 9000;

// Ratings of a model with factors, biases and noise, with times.
std::string ratings(int entries, uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  const Tensor C = wengert::test::arbitrary({kRows, kRank}, -1, 1, 1), F = wengert::test::arbitrary({kRank, kColumns});
  const Tensor known = wengert::mm(C, F);
  std::string text;
  for (int e = 0; e < entries; ++e) {
    const auto i = static_cast<int64_t>(random() % kRows), j = static_cast<int64_t>(random() % kColumns);
    const double value = 3 + 0.01 * static_cast<double>(i % 50) + known[i][j].item<double>() + 0.1 * normal(random);
    text += fmt::format("u{},i{},{:.4f},{}\n", i * 7, j, value, 1000000000 + e % 977);
  }
  return text;
}

class FitTogether : public Command {
 protected:
  void SetUp() override {
    write("ratings.csv", ratings(kEntries, 1));
    write("test.csv", ratings(kEntries / 10, 2));
    slow_ = path("ratings.csv") + " --rank 60 --l2 0.1 --tolerance 0 --dtype float64";
  }
  std::string path(const std::string& name) const { return (folder_.path() / name).string(); }
  void write(const std::string& name, const std::string& text) { std::ofstream(path(name), std::ios::binary) << text; }

  static std::string command(int processes) {
    const std::string program = std::string(FACTORIZE_PROGRAM) + " fit --threads 1 ";
    if (processes == 1) return program;
    return fmt::format(MPIEXEC " --allow-run-as-root --oversubscribe -n {} {}", processes, program);
  }
  // Runs a fit in some processes through the shell.
  Outcome fit(int processes, const std::string& arguments) {
    const int status = std::system(
        fmt::format("{} {} >{} 2>{}", command(processes), arguments, path("stdout"), path("stderr")).c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content_of(path("stdout")), content_of(path("stderr"))};
  }
  SavedModel fitted(int processes, const std::string& arguments, const std::string& name) {
    const Outcome outcome = fit(processes, arguments + " --out " + path(name));
    EXPECT_EQ(outcome.status, 0) << outcome.out << outcome.err;
    return load_model(path(name));
  }
  json metrics(const std::string& name) const { return json::parse(content_of(path(name) + "/metrics.json")); }

  // The model of one process and those of several, whose predictions are to differ by no more than `bound`.
  void expect_same(const std::string& arguments, double bound, std::initializer_list<int> several = {2, 3, 4}) {
    SCOPED_TRACE(arguments);
    const SavedModel one = fitted(1, arguments, "one");
    for (const int processes : several) {
      SCOPED_TRACE(processes);
      const SavedModel other = fitted(processes, arguments, "several");
      EXPECT_EQ(other.rows.all(), one.rows.all());
      EXPECT_EQ(other.columns.all(), one.columns.all());
      const Predictor expected(one.model), predicted(other.model);
      const auto all = [](const Predictor& predictor) {
        return predictor.scores(predictor.model().C) + predictor.row_levels().unsqueeze(1);
      };
      EXPECT_LE((all(expected) - all(predicted)).abs().max().item<double>(), bound);
      ASSERT_EQ(one.fitted.has_value(), other.fitted.has_value());
      if (one.fitted) {
        EXPECT_TRUE(wengert::test::same_bits({one.fitted->starts, one.fitted->columns, one.fitted->values},
                                             {other.fitted->starts, other.fitted->columns, other.fitted->values}));
      }
      json of_one = metrics("one"), of_several = metrics("several");
      for (const char* name : {"rows", "columns", "entries", "duplicates", "iterations", "stopped", "test_entries"}) {
        EXPECT_EQ(of_one.value(name, json()), of_several.value(name, json())) << name;
      }
      for (const char* name : {"rmse", "test_rmse"}) {
        if (of_one.value(name, 0.0) == 0) continue;
        EXPECT_NEAR(of_several[name].get<double>() / of_one[name].get<double>(), 1, bound) << name;
      }
      ASSERT_EQ(of_several["processes"].size(), static_cast<size_t>(processes));
      EXPECT_GT(of_several["processes"][1]["bytes_sent"].get<int64_t>(), 0);
    }
  }

  // Starts processes that are not waited for.
  void start(int processes, const std::string& arguments) {
    pid_ = fork();
    if (pid_ != 0) return;
    const int out = open(path("log").c_str(), O_CREAT | O_WRONLY | O_TRUNC, 0666);
    dup2(out, 1);
    dup2(out, 2);
    execl("/bin/sh", "sh", "-c", ("exec " + command(processes) + arguments).c_str(), static_cast<char*>(nullptr));
    _exit(9);
  }
  // Those that mpirun started.
  std::vector<pid_t> children() const {
    std::vector<pid_t> found;
    const std::string said = content_of(fmt::format("/proc/{}/task/{}/children", pid_, pid_));
    for (const char* at = said.c_str(); *at != '\0';) {
      char* end;
      found.push_back(static_cast<pid_t>(std::strtol(at, &end, 10)));
      at = *end == ' ' ? end + 1 : end;
    }
    return found;
  }
  void wait_for_file(const std::string& file) const {
    for (int i = 0; i < 3000 && !std::filesystem::exists(file); ++i) std::this_thread::sleep_for(10ms);
    ASSERT_TRUE(std::filesystem::exists(file)) << content_of(path("log"));
  }
  int wait() const {
    int status = 0;
    waitpid(pid_, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }
  pid_t pid_ = 0;
  std::string slow_;  // what takes long, and many sweeps
};

TEST_F(FitTogether, ComesToWhatOneProcessComesTo) {
  const std::string files = path("ratings.csv") + " --test " + path("test.csv") + " ";
  expect_same(files, 2e-5);
  expect_same(files + "--fits 2 --dtype float64", 1e-9, {3});
  expect_same(files + "--l2 2 --l2-by-count --rank 20", 1e-4, {3});
  expect_same(files + "--loss huber --huber-delta 0.2", 1e-3, {2, 4});
  expect_same(files + "--implicit als --no-biases", 1e-4, {3});
  expect_same(files + "--nonnegative --iterations 5", 1e-3, {3});
  // Rounding decides which residuals are nothing.
  SavedModel model = fitted(3, files + "--loss absolute", "several");
  fitted(1, files + "--loss absolute", "one");
  EXPECT_NEAR(metrics("several")["test_rmse"].get<double>() / metrics("one")["test_rmse"].get<double>(), 1, 0.005);
}

TEST_F(FitTogether, DescendsAsOneProcessDoes) {
  const std::string few = path("ratings.csv") + " --iterations 30 --tolerance 0 --optimizer ";
  expect_same(few + "sgd", 1e-4);
  expect_same(few + "adam --no-biases --loss huber", 1e-4, {3});
  expect_same(few + "rmsprop --l2 1 --l2-by-count --schedule cosine --nonnegative", 1e-3, {3});
  expect_same(few + "lbfgs --dtype float64", 1e-4, {3});
}

// From any number of processes to any other.
TEST_F(FitTogether, GoesOnWithADescentInOthers) {
  wengert::save_npy(wengert::test::arbitrary({60, 25}), path("matrix.npy"));
  for (const char* options : {"ratings.csv --optimizer sgd --momentum 0.9", "ratings.csv --optimizer adam",
                              "ratings.csv --optimizer rprop --schedule plateau", "ratings.csv --optimizer lbfgs",
                              "matrix.npy --rank 3 --optimizer adamax", "matrix.npy --rank 3 --optimizer lbfgs"}) {
    SCOPED_TRACE(options);
    const std::string arguments = path(options) + " --tolerance 0 --dtype float64 --iterations ";
    for (const auto& [before, after] : {std::pair(3, 2), std::pair(1, 3), std::pair(2, 1)}) {
      SCOPED_TRACE(before);
      std::filesystem::remove_all(path("model"));
      fitted(before, arguments + "12 --checkpoint 0", "model");
      const SavedModel resumed = fitted(after, arguments + "25 --resume", "model"),
                       whole = fitted(1, arguments + "25", "one");
      EXPECT_EQ(metrics("model")["iterations"], 25);
      EXPECT_LE((wengert::mm(resumed.model.C, resumed.model.F) - wengert::mm(whole.model.C, whole.model.F))
                    .abs()
                    .max()
                    .item<double>(),
                1e-6);
    }
  }
}

TEST_F(FitTogether, RanksAsOneProcessDoes) {
  const std::string arguments = path("ratings.csv") + " --implicit bpr --rank 4 --iterations ";
  fitted(1, arguments + "30", "one");
  std::set<std::string> factors;
  for (int run = 0; run < 2; ++run) {
    fitted(3, arguments + "30", "several");
    factors.insert(content_of(path("several") + "/factors.safetensors"));
  }
  EXPECT_EQ(factors.size(), 1);
  // Other draws of the same kind.
  EXPECT_NEAR(metrics("several")["loss"].get<double>() / metrics("one")["loss"].get<double>(), 1, 0.05);
  EXPECT_LT(metrics("several")["loss"].get<double>(), 0.66);  // of a model that knows nothing it is log 2
  // As a run that was not stopped goes on, where there are as many processes.
  fitted(3, arguments + "12 --checkpoint 0", "resumed");
  fitted(3, arguments + "30 --resume", "resumed");
  EXPECT_EQ(content_of(path("resumed") + "/factors.safetensors"), *factors.begin());
  fitted(2, arguments + "32 --resume", "resumed");
  EXPECT_EQ(metrics("resumed")["iterations"], 32);
}

TEST_F(FitTogether, SearchesSettings) {
  const std::string files = path("ratings.csv") + " --test " + path("test.csv") + " --tune --budget 4 --rank 3";
  fitted(1, files, "one");
  for (const int processes : {2, 3}) {
    fitted(processes, files, "several");
    EXPECT_NEAR(metrics("several")["test_rmse"].get<double>() / metrics("one")["test_rmse"].get<double>(), 1, 0.05);
    EXPECT_NE(content_of(path("several") + "/tune.csv").find("validation_rmse"), std::string::npos);
  }
  const Outcome outcome =
      fit(2, path("ratings.csv") + " --implicit als --no-biases --tune --budget 2 --rank 4 --out " + path("implicit"));
  EXPECT_EQ(outcome.status, 0) << outcome.err;
  EXPECT_NE(outcome.out.find("ndcg@10 0."), std::string::npos) << outcome.out;
}

TEST_F(FitTogether, WritesThePageOfAFit) {
  wengert::save_npy(wengert::test::arbitrary({60, 25}), path("matrix.npy"));
  for (const char* file : {"ratings.csv", "matrix.npy --rank 2"}) {
    SCOPED_TRACE(file);
    const auto page = [&](int processes) {
      std::filesystem::remove(path("fit.html"));
      const Outcome outcome = fit(processes, path(file) + " --dtype float64 --report " + path("fit.html"));
      EXPECT_EQ(outcome.status, 0) << outcome.err;
      const std::string html = content_of(path("fit.html"));
      const size_t begin = html.find("{\"title\"");
      return json::parse(html.substr(begin, html.find("</script>", begin) - begin).c_str());
    };
    const json one = page(1), several = page(3);
    for (const char* same : {"title", "about"}) EXPECT_EQ(one[same], several[same]);
    EXPECT_EQ(one["heat"]["rows"], several["heat"]["rows"]);
    EXPECT_EQ(one["heat"]["matrix"], several["heat"]["matrix"]);
    EXPECT_EQ(one["map"]["rows"].size(), several["map"]["rows"].size());
    EXPECT_EQ(several["tables"][0]["rows"].size(), 3);
  }
}

TEST_F(FitTogether, FactorizesWholeMatrices) {
  const Tensor matrix = wengert::mm(wengert::test::arbitrary({60, 4}), wengert::test::arbitrary({4, 25})) +
                        wengert::test::arbitrary({60, 25}, -0.1, 0.1, 3);
  wengert::save_npy(matrix, path("matrix.npy"));
  std::string text = "name,";
  for (int j = 0; j < 25; ++j) text += fmt::format("c{}{}", j, j < 24 ? "," : "\n");
  for (int i = 0; i < 60; ++i) {
    text += fmt::format("r{}", i);
    for (int j = 0; j < 25; ++j) text += fmt::format(",{}", matrix[i][j].item<double>());
    text += "\n";
  }
  write("matrix.csv", text);
  for (const char* file : {"matrix.npy", "matrix.csv"}) {
    expect_same(path(file) + " --rank 4 --dtype float64", 1e-9);
    for (const char* center : {"global", "rows", "columns"}) {
      expect_same(path(file) + " --rank 3 --l2 0.1 --dtype float64 --center " + center, 1e-6, {3});
    }
  }
  expect_same(path("matrix.npy") + " --rank 3 --nonnegative --iterations 20", 1e-4, {3});
  expect_same(path("matrix.npy") + " --rank 3 --l2 0.1 --optimizer adam --iterations 50", 1e-4, {3});
  expect_same(path("matrix.npy") + " --rank 3 --optimizer lbfgs --iterations 15 --dtype float64", 1e-6, {3});
  // One that has holes is a list of entries.
  matrix[7][3].fill_(NAN);
  wengert::save_npy(matrix, path("holes.npy"));
  expect_same(path("holes.npy") + " --rank 3", 1e-4, {3});
}

TEST_F(FitTogether, GivesTheSameBitsInEachRun) {
  for (const char* options : {"", "--optimizer sgd --iterations 20"}) {
    const std::string arguments = path("ratings.csv") + " " + options + " --out " + path("model");
    std::set<std::string> factors;
    for (int run = 0; run < 3; ++run) {
      ASSERT_EQ(fit(3, arguments).status, 0);
      factors.insert(content_of(path("model") + "/factors.safetensors"));
    }
    EXPECT_EQ(factors.size(), 1) << options;
  }
}

TEST_F(FitTogether, TakesOutTheSameEntriesHoweverManyTheyAre) {
  for (const char* by : {"random", "time", "row"}) {
    std::set<std::multiset<std::string>> held_out;
    for (const int processes : {2, 3, 4}) {
      fitted(processes,
             fmt::format("{} --columns 1,2,3,time=4 --holdout 0.1 --validation 0.1 --holdout-by {}",
                         path("ratings.csv"), by),
             "model");
      std::ifstream file(path("model") + "/holdout.csv");
      std::multiset<std::string> lines;
      for (std::string line; std::getline(file, line);) lines.insert(line);
      const size_t held = lines.size() - 1;
      if (std::string(by) == "row") {
        EXPECT_LT(held, kEntries / 10);  // some 30 entries of a row, of which 2 or 3 are taken
        EXPECT_GT(held, kEntries / 15);
      } else {
        EXPECT_EQ(held, kEntries / 10);
      }
      EXPECT_TRUE(lines.contains("row,column,value"));
      held_out.insert(std::move(lines));
      EXPECT_EQ(metrics("model")["test_entries"], held);
    }
    EXPECT_EQ(held_out.size(), 1) << by;
  }
}

TEST_F(FitTogether, ReadsFilesAsPeopleHaveThem) {
  // Ends of lines, comments, quotes, numbers with gaps; a last line without an end.
  std::string text =
      "\xEF\xBB\xBF"
      "user;item;rating\r\n# a comment\r\n";
  for (int e = 0; e < 2000; ++e)
    text += fmt::format("\"{}\";{};{},5\r\n", (e * 7919) % 97 * 1000, (e * 31) % 41, e % 5);
  text.resize(text.size() - 2);
  write("sheet.csv", text);
  expect_same(path("sheet.csv") + " --rank 2", 1e-4);
  // A file for each process, one of them compressed.
  const std::string all = content_of(path("ratings.csv"));
  const size_t middle = all.find('\n', all.size() / 2) + 1;
  write("part-0.csv", all.substr(0, middle));
  write("part-1.csv", all.substr(middle));
  ASSERT_EQ(std::system(("gzip -c " + path("part-1.csv") + " >" + path("part-1.gz") + " && mv " + path("part-1.gz") +
                         " " + path("part-1.csv"))
                            .c_str()),
            0);
  const SavedModel one = fitted(1, path("ratings.csv"), "one"), two = fitted(2, path("part-{process}.csv"), "two");
  EXPECT_EQ(one.rows.all(), two.rows.all());
  EXPECT_NEAR(metrics("two")["rmse"].get<double>(), metrics("one")["rmse"].get<double>(), 1e-5);
}

// Matrix Market and .npz, whole or entries.
TEST_F(FitTogether, ReadsFilesOfPrograms) {
  const Tensor square = wengert::test::arbitrary({40, 40}), matrix = square.narrow(1, 0, 23).contiguous();
  const std::string whole = "%%MatrixMarket matrix array real ", entries = "%%MatrixMarket matrix coordinate ";
  std::string general = whole + "general\n% a comment\n\n40 23\n", symmetric = whole + "symmetric\n40 40\n",
              skew = whole + "skew-symmetric\n40 40\n", pattern = entries + "pattern general\n40 40 600\n",
              triangle = entries + "real symmetric\n%\n40 40 600\n";
  std::vector<int64_t> starts{0}, rows, columns;
  std::vector<double> values;
  for (int64_t i = 0; i < 40; ++i) {
    for (int64_t j = 0; j < 40; ++j) {
      const double value = square[j][i].item<double>();
      if (i < 23) general += fmt::format("{}\n", value);
      if (j >= i) symmetric += fmt::format("{}\n", value);
      if (j > i) skew += fmt::format("{}\n", value);
      if (i >= 30) continue;
      const int64_t e = 20 * i + j;
      if (j < 20) pattern += fmt::format("{} {}\n", i + 1, (e * 7) % 40 + 1);
      if (j < 20) triangle += fmt::format("{} {} {}\n", e % 40 + 1, e % 40 * (e / 40) / 15 + 1, value);
      if (j >= 20) continue;
      rows.push_back(i);
      columns.push_back((i + j) % 23);
      values.push_back(value);
    }
    starts.push_back(static_cast<int64_t>(values.size()));
  }
  for (const auto& [name, text] : {std::pair("general.mtx", general), std::pair("symmetric.mtx", symmetric),
                                   std::pair("skew.mtx", skew), std::pair("triangle.mtx", triangle)}) {
    write(name, text);
    expect_same(path(name) + " --rank 2 --dtype float64", 1e-6, {2, 4});
  }
  write("pattern.mtx", pattern);
  expect_same(path("pattern.mtx") + " --rank 2 --implicit als --no-biases", 1e-4, {3});
  fitted(3, path("triangle.mtx") + " --rank 2 --holdout 0.1", "several");
  const std::string held_out = content_of(path("several") + "/holdout.csv");
  EXPECT_EQ(metrics("several")["test_entries"], std::count(held_out.begin(), held_out.end(), '\n') - 1);

  const auto longs = [](const std::vector<int64_t>& x) { return wengert::tensor(x, wengert::kLong); };
  const Tensor shape = longs({40, 23}), data = wengert::tensor(values, wengert::kDouble);
  const std::map<std::string, Tensor> coo{
      {"shape", shape}, {"data", data}, {"row", longs(rows)}, {"col", longs(columns)}},
      csr{{"shape", shape}, {"data", data}, {"indptr", longs(starts)}, {"indices", longs(columns)}},
      csc{{"shape", longs({23, 40})}, {"data", data}, {"indptr", longs(starts)}, {"indices", longs(columns)}};
  for (const bool compressed : {false, true}) {
    for (const auto& [name, arrays] : {std::pair("coo.npz", coo), std::pair("csr.npz", csr), std::pair("csc.npz", csc),
                                       std::pair("whole.npz", std::map<std::string, Tensor>{{"x", matrix}})}) {
      wengert::save_npz(arrays, path(name), compressed);
      expect_same(path(name) + " --rank 2", 1e-4, {compressed ? 2 : 3});
    }
  }
  // A file with a block of rows for each process.
  wengert::save_npy(matrix, path("all.npy"));
  for (int p = 0; p < 2; ++p) wengert::save_npy(matrix.narrow(0, 15 * p, 15 + 10 * p), path(fmt::format("{}.npy", p)));
  fitted(1, path("all.npy") + " --rank 2", "one");
  fitted(2, path("{process}.npy") + " --rank 2", "several");
  EXPECT_EQ(metrics("several")["rows"], 40);
  EXPECT_NEAR(metrics("several")["rmse"].get<double>() / metrics("one")["rmse"].get<double>(), 1, 1e-5);
}

TEST_F(FitTogether, SaysOnceWhatIsWrong) {
  const auto expect_failure = [&](int processes, const std::string& arguments, const std::string& text) {
    const Outcome outcome = fit(processes, arguments);
    EXPECT_NE(outcome.status, 0) << arguments;
    const size_t at = outcome.err.find("factorize: ");
    ASSERT_NE(at, std::string::npos) << arguments << "\n" << outcome.err;
    EXPECT_NE(outcome.err.find(text), std::string::npos) << outcome.err;
    EXPECT_EQ(outcome.err.find("factorize: ", at + 1), std::string::npos) << outcome.err;
  };
  expect_failure(2, path("none.csv"), "none.csv: No such file");
  expect_failure(2, "-", "several processes read files");
  write("short.mtx", "%%MatrixMarket matrix coordinate real general\n3 3 5\n1 1 2\n2 2 3\n3 1 1\n");
  expect_failure(2, path("short.mtx"), "short.mtx: expected 5 entries, found 3");
  write("wrong.mtx", "%%MatrixMarket matrix coordinate real general\n3 3 5\n1 1 2\n2 2 3\n3 1 1\n2 3 x\n3 3 1\n");
  expect_failure(2, path("wrong.mtx"), "wrong.mtx:6: expected a number, found \"x\"");
  std::string broken = content_of(path("ratings.csv"));
  broken[broken.rfind("\nu") + 1] = ',';
  write("broken.csv", broken);
  expect_failure(3, path("broken.csv"), "process 2 on ");
  write("small.csv", "1,1,3\n1,2,4\n2,2,5\n");
  expect_failure(3, path("small.csv"), "3 processes can't share 2 rows");
  ASSERT_EQ(std::system(("gzip -kf " + path("ratings.csv")).c_str()), 0);
  expect_failure(2, path("ratings.csv.gz"), "can't share a compressed file");

  // Not the same file everywhere.
  std::filesystem::create_directory(path("other"));
  std::string changed = content_of(path("ratings.csv"));
  changed[changed.size() / 2] ^= 1;
  write("other/ratings.csv", changed.substr(0, changed.size() - 30));
  const std::string program = std::string(FACTORIZE_PROGRAM) + " fit ratings.csv ";
  const int status = std::system(
      fmt::format(MPIEXEC " --allow-run-as-root --oversubscribe -n 1 -wdir {} {} : -n 1 -wdir {} {} >{} 2>&1", path(""),
                  program, path("other"), program, path("log"))
          .c_str());
  EXPECT_NE(status, 0);
  EXPECT_NE(content_of(path("log")).find("process 1 on "), std::string::npos) << content_of(path("log"));
  EXPECT_NE(content_of(path("log")).find("finds another file than process 0"), std::string::npos);
}

TEST_F(FitTogether, SeesThatAFileChangedMeanwhile) {
  const Processes alone;
  const SharedFile file(alone, path("ratings.csv"));
  file.check_unchanged();
  write("ratings.csv", "1,2,3\n");
  EXPECT_ERROR(file.check_unchanged(), "the file changed while it was read");
}

TEST_F(FitTogether, EndsWhenOneProcessDiesAndGoesOnInOthers) {
  const std::string arguments = slow_ + " --iterations ";
  std::mt19937 random(std::random_device{}());
  for (int turn = 0; turn < 3; ++turn) {
    std::filesystem::remove_all(path("model"));  // so that the state that is waited for is this turn's
    start(3, arguments + "1000000 --checkpoint 0.05 --out " + path("model"));
    wait_for_file(path("model") + "/checkpoint.safetensors");
    const auto moment = std::chrono::milliseconds(random() % 500);
    SCOPED_TRACE(moment.count());
    std::this_thread::sleep_for(moment);
    const std::vector<pid_t> processes = children();
    ASSERT_GE(processes.size(), 3);
    const auto begin = std::chrono::steady_clock::now();
    kill(processes[random() % processes.size()], SIGKILL);
    EXPECT_NE(wait(), 0);
    EXPECT_LT(std::chrono::steady_clock::now() - begin, 10s);
    EXPECT_NE(content_of(path("log")).find("process rank "), std::string::npos) << content_of(path("log"));
  }
  // The last state, wherever that was.
  wengert::serialize::InputArchive archive;
  archive.load_from(path("model") + "/checkpoint.safetensors");
  int64_t iterations = 0;
  archive.read("iterations", iterations);
  const std::string rest = arguments + std::to_string(iterations + 3);
  const SavedModel resumed = fitted(2, rest + " --resume", "model"), whole = fitted(1, rest, "one");
  EXPECT_EQ(metrics("model")["iterations"], iterations + 3);
  const auto product = [](const SavedModel& saved) { return wengert::mm(saved.model.C, saved.model.F); };
  EXPECT_LE((product(resumed) - product(whole)).abs().max().item<double>(), 0.02);
}

TEST_F(FitTogether, NamesAProcessThatIsSlow) {
  start(2, slow_ + " --iterations 150 --out " + path("model"));
  std::vector<pid_t> processes;
  for (int i = 0; i < 500 && processes.size() < 2; ++i) {
    std::this_thread::sleep_for(10ms);
    processes = children();
  }
  ASSERT_GE(processes.size(), 2);
  for (int i = 0; i < 40; ++i) {
    kill(processes[1], SIGSTOP);
    std::this_thread::sleep_for(60ms);
    kill(processes[1], SIGCONT);
    std::this_thread::sleep_for(15ms);
  }
  EXPECT_EQ(wait(), 0);
  EXPECT_NE(content_of(path("log")).find(" was slow: "), std::string::npos)
      << content_of(path("log")) << metrics("model")["processes"];
}

}  // namespace
}  // namespace factorize
