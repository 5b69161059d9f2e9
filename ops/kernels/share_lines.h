#pragma once

#include <wengert/ops/kernels/parallel.h>

#include <algorithm>

namespace wengert::kernels {

/// Calls work(begin, end) for lines that together are all, each time of some kParallelGrain
/// multiplications. starts: where each line's entries begin, and where the last's end; k: multiplications of an entry.
template <class Work>
void share_lines(const int64_t* starts, int64_t lines, int64_t k, const Work& work) {
  // A line costs something though it has no entries.
  const auto cost_before = [&](int64_t line) { return (starts[line] + line) * std::max<int64_t>(k, 1); };
  const int64_t tasks = cost_before(lines) / kParallelGrain + 1;
  const auto first_of = [&](int64_t task) {
    int64_t low = 0, high = lines;
    while (low < high) {
      const int64_t middle = low + (high - low) / 2;
      const bool lies_behind = cost_before(middle) < task * kParallelGrain;
      if (lies_behind) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  };
  parallel_tasks(tasks, [&](int64_t task) { work(first_of(task), task + 1 == tasks ? lines : first_of(task + 1)); });
}

}  // namespace wengert::kernels
