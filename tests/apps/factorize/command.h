#pragma once

#include <gtest/gtest.h>
#include <support/temporary_folder.h>
#include <sys/wait.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>

namespace factorize {

inline std::string content_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

struct Outcome {
  int status;
  std::string out, err;
};

class Command : public testing::Test {
 protected:
  // Runs the program through the shell.
  Outcome run(const std::string& arguments) {
    const std::string out = folder_.path() / "stdout", err = folder_.path() / "stderr";
    const int status =
        std::system((std::string(FACTORIZE_PROGRAM) + " " + arguments + " >" + out + " 2>" + err).c_str());
    return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, content_of(out), content_of(err)};
  }
  // Expects one line on standard error, none on standard output.
  void expect_failure(const std::string& arguments, int status, const std::string& text) {
    const Outcome outcome = run(arguments);
    EXPECT_EQ(outcome.status, status) << arguments;
    EXPECT_EQ(outcome.out, "") << arguments;
    EXPECT_NE(outcome.err.find(text), std::string::npos) << arguments << "\n" << outcome.err;
    EXPECT_EQ(std::count(outcome.err.begin(), outcome.err.end(), '\n'), 1) << outcome.err;
  }
  wengert::test::TemporaryFolder folder_;
};

}  // namespace factorize
