#pragma once

#include <wengert/autograd/tensor/storage.h>
#include <wengert/ops/replay/work.h>

#include <cstdint>
#include <map>
#include <unordered_map>
#include <utility>
#include <vector>

// The order in which a step's works are done, and where their operands lie; see the page in replay.cpp.

namespace wengert::replay {

/// Several works in one pass, or one that cannot be fused.
struct Pass {
  static constexpr size_t kMostWorks = 512;
  bool is_full() const { return works.size() >= kMostWorks; }
  bool fuses() const { return works.front().fuses(); }
  int64_t numel() const { return works.front().numel; }

  // Whether work on equally many elements may be done tile by tile with the works that are here: where they share
  // memory it must be element for element the same, and no sum is complete before the end.
  bool takes(const Work& work) const {
    if (!fuses() || !work.fuses() || numel() != work.numel || is_full()) return false;
    return std::all_of(works.begin(), works.end(), [&](const Work& own) {
      for (size_t i = 0; i < own.operands.size(); ++i) {
        for (size_t j = 0; j < work.operands.size(); ++j) {
          const Access &a = own.operands[i], &b = work.operands[j];
          if ((!a.written && !b.written) || !Range(a).overlaps(Range(b)) || are_columns(own, i, work, j)) continue;
          if (own.steps[i] != work.steps[j] || own.steps[i] == 0 || !(Range(a) == Range(b))) return false;
        }
      }
      return true;
    });
  }

  std::vector<Work> works;
};

/// Of every address, the last pass that writes it, and the last that touches it.
class LastUses {
 public:
  // The last pass that must stay before this work, -1 if none must: one that touches what it writes, or writes what it
  // reads.
  int64_t barrier(const Work& work) const {
    int64_t last = -1;
    for (const Access& access : work.operands) {
      const Range range(access);
      for (auto at = first_overlapping(range.begin); at != uses_.end() && at->first < range.end; ++at) {
        last = std::max(last, access.written ? at->second.touched : at->second.written);
      }
    }
    return last;
  }

  bool is_written(const Range& range) const {
    for (auto at = first_overlapping(range.begin); at != uses_.end() && at->first < range.end; ++at) {
      if (at->second.written >= 0) return true;
    }
    return false;
  }

  void note(const Work& work, int64_t pass) {
    for (const Access& access : work.operands) {
      const Range range(access);
      if (range.begin == range.end) continue;
      split(range.begin);
      split(range.end);
      const char* covered = range.begin;
      for (auto at = uses_.lower_bound(range.begin); covered < range.end;) {
        if (at == uses_.end() || at->first > covered) {  // nobody's yet
          const char* end = at == uses_.end() ? range.end : std::min(range.end, at->first);
          at = uses_.emplace_hint(at, covered, Use{end});
        }
        at->second.touched = std::max(at->second.touched, pass);
        if (access.written) at->second.written = std::max(at->second.written, pass);
        covered = at->second.end;
        ++at;
      }
    }
  }

 private:
  struct Use {
    const char* end;
    int64_t written = -1, touched = -1;
  };
  using Uses = std::map<const char*, Use>;  // by their begin; no two overlap

  Uses::const_iterator first_overlapping(const char* begin) const {
    auto at = uses_.upper_bound(begin);
    if (at != uses_.begin() && std::prev(at)->second.end > begin) --at;
    return at;
  }
  // No use goes across `at` after this.
  void split(const char* at) {
    auto use = uses_.lower_bound(at);
    if (use == uses_.begin()) return;
    --use;
    if (use->second.end <= at) return;
    Use rest = use->second;
    use->second.end = at;
    uses_.emplace_hint(std::next(use), at, rest);
  }

  Uses uses_;
};

/// The passes that the works of a step are done in, and where their operands lie.
class Planner {
 public:
  /// Of a step's works in their order, and all memory that they use. What nobody else holds of it is a temporary.
  /// Throws where the step reads a tensor that it then replaces.
  Planner(std::vector<Work> works, std::vector<IntrusivePtr<Storage>> memory);

  std::vector<Pass> passes;
  std::vector<IntrusivePtr<Storage>> kept;  // memory that stays where it is
  std::vector<Storage*> written;            // of that, what the step writes
  size_t buffer_bytes = 0;                  // for all temporaries

  // Where an operand lies.
  enum class Place : uint8_t { kMemory, kBuffer, kTile };
  struct Location {
    Place place;
    size_t offset;  // in the buffer; of a tile its number
    char* address;  // of what stays
  };
  Location locate(const Access& access) const;
  size_t tiles_of(size_t pass) const { return tiles_[pass]; }

 private:
  struct Memory {
    Range range() const { return Range({storage->data(), storage->nbytes(), true}); }
    IntrusivePtr<Storage> storage;
    bool temporary;
    // Its life: the first and last pass that use it, and of those passes the first and last work.
    size_t first_pass = SIZE_MAX, last_pass = 0;
    size_t first_work = 0, last_work = 0;
    Place place = Place::kMemory;
    size_t offset = 0;
    size_t writers = 0;      // works that write it
    Memory* heir = nullptr;  // takes its place, in the pass that is the last of the one and the first of the other
    bool inherits = false;
  };

  Memory* memory_at(const Access& access);
  const Memory* memory_at(const Access& access) const { return const_cast<Planner*>(this)->memory_at(access); }
  void check_written_before_read(const std::vector<Work>& works);
  bool is_constant(const Work& work) const;
  void add(Work work);
  std::vector<int64_t> coming_down(int64_t numel);
  void find_lifetimes();
  bool in_step(const Memory& memory, size_t pass) const;
  void place_in_tiles();
  void find_heirs();
  void place_in_buffer();

  std::vector<Memory> memories_;  // by address
  LastUses uses_;
  // Passes that fuse works on so many elements, in their order: those that are not full, and those of one work that
  // may still come down to a later one.
  struct Joinable {
    std::vector<int64_t> open, alone;
  };
  std::unordered_map<int64_t, Joinable> joinable_;
  std::vector<size_t> tiles_;  // of each pass
};

}  // namespace wengert::replay
