#pragma once

#include <wengert/autograd/base/tracing.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace wengert::replay {

// What a step that is recorded does to memory.

using tracing::Access;
using tracing::kMostOperands;
using tracing::Run;

/// The bytes of an access.
struct Range {
  explicit Range(const Access& access) : begin(static_cast<const char*>(access.data)), end(begin + access.bytes) {}
  bool overlaps(const Range& other) const { return begin < other.end && other.begin < end; }
  bool operator==(const Range&) const = default;
  const char *begin, *end;
};

/// One call of a kernel.
struct Work {
  enum class Kind : uint8_t { kElementwise, kSum, kOther };

  bool fuses() const { return kind != Kind::kOther; }
  Kind kind;
  std::vector<Access> operands;
  int64_t numel = 0;                              // of elementwise work and sums
  std::array<int64_t, kMostOperands> steps = {};  // bytes from one element to the next
  std::optional<Run> run = {};                    // on `function`
  std::vector<std::byte> function = {};
  bool is_double = false;                       // of sums
  std::function<void(char* const*)> call = {};  // of other work
};

/// Whether operand i of the one and operand j of the other, of equally many elements, are different columns of a
/// matrix: their ranges overlap, but they share no element.
inline bool are_columns(const Work& one, size_t i, const Work& other, size_t j) {
  const int64_t step = one.steps[i];
  if (step <= 0 || step != other.steps[j]) return false;
  const Access &a = one.operands[i], &b = other.operands[j];
  const int64_t before_last = (one.numel - 1) * step;
  const int64_t a_bytes = static_cast<int64_t>(a.bytes) - before_last;  // of an element
  const int64_t b_bytes = static_cast<int64_t>(b.bytes) - before_last;
  const int64_t apart = (static_cast<const char*>(b.data) - static_cast<const char*>(a.data)) % step;
  const int64_t from_a_to_b = apart < 0 ? apart + step : apart;
  return from_a_to_b >= a_bytes && step - from_a_to_b >= b_bytes;
}

}  // namespace wengert::replay
