#include <apps/factorize/command.h>
#include <apps/factorize/read.h>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <support/inputs.h>
#include <support/temporary_folder.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wengert/wengert.h>

#include <nlohmann/json.hpp>
#include <algorithm>
#include <chrono>
#include <cmath>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <regex>
#include <thread>
#include <vector>

// The program as its user meets it.

namespace factorize {
namespace {

const std::string kVolcano = std::string(TEST_DATA_DIR) + "/volcano.csv";

TEST_F(Command, WithoutArgumentsRunsTheNotebook) {
  const Outcome outcome = run("");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out, run("notebook").out);
  EXPECT_NE(outcome.out.find("Iteration n.  10000 . Loss:  "), std::string::npos);
}

TEST_F(Command, PrintsItsManualAndWhatShellsRead) {
  const std::string manual = run("manual").out;
  for (const char* part :
       {".TH FACTORIZE 1", ".SS factorize fit\n", "\\fB\\-\\-optimizer\\fR", ".SS factorize serve\n"}) {
    EXPECT_NE(manual.find(part), std::string::npos) << part;
  }
  const std::string completed = folder_.path() / "completed", program = FACTORIZE_PROGRAM;
  const auto complete = [&](const std::string& words, int at) {
    const std::string script =
        fmt::format("source <({} completion bash); COMP_WORDS=({}); COMP_CWORD={}; _factorize; echo ${{COMPREPLY[@]}}",
                    program, words, at);
    EXPECT_EQ(std::system(fmt::format("bash -c '{}' > {}", script, completed).c_str()), 0);
    return content_of(completed);
  };
  EXPECT_EQ(complete("factorize rec", 1), "recommend\n");
  EXPECT_EQ(complete("factorize fit --opt", 2), "--optimizer\n");
  EXPECT_EQ(complete("factorize fit --schedule co", 3), "cosine\n");
  EXPECT_NE(run("completion fish").out.find("-l optimizer -x -a"), std::string::npos);
  EXPECT_NE(run("completion zsh").out.find("--optimizer["), std::string::npos);
  EXPECT_EQ(run("completion").status, 2);
}

TEST_F(Command, FitWritesFactorsMetricsAndLosses) {
  const std::string out = folder_.path() / "result";
  const Outcome outcome = run("fit " + kVolcano + " --rank 5 --center global --out " + out);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.err, "");
  EXPECT_NE(outcome.out.find("a table, comma-separated: 87 x 61"), std::string::npos);
  const wengert::Tensor C = read_matrix(out + "/C.npy"), F = read_matrix(out + "/F.npy"),
                        offset = read_matrix(out + "/offset.npy");
  ASSERT_EQ(C.sizes(), wengert::IntArrayRef({87, 5}));
  ASSERT_EQ(F.sizes(), wengert::IntArrayRef({5, 61}));
  const wengert::Tensor D = read_matrix(kVolcano);
  const double error = (D - wengert::mm(C, F) - offset).square().sum().item<double>();
  const auto metrics = nlohmann::json::parse(content_of(out + "/metrics.json"));
  EXPECT_NEAR(metrics["squared_error"].get<double>(), error, 1e-6 * error);
  EXPECT_NEAR(metrics["relative_error"].get<double>(), std::sqrt(error / D.square().sum().item<double>()), 1e-9);
  const std::string losses = content_of(out + "/loss.csv");
  EXPECT_TRUE(losses.starts_with("iteration,loss\n0,"));
  EXPECT_EQ(std::count(losses.begin(), losses.end(), '\n'), metrics["iterations"].get<int>() + 2);
}

TEST_F(Command, QuietPrintsNothing) {
  const Outcome outcome = run("fit " + kVolcano + " --rank 1 --quiet");
  EXPECT_EQ(outcome.status, 0);
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST_F(Command, ReadsStandardInput) {
  const Outcome outcome = run("fit - --rank 1 < " + kVolcano);
  EXPECT_EQ(outcome.status, 0);
  EXPECT_NE(outcome.out.find("87 x 61"), std::string::npos);
}

TEST_F(Command, HelpAndVersionSucceed) {
  for (const char* arguments : {"--help", "fit --help", "notebook --help", "--version"}) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, 0) << arguments;
    EXPECT_NE(outcome.out, "") << arguments;
  }
}

