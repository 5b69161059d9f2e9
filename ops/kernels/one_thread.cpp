#include <wengert/ops/kernels/parallel.h>

// In place of parallel.cpp where Wengert is built without threads (-DWENGERT_THREADS=OFF): the caller does it all.

namespace wengert::kernels::detail {

bool in_task() { return true; }

void share_tasks(int64_t count, int /*helpers*/, const void* task, void (*call)(const void* task, int64_t i)) {
  for (int64_t i = 0; i < count; ++i) call(task, i);
}

}  // namespace wengert::kernels::detail
