#include <fmt/format.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wengert/torch.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

// Operations and steps on one thread and on two, in turns: on a quiet machine, and beside a process that never rests.
// Then two processes at once, each on two threads, beside one after the other. Results are compared before anything is
// timed: two threads with one, bit for bit.

namespace {

using Clock = std::chrono::steady_clock;
double microseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

/// A process that uses a processor as long as this object lives.
class BusyNeighbour {
 public:
  BusyNeighbour() : process_(fork()) {
    if (process_ < 0) throw std::system_error(errno, std::generic_category(), "fork");
    if (process_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (;;) asm volatile("");
    }
  }
  ~BusyNeighbour() {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  BusyNeighbour(const BusyNeighbour&) = delete;
  BusyNeighbour& operator=(const BusyNeighbour&) = delete;

 private:
  pid_t process_;
};

/// One step of gradient descent on D = C F, and the factors.
struct Notebook {
  Notebook(int64_t n, int64_t m, int64_t k)
      : D(torch::rand({n, m})), C(torch::rand({n, k}).requires_grad_()), F(torch::rand({k, m}).requires_grad_()) {}

  torch::Tensor operator()() {
    torch::Tensor loss = (torch::mm(C, F) - D).pow(2).sum();
    loss.backward();
    const torch::NoGradGuard no_grad;
    for (torch::Tensor* x : {&C, &F}) {
      x->sub_(x->grad(), 1e-9);
      x->mutable_grad().reset();
    }
    return loss.detach();
  }

  torch::Tensor D, C, F;
};

struct Row {
  std::string name;
  std::function<std::function<torch::Tensor()>()> make;  // the same work, from the same numbers, each time
};

std::vector<Row> rows() {
  std::vector<Row> all;
  const auto operation = [&](const std::string& name, std::vector<int64_t> sizes,
                             std::function<torch::Tensor(const torch::Tensor&, const torch::Tensor&)> call) {
    all.push_back({name, [=] {
                     torch::manual_seed(1);
                     return [=, a = torch::rand(sizes), b = torch::rand(sizes)] { return call(a, b); };
                   }});
  };
  for (const int shift : {17, 18, 20, 22, 24}) {
    const std::vector<int64_t> sizes{int64_t{1} << (shift - 8), 256};
    const std::string elements = fmt::format(" 2^{}", shift);
    operation("a + b" + elements, sizes, [](const auto& a, const auto& b) { return a + b; });
    operation("exp" + elements, sizes, [](const auto& a, const auto&) { return a.exp(); });
    operation("sum" + elements, sizes, [](const auto& a, const auto&) { return a.sum(); });
    operation("sum(0)" + elements, sizes, [](const auto& a, const auto&) { return a.sum(0); });
    operation("softmax(1)" + elements, sizes, [](const auto& a, const auto&) { return a.softmax(1); });
    operation("a + b'" + elements, {int64_t{1} << (shift / 2), int64_t{1} << (shift / 2)},
              [](const auto& a, const auto& b) { return a + b.t(); });
  }
  for (const int64_t size : {96, 128, 192, 256, 512, 1024})
    operation(fmt::format("mm {0},{0},{0}", size), {size, size},
              [](const auto& a, const auto& b) { return torch::mm(a, b); });
  for (const auto [n, m, k] :
       {std::array{100, 100, 5}, {300, 300, 20}, {500, 300, 10}, {1000, 1000, 32}, {2000, 1000, 20}, {4000, 4000, 128}})
    all.push_back({fmt::format("step {},{},{}", n, m, k), [=] {
                     torch::manual_seed(1);
                     return Notebook(n, m, k);
                   }});
  return all;
}

bool same_on_two_threads(const Row& row) {
  std::vector<torch::Tensor> results;
  for (const int threads : {1, 2}) {
    torch::set_num_threads(threads);
    const auto work = row.make();
    for (int i = 0; i < 3; ++i) results.push_back(work().contiguous());
  }
  const size_t half = results.size() / 2;
  for (size_t i = 0; i < half; ++i) {
    const torch::Tensor &one = results[i], &two = results[half + i];
    if (std::memcmp(one.data_ptr(), two.data_ptr(), static_cast<size_t>(one.numel()) * 4) != 0) return false;
  }
  return true;
}

struct Times {
  double one, two;
};

/// Microseconds of a call: the medians of slices of some milliseconds, in turns. What a call waits for counts.
Times time_threads(const std::function<torch::Tensor()>& work) {
  constexpr int kSlices = 15;
  constexpr double kSlice = 2e4;
  std::vector<double> times[2];
  for (int slice = 0; slice < kSlices; ++slice) {
    for (const int threads : {1, 2}) {
      torch::set_num_threads(threads);
      work();
      const auto start = Clock::now();
      int calls = 0;
      do {
        work();
        ++calls;
      } while (microseconds_since(start) < kSlice);
      times[threads - 1].push_back(microseconds_since(start) / calls);
    }
  }
  for (auto& slices : times) std::nth_element(slices.begin(), slices.begin() + kSlices / 2, slices.end());
  return {times[0][kSlices / 2], times[1][kSlices / 2]};
}

pid_t start_steps() {
  char program[] = "/proc/self/exe", argument[] = "steps";
  char* arguments[] = {program, argument, nullptr};
  pid_t child;
  if (const int error = posix_spawn(&child, program, nullptr, nullptr, arguments, environ); error != 0)
    throw std::system_error(error, std::generic_category(), program);
  return child;
}

void end_steps(pid_t child) {
  int status = 0;
  if (waitpid(child, &status, 0) != child || status != 0) throw std::runtime_error("steps in another process failed");
}

void run_steps() {
  Notebook step(2000, 1000, 20);
  for (int i = 0; i < 300; ++i) step();
}

void two_processes() {
  double least_in_turn = 1e300, least_together = 1e300;
  for (int round = 0; round < 5; ++round) {
    auto start = Clock::now();
    for (int i = 0; i < 2; ++i) end_steps(start_steps());
    least_in_turn = std::min(least_in_turn, microseconds_since(start));
    start = Clock::now();
    const pid_t both[] = {start_steps(), start_steps()};
    for (const pid_t child : both) end_steps(child);
    least_together = std::min(least_together, microseconds_since(start));
  }
  fmt::print(
      "\n| two processes, each 300 steps 2000,1000,20 on two threads | ms |\n|---|---:|\n| one after the other | "
      "{:.0f} "
      "|\n| together | {:.0f} |\n| together / one after the other | {:.2f} |\n",
      least_in_turn / 1e3, least_together / 1e3, least_together / least_in_turn);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc == 2 && std::strcmp(argv[1], "steps") == 0) {
    run_steps();
    return 0;
  }
  const std::string filter = argc == 2 ? argv[1] : "";
  fmt::print(
      "| float32 | quiet: one thread, us | two | one / two | busy: one thread, us | two | one / two |\n"
      "|---|---:|---:|---:|---:|---:|---:|\n");
  for (const Row& row : rows()) {
    if (row.name.find(filter) == std::string::npos) continue;
    if (!same_on_two_threads(row)) throw std::runtime_error(row.name + ": two threads give another result than one");
    const auto work = row.make();
    const Times quiet = time_threads(work);
    const BusyNeighbour neighbour;
    const Times busy = time_threads(work);
    fmt::print("| {} | {:.0f} | {:.0f} | {:.2f} | {:.0f} | {:.0f} | {:.2f} |\n", row.name, quiet.one, quiet.two,
               quiet.one / quiet.two, busy.one, busy.two, busy.one / busy.two);
    std::fflush(stdout);
  }
  two_processes();
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_threads: {}\n", error.what());
  return 1;
}
