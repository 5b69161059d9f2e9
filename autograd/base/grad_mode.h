#pragma once

namespace wengert {

namespace autograd {
/// Whether operations on this thread are recorded. On when a thread starts. One for the library and whoever uses it,
/// also where they hide their symbols (-fvisibility=hidden).
[[gnu::visibility("default")]] inline constinit thread_local bool grad_mode_enabled = true;
}  // namespace autograd

/// Reads and sets this thread's grad mode.
struct GradMode {
  static bool is_enabled() { return autograd::grad_mode_enabled; }
  static void set_enabled(bool enabled) { autograd::grad_mode_enabled = enabled; }
};

/// Sets grad mode for as long as it lives.
class AutoGradMode {
 public:
  explicit AutoGradMode(bool enabled) : previous_(GradMode::is_enabled()) { GradMode::set_enabled(enabled); }
  ~AutoGradMode() { GradMode::set_enabled(previous_); }
  AutoGradMode(const AutoGradMode&) = delete;
  AutoGradMode& operator=(const AutoGradMode&) = delete;

 private:
  bool previous_;
};

/// Nothing is recorded for as long as it lives.
class NoGradGuard : public AutoGradMode {
 public:
  NoGradGuard() : AutoGradMode(false) {}
};

}  // namespace wengert
