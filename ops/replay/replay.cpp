#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/tape/anomaly_mode.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/autograd/tensor/storage.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/kernels/parallel.h>
#include <wengert/ops/kernels/sum.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/replay.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <vector>

// A dynamic graph is made anew in every step, though every step makes the same one. The graph is not needed for that:
// what a step does to memory is a list of calls of kernels, each with its operands. This file writes that list down
// while the step runs (Trace), makes a good plan of it (Planner), and carries the plan out (Replay::Plan).
//
// The trace. While a step is traced, `tracing::listener` is set, and each kernel, having done its work, tells the
// listener what it was: a function, and the memory that it read and wrote. Nothing else is known of it: neither the
// operation, nor whether it belongs to the forward pass, the backward pass or the update. Reading elements in any other
// way throws. The trace also holds on to all memory that was used, so that addresses stay what they are.
//
// Which memory is whose. When the step has ended, memory that somebody else still holds (parameters, data, gradients,
// a loss that was kept) stays where it is, and replays read and write it there. What only the trace holds were
// temporaries. They hold nothing between steps, so they must have been written before they were read; if not, the step
// replaced a tensor that it reads, which a replay would not see, and it is refused.
//
// Fusing. Elementwise work on equally many elements is joined into groups: of a chain like
//
//     R = D - D_hat;   P = R * R;   loss = sum(P);   G = 2 g R
//
// each operation goes over memory once, and for large matrices that is what it costs. A group instead takes all its
// operations over a tile of some thousand elements, then over the next tile. What one operation writes the next finds
// in the first-level cache; and a temporary that no one outside the group reads needs no memory at all but one tile. A
// sum over all elements may end a chain: its tiles are added up one by one, and then the sums of tiles. Work joins the
// latest group that it may. It may not move up past work that wrote what it reads, or that reads or wrote what it
// writes. For the same reason a group of one may move down, to one that comes later: setting a gradient to zero goes to
// where it is added to. Writing a constant that is never changed is done once, at the end of planning.
//
// Memory. Each temporary that is left lives from the first work that writes it to the last that reads it. One block
// is laid out for all (Plan::buffer), where those that do not live at the same time may have the same place: the
// largest are placed first, each at the lowest offset that is free for all its life; of a step that has thousands,
// the smaller ones take the place of one of their size that has ended. Where one ends in the pass in which another
// begins (D_hat, and G in its place), the other takes over its memory.
//
// Planning a step of n works takes O(n log n) time, for those of recurrent networks have a hundred thousand.

namespace wengert {
namespace {

using kernels::Run;
using tracing::Access;
using tracing::ElementwiseWork;
using tracing::kMostOperands;
using tracing::SumWork;

// So many temporaries are placed at the lowest offset: the time for that grows with their square.
constexpr size_t kPlacedWithCare = 2000;

// Elements of a tile: a few tiles fit into a first-level cache.
constexpr int64_t kTile = 2048;

struct Range {
  explicit Range(const Access& access) : begin(static_cast<const char*>(access.data)), end(begin + access.bytes) {}
  bool overlaps(const Range& other) const { return begin < other.end && other.begin < end; }
  bool operator==(const Range&) const = default;
  const char *begin, *end;
};

// One call of a kernel.
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

class Trace final : public tracing::Listener {
 public:
  Trace() {
    check(tracing::listener == nullptr, "Replay: a step that is being traced cannot trace another");
    tracing::listener = this;
  }
  ~Trace() { stop(); }
  void stop() { tracing::listener = nullptr; }

  void keep(const IntrusivePtr<Storage>& storage) {
    if (kept_.insert(storage.get()).second) memory.push_back(storage);
  }

