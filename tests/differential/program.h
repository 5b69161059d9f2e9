#pragma once

#include <differential/operation.h>

#include <random>
#include <string>
#include <vector>

namespace differential {

/// What to make a leaf from: the same numbers in both libraries.
struct Leaf {
  std::vector<int64_t> sizes;
  enum class Dtype { kFloat, kDouble, kLong, kBool } dtype;
  bool requires_grad;
  std::vector<double> elements;
};

/// The mode that a step is made in.
enum class Mode { kNormal, kNoGrad, kInference };

/// One step of a program: makes a leaf, or applies an operation to results of earlier steps.
struct Instruction {
  const Operation* operation = nullptr;  ///< null for a leaf
  Leaf leaf;
  struct Operand {
    size_t instruction;
    size_t result;
  };
  std::vector<Operand> operands;
  Numbers numbers;
  Mode mode = Mode::kNormal;
};

/// A straight-line program; its loss is the weighted sum of the results that depend on leaves, and backward follows.
/// Some operations run a backward of their own, or hang a hook on a result.
using Program = std::vector<Instruction>;

/// A program of up to `length` operations. The same for the same seed.
Program make_program(uint32_t seed, size_t length);

/// Runs it in both libraries. Empty if they agree: in values, in gradients, and in what throws. Else what differs.
std::string disagreement(const Program& program);

/// The program with as many instructions left out as still leave a disagreement.
Program shrunk(Program program);

std::string listing(const Program& program);

}  // namespace differential
