// Starts programs in turns, and prints of each the median of its milliseconds from start to end, and what it printed.
// usage: time_processes RUNS PROGRAM ...
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

namespace {

struct Run {
  double milliseconds;
  std::string output;
};

void check(int error, const std::string& what) {
  if (error != 0) throw std::system_error(error, std::generic_category(), what);
}

Run run(char* program) {
  int ends[2];
  check(pipe(ends) == 0 ? 0 : errno, "pipe");
  posix_spawn_file_actions_t actions;
  check(posix_spawn_file_actions_init(&actions), "posix_spawn_file_actions_init");
  check(posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO), "posix_spawn_file_actions_adddup2");
  check(posix_spawn_file_actions_addclose(&actions, ends[0]), "posix_spawn_file_actions_addclose");
  char* arguments[] = {program, nullptr};
  pid_t child;

  const auto start = std::chrono::steady_clock::now();
  check(posix_spawnp(&child, program, &actions, nullptr, arguments, environ), program);
  int status = 0;
  check(waitpid(child, &status, 0) == child ? 0 : errno, "waitpid");
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
  if (status != 0) throw std::runtime_error(fmt::format("{} ended with status {}", program, status));

  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string output(4096, '\0');  // less than a pipe holds
  output.resize(static_cast<size_t>(std::max<ssize_t>(0, read(ends[0], output.data(), output.size()))));
  close(ends[0]);
  if (output.ends_with('\n')) output.pop_back();
  return {time.count(), output};
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc < 3) {
    fmt::print(stderr, "usage: time_processes RUNS PROGRAM ...\n");
    return 2;
  }
  const std::vector<char*> programs(argv + 2, argv + argc);
  std::vector<std::vector<Run>> runs(programs.size());
  for (int round = std::stoi(argv[1]); round > 0; --round) {
    for (size_t i = 0; i < programs.size(); ++i) runs[i].push_back(run(programs[i]));
  }
  for (size_t i = 0; i < programs.size(); ++i) {
    const auto middle = runs[i].begin() + static_cast<std::ptrdiff_t>(runs[i].size() / 2);
    std::nth_element(runs[i].begin(), middle, runs[i].end(),
                     [](const Run& a, const Run& b) { return a.milliseconds < b.milliseconds; });
    fmt::print("{} {:.2f} {}\n", std::filesystem::path(programs[i]).filename().string(), middle->milliseconds,
               middle->output);
  }
} catch (const std::exception& error) {
  fmt::print(stderr, "time_processes: {}\n", error.what());
  return 1;
}
