#include <gtest/gtest.h>
#include <support/inputs.h>
#include <support/temporary_folder.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace wengert::optim {
namespace {

std::string content_of(const std::filesystem::path& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

void train(int from, int to, const std::filesystem::path& folder) {
  const std::string command =
      std::string(RESUME_PROGRAM) + " " + std::to_string(from) + " " + std::to_string(to) + " " + folder.string();
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}

// All that a training has (parameters, optimizer, schedule, averages, random numbers) is in its file at the end; that
// must have the same bytes whether or not there was a stop in between.
TEST(Resume, GivesTheSameBitsAsNotStopping) {
  constexpr int kSteps = 12;
  const test::TemporaryFolder whole;
  train(0, kSteps, whole.path());
  for (int stop = 1; stop < kSteps; ++stop) {
    const test::TemporaryFolder parts;
    train(0, stop, parts.path());
    train(stop, kSteps, parts.path());
    int files = 0;
    for (const auto& file : std::filesystem::directory_iterator(whole.path())) {
      ++files;
      EXPECT_EQ(content_of(file.path()), content_of(parts.path() / file.path().filename()))
          << file.path().filename() << ", stopped after step " << stop;
    }
    EXPECT_EQ(files, 50);
  }
}

}  // namespace
}  // namespace wengert::optim
