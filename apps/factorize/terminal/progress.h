#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

namespace factorize {

/// One line on standard error, rewritten ten times a second and taken away at the end. Writes nothing
/// when standard error is not a terminal.
class StatusLine {
 public:
  explicit StatusLine(bool enabled);
  ~StatusLine();
  StatusLine(const StatusLine&) = delete;
  StatusLine& operator=(const StatusLine&) = delete;

 protected:
  /// Shows text(seconds since the beginning), if it is time.
  template <class Text>
  void update(const Text& text) {
    if (is_due()) show(text(std::chrono::duration<double>(last_ - start_).count()));
  }

 private:
  using Clock = std::chrono::steady_clock;

  bool is_due();
  void show(const std::string& text);

  bool enabled_;
  bool shown_ = false;
  Clock::time_point start_, last_;
};

/// How far training is.
class Progress : public StatusLine {
 public:
  /// Takes each iteration's number and loss.
  using Listener = std::function<void(int64_t iteration, double loss)>;

  /// listener: may be empty.
  Progress(bool enabled, int64_t total_iterations, double loss_unit, Listener listener)
      : StatusLine(enabled), total_(total_iterations), loss_unit_(loss_unit), listener_(std::move(listener)) {}
  void update(int64_t iteration, double loss);

 private:
  int64_t total_;
  double loss_unit_;
  Listener listener_;
};

/// How far reading is.
class ReadingProgress : public StatusLine {
 public:
  using StatusLine::StatusLine;
  /// done: bytes of the file; size: how many it has, where it is known.
  void update(const std::string& file, size_t done, std::optional<size_t> size);
};

}  // namespace factorize
