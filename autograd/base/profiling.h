#pragma once

#include <cstddef>

namespace wengert {

class Storage;

namespace profiling {

/// Hears on its thread of memory that is asked for and given back, and of operations that are done; see
/// autograd/tools/profile.h.
class Listener {
 public:
  /// The memory of a new tensor.
  virtual void allocated(Storage& storage) = 0;
  virtual void freed(Storage& storage) = 0;
  /// An operation starts to write memory that was there before.
  virtual void begins() = 0;
  /// An operation is done, whose name is a literal: "MmBackward0", of its Node, or "eq", where it has none.
  virtual void done(const char* name) = 0;

 protected:
  ~Listener() = default;
};

/// The one that listens to this thread; mostly null.
extern constinit thread_local Listener* listener;

// Cold, so that where nobody listens there is no more than a question between the instructions that run.
[[gnu::cold]] void tell_allocated(Storage& storage);
[[gnu::cold]] void tell_freed(Storage& storage);
[[gnu::cold]] void tell_begins();
[[gnu::cold]] void tell_done(const char* name);

inline void allocated(Storage& storage) {
  if (listener != nullptr) [[unlikely]]
    tell_allocated(storage);
}
inline void freed(Storage& storage) {
  if (listener != nullptr) [[unlikely]]
    tell_freed(storage);
}
inline void begins() {
  if (listener != nullptr) [[unlikely]]
    tell_begins();
}
inline void done(const char* name) {
  if (listener != nullptr) [[unlikely]]
    tell_done(name);
}

}  // namespace profiling
}  // namespace wengert
