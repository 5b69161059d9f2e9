#pragma once

#include <cstdint>
#include <vector>

namespace wengert::test {

/// Pairs (row, column), each once, of which it is known why they are there: a row comes across columns as they are
/// popular, the r-th with (r + 10)^-0.9 (Zipf's law), and takes one with the logistic function's value at
/// 3 P_i . Q_j / sqrt(rank) - 2, P and Q being normal random numbers. Rows take between half and one and a half times
/// as many as they do in the mean.
struct PlantedPairs {
  std::vector<int32_t> rows, columns;
};
PlantedPairs planted_pairs(int64_t rows, int64_t columns, int64_t pairs, int64_t rank, uint64_t seed);

}  // namespace wengert::test
