#pragma once

#include <wengert/autograd/base/grad_mode.h>

namespace wengert {

namespace autograd {
/// Whether tensors made on this thread are inference tensors. Off when a thread starts.
[[gnu::visibility("default")]] inline constinit thread_local bool inference_mode_enabled = false;
}  // namespace autograd

/// No grad mode, and more: tensors made while it lives are inference tensors for good, which no graph may save and
/// which may be changed in place only in inference mode. InferenceMode(false) leaves the mode for as long as it lives.
class InferenceMode {
 public:
  explicit InferenceMode(bool enabled = true) : grad_mode_(!enabled), previous_(is_enabled()) {
    autograd::inference_mode_enabled = enabled;
  }
  ~InferenceMode() { autograd::inference_mode_enabled = previous_; }
  InferenceMode(const InferenceMode&) = delete;
  InferenceMode& operator=(const InferenceMode&) = delete;

  static bool is_enabled() { return autograd::inference_mode_enabled; }

 private:
  AutoGradMode grad_mode_;
  bool previous_;
};

namespace autograd {
// libtorch has these names here too.
using wengert::AutoGradMode;
using wengert::GradMode;
using wengert::InferenceMode;
using wengert::NoGradGuard;
}  // namespace autograd

}  // namespace wengert
