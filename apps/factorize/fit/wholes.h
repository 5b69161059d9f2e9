#pragma once

#include <factorize/processes/processes.h>
#include <wengert/optim/optimizer.h>

#include <functional>
#include <optional>
#include <vector>

namespace factorize {

/// What descent changes: a leaf. Of several processes each may have a block of it along a dimension, those of process 0
/// first; otherwise each has all of it.
struct Parameter {
  wengert::Tensor own;
  std::optional<int64_t> dim;
  bool is_nonnegative = false;  ///< and is to stay so
};

/// Parameters with the blocks of all processes, and back.
class Wholes {
 public:
  /// The parameters must live longer.
  Wholes(const Processes& processes, const std::vector<Parameter>& parameters);

  bool are_blocks() const { return processes_.are_several(); }
  /// Of a tensor that is as large as parameter i: with all blocks, from the own one.
  wengert::Tensor whole(size_t i, const wengert::Tensor& own) const;
  /// The own block of what whole() gave.
  wengert::Tensor own(size_t i, const wengert::Tensor& whole) const;
  /// Leaves with all of each parameter.
  std::vector<wengert::Tensor> leaves() const;

 private:
  const Processes& processes_;
  const std::vector<Parameter>& parameters_;
  std::vector<int64_t> begins_;  // of the own blocks
};

/// Gives what an optimizer remembers to another of its kind, of as many parameters: tensors that are as large as
/// parameter i as change(i, tensor).
void hand_over(const wengert::optim::Optimizer& from, wengert::optim::Optimizer& to,
               const std::function<wengert::Tensor(size_t i, const wengert::Tensor&)>& change);

}  // namespace factorize
