// What messages between processes cost here, for bench_scaling: mpirun -n P bench_messages.

#include <fmt/format.h>
#include <wengert/distributed.h>
#include <wengert/wengert.h>

#include <chrono>
#include <vector>

namespace {

using wengert::Tensor;
using wengert::distributed::ProcessGroup;

template <class Call>
double seconds(ProcessGroup& group, int repeats, const Call& call) {
  call();
  group.barrier();
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < repeats; ++i) call();
  group.barrier();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count() / repeats;
}

}  // namespace

int main() {
  ProcessGroup& group = ProcessGroup::world();
  const int count = group.getSize();
  const Tensor number = wengert::ones({1}, wengert::kDouble);
  const double of_number = seconds(group, 2000, [&] { group.allgather(number); });
  const auto processes = static_cast<size_t>(count);
  const int64_t rows = 1 << 16, width = 16;
  const std::vector<int64_t> each(processes, rows / count);
  const Tensor x = wengert::ones({rows / count * count, width}), y = wengert::empty_like(x);
  const double of_rows = seconds(group, 50, [&] { group.alltoall_base(y, x, each, each).wait(); });
  const double sent = static_cast<double>(x.numel()) * 4 * (count - 1) / count;
  if (group.getRank() != 0) return 0;
  fmt::print("{} processes: a number of each everywhere {:.1f} us; {:.2f} GB/s out of each, in rows of {} floats\n",
             count, of_number * 1e6, sent / of_rows * 1e-9, width);
}
