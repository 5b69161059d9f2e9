#include <sys/mman.h>
#include <wengert/autograd/pool.h>

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define WENGERT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define WENGERT_SANITIZED 1
#endif
#endif

namespace wengert::pool {

constinit thread_local internal::FreeLists internal::lists{};

namespace {

using namespace internal;

#ifdef WENGERT_SANITIZED
constexpr bool kKeeps = false;
#else
constexpr bool kKeeps = true;
#endif
constexpr size_t kLargestListed = size_t{1} << 20;  // bytes; larger ones are kept by LargeBlocks

struct SizeClass {
  size_t index;
  size_t bytes;
};

// For any size; those of large blocks go on as those of small ones do.
SizeClass size_class(size_t bytes) {
  if (bytes <= kFineLimit) {
    const size_t index = bytes == 0 ? 0 : (bytes - 1) / kAlignment;
    return {index, (index + 1) * kAlignment};
  }
  const auto power = static_cast<size_t>(std::bit_width(bytes - 1)) - 1;  // 2^power < bytes <= 2^(power + 1)
  const size_t quarter = (size_t{1} << power) / 4;
  const size_t step = (bytes - (size_t{1} << power) + quarter - 1) / quarter;  // 1 to 4
  return {kFineClasses + 4 * (power - 10) + step - 1, (size_t{1} << power) + step * quarter};
}

enum class Stage : uint8_t { kUnused, kOpen, kClosed };
constinit thread_local Stage stage = Stage::kUnused;  // of this thread's lists

void free_kept() {
  for (FreeBlock*& head : lists.heads) {
    while (head != nullptr) std::free(std::exchange(head, head->next));
  }
  lists.room = stage == Stage::kOpen ? kMostKept : 0;
}

// From now on blocks are kept. When the thread ends the lists are emptied; what is freed later goes to free().
[[gnu::noinline]] void open_lists() {
  struct Closer {
    ~Closer() {
      stage = Stage::kClosed;
      free_kept();
    }
  };
  static thread_local Closer closer;
  stage = Stage::kOpen;
  lists.room = kMostKept;
}

void* allocate_fresh(size_t bytes, size_t alignment = kAlignment) {
  const size_t rounded = (bytes + alignment - 1) / alignment * alignment;
  void* block = rounded < bytes ? nullptr : std::aligned_alloc(alignment, rounded);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

// Large blocks that were freed, of all threads together, the latest first.
class LargeBlocks {
 public:
  void* allocate(size_t bytes) {
    const size_t size = size_class(bytes).bytes;
    if (size < bytes) throw std::bad_alloc();
    const std::lock_guard lock(mutex_);
    for (Block* block = first_; block != nullptr; block = block->next) {
      if (block->bytes != size) continue;
      take_out(block);
      live_ += size;
      return block;
    }
    most_ = std::max(most_, live_ + size);
    shrink(most_ + most_ / 16 - size);
    void* block = allocate_huge(size);
    live_ += size;
    return block;
  }

  void deallocate(void* memory, size_t bytes) noexcept {
    const size_t size = size_class(bytes).bytes;
    const std::lock_guard lock(mutex_);
    live_ -= size;
    Block* block = new (memory) Block{first_, nullptr, size};
    (first_ != nullptr ? first_->previous : last_) = block;
    first_ = block;
    kept_ += size;
  }

  void free_kept() noexcept {
    const std::lock_guard lock(mutex_);
    shrink(0);
    most_ = live_;
  }

 private:
  struct Block {
    Block* next;
    Block* previous;
    size_t bytes;
  };

  // On pages of 2 MiB where the system has them: fewer faults, and fewer misses in the TLB.
  static void* allocate_huge(size_t bytes) {
    constexpr size_t kHugePage = size_t{2} << 20;
    if (bytes < 2 * kHugePage) return allocate_fresh(bytes);
    void* block = allocate_fresh(bytes, kHugePage);
#ifdef MADV_HUGEPAGE
    madvise(block, bytes, MADV_HUGEPAGE);
#endif
    return block;
  }

  void take_out(Block* block) noexcept {
    // NOLINTNEXTLINE(clang-analyzer-unix.Malloc): a block that was freed is in the list no more
    (block->previous != nullptr ? block->previous->next : first_) = block->next;
    (block->next != nullptr ? block->next->previous : last_) = block->previous;
    kept_ -= block->bytes;
  }

  // Frees what was kept longest, until all blocks together take no more than `bytes`, if that can be had.
  void shrink(size_t bytes) noexcept {
    while (last_ != nullptr && live_ + kept_ > bytes) {
      Block* block = last_;
      take_out(block);
      std::free(block);
    }
  }

  std::mutex mutex_;
  Block* first_ = nullptr;
  Block* last_ = nullptr;
  size_t live_ = 0;
  size_t kept_ = 0;
  size_t most_ = 0;  // that was live at one time
};
constinit LargeBlocks large_blocks;

}  // namespace

void* internal::allocate_otherwise(size_t bytes) {
  if (bytes > kLargestListed) return kKeeps ? large_blocks.allocate(bytes) : allocate_fresh(bytes);
  const SizeClass c = size_class(bytes);
  FreeBlock*& head = lists.heads[c.index];
  if (head == nullptr) return allocate_fresh(c.bytes);
  lists.room += c.bytes;
  return std::exchange(head, head->next);
}

void internal::deallocate_otherwise(void* block, size_t bytes) noexcept {
  if (kKeeps && bytes > kLargestListed) return large_blocks.deallocate(block, bytes);
  if (!kKeeps || stage == Stage::kClosed) return std::free(block);
  if (stage == Stage::kUnused) open_lists();
  const SizeClass c = size_class(bytes);
  if (c.bytes > lists.room) return std::free(block);
  FreeBlock*& head = lists.heads[c.index];
  head = new (block) FreeBlock{head};
  lists.room -= c.bytes;
}

void free_kept_blocks() noexcept {
  free_kept();
  large_blocks.free_kept();
}

}  // namespace wengert::pool