  void elementwise(const ElementwiseWork& from) override {
    Work work{
        from.one_run ? Work::Kind::kElementwise : Work::Kind::kOther,
        std::vector<Access>(from.operands.begin(), from.operands.begin() + static_cast<std::ptrdiff_t>(from.count))};
    work.numel = from.numel;
    work.steps = from.steps;
    work.call = from.whole;
    const auto* function = static_cast<const std::byte*>(from.run.object());
    work.function.assign(function, function + from.run.object_bytes());
    work.run = from.run;
    works.push_back(std::move(work));
  }
  void sum(const SumWork& from) override {
    Work work{Work::Kind::kSum, {from.sum, from.x}};
    work.numel = from.numel;
    work.is_double = from.is_double;
    work.steps[1] = from.is_double ? sizeof(double) : sizeof(float);
    works.push_back(std::move(work));
  }
  void other(std::initializer_list<Access> accesses, std::function<void(char* const*)> call) override {
    Work work{Work::Kind::kOther, accesses};
    work.call = std::move(call);
    works.push_back(std::move(work));
  }

  void note_mutable_grad(const void* leaf) override { reset_grads_.insert(leaf); }
  void note_new_grad(const void* leaf) override {
    if (reset_grads_.contains(leaf)) return;
    fail(
        "Replay: a leaf has no gradient yet; steps to come would add to it. Run the step once before it is recorded, "
        "or have it reset the gradient");
  }
  [[noreturn]] void refuse(std::string_view what) override {
    const std::string function = autograd::library_function_called();
    stop();
    fail("Replay: {}{}{} cannot be traced: {}", what, function.empty() ? "" : " in ", function,
         what == "item()" ? "a replay does not look at elements to decide what to do"
                          : "a replay only does again what kernels do to tensors' memory");
  }

  std::vector<Work> works;
  std::vector<IntrusivePtr<Storage>> memory;

