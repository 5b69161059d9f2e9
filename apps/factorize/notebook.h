#pragma once

#include <cstdint>
#include <iosfwd>
#include <string>

namespace factorize {

struct NotebookOptions {
  bool recorded = false;  ///< the figures of the notebook's own run, rather than random ones
  uint64_t seed = 0;
  std::string trace = {};  ///< file for a page on the first backward pass; empty for none
};

/// Runs the notebook that this project grew from: D (3 x 4) is approximated by C F of rank 2, first one step of
/// gradient descent in slow motion, then 10000 in a loop. Writes what the notebook prints. Throws torch::Error where
/// the page cannot be written.
void run_notebook(const NotebookOptions& options, std::ostream& out);

}  // namespace factorize
