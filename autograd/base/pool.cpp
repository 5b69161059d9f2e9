#include <sys/mman.h>
#include <wengert/autograd/base/pool.h>

#include <algorithm>
#include <bit>
#include <cstdint>
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
constexpr bool kSanitized = true;
#else
constexpr bool kSanitized = false;
#endif

bool fills_new_blocks() {
  static const bool fills = std::getenv("WENGERT_FILL_NEW_BLOCKS") != nullptr;
  return fills;
}

// Whether blocks that were freed are handed out again.
bool keeps() { return !kSanitized && !fills_new_blocks(); }

// A signalling NaN as a double, a NaN as a float, odd as a whole number, and no bool.
void fill(void* block, size_t bytes) {
  constexpr uint32_t kPattern = 0x7FF4DEAD;
  std::fill_n(static_cast<uint32_t*>(block), bytes / sizeof(kPattern), kPattern);
}

constexpr size_t kLargestListed = size_t{1} << 20;  // bytes; larger ones are kept by LargeBlocks

struct SizeClass {
  size_t index;
  size_t bytes;
};

constexpr size_t kLargestClass = kFineClasses + size_t{4} * 54;  // of sizes up to 2^64

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

void* allocate_fresh(size_t bytes) {
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  void* block = rounded < bytes ? nullptr : std::aligned_alloc(kAlignment, rounded);
  if (block == nullptr) throw std::bad_alloc();
  if (fills_new_blocks()) [[unlikely]]
    fill(block, rounded);
  return block;
}

// Large blocks that were freed, of all threads together, the latest first.
//
// A block of a training loop is asked for again soon, and a fresh one costs a page fault for every 4 KB; but what is
// kept is kept from the rest of the machine. So a few bytes are kept in any case, and beyond these only blocks of a
// size that was asked for again soon after one like it had been freed: one large tensor that comes and goes leaves
// nothing behind. Those too are given back when they were not used for long, or when the system is short of memory,
// which takes back their pages but keeps the addresses (MADV_FREE). Time is counted in large blocks asked for and
// freed.
class LargeBlocks {
 public:
  void* allocate(size_t bytes) {
    const SizeClass c = size_class(bytes);
    if (c.bytes < bytes) throw std::bad_alloc();
    const std::lock_guard lock(mutex_);
    free_old();
    History& history = histories_[c.index];
    if (is_recent(history.freed)) history.asked_again = now_;
    for (Block* block = first_; block != nullptr; block = block->next) {
      if (block->bytes != c.bytes) continue;
      take_out(block);
      live_ += c.bytes;
      return block;
    }
    most_ = std::max(most_, live_ + c.bytes);
    shrink(most_ + most_ / 16 - c.bytes);
    void* block = map(c.bytes);
    if (block == nullptr) {
      shrink(0);
      block = map(c.bytes);
    }
    if (block == nullptr) throw std::bad_alloc();
    live_ += c.bytes;
    return block;
  }

  void deallocate(void* memory, size_t bytes) noexcept {
    const SizeClass c = size_class(bytes);
    const std::lock_guard lock(mutex_);
    free_old();
    live_ -= c.bytes;
    History& history = histories_[c.index];
    history.freed = now_;
    if (kept_ + c.bytes > kKeptInAnyCase) {
      if (!is_recent(history.asked_again)) return unmap(memory, c.bytes);
      let_system_take(memory, c.bytes);
    }
    Block* block = new (memory) Block{first_, nullptr, c.bytes, now_};
    (first_ != nullptr ? first_->previous : last_) = block;
    first_ = block;
    kept_ += c.bytes;
  }

  void free_kept() noexcept {
    const std::lock_guard lock(mutex_);
    shrink(0);
    most_ = live_;
  }

 private:
  static constexpr size_t kKeptInAnyCase = size_t{128} << 20;  // bytes
  static constexpr uint64_t kLong = 1024;                      // large blocks asked for and freed
  static constexpr size_t kHugePage = size_t{2} << 20;

  struct Block {
    Block* next;
    Block* previous;
    size_t bytes;
    uint64_t freed;  // when
  };
  // When, of a size class: a block was freed, and one was asked for soon after that.
  struct History {
    uint64_t freed;
    uint64_t asked_again;
  };

  bool is_recent(uint64_t then) const { return then != 0 && now_ - then <= kLong; }

  // On pages of 2 MiB where the system has them: fewer faults, and fewer misses in the TLB. Null if there is no memory.
  static void* map(size_t bytes) noexcept {
    if (bytes < 2 * kHugePage) return std::aligned_alloc(kAlignment, bytes);
    void* mapped = mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (mapped == MAP_FAILED) return nullptr;
    // What lies before the first huge page and behind the block goes back.
    char* start = static_cast<char*>(mapped);
    const size_t before = (kHugePage - reinterpret_cast<uintptr_t>(start) % kHugePage) % kHugePage;
    char* block = start + before;
    if (before > 0) munmap(start, before);
    munmap(block + bytes, kHugePage - before);
#ifdef MADV_HUGEPAGE
    madvise(block, bytes, MADV_HUGEPAGE);
#endif
    return block;
  }

  static void unmap(void* block, size_t bytes) noexcept {
    if (bytes < 2 * kHugePage) return std::free(block);
    munmap(block, bytes);
  }

  // All but the first huge page, where the list's links are.
  static void let_system_take([[maybe_unused]] void* block, [[maybe_unused]] size_t bytes) noexcept {
#ifdef MADV_FREE
    if (bytes >= 2 * kHugePage) madvise(static_cast<char*>(block) + kHugePage, bytes - kHugePage, MADV_FREE);
#endif
  }

  // NOLINTBEGIN(clang-analyzer-unix.Malloc): a block that was freed is in the list no more
  void take_out(Block* block) noexcept {
    (block->previous != nullptr ? block->previous->next : first_) = block->next;
    (block->next != nullptr ? block->next->previous : last_) = block->previous;
    kept_ -= block->bytes;
  }

  void free_last() noexcept {
    Block* block = last_;
    take_out(block);
    unmap(block, block->bytes);
  }

  // Frees what was not used for long.
  void free_old() noexcept {
    ++now_;
    while (last_ != nullptr && !is_recent(last_->freed)) free_last();
  }

  // Frees what was kept longest, until all blocks together take no more than `bytes`, if that can be had.
  void shrink(size_t bytes) noexcept {
    while (last_ != nullptr && live_ + kept_ > bytes) free_last();
  }
  // NOLINTEND(clang-analyzer-unix.Malloc)

  std::mutex mutex_;
  Block* first_ = nullptr;
  Block* last_ = nullptr;
  size_t live_ = 0;
  size_t kept_ = 0;
  size_t most_ = 0;   // that was live at one time
  uint64_t now_ = 0;  // large blocks asked for and freed
  std::array<History, kLargestClass + 1> histories_{};
};
constinit LargeBlocks large_blocks;

}  // namespace

void* internal::allocate_otherwise(size_t bytes) {
  if (bytes > kLargestListed) return keeps() ? large_blocks.allocate(bytes) : allocate_fresh(bytes);
  const SizeClass c = size_class(bytes);
  FreeBlock*& head = lists.heads[c.index];
  if (head == nullptr) return allocate_fresh(c.bytes);
  lists.room += c.bytes;
  return std::exchange(head, head->next);
}

void internal::deallocate_otherwise(void* block, size_t bytes) noexcept {
  if (bytes > kLargestListed) return keeps() ? large_blocks.deallocate(block, bytes) : std::free(block);
  if (stage == Stage::kUnused && keeps()) open_lists();
  if (stage != Stage::kOpen) return std::free(block);
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
