#pragma once

#include <mutex>

namespace wengert::kernels {

/// Held around a call of LAPACK. Has the library use the calling thread alone, where it can be told so
/// (OpenBLAS): work is spread over threads above it, cut by size, so that results do not depend on their number. And
/// where the library that was loaded may not be entered by two threads at once, calls take turns: Debian's
/// libopenblas-serial is built without locks around its buffers, and gives wrong results otherwise.
class LapackCall {
 public:
  LapackCall();

 private:
  std::unique_lock<std::mutex> turn_;
};

}  // namespace wengert::kernels
