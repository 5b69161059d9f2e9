#include <wengert/ops/promotion.h>

namespace wengert {
namespace {

ScalarType raise(ScalarType higher_rank, ScalarType lower_rank) {
  if (isFloatingType(higher_rank)) return higher_rank;
  if (higher_rank == kBool || isFloatingType(lower_rank)) return promoteTypes(higher_rank, lower_rank);
  return higher_rank;
}

}  // namespace

ScalarType promoted_type(const Tensor& a, const Tensor& b) {
  if ((a.dim() == 0) == (b.dim() == 0)) return promoteTypes(a.dtype(), b.dtype());
  return a.dim() > 0 ? raise(a.dtype(), b.dtype()) : raise(b.dtype(), a.dtype());
}

ScalarType result_type(const Tensor& a, const Tensor& b, const Tensor& c) {
  // Those with dimensions among themselves first.
  ScalarType with_dims = kBool, without_dims = kBool;
  for (const Tensor* x : {&a, &b, &c}) {
    ScalarType& rank = x->dim() > 0 ? with_dims : without_dims;
    rank = promoteTypes(rank, x->dtype());
  }
  return a.dim() + b.dim() + c.dim() > 0 ? raise(with_dims, without_dims) : without_dims;
}

ScalarType promoted_type(const Tensor& a, Scalar b) {
  return raise(a.dtype(), b.isFloatingPoint() ? get_default_dtype() : b.type());
}

}  // namespace wengert
