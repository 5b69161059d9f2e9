#pragma once

#include <wengert/ops/distributed/process_group.h>

namespace wengert::distributed {

// Operations on the tape between processes. All have to call them in the same order, and to record them alike: if the
// argument requires grad in one process, then in all. A backward that passes such an operation's Node passes it in all
// processes, which the walk by levels brings about where their graphs are the same.

/// y = the sum over all processes of their x, in each of them; or the mean (AVG). Shapes: any, the same everywhere ->
/// the same. Throws for PRODUCT, MIN and MAX of a tensor that requires grad.
Tensor all_reduce(const Tensor& x, ReduceOp op = ReduceOp::SUM, ProcessGroup& group = ProcessGroup::world());

/// y = the x of all processes, in the order of their ranks, along dimension 0. Shapes: (n_r, ...) in rank r -> (sum
/// n_r, ...).
Tensor all_gather(const Tensor& x, ProcessGroup& group = ProcessGroup::world());

/// y = the rows of the sum over all processes that fall to this one: equal shares, unless `rows` says how many each
/// gets. Shapes: (n, ...), the same everywhere -> (n / P, ...). Throws where n can't be shared equally.
Tensor reduce_scatter(const Tensor& x, const std::vector<int64_t>& rows = {},
                      ProcessGroup& group = ProcessGroup::world());

/// y = the root's x. Shapes: any, the same everywhere -> the same.
Tensor broadcast(const Tensor& x, int root = 0, ProcessGroup& group = ProcessGroup::world());

}  // namespace wengert::distributed
