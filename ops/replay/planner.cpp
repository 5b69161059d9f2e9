#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/pool.h>
#include <wengert/ops/replay/planner.h>

#include <algorithm>
#include <functional>
#include <queue>
#include <set>

namespace wengert::replay {
namespace {

// So many temporaries are placed at the lowest offset: the time for that grows with their square.
constexpr size_t kPlacedWithCare = 2000;

}  // namespace

Planner::Planner(std::vector<Work> works, std::vector<IntrusivePtr<Storage>> memory) {
  for (IntrusivePtr<Storage>& storage : memory) {
    const bool temporary = storage->unique() && storage->owns_memory();
    memories_.push_back({std::move(storage), temporary});
  }
  memory.clear();
  std::sort(memories_.begin(), memories_.end(),
            [](const Memory& a, const Memory& b) { return a.range().begin < b.range().begin; });
  for (const Work& work : works) {
    for (const Access& access : work.operands) {
      if (Memory* memory = access.written ? memory_at(access) : nullptr; memory != nullptr) ++memory->writers;
    }
  }
  check_written_before_read(works);
  const auto constants =
      std::stable_partition(works.begin(), works.end(), [&](const Work& work) { return !is_constant(work); });
  std::for_each(constants, works.end(), [&](const Work& work) { memory_at(work.operands[0])->temporary = false; });
  std::for_each(works.begin(), constants, [&](Work& work) { add(std::move(work)); });
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

}  // namespace wengert::replay
