#pragma once

#include <wengert/autograd/base/function_ref.h>

#include <array>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string_view>

namespace wengert::tracing {

// What Replay hears of a step while it is traced: each piece of work on memory, and what cannot be done again.

/// What is done to one run of elements: at[i] is where it starts in operand i. Says nothing of where operands lie, and
/// holds nothing that is somebody else's, so that it can be done again later and elsewhere.
using Run = FunctionRef<void(char* const* at, int64_t count)>;

/// Memory that a piece of work reads or writes.
struct Access {
  const void* data;
  size_t bytes;
  bool written;
};
template <class T>
Access reads(const T* data, int64_t extent) {
  return {data, static_cast<size_t>(extent) * sizeof(T), false};
}
template <class T>
Access writes(T* data, int64_t extent) {
  return {data, static_cast<size_t>(extent) * sizeof(T), true};
}

inline constexpr size_t kMostOperands = 6;

/// Elementwise work.
struct ElementwiseWork {
  size_t count;  ///< of operands
  int64_t numel;
  bool one_run;  ///< in which each operand goes on by `steps` bytes
  std::array<int64_t, kMostOperands> steps;
  std::array<Access, kMostOperands> operands;
  Run run;
  /// All of it, on operands that lie elsewhere.
  std::function<void(char* const* operands)> whole;
};

/// The sum of a contiguous run of floats or doubles.
struct SumWork {
  int64_t numel;
  bool is_double;
  Access x, sum;
};

/// Takes note of the work that the kernels do on its thread, so that it can be done again; see ops/replay/replay.cpp.
class Listener {
 public:
  virtual void elementwise(const ElementwiseWork& work) = 0;
  virtual void sum(const SumWork& work) = 0;
  virtual void other(std::initializer_list<Access> accesses, std::function<void(char* const* operands)> work) = 0;

  /// A leaf's gradient was handed out to be assigned to.
  virtual void note_mutable_grad(const void* leaf) = 0;
  /// A leaf without a gradient gets one. Throws where a later step would add to it instead.
  virtual void note_new_grad(const void* leaf) = 0;
  /// Throws wengert::Error: what was called cannot be done again.
  [[noreturn]] virtual void refuse(std::string_view what) = 0;

 protected:
  ~Listener() = default;
};

/// The one that listens to this thread; mostly null.
extern constinit thread_local Listener* listener;

/// Nothing is heard of what is done while it lives: of what a first step alone does.
class Pause {
 public:
  Pause() : paused_(listener) { listener = nullptr; }
  ~Pause() { listener = paused_; }
  Pause(const Pause&) = delete;
  Pause& operator=(const Pause&) = delete;

 private:
  Listener* paused_;
};

/// Throws while a step is traced, if it is something that cannot be done again.
inline void refuse(std::string_view what) {
  if (listener != nullptr) [[unlikely]]
    listener->refuse(what);
}

/// Does work(operands) on the memory of these accesses, in their order. The function must hold nothing that is somebody
/// else's; of what it calls nothing is heard.
template <class Work>
void perform(std::initializer_list<Access> accesses, const Work& work) {
  std::array<char*, kMostOperands> operands;
  size_t count = 0;
  for (const Access& access : accesses) operands[count++] = static_cast<char*>(const_cast<void*>(access.data));
  if (listener == nullptr) [[likely]]
    return work(operands.data());
  {
    const Pause pause;
    work(operands.data());
  }
  listener->other(accesses, work);
}

}  // namespace wengert::tracing
