#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/tape/history.h>
#include <wengert/ops/out.h>

namespace wengert::ops {

Tensor& write_out(const char* op, Tensor& out, TensorList inputs, const std::function<Tensor()>& result) {
  if (GradMode::is_enabled()) {
    bool requires_grad = out.requires_grad();
    for (const Tensor& input : inputs) requires_grad |= input.requires_grad();
    check(!requires_grad,
          "{}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
          "requires grad.",
          op);
  }
  autograd::check_not_frozen(out);
  const NoGradGuard no_grad;
  const Tensor made = result();
  check(canCast(made.dtype(), out.dtype()), "result type {} can't be cast to the desired output type {}", made.dtype(),
        out.dtype());
  if (made.sizes() == out.sizes()) return out.copy_(made);
  out.set_data(made.to(out.dtype()));
  return autograd::end_in_place(out, nullptr);
}

}  // namespace wengert::ops
