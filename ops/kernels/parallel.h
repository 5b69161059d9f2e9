#pragma once

#include <wengert/ops/kernels/threads.h>

#include <algorithm>
#include <cstdint>

namespace wengert::kernels {

namespace detail {
/// Calls call(task, i) for each i in [0, count) on this thread and on up to `helpers` others.
void share_tasks(int64_t count, int helpers, const void* task, void (*call)(const void* task, int64_t i));
/// Whether this thread is in a task already: what a task calls runs on its own thread alone.
bool in_task();
}  // namespace detail

/// Calls task(i) for each i in [0, count), on several threads when there are several tasks and threads. Whoever has a
/// processor takes the next task; the caller takes part, and waits for no thread that has not begun one.
/// How work is cut into tasks must depend on its size alone, so that results do not depend on the number of
/// threads. Tasks must not throw.
template <class Task>
void parallel_tasks(int64_t count, const Task& task) {
  if (count > 1) {
    const int threads = static_cast<int>(std::min<int64_t>(count, get_num_threads()));
    if (threads > 1 && !detail::in_task()) {
      detail::share_tasks(count, threads - 1, &task,
                          [](const void* work, int64_t i) { (*static_cast<const Task*>(work))(i); });
      return;
    }
  }
  for (int64_t i = 0; i < count; ++i) task(i);
}

/// Elements of work below which a second thread costs more than it saves.
inline constexpr int64_t kParallelGrain = 1 << 16;

/// Calls work(begin, end) for pieces of about kParallelGrain elements that together are [0, size).
template <class Work>
void parallel_ranges(int64_t size, const Work& work) {
  if (size <= kParallelGrain) {
    if (size > 0) work(int64_t{0}, size);
    return;
  }
  const int64_t pieces = (size + kParallelGrain - 1) / kParallelGrain;
  parallel_tasks(pieces, [&](int64_t i) { work(i * kParallelGrain, std::min(size, (i + 1) * kParallelGrain)); });
}

/// Calls work(begin, end) for ranges of rows that together are [0, rows), each of some kParallelGrain elements.
template <class Work>
void parallel_rows(int64_t rows, int64_t row_length, const Work& work) {
  const int64_t each = std::max<int64_t>(1, kParallelGrain / std::max<int64_t>(1, row_length));
  parallel_tasks((rows + each - 1) / each, [&](int64_t i) { work(i * each, std::min(rows, (i + 1) * each)); });
}

}  // namespace wengert::kernels
