#pragma once

#include <factorize/processes/processes.h>

#include <utility>

namespace factorize {

/// The factors Q and R of a matrix of which each process has a block of rows: it gets those of Q, and R.
std::pair<wengert::Tensor, wengert::Tensor> qr_of_blocks(const Processes& processes, const wengert::Tensor& own);

/// Lines of a matrix, its rows or its columns, of which each process has a block as its own, and needs others to work
/// with. Tensors have a line in each row: `own` ones of the block, `needed` ones of all that the process needs, its own
/// among them, in the order of the matrix.
class Lines {
 public:
  /// All of them, in one process.
  explicit Lines(int64_t count);
  /// cuts: where the blocks begin, and where the last ends. needed: positions, ascending, all of the own block among
  /// them.
  Lines(const Processes& processes, std::vector<int64_t> cuts, std::vector<int32_t> needed);

  int64_t all() const { return all_; }
  /// Where the processes' blocks begin, and where the last ends.
  const std::vector<int64_t>& cuts() const { return cuts_; }
  int64_t begin() const { return begin_; }
  int64_t own() const { return own_; }
  int64_t needed() const { return needed_; }
  const Processes& processes() const { return *processes_; }
  /// Of the needed ones, in the matrix: Long (needed).
  wengert::Tensor positions() const;

  /// The needed ones, from what all processes have as their own.
  Arriving bring(const wengert::Tensor& own) const;
  /// The own ones of needed ones.
  wengert::Tensor own_of(const wengert::Tensor& needed) const;
  /// The own and the needed ones of a tensor with all lines.
  wengert::Tensor own_of_all(const wengert::Tensor& all) const { return all.narrow(0, begin_, own_).clone(); }
  wengert::Tensor needed_of_all(const wengert::Tensor& all) const;
  /// Where a needed line is among those, by its position in the matrix.
  int32_t place_of(int32_t position) const;

  /// The sum of own ones, (own, ...), over all lines, and their mean: (...).
  wengert::Tensor sum(const wengert::Tensor& own) const;
  wengert::Tensor mean(const wengert::Tensor& own) const;
  /// An orthonormal basis of what the columns of own ones, (own, k), span: of QR.
  wengert::Tensor orthogonal(const wengert::Tensor& own) const { return qr_of_blocks(*processes_, own).first; }
  /// Standard normal numbers, (own, k): the same for a line, whoever has it.
  wengert::Tensor randn(int64_t k, const wengert::TensorOptions& options) const;

 private:
  const Processes* processes_;
  std::vector<int64_t> cuts_;
  int64_t all_, begin_ = 0, own_, needed_;
  int64_t own_among_needed_ = 0;            // where they begin there
  std::vector<int32_t> positions_;          // of the needed
  wengert::Tensor given_;                   // Long: own ones that go to others, those to process 0 first
  std::vector<int64_t> to_each_, of_each_;  // how many
};

}  // namespace factorize
