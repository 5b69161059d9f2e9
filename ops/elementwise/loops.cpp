#include <wengert/ops/elementwise/loops.h>

namespace wengert::ops {
namespace {

template <size_t N, class... Tensors>
kernels::StridedLoop<N> make_loop(const Tensor& out, const Tensors&... inputs) {
  const std::array<Dims, N - 1> strides{expanded_strides(inputs.sizes(), inputs.strides(), out.sizes())...};
  std::array<std::span<const int64_t>, N> spans{span_of(out.strides())};
  for (size_t i = 1; i < N; ++i) spans[i] = span_of(strides[i - 1]);
  return {span_of(out.sizes()), spans};
}

}  // namespace

kernels::StridedLoop<2> strided_loop_over(const Tensor& out, const Tensor& a) { return make_loop<2>(out, a); }
kernels::StridedLoop<3> strided_loop_over(const Tensor& out, const Tensor& a, const Tensor& b) {
  return make_loop<3>(out, a, b);
}
kernels::StridedLoop<4> strided_loop_over(const Tensor& out, const Tensor& a, const Tensor& b, const Tensor& c) {
  return make_loop<4>(out, a, b, c);
}

Tensor empty_laid_out_as(const Tensor& x, ScalarType dtype) {
  return is_non_overlapping_and_dense(x.sizes(), x.strides()) ? empty_strided(x.sizes(), x.strides(), dtype)
                                                              : empty(x.sizes(), dtype);
}
Tensor empty_broadcast(autograd::TensorRefs operands, ScalarType dtype) {
  Dims shape;
  for (const Tensor& x : operands) shape = broadcast_shapes(shape, x.sizes());
  for (const Tensor& x : operands) {
    if (x.sizes() == IntArrayRef(shape)) return empty_as(x, dtype);
  }
  return empty(shape, dtype);
}

bool is_one_number(const Tensor& x) {
  if (x.numel() == 1) return true;
  for (const int64_t stride : x.strides()) {
    if (stride != 0) return false;
  }
  return true;
}

void check_can_cast(ScalarType result, ScalarType to) {
  check(canCast(result, to), "result type {} can't be cast to the desired output type {}", result, to);
}

void check_writable(const Tensor& self) {
  if (self.numel() == 0) return;
  for (int64_t d = 0; d < self.dim(); ++d) {
    check(self.stride(d) != 0 || self.size(d) <= 1,
          "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
          "Please clone() the tensor before performing the operation.");
  }
}

void check_no_overlap(const Tensor& self, const Tensor& other) {
  if (!self.is_same(other) && (self.numel() == 0 || other.numel() == 0 || !self.is_alias_of(other))) return;
  const auto end = [](const Tensor& x) {
    int64_t last = x.storage_offset();
    for (int64_t d = 0; d < x.dim(); ++d) last += (x.size(d) - 1) * x.stride(d);
    return last + 1;
  };
  check(!self.is_same(other) && (end(self) <= other.storage_offset() || end(other) <= self.storage_offset()),
        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
        "location. Please clone() the tensor before performing the operation.");
}

void check_writable(const Tensor& self, const Tensor& other) {
  // Nearly always.
  if (self.is_contiguous() && self.sizes() == other.sizes() && !self.is_alias_of(other)) return;
  const Dims shape = broadcast_shapes(self.sizes(), other.sizes());
  check(IntArrayRef(shape) == self.sizes(), "output with shape {} doesn't match the broadcast shape {}", self.sizes(),
        IntArrayRef(shape));
  check_writable(self);
  if (self.is_same(other) || self.numel() == 0 || !self.is_alias_of(other)) return;
  if (!is_non_overlapping_and_dense(self.sizes(), self.strides()) ||
      !is_non_overlapping_and_dense(other.sizes(), other.strides())) {
    return;  // too hard to tell
  }
  const int64_t begin = self.storage_offset(), end = begin + self.numel();
  const int64_t other_begin = other.storage_offset(), other_end = other_begin + other.numel();
  const bool same = begin == other_begin && end == other_end && self.strides() == other.strides();
  check(same || end <= other_begin || other_end <= begin,
        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
        "location. Please clone() the tensor before performing the operation.");
}

}  // namespace wengert::ops
