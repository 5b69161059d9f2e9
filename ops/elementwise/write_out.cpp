#include <wengert/autograd/base/profiling.h>
#include <wengert/autograd/tape/history.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/elementwise/write_out.h>

namespace wengert::ops {
namespace {

void check_nothing_is_recorded(const char* op, const Tensor& out, TensorList inputs) {
  if (GradMode::is_enabled()) {
    bool requires_grad = out.requires_grad();
    for (const Tensor& input : inputs) requires_grad |= input.requires_grad();
    check(!requires_grad,
          "{}(): functions with out=... arguments don't support automatic differentiation, but one of the arguments "
          "requires grad. (docs/errors/out-with-grad.md)",
          op);
  }
  autograd::check_not_frozen(out);
}

// Whether a result may be written to `out` while the input is read.
bool may_be_read(const Tensor& input, const Tensor& out, Writes writes) {
  if (!out.is_alias_of(input)) return true;
  return writes == Writes::kElementwise && input.sizes() == out.sizes() && input.strides() == out.strides() &&
         input.storage_offset() == out.storage_offset();
}

Tensor& take(Tensor& out, const Tensor& made) {
  check_can_cast(made.dtype(), out.dtype());
  if (made.sizes() == out.sizes()) return out.copy_(made);
  out.set_data(made.to(out.dtype()));
  return autograd::end_in_place(out);
}

}  // namespace

Tensor& write_out(const char* op, Tensor& out, TensorList inputs, IntArrayRef sizes, ScalarType dtype, Writes writes,
                  const std::function<void(const Tensor& to)>& write) {
  check_nothing_is_recorded(op, out, inputs);
  const NoGradGuard no_grad;
  bool fits = out.sizes() == sizes && out.dtype() == dtype && !out.is_sparse() &&
              (writes == Writes::kElementwise || out.is_contiguous());
  for (const Tensor& input : inputs) fits = fits && may_be_read(input, out, writes);
  if (!fits) {
    const Tensor made = empty(sizes, dtype);
    write(made);
    profiling::done(op);
    return take(out, made);
  }
  check_writable(out);
  profiling::begins();
  write(out);
  profiling::done(op);
  return autograd::end_in_place(out);
}

Tensor& write_out(const char* op, Tensor& out, TensorList inputs, const std::function<Tensor()>& result) {
  check_nothing_is_recorded(op, out, inputs);
  const NoGradGuard no_grad;
  return take(out, result());
}

}  // namespace wengert::ops
