#include <wengert/autograd/pool.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
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
namespace {

#ifdef WENGERT_SANITIZED
constexpr size_t kLargestKept = 0;
#else
constexpr size_t kLargestKept = size_t{1} << 20;
#endif
constexpr size_t kMostKept = size_t{64} << 20;  // bytes, per thread
constexpr size_t kFineLimit = 1024;             // up to here the classes are multiples of kAlignment
constexpr size_t kFineClasses = kFineLimit / kAlignment;
constexpr size_t kClasses = kFineClasses + size_t{4} * 10;  // four to each power of two, 2^10 to 2^20

struct SizeClass {
  size_t index;
  size_t bytes;
};

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

struct FreeBlock {
  FreeBlock* next;
};

// Constant-initialized and without a destructor, so that a static Tensor that is destroyed after the
// thread's other thread_locals may still free its blocks here.
struct FreeLists {
  std::array<FreeBlock*, kClasses> heads;
  size_t kept_bytes;
  bool closed;
};
constinit thread_local FreeLists lists{};

// Empties the lists when the thread ends; what is freed later goes to free().
struct Closer {
  bool armed = false;
  ~Closer() {
    lists.closed = true;
    for (FreeBlock*& head : lists.heads) {
      while (head != nullptr) std::free(std::exchange(head, head->next));
    }
  }
};
thread_local Closer closer;

void* allocate_fresh(size_t bytes) {
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  void* block = rounded < bytes ? nullptr : std::aligned_alloc(kAlignment, rounded);
  if (block == nullptr) throw std::bad_alloc();
  return block;
}

}  // namespace

void* allocate(size_t bytes) {
  if (bytes > kLargestKept) return allocate_fresh(std::max(bytes, kAlignment));
  const SizeClass c = size_class(bytes);
  FreeBlock*& head = lists.heads[c.index];
  if (head == nullptr) return allocate_fresh(c.bytes);
  lists.kept_bytes -= c.bytes;
  return std::exchange(head, head->next);
}

void deallocate(void* block, size_t bytes) noexcept {
  const SizeClass c = bytes > kLargestKept ? SizeClass{0, 0} : size_class(bytes);
  if (c.bytes == 0 || lists.closed || lists.kept_bytes + c.bytes > kMostKept) {
    std::free(block);
    return;
  }
  closer.armed = true;  // the first use constructs it, and so has it run at the thread's end
  FreeBlock*& head = lists.heads[c.index];
  head = new (block) FreeBlock{head};
  lists.kept_bytes += c.bytes;
}

}  // namespace wengert::pool
