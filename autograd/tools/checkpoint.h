#pragma once

#include <wengert/autograd/tape/node.h>

namespace wengert::autograd {

using CheckpointFunction = std::function<variable_list(const variable_list&)>;

/// fn(inputs), without keeping what its graph would save: the backward runs fn again and goes through the graph of
/// that. Costs a second forward pass, and the memory is that of the inputs alone.
/// fn: must compute the same again. It may use tensors other than the inputs; where those require grad, their grad()
/// gets its part from backward(), but grad() does not see them.
/// preserve_rng_state: the second run draws the same random numbers as the first.
/// Inputs may be undefined. create_graph is refused when the backward comes here.
/// (Chen et al., Training deep nets with sublinear memory cost, arXiv:1604.06174.)
variable_list checkpoint(const CheckpointFunction& fn, const variable_list& inputs, bool preserve_rng_state = true);
/// For functions of one result.
Tensor checkpoint(const std::function<Tensor(const variable_list&)>& fn, const variable_list& inputs,
                  bool preserve_rng_state = true);

}  // namespace wengert::autograd
