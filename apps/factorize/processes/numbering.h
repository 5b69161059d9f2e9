#pragma once

#include <factorize/processes/processes.h>

#include <string>
#include <vector>

namespace factorize {

/// The names of a matrix's lines, of which each process has some: those of the positions from `begin` on.
struct NamesOfAll {
  int64_t count = 0;  ///< of all
  int64_t begin = 0;
  std::vector<std::string> own;

  /// Of lines at these positions in the matrix, whoever has them. Without names they are called by their numbers, from
  /// 1 on.
  std::vector<std::string> at(const Processes& processes, const std::vector<int32_t>& positions) const;
};

/// Numbers the names that processes found in their parts of a file, alike everywhere: whole numbers in ascending order,
/// others as they come, those of process 0 first. Names find one another in a process that their value or their hash
/// says, so that none has all. names: each once, in the order in which this process found them, or ascending.
/// are_numbers: as Ids has them. Returns the positions of the names; their owners are in `all`.
std::vector<int32_t> number_names(const Processes& processes, const std::vector<std::string>& names, bool are_numbers,
                                  NamesOfAll& all);

}  // namespace factorize
