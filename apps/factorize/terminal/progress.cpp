#include <factorize/terminal/progress.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

namespace factorize {

StatusLine::StatusLine(bool enabled)
    : enabled_(enabled && isatty(STDERR_FILENO)), start_(Clock::now()), last_(start_) {}

StatusLine::~StatusLine() {
  if (shown_) fmt::print(stderr, "\r\033[K");
}

bool StatusLine::is_due() {
  if (!enabled_) return false;
  const Clock::time_point now = Clock::now();
  if (now - last_ < std::chrono::milliseconds(100)) return false;
  last_ = now;
  return true;
}

void StatusLine::show(const std::string& text) {
  shown_ = true;
  fmt::print(stderr, "\r{}\033[K", text);
  std::fflush(stderr);
}

void Progress::update(int64_t iteration, double loss) {
  if (listener_) listener_(iteration, loss * loss_unit_);
  StatusLine::update([&](double seconds) {
    const double rate = static_cast<double>(iteration) / seconds;
    const auto left = static_cast<int64_t>(static_cast<double>(total_ - iteration) / rate);
    return fmt::format("iteration {}/{}  loss {:.6g}  {:.{}f} it/s  ETA {}:{:02}", iteration, total_, loss * loss_unit_,
                       rate, rate < 10 ? 1 : 0, left / 60, left % 60);
  });
}

void ReadingProgress::update(const std::string& file, size_t done, std::optional<size_t> size) {
  StatusLine::update([&](double seconds) {
    const double megabytes = static_cast<double>(done) / 1e6;
    const std::string part =
        size && *size > 0 ? fmt::format(" {:.0f} %", 100 * static_cast<double>(done) / static_cast<double>(*size)) : "";
    return fmt::format("reading {}{}  {:.0f} MB  {:.0f} MB/s", file, part, megabytes, megabytes / seconds);
  });
}

}  // namespace factorize
