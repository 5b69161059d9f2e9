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
#include <optional>
#include <set>
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
// largest are placed first, each at the lowest offset that is free for all its life. Where one ends in the pass in
// which another begins (D_hat, and G in its place), the other takes over its memory.

namespace wengert {
namespace {

using kernels::Run;
using tracing::Access;
using tracing::ElementwiseWork;
using tracing::kMostOperands;
using tracing::SumWork;

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
  bool writes(const Range& range) const {
    return std::any_of(operands.begin(), operands.end(),
                       [&](const Access& access) { return access.written && Range(access).overlaps(range); });
  }
  bool touches(const Range& range) const {
    return std::any_of(operands.begin(), operands.end(),
                       [&](const Access& access) { return Range(access).overlaps(range); });
  }
  // Whether the two must keep their order.
  bool conflicts(const Work& other) const {
    return std::any_of(operands.begin(), operands.end(), [&](const Access& access) {
      return access.written ? other.touches(Range(access)) : other.writes(Range(access));
    });
  }

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
    if (std::find(memory.rbegin(), memory.rend(), storage) == memory.rend()) memory.push_back(storage);
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
  std::set<const void*> reset_grads_;
};

// Several works in one pass, or one that cannot be fused.
struct Pass {
  bool conflicts(const Work& work) const {
    return std::any_of(works.begin(), works.end(), [&](const Work& own) { return own.conflicts(work); });
  }
  bool fuses() const { return works.front().fuses(); }
  int64_t numel() const { return works.front().numel; }

  // Whether work on equally many elements may be done tile by tile with the works that are here: where they share
  // memory it must be element for element the same, and no sum is complete before the end.
  bool takes(const Work& work) const {
    constexpr size_t kMostWorks = 64;
    if (!fuses() || !work.fuses() || numel() != work.numel || works.size() >= kMostWorks) return false;
    return std::all_of(works.begin(), works.end(), [&](const Work& own) {
      for (size_t i = 0; i < own.operands.size(); ++i) {
        for (size_t j = 0; j < work.operands.size(); ++j) {
          const Access &a = own.operands[i], &b = work.operands[j];
          if ((!a.written && !b.written) || !Range(a).overlaps(Range(b))) continue;
          if (own.steps[i] != work.steps[j] || own.steps[i] == 0 || !(Range(a) == Range(b))) return false;
        }
      }
      return true;
    });
  }

  std::vector<Work> works;
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
    Memory* heir = nullptr;  // takes its place, in the pass that is the last of the one and the first of the other
    bool inherits = false;
  };

  Memory* memory_at(const Access& access);
  const Memory* memory_at(const Access& access) const { return const_cast<Planner*>(this)->memory_at(access); }
  void check_written_before_read(const std::vector<Work>& works);
  bool is_constant(const Work& work, const std::vector<Work>& works) const;
  void add(Work work);
  void find_lifetimes();
  bool in_step(const Memory& memory, size_t pass) const;
  void place_in_tiles();
  void find_heirs();
  void place_in_buffer();

  std::vector<Memory> memories_;  // by address
  std::vector<size_t> tiles_;     // of each pass
};

