#pragma once

#include <wengert/wengert.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace wengert::test {

/// An optimizer with options, by its name in torch_figures.py.
struct OptimizerCase {
  std::string name;
  std::function<std::unique_ptr<optim::Optimizer>(std::vector<Tensor>)> make;
};
/// Four or five of each optimizer that needs neither closures nor sparse gradients.
std::vector<OptimizerCase> optimizer_cases();

/// A schedule, by its name in torch_figures.py.
struct ScheduleCase {
  std::string name;
  std::function<std::shared_ptr<optim::LRScheduler>(optim::Optimizer&)> make;
  bool momentum = false;  ///< which it moves, too
};
/// All but ReduceLROnPlateau.
std::vector<ScheduleCase> schedule_cases();

}  // namespace wengert::test
