#pragma once

#include <wengert/ops/distributed/process_group.h>
#include <wengert/optim/optimizer.h>

#include <memory>

namespace wengert::optim {

/// Averages gradients over the processes of a group while the backward pass still runs, as DistributedDataParallel
/// does, and then has an optimizer step, so that all processes keep the same parameters:
///
///     optim::SGD sgd(parameters, 0.1);
///     optim::DistributedOptimizer optimizer(sgd);
///     loss_of_own_part().backward();  // the mean over the own examples
///     optimizer.step();
///
/// Parameters are taken from process 0 at the start. They are dealt into buckets, the last first, as gradients come
/// roughly in that order; when the gradients of a bucket are there, its sum is on its way. A parameter that got no
/// gradient counts as one of zeros, and gets the others' mean. Each step() wants exactly one backward pass before it.
class DistributedOptimizer {
 public:
  struct Options {
    int64_t bucket_bytes = 25 << 20;
  };
  /// The optimizer must outlive it, and its parameters be of one floating point dtype each group of buckets.
  explicit DistributedOptimizer(Optimizer& optimizer, Options options,
                                distributed::ProcessGroup& group = distributed::ProcessGroup::world());
  explicit DistributedOptimizer(Optimizer& optimizer) : DistributedOptimizer(optimizer, Options()) {}
  ~DistributedOptimizer();
  DistributedOptimizer(const DistributedOptimizer&) = delete;
  DistributedOptimizer& operator=(const DistributedOptimizer&) = delete;

  void zero_grad() { optimizer_.zero_grad(); }
  /// Waits for the means, puts them into the parameters' grad(), and steps.
  void step();
  /// The first half of it.
  void average_gradients();

  size_t buckets() const;
  /// Of how many buckets the sum was under way before average_gradients() was called, in the last step.
  size_t buckets_sent_early() const { return sent_early_; }

 private:
  struct Buckets;
  Optimizer& optimizer_;
  std::shared_ptr<Buckets> buckets_;  // which hooks know, too
  size_t sent_early_ = 0;
};

}  // namespace wengert::optim