TEST_F(Command, WrongUsageIsStatusTwo) {
  expect_failure("--no-such-option", 2, "factorize: ");
  expect_failure("nonsense", 2, "factorize: ");
  expect_failure("fit", 2, "is required");
  expect_failure("fit " + kVolcano + " --rank x", 2, "--rank");
  expect_failure("fit " + kVolcano + " --rank 2 --optimizer newton", 2,
                 "--optimizer: newton is none of auto|als|sgd|adam|");
  expect_failure("fit " + kVolcano + " --rank 2 --lr -1", 2, "--lr");
  expect_failure("fit " + kVolcano + " --rank 2 --momentum 1", 2, "--momentum");
  expect_failure("fit " + kVolcano + " --rank 2 --iterations -5", 2, "--iterations");
}

TEST_F(Command, WhatCannotBeDoneIsStatusOne) {
  expect_failure("fit /nowhere.csv --rank 2", 1, "factorize: /nowhere.csv: No such file or directory");
  expect_failure("fit " + folder_.file("empty.csv", "") + " --rank 2", 1, "the file is empty");
  expect_failure("fit " + folder_.file("ragged.csv", "1,2\n3\n") + " --rank 1", 1, "ragged.csv:2: expected 2 columns");
  expect_failure("fit " + folder_.file("text.csv", "1,2\n3,x\n") + " --rank 1", 1, "text.csv:2: expected a number");
  expect_failure("fit " + folder_.file("inf.csv", "1,2\n3,inf\n") + " --rank 1", 1, "inf.csv:2: expected a finite");
  expect_failure("fit " + kVolcano + " --rank 62", 1, "--rank 62 is impossible for a 87 x 61 matrix: expected 1 to 61");
  expect_failure("fit " + kVolcano + " --rank 0", 1, "--rank 0 is impossible");
  expect_failure("fit " + kVolcano + " --quiet --rank 1 --out /proc/nothing", 1, "/proc/nothing: ");
}

TEST_F(Command, DivergenceIsReportedAndTheLastFactorsAreWritten) {
  const std::string out = folder_.path() / "result";
  const Outcome outcome = run("fit " + kVolcano + " --rank 2 --lr 50 --out " + out);
  EXPECT_EQ(outcome.status, 1);
  EXPECT_TRUE(
      std::regex_search(outcome.err, std::regex("the loss is no longer finite at iteration [0-9]+; the factors of "
                                                "iteration [0-9]+ are kept. Try a smaller --lr than 50\n")))
      << outcome.err;
  EXPECT_EQ(read_matrix(out + "/C.npy").size(0), 87);  // which refuses what is not finite
}

// Ratings of ids that are words, 20 x 15, of which some are missing, with a time.
std::string some_ratings() {
  std::string text = "who,what,stars,when\n";
  for (int i = 0; i < 20; ++i) {
    for (int j = 0; j < 15; ++j) {
      if ((i * 7 + j * 3) % 4 != 0)
        text += fmt::format("user{},\"item, {}\",{},{}\n", i, j, 1 + (i * j + i) % 5, i + 20 * j);
    }
  }
  return text;
}

