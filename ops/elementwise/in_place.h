#pragma once

#include <wengert/autograd/base/check.h>
#include <wengert/autograd/tape/history.h>
#include <wengert/ops/promotion.h>

namespace wengert::ops {

/// self <- f(self), for an operation that is written out of place: the in-place form of everything that would gain
/// nothing from one of its own. What f saves for its gradient is a copy, which the change does not touch.
template <class F>
Tensor& replace(const Tensor& self, const F& f) {
  if (GradMode::is_enabled() && self.requires_grad()) autograd::check_in_place(self);
  const Tensor result = f(GradMode::is_enabled() ? self.clone() : self);
  check(result.sizes() == self.sizes(), "output with shape {} doesn't match the broadcast shape {}", self.sizes(),
        result.sizes());
  check(canCast(result.dtype(), self.dtype()), "result type {} can't be cast to the desired output type {}",
        result.dtype(), self.dtype());
  return self.copy_(result);
}

}  // namespace wengert::ops
