#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/optim/distributed_optimizer.h>

#include <algorithm>

namespace wengert::optim {

using distributed::ProcessGroup;
using distributed::ReduceOp;
using distributed::Work;

// All processes have to send the same buckets in the same order, whatever order their gradients come in. So a bucket
// waits for the one before it.
struct DistributedOptimizer::Buckets {
  struct Slice {
    Tensor parameter;
    Tensor part;  // of its bucket's memory, in the parameter's shape
    bool arrived = false;
  };
  struct Bucket {
    Tensor memory;
    std::vector<Slice> slices;
    size_t missing = 0;
    Work work;
  };

  Buckets(const std::vector<Tensor>& parameters, int64_t bucket_bytes, ProcessGroup& group) : group(group) {
    std::vector<Tensor> next;
    int64_t bytes = 0;
    const auto close = [&] {
      if (!next.empty()) add_bucket(next);
      next.clear();
      bytes = 0;
    };
    for (size_t i = parameters.size(); i-- > 0;) {
      const Tensor& parameter = parameters[i];
      check(parameter.is_floating_point() && !parameter.is_sparse(),
            "DistributedOptimizer: parameters are dense and of floating point");
      const int64_t own = parameter.numel() * parameter.element_size();
      if (!next.empty() && (bytes + own > bucket_bytes || next[0].dtype() != parameter.dtype())) close();
      next.push_back(parameter);
      bytes += own;
    }
    close();
  }

  void add_bucket(const std::vector<Tensor>& parameters) {
    Bucket& bucket = all.emplace_back();
    int64_t count = 0;
    for (const Tensor& parameter : parameters) count += parameter.numel();
    bucket.memory = zeros({count}, parameters[0].dtype());
    int64_t begin = 0;
    for (const Tensor& parameter : parameters) {
      bucket.slices.push_back({parameter, bucket.memory.narrow(0, begin, parameter.numel()).view(parameter.sizes())});
      begin += parameter.numel();
    }
    bucket.missing = bucket.slices.size();
  }

  void arrived(size_t bucket, size_t slice) {
    Slice& of = all[bucket].slices[slice];
    const NoGradGuard no_grad;
    check(!of.arrived, "DistributedOptimizer: a second backward pass before step()");
    of.part.copy_(of.parameter.grad());
    of.arrived = true;
    --all[bucket].missing;
    while (sent < all.size() && all[sent].missing == 0) send_next();
    for (size_t i = 0; i < sent; ++i) all[i].work.isCompleted();  // so that MPI gets on with them
  }

  void send_next() {
    all[sent].work = group.allreduce(all[sent].memory, ReduceOp::AVG);
    ++sent;
  }

  // The buckets that were not yet sent, and all means into the gradients. Returns how many had been sent.
  size_t finish() {
    const NoGradGuard no_grad;
    const size_t early = sent;
    while (sent < all.size()) {
      for (Slice& slice : all[sent].slices) {
        if (!slice.arrived) slice.part.zero_();
      }
      send_next();
    }
    for (Bucket& bucket : all) {
      bucket.work.wait();
      for (Slice& slice : bucket.slices) {
        Tensor& grad = slice.parameter.mutable_grad();
        if (grad.defined()) {
          grad.copy_(slice.part);
        } else {
          grad = slice.part.clone();
        }
        slice.arrived = false;
      }
      bucket.missing = bucket.slices.size();
    }
    sent = 0;
    return early;
  }

  ProcessGroup& group;
  std::vector<Bucket> all;
  size_t sent = 0;
};

DistributedOptimizer::DistributedOptimizer(Optimizer& optimizer, Options options, ProcessGroup& group)
    : optimizer_(optimizer), buckets_(std::make_shared<Buckets>(optimizer.parameters(), options.bucket_bytes, group)) {
  const NoGradGuard no_grad;
  for (size_t b = 0; b < buckets_->all.size(); ++b) {
    for (size_t s = 0; s < buckets_->all[b].slices.size(); ++s) {
      const Tensor& parameter = buckets_->all[b].slices[s].parameter;
      const Tensor of_root = parameter.detach().contiguous().clone();
      group.broadcast(of_root).wait();
      parameter.detach().copy_(of_root);
      // A hook outlives this object where the parameter does.
      parameter.register_post_accumulate_grad_hook([weak = std::weak_ptr<Buckets>(buckets_), b, s](const Tensor&) {
        if (const auto buckets = weak.lock()) buckets->arrived(b, s);
      });
    }
  }
}

DistributedOptimizer::~DistributedOptimizer() = default;

void DistributedOptimizer::average_gradients() { sent_early_ = buckets_->finish(); }

void DistributedOptimizer::step() {
  average_gradients();
  optimizer_.step();
}

size_t DistributedOptimizer::buckets() const { return buckets_->all.size(); }

}  // namespace wengert::optim
