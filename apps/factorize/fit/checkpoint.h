#pragma once

#include <factorize/model/model.h>
#include <factorize/processes/processes.h>
#include <factorize/terminal/progress.h>
#include <wengert/autograd/serialize/archive.h>

#include <chrono>
#include <functional>
#include <optional>
#include <string>

namespace factorize {

/// The state of a run in a file, which is replaced whole or not at all: what stops the program in between costs the
/// time since the last one. Of several processes the first has the file, with what all know; any number of them can go
/// on from it.
class Checkpoint {
 public:
  /// seconds: between one and the next. run: what tells this run from others, of which no state is to be taken.
  Checkpoint(const Processes& processes, std::string path, double seconds, std::string run);

  /// Goes on from the file, if there is one. Throws wengert::Error where it is another run's, or is damaged, or where
  /// not all processes see it.
  void resume();
  /// What resume() found.
  const std::optional<wengert::serialize::InputArchive>& resumed() const { return resumed_; }

  bool is_due() const;
  /// fill: writes the state, of which the first process needs to have all.
  void save(const std::function<void(wengert::serialize::OutputArchive&)>& fill);

 private:
  using Clock = std::chrono::steady_clock;

  const Processes& processes_;
  std::string path_, run_;
  Clock::duration interval_;
  Clock::time_point last_ = Clock::now();
  std::optional<wengert::serialize::InputArchive> resumed_;
};

/// How a fit is run. A bool is whether there is a progress line.
struct Running {
  Running(bool show_progress = false, Checkpoint* checkpoint = nullptr)  // NOLINT: implicit
      : show_progress(show_progress), checkpoint(checkpoint) {}

  /// What to go on from; null for a beginning.
  const wengert::serialize::InputArchive* resumed() const {
    return checkpoint != nullptr && checkpoint->resumed() ? &*checkpoint->resumed() : nullptr;
  }
  /// Saves where that is due, or the run is to end.
  void save(bool ends, const std::function<void(wengert::serialize::OutputArchive&)>& fill) const {
    if (checkpoint != nullptr && (ends || checkpoint->is_due())) checkpoint->save(fill);
  }

  Running with_loss_unit(double unit) const {
    Running other = *this;
    other.loss_unit = unit;
    return other;
  }

  Running with_processes(const Processes& those) const {
    Running other = *this;
    other.processes = &those;
    return other;
  }

  Running with_start(const Model* model) const {
    Running other = *this;
    other.start = model;
    return other;
  }

  bool show_progress;  ///< on a terminal
  /// What to begin with where the penalties are fixed: a model of the same data, rank and penalized parts; null: the
  /// biases.
  const Model* start = nullptr;
  Checkpoint* checkpoint;
  const Processes* processes = &Processes::alone();  ///< of whole matrices: those that have a block of rows each
  double loss_unit = 1;                              ///< of losses that are shown
  Progress::Listener on_iteration;                   ///< told of each; may be empty
};

/// Numbers as a tensor, and back.
wengert::Tensor tensor_of(const std::vector<double>& numbers);
std::vector<double> numbers_in(const wengert::serialize::InputArchive& archive, const std::string& key);

}  // namespace factorize
