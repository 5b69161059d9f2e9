#pragma once

namespace factorize {

/// While it lives, the first SIGINT or SIGTERM only sets a flag, so that work can stop at a good place; the
/// second ends the process as usual. Guards may be nested, and all of them see the signal then.
class InterruptGuard {
 public:
  InterruptGuard();
  ~InterruptGuard();
  InterruptGuard(const InterruptGuard&) = delete;
  InterruptGuard& operator=(const InterruptGuard&) = delete;

  bool interrupted() const;
};

}  // namespace factorize
