#include <factorize/progress.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace factorize {

Progress::Progress(bool enabled, int64_t total_iterations)
    : enabled_(enabled && isatty(STDERR_FILENO)), total_(total_iterations), start_(Clock::now()), last_(start_) {}

Progress::~Progress() {
  if (shown_) fmt::print(stderr, "\r\033[K");
}

void Progress::update(int64_t iteration, double loss) {
  if (!enabled_) return;
  const Clock::time_point now = Clock::now();
  if (now - last_ < std::chrono::milliseconds(100)) return;
  last_ = now;
  shown_ = true;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double rate = static_cast<double>(iteration) / seconds;
  const auto left = static_cast<int64_t>(static_cast<double>(total_ - iteration) / rate);
  fmt::print(stderr, "\riteration {}/{}  loss {:.6g}  {:.0f} it/s  ETA {}:{:02}\033[K", iteration, total_, loss, rate,
             left / 60, left % 60);
  std::fflush(stderr);
}

}  // namespace factorize
