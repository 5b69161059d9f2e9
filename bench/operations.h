#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

// Every public operation, in both libraries, at sizes and in layouts of all kinds.

namespace bench {

/// What of an operation's arguments matters to its time, and so which cases it is timed in.
enum class Kind {
  kElements,  ///< of one tensor: without gaps, and transposed
  kPairs,     ///< of two: besides, the second a row or a column that is broadcast
  kRows,      ///< along the last dimension, of several lengths, without gaps and transposed
  kMatrices,  ///< of a batch of square matrices
};

enum class Layout { kContiguous, kTransposed, kRow, kColumn };

struct Case {
  int64_t numel;  ///< of the first operand, about
  int64_t last;   ///< size of its last dimension
  Layout layout;
  bool is_double;
};

/// An operation on operands of its own.
struct Prepared {
  std::function<void()> forward;    ///< without recording
  std::function<void()> backward;   ///< recorded, and the gradients; empty where there are none
  std::function<double()> checked;  ///< the sum of what forward gives, and of the gradients
};

struct Operation {
  std::string name;
  Kind kind;
  std::function<Prepared(const Case&)> prepare;
};

std::vector<Operation> wengert_operations();
std::vector<Operation> libtorch_operations();

void set_wengert_threads(int count);
void set_libtorch_threads(int count);

}  // namespace bench
