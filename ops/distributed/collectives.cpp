#include <wengert/autograd/base/check.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/distributed/collectives.h>
#include <wengert/ops/ops.h>

// L is the sum of what all processes call their loss; so of a tensor that all have the gradient is the sum of all G.

namespace wengert::distributed {

using namespace ops;

// y = sum_r x_r, or the mean of P of them.   VJP:   dx = sum_r G_r, or sum_r G_r / P.
Tensor all_reduce(const Tensor& x, ReduceOp op, ProcessGroup& group) {
  const bool linear = op == ReduceOp::SUM || op == ReduceOp::AVG;
  check(linear || !autograd::must_record({x}), "all_reduce: of the reductions SUM and AVG have a gradient");
  const Tensor y = x.detach().contiguous().clone();
  group.allreduce(y, op).wait();
  return record("AllReduceBackward", y, {x}, saving(),
                [op, &group](const Backward& b) { return all_reduce(b.grad(), op, group); });
}

// y = [x_0, x_1, ...].   VJP:   dx = the own rows of sum_r G_r.
Tensor all_gather(const Tensor& x, ProcessGroup& group) {
  std::vector<int64_t> rows;
  const Tensor y = group.allgather(x.detach().contiguous(), &rows);
  return record("AllGatherBackward", y, {x}, saving(),
                [rows, &group](const Backward& b) { return reduce_scatter(b.grad(), rows, group); });
}

// y = the own rows of sum_r x_r.   VJP:   dx = [G_0, G_1, ...].
Tensor reduce_scatter(const Tensor& x, const std::vector<int64_t>& rows, ProcessGroup& group) {
  const int64_t size = group.getSize();
  check(!rows.empty() || (x.dim() > 0 && x.size(0) % size == 0),
        "reduce_scatter: {} can't be shared equally among {} processes; say how many rows each gets", x.sizes(), size);
  const Tensor y = group.reduce_scatter(
      x.detach().contiguous(), rows.empty() ? std::vector<int64_t>(static_cast<size_t>(size), x.size(0) / size) : rows);
  return record("ReduceScatterBackward", y, {x}, saving(),
                [&group](const Backward& b) { return all_gather(b.grad(), group); });
}

// y = x_root.   VJP:   dx = sum_r G_r in the root, 0 elsewhere.
Tensor broadcast(const Tensor& x, int root, ProcessGroup& group) {
  const Tensor y = x.detach().contiguous().clone();
  group.broadcast(y, root).wait();
  return record("BroadcastBackward", y, {x}, saving(), [root, &group](const Backward& b) {
    Tensor sum = all_reduce(b.grad(), ReduceOp::SUM, group);
    if (group.getRank() == root) return sum;
    return sum.masked_fill(full({}, true, kBool), 0);  // in the graph as the root's is, whatever the sum
  });
}

}  // namespace wengert::distributed
