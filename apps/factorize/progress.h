#pragma once

#include <chrono>
#include <cstdint>

namespace factorize {

/// One line on standard error that tells how far the work is, rewritten ten times a second. Writes nothing
/// when standard error is not a terminal.
class Progress {
 public:
  Progress(bool enabled, int64_t total_iterations);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void update(int64_t iteration, double loss);

 private:
  using Clock = std::chrono::steady_clock;

  bool enabled_;
  bool shown_ = false;
  int64_t total_;
  Clock::time_point start_, last_;
};

}  // namespace factorize
