#pragma once

#include <array>
#include <cstddef>
#include <new>

namespace wengert::pool {

// Training makes the same blocks again and again: a step's tensors, storages and Nodes have the sizes
// they had in the step before. Each thread therefore keeps the blocks it frees in lists by size class, and
// the next request of that class takes one back without asking malloc. A block may be freed on another
// thread than the one that allocated it: it then joins that thread's list.
//
// Classes are multiples of 64 bytes up to 1 KiB, and above that four to each power of two, so that at most a fifth
// of a block is wasted. A thread's lists hold blocks of up to 1 MiB, 64 MiB together. Larger blocks are kept in one
// list for all threads, if their size is one that is asked for again and again, and as long as they and those in use
// take no more memory than those in use once did, and a sixteenth: a step's other moments need blocks that its busiest
// one does not. What is not used for long goes back to the system, and sooner if that is short of memory. Under
// AddressSanitizer and ThreadSanitizer nothing is kept, so that a use after free is seen. Nor is it where the
// environment has WENGERT_FILL_NEW_BLOCKS: then every block is filled with NaN, so that an element that is never
// written shows.

/// Every block is aligned to this many bytes: a cache line, and the widest SIMD register.
inline constexpr size_t kAlignment = 64;
/// So many bytes a thread's lists may hold.
inline constexpr size_t kMostKept = size_t{64} << 20;

namespace internal {
struct FreeBlock {
  FreeBlock* next;
};
inline constexpr size_t kFineLimit = 1024;  // up to here the classes are multiples of kAlignment
inline constexpr size_t kFineClasses = kFineLimit / kAlignment;
inline constexpr size_t kClasses = kFineClasses + size_t{4} * 10;  // four to each power of two, 2^10 to 2^20

// Constant-initialized and without a destructor, so that a static Tensor that is destroyed after the
// thread's other thread_locals may still free its blocks here.
struct FreeLists {
  std::array<FreeBlock*, kClasses> heads;
  size_t room;  // bytes that may still be kept; none before it is seen to that they are freed when the thread ends
};
extern constinit thread_local FreeLists lists;

void* allocate_otherwise(size_t bytes);
void deallocate_otherwise(void* block, size_t bytes) noexcept;
}  // namespace internal

/// A block of at least `bytes` bytes, aligned to kAlignment, contents undefined. Throws std::bad_alloc.
inline void* allocate(size_t bytes) {
  using namespace internal;
  if (bytes - 1 < kFineLimit) [[likely]] {
    const size_t index = (bytes - 1) / kAlignment;
    if (FreeBlock* block = lists.heads[index]; block != nullptr) [[likely]] {
      lists.heads[index] = block->next;
      lists.room += (index + 1) * kAlignment;
      return block;
    }
  }
  return allocate_otherwise(bytes);
}

/// Gives back a block of allocate(bytes), with the same `bytes`.
inline void deallocate(void* block, size_t bytes) noexcept {
  using namespace internal;
  if (bytes - 1 < kFineLimit && lists.room >= kFineLimit) [[likely]] {
    const size_t index = (bytes - 1) / kAlignment;
    lists.heads[index] = new (block) FreeBlock{lists.heads[index]};
    lists.room -= (index + 1) * kAlignment;
    return;
  }
  deallocate_otherwise(block, bytes);
}

/// Returns to the system what is kept: by this thread's lists, and the large blocks.
void free_kept_blocks() noexcept;

/// Base of classes whose objects live in the pool.
struct Pooled {
  static void* operator new(size_t bytes) { return allocate(bytes); }
  static void operator delete(void* block, size_t bytes) noexcept { deallocate(block, bytes); }
};

}  // namespace wengert::pool
