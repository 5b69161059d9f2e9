#pragma once

#include <factorize/model/share.h>

#include <functional>
#include <vector>

namespace factorize {

/// Processes in a ring, round which blocks of columns go: each process in turn works with each block and the entries
/// that its own rows have there, while the next block is on its way; what is found of a block goes round behind it (the
/// schedule of stratified SGD: Gemulla, Nijkamp, Haas and Sismanis, Large-Scale Matrix Factorization with Distributed
/// Stochastic Gradient Descent, KDD 2011). So no process has more than two blocks at a time. The sum over all blocks is
/// that of one process, in an order which depends on nothing but how many processes there are.
class Ring {
 public:
  /// The entries of the own rows in a block of columns.
  struct Part {
    wengert::SparsePattern pattern;   ///< (own rows, the block's columns)
    wengert::Tensor values, weights;  ///< (nnz); weights may be undefined
  };
  /// The loss of a part, differentiable by the block, (the block's columns, w), a leaf.
  using Loss = std::function<wengert::Tensor(const Part&, const wengert::Tensor& block)>;

  /// The share must live longer.
  explicit Ring(const Share& share);

  /// Takes own, (own columns, w), round. What `loss` has by other leaves is added to their gradients; returned are the
  /// gradient by own, of the loss of all processes, and the sum of the own parts' losses.
  std::pair<wengert::Tensor, double> pass(const wengert::Tensor& own, const Loss& loss) const;

 private:
  // From the next process, of whose lines there are so many, to the one before.
  Arriving shift(const wengert::Tensor& x, int64_t lines_that_come) const;
  // The block that is here in a step.
  int block_at(int step) const { return (processes_.index() + step) % processes_.count(); }
  int64_t columns_of(int block) const;

  const Processes& processes_;
  std::vector<int64_t> cuts_;
  std::vector<Part> parts_;
};

}  // namespace factorize
