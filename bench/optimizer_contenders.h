#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace bench {

struct Contender {
  std::string name;
  std::function<void()> step;   ///< of an optimizer, on gradients that stay
  std::function<double()> sum;  ///< of all parameters
};

/// Every optimizer on `tensors` float32 tensors of `numel` elements: parameters sin(i), gradients cos(i).
std::vector<Contender> wengert_optimizers(int64_t tensors, int64_t numel);
std::vector<Contender> libtorch_optimizers(int64_t tensors, int64_t numel);

}  // namespace bench
