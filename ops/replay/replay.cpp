#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/profiling.h>
#include <wengert/autograd/base/tracing.h>
#include <wengert/autograd/tape/anomaly_mode.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/autograd/tensor/storage.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/kernels/parallel.h>
#include <wengert/ops/kernels/sum.h>
#include <wengert/ops/replay.h>
#include <wengert/ops/replay/planner.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <set>
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
using replay::Pass;
using replay::Planner;
using replay::Work;
using tracing::Access;
using tracing::ElementwiseWork;
using tracing::kMostOperands;
using tracing::SumWork;

// Elements of a tile: a few tiles fit into a first-level cache.
constexpr int64_t kTile = 2048;

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
  plan_ = std::make_shared<const Plan>(Planner(std::move(trace.works), std::move(trace.memory)));
}

void Replay::operator()() const {
  tracing::refuse("another Replay");
  profiling::begins();
  plan_->run();
  profiling::done("replay");
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
