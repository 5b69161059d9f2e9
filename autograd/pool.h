#pragma once

#include <cstddef>

namespace wengert::pool {

// Training makes the same blocks again and again: a step's tensors, storages and Nodes have the sizes
// they had in the step before. Each thread therefore keeps the blocks it frees in lists by size class, and
// the next request of that class takes one back without asking malloc. A block may be freed on another
// thread than the one that allocated it: it then joins that thread's list.
//
// Classes are multiples of 64 bytes up to 1 KiB, and above that four to each power of two up to 1 MiB, so
// that at most a fifth of a block is wasted. Larger blocks, and all that would take a thread's lists past
// 64 MiB, go to malloc and free directly. Under AddressSanitizer and ThreadSanitizer nothing is kept, so
// that a use after free is seen.

/// Every block is aligned to this many bytes: a cache line, and the widest SIMD register.
inline constexpr size_t kAlignment = 64;

/// A block of at least `bytes` bytes, aligned to kAlignment, contents undefined. Throws std::bad_alloc.
void* allocate(size_t bytes);

/// Gives back a block of allocate(bytes), with the same `bytes`.
void deallocate(void* block, size_t bytes) noexcept;

/// Base of classes whose objects live in the pool.
struct Pooled {
  static void* operator new(size_t bytes) { return allocate(bytes); }
  static void operator delete(void* block, size_t bytes) noexcept { deallocate(block, bytes); }
};

}  // namespace wengert::pool