TEST_F(Command, FitsRatings) {
  const std::string file = folder_.file("ratings.csv", some_ratings()), out = folder_.path() / "model";
  const Outcome weighted = run("fit " + file + " --columns who,what,stars,when --rank 3");
  EXPECT_EQ(weighted.status, 0) << weighted.err;
  EXPECT_NE(weighted.out.find("entries (row, column, value, weight)"), std::string::npos) << weighted.out;
  const Outcome timed =
      run("fit " + file + " --columns who,what,stars,time=when --holdout 0.1 --holdout-by time --rank 3 --out " + out);
  EXPECT_EQ(timed.status, 0) << timed.err;
  EXPECT_NE(
      timed.out.find("entries (row, column, value, time), comma-separated: 20 x 15, 225 entries (75 %) from 1 to 5, "
                     "ids are names\n"),
      std::string::npos)
      << timed.out;
  const auto metrics = nlohmann::json::parse(content_of(out + "/metrics.json"));
  EXPECT_EQ(metrics["entries"], 202);
  EXPECT_EQ(metrics["test_entries"], 23);
  EXPECT_GT(metrics["test_rmse"].get<double>(), 0);
  EXPECT_NE(metrics["command"].get<std::string>().find("--holdout-by time"), std::string::npos);
  EXPECT_TRUE(content_of(out + "/row_ids.txt").starts_with("user0\nuser1\n"));
  EXPECT_TRUE(content_of(out + "/column_ids.txt").find("item, 0\n") != std::string::npos);
  // All that a prediction needs is in one file, and in those for NumPy.
  std::map<std::string, wengert::Tensor> model;
  wengert::load(model, out + "/factors.safetensors");
  EXPECT_EQ(model["C"].sizes(), wengert::IntArrayRef({20, 3}));
  EXPECT_EQ(model["F"].sizes(), wengert::IntArrayRef({3, 15}));
  EXPECT_TRUE(equal(model["row_bias"], wengert::load_npy(out + "/row_bias.npy")));
  EXPECT_TRUE(equal(model["C"], wengert::load_npy(out + "/C.npy")));
}

TEST_F(Command, TellsWhatIsWrongInALineOfItsOwn) {
  const std::string file = folder_.file("m.csv", "1,2,3\n4,5,\x1b]0;\a\r6\n");
  expect_failure("fit " + file, 1, "m.csv:2: expected a number in column 3, found \"\\x1b]0;\\x07\\x0d6\"");
  expect_failure("fit " + folder_.file("r.csv", "1,2,3\n4,5,6\n") + " --test " + file, 1, "m.csv:2: ");
  expect_failure("fit " + kVolcano + " --rank 2 --test " + file, 1, "");
  expect_failure("fit " + kVolcano + " --rank 2 --resume", 1, "--checkpoint and --resume need a folder, --out DIR");
}

// Killed at any moment, the run goes on from its last checkpoint, and comes to the bits of one that nobody killed.
TEST_F(Command, SurvivesBeingKilledFiftyTimes) {
  const std::string whole = folder_.path() / "whole", killed = folder_.path() / "killed";
  const std::string fit = "fit " + kVolcano + " --rank 5 --optimizer adam --tolerance 0 --quiet --iterations ";
  // Until the program has begun nothing is saved.
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(run(fit + "1").status, 0);
  const auto beginning = std::chrono::steady_clock::now() - start;
  int kills = 0;
  for (int i = 0; kills < 50 && i < 500; ++i) {
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      execl(FACTORIZE_PROGRAM, "factorize", "fit", kVolcano.c_str(), "--rank", "5", "--optimizer", "adam",
            "--tolerance", "0", "--quiet", "--iterations", "1000000", "--checkpoint", "0.001", "--resume", "--out",
            killed.c_str(), static_cast<char*>(nullptr));
      _exit(127);
    }
    std::this_thread::sleep_for(beginning + std::chrono::microseconds(i * 7919 % 30000 - 5000));
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    kills += WIFSIGNALED(status) ? 1 : 0;
  }
  EXPECT_EQ(kills, 50);
  wengert::serialize::InputArchive checkpoint;
  checkpoint.load_from(killed + "/checkpoint.safetensors");
  int64_t iterations = 0;
  checkpoint.read("iterations", iterations);
  EXPECT_GT(iterations, 20);
  const std::string further = std::to_string(iterations + 100);
  EXPECT_EQ(run(fit + further + " --resume --out " + killed).status, 0);
  EXPECT_EQ(run(fit + further + " --out " + whole).status, 0);
  for (const char* file : {"/C.npy", "/F.npy", "/loss.csv"}) {
    EXPECT_TRUE(content_of(whole + file) == content_of(killed + file)) << file;
  }
}