Planner::Planner(Trace& trace) {
  for (IntrusivePtr<Storage>& storage : trace.memory) {
    const bool temporary = storage->unique() && storage->owns_memory();
    memories_.push_back({std::move(storage), temporary});
  }
  trace.memory.clear();
  std::sort(memories_.begin(), memories_.end(),
            [](const Memory& a, const Memory& b) { return a.range().begin < b.range().begin; });
  check_written_before_read(trace.works);
  const auto constants = std::stable_partition(trace.works.begin(), trace.works.end(),
                                               [&](const Work& work) { return !is_constant(work, trace.works); });
  std::for_each(constants, trace.works.end(),
                [&](const Work& work) { memory_at(work.operands[0])->temporary = false; });
  std::for_each(trace.works.begin(), constants, [&](Work& work) { add(std::move(work)); });
  find_lifetimes();
  place_in_tiles();
  find_heirs();
  place_in_buffer();
  for (const Memory& memory : memories_) {
    if (memory.temporary) continue;
    kept.push_back(memory.storage);
    const bool is_written = std::any_of(passes.begin(), passes.end(), [&](const Pass& pass) {
      return std::any_of(pass.works.begin(), pass.works.end(),
                         [&](const Work& work) { return work.writes(memory.range()); });
    });
    if (is_written) written.push_back(memory.storage.get());
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
bool Planner::is_constant(const Work& work, const std::vector<Work>& works) const {
  if (work.kind != Work::Kind::kElementwise || work.operands.size() != 1) return false;
  const Memory* memory = memory_at(work.operands[0]);
  if (memory == nullptr || !memory->temporary) return false;
  return std::none_of(works.begin(), works.end(),
                      [&](const Work& other) { return &other != &work && other.writes(memory->range()); });
}

void Planner::add(Work work) {
  for (size_t p = passes.size(); p-- > 0;) {
    if (passes[p].takes(work)) {
      passes[p].works.push_back(std::move(work));
      return;
    }
    if (passes[p].conflicts(work)) break;
  }
  passes.push_back({{std::move(work)}});
  // What stands alone before it may come down to it.
  for (size_t p = passes.size() - 1; p-- > 0;) {
    if (passes[p].works.size() != 1 || !passes.back().takes(passes[p].works[0])) continue;
    const bool blocked = std::any_of(passes.begin() + static_cast<std::ptrdiff_t>(p) + 1, passes.end() - 1,
                                     [&](const Pass& between) { return between.conflicts(passes[p].works[0]); });
    if (blocked) continue;
    passes.back().works.insert(passes.back().works.begin(), std::move(passes[p].works[0]));
    passes.erase(passes.begin() + static_cast<std::ptrdiff_t>(p));
  }
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
  for (Memory& memory : memories_) {
    if (!memory.temporary || memory.place == Place::kTile || memory.first_pass == SIZE_MAX) continue;
    if (!in_step(memory, memory.last_pass)) continue;
    for (Memory& heir : memories_) {
      const bool follows = heir.temporary && heir.place != Place::kTile && !heir.inherits && &heir != &memory &&
                           heir.first_pass == memory.last_pass && heir.last_pass != heir.first_pass &&
                           heir.first_work >= memory.last_work && heir.storage->nbytes() == memory.storage->nbytes() &&
                           in_step(heir, heir.first_pass);
      if (!follows) continue;
      memory.heir = &heir;
      heir.inherits = true;
      break;
    }
  }
}

void Planner::place_in_buffer() {
  const auto last_pass_of_heirs = [](const Memory* memory) {
    while (memory->heir != nullptr) memory = memory->heir;
    return memory->last_pass;
  };
  std::vector<Memory*> to_place;
  for (Memory& memory : memories_) {
    const bool used = memory.temporary && memory.first_pass != SIZE_MAX;
    if (used && memory.place != Place::kTile && !memory.inherits) to_place.push_back(&memory);
  }
  std::stable_sort(to_place.begin(), to_place.end(),
                   [](const Memory* a, const Memory* b) { return a->storage->nbytes() > b->storage->nbytes(); });
  const auto rounded = [](size_t bytes) {
    return (bytes + pool::kAlignment - 1) / pool::kAlignment * pool::kAlignment;
  };
  std::vector<Memory*> placed;  // by offset
  for (Memory* memory : to_place) {
    size_t offset = 0;
    for (const Memory* other : placed) {
      const bool together =
          other->first_pass <= last_pass_of_heirs(memory) && memory->first_pass <= last_pass_of_heirs(other);
      if (!together) continue;
      if (offset + memory->storage->nbytes() <= other->offset) break;
      offset = std::max(offset, other->offset + rounded(other->storage->nbytes()));
    }
    for (Memory* heir = memory; heir != nullptr; heir = heir->heir) {
      heir->place = Place::kBuffer;
      heir->offset = offset;
    }
    buffer_bytes = std::max(buffer_bytes, offset + rounded(memory->storage->nbytes()));
    placed.insert(std::upper_bound(placed.begin(), placed.end(), memory,
                                   [](const Memory* a, const Memory* b) { return a->offset < b->offset; }),
                  memory);
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

// The plan, with everything in its place.
struct Replay::Plan {
  struct Task {
    Work work;
    std::array<char*, kMostOperands> operands = {};       // null where it is in a tile
    std::array<size_t, kMostOperands> tile_offsets = {};  // among the thread's tiles
    size_t first_tile_sum = 0;                            // of sums, in tile_sums
  };
  struct FusedPass {
    int64_t numel, tile;  // elements
    std::vector<Task> tasks;
  };

  explicit Plan(Planner planner);
  void run() const;

  std::vector<FusedPass> passes;
  std::vector<IntrusivePtr<Storage>> kept;
  std::vector<Storage*> written;
  IntrusivePtr<Storage> buffer;
  mutable std::vector<double> tile_sums;

 private:
  void run_pass(const FusedPass& pass) const;
  void run_tile(const FusedPass& pass, int64_t index, char* tiles) const;
};

namespace {

// Bytes that a thread has on its stack for the temporaries of a tile.
constexpr size_t kTileRoom = size_t{64} << 10;

double sum_of(const Work& work, const char* x, int64_t count) {
  return work.is_double ? kernels::simd::kernels<double>().sum(reinterpret_cast<const double*>(x), count)
                        : kernels::simd::kernels<float>().sum(reinterpret_cast<const float*>(x), count);
}

}  // namespace

Replay::Plan::Plan(Planner planner)
    : kept(std::move(planner.kept)),
      written(std::move(planner.written)),
      buffer(Storage::allocate(planner.buffer_bytes)) {
  for (size_t p = 0; p < planner.passes.size(); ++p) {
    Pass& from = planner.passes[p];
    FusedPass pass{from.numel(), kTile, {}};
    const size_t tile_bytes = planner.tiles_of(p) * kTile * sizeof(double);
    while (tile_bytes / static_cast<size_t>(kTile / pass.tile) > kTileRoom) pass.tile /= 2;
    for (Work& work : from.works) {
      Task task{std::move(work)};
      for (size_t i = 0; i < task.work.operands.size(); ++i) {
        const Planner::Location location = planner.locate(task.work.operands[i]);
        switch (location.place) {
          case Planner::Place::kMemory: task.operands[i] = location.address; break;
          case Planner::Place::kBuffer: task.operands[i] = static_cast<char*>(buffer->data()) + location.offset; break;
          case Planner::Place::kTile:
            task.tile_offsets[i] = location.offset * static_cast<size_t>(pass.tile) * sizeof(double);
            break;
        }
      }
      if (task.work.run) task.work.run = task.work.run->on_copy(task.work.function.data());
      if (task.work.kind == Work::Kind::kSum) {
        task.first_tile_sum = tile_sums.size();
        tile_sums.resize(tile_sums.size() + static_cast<size_t>((pass.numel + pass.tile - 1) / pass.tile));
      }
      pass.tasks.push_back(std::move(task));
    }
    passes.push_back(std::move(pass));
  }
}

void Replay::Plan::run_tile(const FusedPass& pass, int64_t index, char* tiles) const {
  const int64_t begin = index * pass.tile, count = std::min(pass.tile, pass.numel - begin);
  for (const Task& task : pass.tasks) {
    std::array<char*, kMostOperands> at;
    for (size_t i = 0; i < task.work.operands.size(); ++i) {
      at[i] =
          task.operands[i] == nullptr ? tiles + task.tile_offsets[i] : task.operands[i] + begin * task.work.steps[i];
    }
    if (task.work.kind == Work::Kind::kSum) {
      tile_sums[task.first_tile_sum + static_cast<size_t>(index)] = sum_of(task.work, at[1], count);
    } else {
      (*task.work.run)(at.data(), count);
    }
  }
}

void Replay::Plan::run_pass(const FusedPass& pass) const {
  const Task& first = pass.tasks.front();
  if (first.work.kind == Work::Kind::kOther) {
    first.work.call(first.operands.data());
    return;
  }
  const int64_t tiles = (pass.numel + pass.tile - 1) / pass.tile;
  const int64_t tiles_a_piece = kernels::kParallelGrain / pass.tile;
  kernels::parallel_tasks((tiles + tiles_a_piece - 1) / tiles_a_piece, [&](int64_t piece) {
    alignas(pool::kAlignment) char room[kTileRoom];
    for (int64_t t = piece * tiles_a_piece; t < std::min(tiles, (piece + 1) * tiles_a_piece); ++t)
      run_tile(pass, t, room);
  });
  for (const Task& task : pass.tasks) {
    if (task.work.kind != Work::Kind::kSum) continue;
    const double sum = kernels::sum_run(tile_sums.data() + task.first_tile_sum, 1, tiles);
    if (task.work.is_double) {
      *reinterpret_cast<double*>(task.operands[0]) = sum;
    } else {
      *reinterpret_cast<float*>(task.operands[0]) = static_cast<float>(sum);
    }
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
