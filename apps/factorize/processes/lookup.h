#pragma once

#include <factorize/processes/lines.h>

namespace factorize {

/// Lines that this process asks those for that have them, whichever they are, and more than once where it does so; for
/// lines that it needs again and again, Lines::bring() sends less.
class Lookup {
 public:
  /// positions: Long (n), among all lines. The lines must live longer.
  Lookup(const Lines& lines, const wengert::Tensor& positions);

  /// The lines at the positions, (n, ...), from what all processes have as their own, (own, ...).
  wengert::Tensor take(const wengert::Tensor& own) const;
  /// What all processes have for the lines at their positions, (n, ...), where these are at home: (asked, ...), those
  /// from process 0 first.
  wengert::Tensor give(const wengert::Tensor& at_positions) const;
  /// The own lines that give() is for: Long (asked).
  const wengert::Tensor& asked() const { return asked_; }

 private:
  const Processes& processes_;
  wengert::Tensor asked_;
  wengert::Tensor order_, inverse_;  // Long (n): the positions by the processes that have them, and back
  std::vector<int64_t> from_each_, by_each_;
};

}  // namespace factorize