// As of a disk that is full: files can grow to 8 KiB.
TEST_F(Command, AFullDiskLeavesTheOldModel) {
  const std::string file = folder_.file("ratings.csv", some_ratings()), out = folder_.path() / "model";
  EXPECT_EQ(run("fit " + file + " --quiet --out " + out).status, 0);
  const std::string model = content_of(out + "/factors.safetensors"), metrics = content_of(out + "/metrics.json");
  const std::string program = FACTORIZE_PROGRAM;
  const int status =
      std::system(("bash -c 'trap \"\" XFSZ; ulimit -f 8; " + program + " fit " + kVolcano +
                   " --rank 60 --iterations 2 --quiet --out " + out + "' 2>" + (folder_.path() / "stderr").string())
                      .c_str());
  EXPECT_EQ(WEXITSTATUS(status), 1);
  const std::string error = content_of(folder_.path() / "stderr");
  EXPECT_NE(error.find("File too large"), std::string::npos) << error;
  EXPECT_EQ(content_of(out + "/factors.safetensors"), model);
  EXPECT_EQ(content_of(out + "/metrics.json"), metrics);
}

// What a run of the program on a terminal leaves.
struct OnTerminal {
  int status;
  std::string shown;
};

// Calls look(all that is shown so far, terminal) each time that something is.
template <class Look>
OnTerminal run_on_terminal(std::vector<std::string> arguments, const Look& look) {
  std::vector<char*> words;
  arguments.insert(arguments.begin(), "factorize");
  for (std::string& word : arguments) words.push_back(word.data());
  words.push_back(nullptr);
  int terminal = -1;
  const pid_t child = forkpty(&terminal, nullptr, nullptr, nullptr);
  if (child == 0) {
    execv(FACTORIZE_PROGRAM, words.data());
    _exit(127);
  }
  OnTerminal run{};
  char buffer[4096];
  while (true) {
    const ssize_t count = read(terminal, buffer, sizeof buffer);
    if (count <= 0) break;  // the program has ended
    run.shown.append(buffer, static_cast<size_t>(count));
    look(run.shown, terminal);
  }
  waitpid(child, &run.status, 0);
  close(terminal);
  return run;
}

// On a terminal: a progress line is shown; the interrupt stops the run; the factors so far are written.
TEST_F(Command, CtrlCWritesTheBestFactorsSoFar) {
  const std::string out = folder_.path() / "result";
  bool interrupted = false;
  const auto [status, shown] =
      run_on_terminal({"fit", kVolcano, "--rank", "5", "--iterations", "1000000000", "--tolerance", "0", "--out", out},
                      [&](const std::string& so_far, int terminal) {
                        if (interrupted || so_far.find("ETA") == std::string::npos) return;
                        interrupted = true;
                        EXPECT_EQ(write(terminal, "\x03", 1), 1);  // Ctrl-C
                      });
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 130);
  EXPECT_TRUE(std::regex_search(shown, std::regex("iteration [0-9]+/1000000000  loss .* it/s  ETA "))) << shown;
  EXPECT_NE(shown.find("interrupted after"), std::string::npos) << shown;
  EXPECT_EQ(read_matrix(out + "/F.npy").size(1), 61);
  EXPECT_EQ(nlohmann::json::parse(content_of(out + "/metrics.json"))["stopped"], "interrupted");
}

// A pipe that is slow, so that there is something to tell.
TEST_F(Command, TellsOnATerminalHowFarReadingIs) {
  const std::string pipe = folder_.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] {
    std::ofstream to(pipe);
    for (int turn = 0; turn < 3; ++turn) {
      for (int row = 0; row < 1000; ++row) {
        for (int column = 0; column < 100; ++column) to << turn * 1000 + row << ' ' << column << " 3.5000000000000\n";
      }
      to.flush();
      std::this_thread::sleep_for(std::chrono::milliseconds(150));
    }
  });
  const auto [status, shown] = run_on_terminal({"fit", pipe, "--iterations", "1"}, [](const std::string&, int) {});
  writer.join();
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << shown;
  const std::regex line("\rreading [^\r\n]*/pipe  [0-9]+ MB  [0-9]+ MB/s\x1b\\[K");
  EXPECT_TRUE(std::regex_search(shown, line)) << shown;
  const size_t told = shown.rfind("MB/s"), taken_away = shown.find("\r\x1b[K", told), found = shown.find("3000 x 100");
  EXPECT_LT(told, taken_away);
  EXPECT_LT(taken_away, found);
  EXPECT_NE(found, std::string::npos);
}

}  // namespace
}  // namespace factorize
