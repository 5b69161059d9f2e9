#pragma once

#include <cstdint>

namespace wengert {

// The memory of tensors' elements that the library allocated, in all threads: bytes alive now, and the most that were
// since the start or the last reset. Not counted are memory lent by from_blob, Nodes, and blocks kept for reuse.

int64_t memory_allocated();
int64_t max_memory_allocated();
/// Gives the memory that is kept for reuse back to the system: that of large tensors, and this thread's of small ones.
void empty_cache();
/// The peak starts again from what is alive now.
void reset_peak_memory_stats();

}  // namespace wengert
