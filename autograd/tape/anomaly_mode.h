#pragma once

#include <atomic>
#include <string>

namespace wengert::autograd {

// Finding where a NaN comes from. While anomaly mode is on, every operation notes where it was called, and a backward
// throws at the first Node whose gradient holds a NaN:
//
//     Function 'SqrtBackward0' returned nan values in its 0th output. Its forward was called at train.cpp:31 (loss_of).
//
// The place is the innermost ForwardLocation alive on the thread, or, without one, the function that called into the
// library, as far as the program's symbols tell. Both cost time: it is a mode for debugging.

/// Whether anomaly mode is on, in all threads.
class AnomalyMode {
 public:
  static bool is_enabled() { return enabled_.load(std::memory_order_relaxed); }
  static bool should_check_nan() { return check_nan_.load(std::memory_order_relaxed); }
  /// check_nan: throw at NaN gradients; without, places are only noted.
  static void set_enabled(bool enabled, bool check_nan = true) {
    enabled_.store(enabled, std::memory_order_relaxed);
    check_nan_.store(check_nan, std::memory_order_relaxed);
  }

 private:
  [[gnu::visibility("default")]] static inline constinit std::atomic<bool> enabled_{false};
  [[gnu::visibility("default")]] static inline constinit std::atomic<bool> check_nan_{true};
};

/// Anomaly mode for as long as it lives.
class DetectAnomalyGuard {
 public:
  explicit DetectAnomalyGuard(bool check_nan = true)
      : enabled_(AnomalyMode::is_enabled()), checked_(AnomalyMode::should_check_nan()) {
    AnomalyMode::set_enabled(true, check_nan);
  }
  ~DetectAnomalyGuard() { AnomalyMode::set_enabled(enabled_, checked_); }
  DetectAnomalyGuard(const DetectAnomalyGuard&) = delete;
  DetectAnomalyGuard& operator=(const DetectAnomalyGuard&) = delete;

 private:
  bool enabled_, checked_;
};

/// Says where operations on this thread are called, for as long as it lives: `const ForwardLocation here;` stands for
/// its own line, ForwardLocation("decoder") for what the text says.
class ForwardLocation {
 public:
  // The compiler's own words for std::source_location, which clang 14 does not have.
  explicit ForwardLocation(int line = __builtin_LINE(), const char* file = __builtin_FILE(),
                           const char* function = __builtin_FUNCTION());
  explicit ForwardLocation(std::string text);
  ~ForwardLocation();
  ForwardLocation(const ForwardLocation&) = delete;
  ForwardLocation& operator=(const ForwardLocation&) = delete;

 private:
  friend std::string current_forward_location();

  std::string text_;
  const ForwardLocation* outer_;
};

/// The function of the library that the program called, as far as its symbols tell: "wengert::sort(...)", or empty.
std::string library_function_called();

/// Where the operation now running on this thread was called.
std::string current_forward_location();

}  // namespace wengert::autograd