 private:
  std::unordered_set<const Storage*> kept_;
  std::set<const void*> reset_grads_;
};

// Whether operand i of the one and operand j of the other, of equally many elements, are different columns of a matrix:
// their ranges overlap, but they share no element.
bool are_columns(const Work& one, size_t i, const Work& other, size_t j) {
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

// Several works in one pass, or one that cannot be fused.
struct Pass {
  static constexpr size_t kMostWorks = 1024;
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

// Of every address, the last pass that writes it, and the last that touches it.
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

// The passes that the works of a step are done in, and where their operands lie.
class Planner {
 public:
  explicit Planner(Trace& trace);

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

Planner::Planner(Trace& trace) {
  for (IntrusivePtr<Storage>& storage : trace.memory) {
    const bool temporary = storage->unique() && storage->owns_memory();
    memories_.push_back({std::move(storage), temporary});
  }
  trace.memory.clear();
  std::sort(memories_.begin(), memories_.end(),
            [](const Memory& a, const Memory& b) { return a.range().begin < b.range().begin; });
  for (const Work& work : trace.works) {
    for (const Access& access : work.operands) {
      if (Memory* memory = access.written ? memory_at(access) : nullptr; memory != nullptr) ++memory->writers;
    }
  }
  check_written_before_read(trace.works);
  const auto constants = std::stable_partition(trace.works.begin(), trace.works.end(),
                                               [&](const Work& work) { return !is_constant(work); });
  std::for_each(constants, trace.works.end(),
                [&](const Work& work) { memory_at(work.operands[0])->temporary = false; });
  std::for_each(trace.works.begin(), constants, [&](Work& work) { add(std::move(work)); });
  std::erase_if(passes, [](const Pass& pass) { return pass.works.empty(); });
  find_lifetimes();
  place_in_tiles();
  find_heirs();
  place_in_buffer();
  for (const Memory& memory : memories_) {
    if (memory.temporary) continue;
    kept.push_back(memory.storage);
    if (uses_.is_written(memory.range())) written.push_back(memory.storage.get());
  }
}

// The memory that an access is to. Where several have the same (borrowed from one another), none is temporary, and any
// will do.
Planner::Memory* Planner::memory_at(const Access& access) {
  const Range range(access);
  auto after = std::upper_bound(memories_.begin(), memories_.end(), range.begin,
                                [](const char* at, const Memory& memory) { return at < memory.range().begin; });
  if (after == memories_.begin()) return nullptr;
  Memory& memory = *--after;
  return range.begin < memory.range().end ? &memory : nullptr;
}

void Planner::check_written_before_read(const std::vector<Work>& works) {
  std::set<const Memory*> seen;
  for (const Work& work : works) {
    for (const Access& access : work.operands) {
      const Memory* memory = memory_at(access);
      if (memory == nullptr || !memory->temporary || access.written || access.bytes == 0) continue;
      check(seen.contains(memory),
            "Replay: the step reads a tensor that it then replaces by another, which cannot be traced. Change it in "
            "place (x -= g, x.copy_(y)) instead of assigning to it (x = x - g)");
    }
    for (const Access& access : work.operands) {
      if (access.written) seen.insert(memory_at(access));
    }
  }
}

// Writes what it does not read, into a temporary that nothing else writes.
bool Planner::is_constant(const Work& work) const {
  if (work.kind != Work::Kind::kElementwise || work.operands.size() != 1) return false;
  const Memory* memory = memory_at(work.operands[0]);
  return memory != nullptr && memory->temporary && memory->writers == 1;
}

// Passes of one work on so many elements with no work after them that must stay behind, the latest first. The others
// are forgotten: that does not change any more.
std::vector<int64_t> Planner::coming_down(int64_t numel) {
  std::vector<int64_t>& alone = joinable_[numel].alone;
  std::erase_if(alone, [&](int64_t p) {
    const std::vector<Work>& works = passes[static_cast<size_t>(p)].works;
    return works.size() != 1 || uses_.barrier(works[0]) > p;
  });
  return {alone.rbegin(), alone.rend()};
}

void Planner::add(Work work) {
  const int64_t barrier = uses_.barrier(work), numel = work.numel;
  if (!work.fuses()) {
    uses_.note(work, static_cast<int64_t>(passes.size()));
    passes.push_back({{std::move(work)}});
    return;
  }
  Joinable& joinable = joinable_[numel];
  const auto is_closed = [&](int64_t p) {
    const Pass& pass = passes[static_cast<size_t>(p)];
    return pass.works.empty() || pass.is_full();
  };
  while (!joinable.open.empty() && is_closed(joinable.open.back())) joinable.open.pop_back();
  if (!joinable.open.empty() && joinable.open.back() >= barrier) {
    const int64_t latest = joinable.open.back();
    Pass& pass = passes[static_cast<size_t>(latest)];
    if (latest > barrier || pass.takes(work)) {
      uses_.note(work, latest);
      pass.works.push_back(std::move(work));
      return;
    }
  }
  const auto added = static_cast<int64_t>(passes.size());
  const std::vector<int64_t> alone = coming_down(numel);
  passes.push_back({{std::move(work)}});
  std::vector<Work>& works = passes.back().works;
  for (const int64_t p : alone) {
    std::vector<Work>& other = passes[static_cast<size_t>(p)].works;
    if (!passes.back().takes(other[0])) continue;
    works.insert(works.begin(), std::move(other[0]));
    other.clear();
  }
  for (const Work& own : works) uses_.note(own, added);
  joinable.open.push_back(added);
  if (works.size() == 1) joinable.alone.push_back(added);
}

void Planner::find_lifetimes() {
  for (size_t p = 0; p < passes.size(); ++p) {
    for (size_t w = 0; w < passes[p].works.size(); ++w) {
      for (const Access& access : passes[p].works[w].operands) {
        Memory* memory = memory_at(access);
        if (memory == nullptr) continue;
        if (memory->first_pass == SIZE_MAX) memory->first_pass = p, memory->first_work = w;
        memory->last_pass = p, memory->last_work = w;
      }
    }
  }
}

// Whether all that use it in this pass go through all of it, an element at a time.
bool Planner::in_step(const Memory& memory, size_t pass) const {
  if (!passes[pass].fuses()) return false;
  std::optional<std::pair<Range, int64_t>> common;
  for (const Work& work : passes[pass].works) {
    for (size_t i = 0; i < work.operands.size(); ++i) {
      const Range range(work.operands[i]);
      if (!range.overlaps(memory.range())) continue;
      if (!common) common.emplace(range, work.steps[i]);
      if (work.steps[i] <= 0 || !(*common == std::pair(range, work.steps[i]))) return false;
      if (range.end - range.begin != work.steps[i] * work.numel) return false;
    }
  }
  return common.has_value();
}

// What lives in one pass only, in step, needs no more than a tile. Tiles are handed on too: in the order in which the
// works come, each takes the first tile that is free by then.
void Planner::place_in_tiles() {
  tiles_.assign(passes.size(), 0);
  std::vector<Memory*> candidates;
  for (Memory& memory : memories_) {
    const bool here = memory.temporary && memory.first_pass == memory.last_pass && in_step(memory, memory.first_pass);
    if (here) candidates.push_back(&memory);
  }
  std::stable_sort(candidates.begin(), candidates.end(), [](const Memory* a, const Memory* b) {
    return std::pair(a->first_pass, a->first_work) < std::pair(b->first_pass, b->first_work);
  });
  std::vector<size_t> free_from;  // of each tile of the pass, the work from which it is free
  for (size_t i = 0; i < candidates.size(); ++i) {
    Memory& memory = *candidates[i];
    if (i == 0 || candidates[i - 1]->first_pass != memory.first_pass) free_from.clear();
    const auto tile =
        std::find_if(free_from.begin(), free_from.end(), [&](size_t from) { return from <= memory.first_work; });
    memory.place = Place::kTile;
    memory.offset = static_cast<size_t>(tile - free_from.begin());
    if (tile == free_from.end()) {
      free_from.push_back(memory.last_work + 1);
    } else {
      *tile = memory.last_work + 1;
    }
    tiles_[memory.first_pass] = free_from.size();
  }
}

// Where one temporary ends and another of the same size begins in one pass, both in step, and the one is last read no
// later than the other is first written, the other may take the one's place.
void Planner::find_heirs() {
  const auto may_take_part = [](const Memory& memory) {
    return memory.temporary && memory.place != Place::kTile && memory.first_pass != SIZE_MAX;
  };
  std::vector<std::vector<Memory*>> beginning(passes.size());  // in each pass
  for (Memory& memory : memories_) {
    if (may_take_part(memory)) beginning[memory.first_pass].push_back(&memory);
  }
  for (Memory& memory : memories_) {
    if (!may_take_part(memory) || !in_step(memory, memory.last_pass)) continue;
    for (Memory* heir : beginning[memory.last_pass]) {
      const bool follows = !heir->inherits && heir != &memory && heir->last_pass != heir->first_pass &&
                           heir->first_work >= memory.last_work &&
                           heir->storage->nbytes() == memory.storage->nbytes() && in_step(*heir, heir->first_pass);
      if (!follows) continue;
      memory.heir = heir;
      heir->inherits = true;
      break;
    }
  }
}

void Planner::place_in_buffer() {
  // A place with the life of the memory that is there, and of its heirs.
  struct Placed {
    Memory* memory;
    size_t first_pass, last_pass, bytes, offset = 0;
  };
  std::vector<Placed> to_place;
  for (Memory& memory : memories_) {
    const bool used = memory.temporary && memory.first_pass != SIZE_MAX;
    if (!used || memory.place == Place::kTile || memory.inherits) continue;
    const Memory* last = &memory;
    while (last->heir != nullptr) last = last->heir;
    const size_t bytes = (memory.storage->nbytes() + pool::kAlignment - 1) / pool::kAlignment * pool::kAlignment;
    to_place.push_back({&memory, memory.first_pass, last->last_pass, bytes});
  }
  const auto put = [&](Placed& at, size_t offset) {
    at.offset = offset;
    for (Memory* heir = at.memory; heir != nullptr; heir = heir->heir) {
      heir->place = Place::kBuffer;
      heir->offset = offset;
    }
    buffer_bytes = std::max(buffer_bytes, offset + at.bytes);
  };

  std::stable_sort(to_place.begin(), to_place.end(),
                   [](const Placed& a, const Placed& b) { return a.bytes > b.bytes; });
  const size_t largest = std::min(to_place.size(), kPlacedWithCare);
  std::vector<Placed> placed;  // by offset
  for (size_t i = 0; i < largest; ++i) {
    Placed& memory = to_place[i];
    size_t offset = 0;
    for (const Placed& other : placed) {
      if (other.first_pass > memory.last_pass || memory.first_pass > other.last_pass) continue;
      if (offset + memory.bytes <= other.offset) break;
      offset = std::max(offset, other.offset + other.bytes);
    }
    put(memory, offset);
    placed.insert(std::upper_bound(placed.begin(), placed.end(), memory,
                                   [](const Placed& a, const Placed& b) { return a.offset < b.offset; }),
                  memory);
  }

  // The rest in the order of their lives, behind those: each in the place of one of its size whose life is over.
  const auto rest = to_place.begin() + static_cast<std::ptrdiff_t>(largest);
  std::stable_sort(rest, to_place.end(), [](const Placed& a, const Placed& b) { return a.first_pass < b.first_pass; });
  using End = std::pair<size_t, size_t>;  // the last pass of what has a place, and its offset
  std::map<size_t, std::priority_queue<End, std::vector<End>, std::greater<>>> of_size;
  for (auto memory = rest; memory != to_place.end(); ++memory) {
    auto& ends = of_size[memory->bytes];
    const bool is_free = !ends.empty() && ends.top().first < memory->first_pass;
    put(*memory, is_free ? ends.top().second : buffer_bytes);
    if (is_free) ends.pop();
    ends.emplace(memory->last_pass, memory->offset);
  }
}

Planner::Location Planner::locate(const Access& access) const {
  const Memory* memory = memory_at(access);
  char* address = static_cast<char*>(const_cast<void*>(access.data));
  if (memory == nullptr || memory->place == Place::kMemory) return {Place::kMemory, 0, address};
  if (memory->place == Place::kTile) return {Place::kTile, memory->offset, nullptr};
  return {Place::kBuffer, memory->offset + static_cast<size_t>(address - memory->range().begin), nullptr};
}

}  // namespace

// The plan, with everything in its place. A long step's plan is read from memory in every replay, as a program is: its
// parts lie in a few arrays, in the order in which they are used.
struct Replay::Plan {
  // One work. Its operands are `count` of the plan's, from number `first` on.
  struct Task {
    Run run;  // of elementwise work
    Work::Kind kind;
    bool is_double;  // of sums
    uint8_t count;
    uint32_t first;
    uint32_t number;  // in `calls` of other work; in `tile_sums` of a sum's first tile
  };
  struct FusedPass {
    int64_t numel, tile;  // elements
    uint32_t first_task, end_task;
    int64_t tiles() const { return (numel + tile - 1) / tile; }
  };

  explicit Plan(Planner planner);
  void run() const;

  std::vector<FusedPass> passes;
  std::vector<Task> tasks;
  std::vector<char*> addresses;  // of the operands' first elements; null where they are in one of several tiles
  std::vector<int64_t> steps;    // of the operands, in bytes; in a tile, where among the thread's
  std::vector<std::function<void(char* const*)>> calls;
  std::unique_ptr<std::byte[]> functions;  // that the runs are on
  std::vector<IntrusivePtr<Storage>> kept;
  std::vector<Storage*> written;
  IntrusivePtr<Storage> buffer;
  IntrusivePtr<Storage> room;  // for the tiles of passes that have but one
  mutable std::vector<double> tile_sums;

 private:
  void add(const FusedPass& pass, Work& work, const Planner& planner);
  void run_pass(const FusedPass& pass) const;
  void run_small(const FusedPass& pass) const;
  void run_tile(const FusedPass& pass, int64_t index, char* tiles) const;
  void store_sum(const Task& task, double sum) const;
};

namespace {

// Bytes that a thread has on its stack for the temporaries of a tile.
constexpr size_t kTileRoom = size_t{128} << 10;

double sum_of(bool is_double, const char* x, int64_t count) {
  return is_double ? kernels::simd::kernels<double>().sum(reinterpret_cast<const double*>(x), count)
                   : kernels::simd::kernels<float>().sum(reinterpret_cast<const float*>(x), count);
}

// Bytes of a function with what comes after it aligned.
size_t aligned_bytes(const Work& work) {
  constexpr size_t kAligned = alignof(std::max_align_t);
  return (work.function.size() + kAligned - 1) / kAligned * kAligned;
}

}  // namespace

Replay::Plan::Plan(Planner planner)
    : kept(std::move(planner.kept)),
      written(std::move(planner.written)),
      buffer(Storage::allocate(planner.buffer_bytes)),
      room(Storage::allocate(kTileRoom)) {
  size_t task_count = 0, operands = 0, function_bytes = 0;
  for (const Pass& pass : planner.passes) {
    task_count += pass.works.size();
    for (const Work& work : pass.works) operands += work.operands.size(), function_bytes += aligned_bytes(work);
  }
  check(operands <= UINT32_MAX, "Replay: a step of {} operands is too long", operands);
  passes.reserve(planner.passes.size());
  tasks.reserve(task_count);
  addresses.reserve(operands);
  steps.reserve(operands);
  functions.reset(new std::byte[function_bytes]);
  std::byte* function = functions.get();
  for (size_t p = 0; p < planner.passes.size(); ++p) {
    Pass& from = planner.passes[p];
    const auto first = static_cast<uint32_t>(tasks.size());
    FusedPass pass{from.numel(), kTile, first, first + static_cast<uint32_t>(from.works.size())};
    while (planner.tiles_of(p) * static_cast<size_t>(pass.tile) * sizeof(double) > kTileRoom) pass.tile /= 2;
    if (pass.tiles() == 1) {
      constexpr auto kLine = static_cast<int64_t>(pool::kAlignment / sizeof(double));
      pass.tile = std::max(kLine, (pass.numel + kLine - 1) / kLine * kLine);
    }
    for (Work& work : from.works) {
      add(pass, work, planner);
      if (!work.run) continue;
      std::copy(work.function.begin(), work.function.end(), function);
      tasks.back().run = work.run->on_copy(function);
      function += aligned_bytes(work);
    }
    passes.push_back(pass);
  }
}

// What was recorded of a work is given up.
void Replay::Plan::add(const FusedPass& pass, Work& work, const Planner& planner) {
  constexpr auto kNothing = [](char* const*, int64_t) {};
  Task task{Run(kNothing),
            work.kind,
            work.is_double,
            static_cast<uint8_t>(work.operands.size()),
            static_cast<uint32_t>(addresses.size()),
            0};
  for (size_t i = 0; i < work.operands.size(); ++i) {
    const Planner::Location location = planner.locate(work.operands[i]);
    switch (location.place) {
      case Planner::Place::kMemory: addresses.push_back(location.address); break;
      case Planner::Place::kBuffer: addresses.push_back(static_cast<char*>(buffer->data()) + location.offset); break;
      case Planner::Place::kTile: {
        const int64_t offset = static_cast<int64_t>(location.offset * sizeof(double)) * pass.tile;
        addresses.push_back(pass.tiles() == 1 ? static_cast<char*>(room->data()) + offset : nullptr);
        steps.push_back(offset);
        continue;
      }
    }
    steps.push_back(work.steps[i]);
  }
  if (work.kind == Work::Kind::kSum) {
    task.number = static_cast<uint32_t>(tile_sums.size());
    tile_sums.resize(tile_sums.size() + static_cast<size_t>(pass.tiles()));
  } else if (work.kind == Work::Kind::kOther) {
    task.number = static_cast<uint32_t>(calls.size());
    calls.push_back(std::move(work.call));
  }
  tasks.push_back(task);
}

void Replay::Plan::run_tile(const FusedPass& pass, int64_t index, char* tiles) const {
  const int64_t begin = index * pass.tile, count = std::min(pass.tile, pass.numel - begin);
  for (uint32_t t = pass.first_task; t < pass.end_task; ++t) {
    const Task& task = tasks[t];
    std::array<char*, kMostOperands> at;
    for (size_t i = 0; i < task.count; ++i) {
      char* address = addresses[task.first + i];
      const int64_t step = steps[task.first + i];
      at[i] = address == nullptr ? tiles + step : address + begin * step;
    }
    if (task.kind == Work::Kind::kSum) {
      tile_sums[task.number + static_cast<size_t>(index)] = sum_of(task.is_double, at[1], count);
    } else {
      task.run(at.data(), count);
    }
  }
}

// A pass of one tile: nothing moves.
void Replay::Plan::run_small(const FusedPass& pass) const {
  for (uint32_t t = pass.first_task; t < pass.end_task; ++t) {
    const Task& task = tasks[t];
    char* const* at = addresses.data() + task.first;
    if (task.kind == Work::Kind::kSum) {
      store_sum(task, sum_of(task.is_double, at[1], pass.numel));
    } else {
      task.run(at, pass.numel);
    }
  }
}

void Replay::Plan::store_sum(const Task& task, double sum) const {
  if (task.is_double) {
    *reinterpret_cast<double*>(addresses[task.first]) = sum;
  } else {
    *reinterpret_cast<float*>(addresses[task.first]) = static_cast<float>(sum);
  }
}

void Replay::Plan::run_pass(const FusedPass& pass) const {
  if (const Task& first = tasks[pass.first_task]; first.kind == Work::Kind::kOther) {
    calls[first.number](addresses.data() + first.first);
    return;
  }
  if (pass.tiles() == 1) return run_small(pass);
  const int64_t tiles_a_piece = kernels::kParallelGrain / pass.tile;
  kernels::parallel_tasks((pass.tiles() + tiles_a_piece - 1) / tiles_a_piece, [&](int64_t piece) {
    alignas(pool::kAlignment) char room[kTileRoom];
    for (int64_t t = piece * tiles_a_piece; t < std::min(pass.tiles(), (piece + 1) * tiles_a_piece); ++t)
      run_tile(pass, t, room);
  });
  for (uint32_t t = pass.first_task; t < pass.end_task; ++t) {
    const Task& task = tasks[t];
    if (task.kind != Work::Kind::kSum) continue;
    store_sum(task, kernels::sum_run(tile_sums.data() + task.number, 1, pass.tiles()));
  }
}

void Replay::Plan::run() const {
  for (const FusedPass& pass : passes) run_pass(pass);
  for (Storage* storage : written) storage->bump_version();
}

Replay::Replay(const std::function<void()>& step) {
  Trace trace;
  step();
  trace.stop();
  plan_ = std::make_shared<const Plan>(Planner(trace));
}

void Replay::operator()() const {
  tracing::refuse("another Replay");
  plan_->run();
}
size_t Replay::passes() const { return plan_->passes.size(); }
size_t Replay::buffer_bytes() const { return plan_->buffer->nbytes(); }

namespace ops {

void note_memory(const Tensor& x) {
  if (x.is_sparse()) x.data_ptr();  // throws
  if (tracing::listener != nullptr) static_cast<Trace*>(tracing::listener)->keep(x.impl()->storage);
}

}  // namespace ops
}  // namespace wengert
