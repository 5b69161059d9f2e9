#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/autograd/tape/history.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/ops/elementwise/loops.h>
#include <wengert/ops/elementwise/write_out.h>
#include <wengert/ops/kernels/gemm.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/out.h>

namespace wengert {
namespace ops {
namespace {

void check_same_dtype(const Tensor& a, const Tensor& b) {
  check(a.dtype() == b.dtype(), "expected scalar type {} but found {}", a.dtype(), b.dtype());
}

void check_matrices(const Tensor& a, const Tensor& b) {
  check(a.dim() == 2, "self must be a matrix");
  check(b.dim() == 2, "mat2 must be a matrix");
  check(a.sizes()[1] == b.sizes()[0], "mat1 and mat2 shapes cannot be multiplied ({}x{} and {}x{})", a.sizes()[0],
        a.sizes()[1], b.sizes()[0], b.sizes()[1]);
  check_same_dtype(a, b);
}

void check_batches(const Tensor& a, const Tensor& b) {
  check(a.dim() == 3, "batch1 must be a 3D tensor");
  check(b.dim() == 3, "batch2 must be a 3D tensor");
  check(a.size(0) == b.size(0) && a.size(2) == b.size(1),
        "Expected size for first two dimensions of batch2 tensor to be: [{}, {}] but got: [{}, {}].", a.size(0),
        a.size(2), b.size(0), b.size(1));
  check_same_dtype(a, b);
}

// A matrix, or a batch of them, perhaps to be read with its last two dimensions exchanged. For as long as the tensor
// lives that it was made from.
struct Operand {
  Operand(const Tensor& matrices, bool transposed = false)  // NOLINT: an operand as it is
      : matrices(matrices), transposed(transposed) {}

  int64_t rows() const { return size(transposed ? 1 : 2); }
  int64_t columns() const { return size(transposed ? 2 : 1); }
  template <class T>
  [[gnu::always_inline]] kernels::Matrix<T> first() const {
    return {elements<T>(matrices), stride(transposed ? 1 : 2), stride(transposed ? 2 : 1)};
  }
  // As a view, which is recorded.
  Tensor view() const { return transposed ? matrices.transpose(-2, -1) : matrices; }

  const Tensor& matrices;
  bool transposed;

 private:
  int64_t size(size_t from_end) const { return matrices.sizes()[matrices.sizes().size() - from_end]; }
  int64_t stride(size_t from_end) const { return matrices.strides()[matrices.strides().size() - from_end]; }
};

// A B for each pair in a batch, or for two matrices, in a new tensor or `into` one without gaps; `shape` is what the
// result's elements are seen as.
Tensor multiply(const Operand& a, const Operand& b, const char* op, IntArrayRef shape, const Tensor* into = nullptr) {
  const int64_t batches = shape.size() == 3 ? shape[0] : 1;
  const int64_t n = a.rows(), k = a.columns(), m = b.columns();
  Tensor out = into == nullptr ? empty(shape, a.matrices.dtype()) : *into;
  if (out.numel() == 0) return out;
  if (k == 0) {  // of whatever dtype
    autograd::fill_elements(out, 0);
    return out;
  }
  dispatch_numbers(a.matrices.dtype(), op, [&]<class T>() {
    kernels::Matrix<T> x = a.first<T>(), y = b.first<T>();
    T* product = elements<T>(out);
    for (int64_t s = 0; s < batches; ++s) {
      if (s > 0) {
        x.data += a.matrices.strides()[0];
        y.data += b.matrices.strides()[0];
        product += n * m;
      }
      kernels::gemm(n, m, k, x, y, product);
    }
  });
  return out;
}

// The product of gradients' formulas: with views where it is recorded, and without making them where it is not.
Tensor product(const Operand& a, const Operand& b) {
  if (GradMode::is_enabled()) return matmul(a.view(), b.view());
  if (a.matrices.dim() == 2) return unrecorded("mm", multiply(a, b, "mm", {a.rows(), b.columns()}));
  return unrecorded("bmm", multiply(a, b, "bmm", {a.matrices.sizes()[0], a.rows(), b.columns()}));
}

Operand transposed(const Tensor& matrices) { return {matrices, true}; }

// C = A B, for two matrices or for each pair in a batch.   VJP, for G = dL/dC:   dA = G Bᵀ,   dB = Aᵀ G.
Tensor record_product(const char* name, Tensor out, const Tensor& a, const Tensor& b) {
  return record(
      name, std::move(out), {a, b}, saving(ToSave(a).for_gradients_of(b), ToSave(b).for_gradients_of(a)),
      [](const Backward& c) { return product(c.grad(), transposed(c.saved(1))); },
      [](const Backward& c) { return product(transposed(c.saved(0)), c.grad()); });
}

// Products of matrices in the last two dimensions, all others broadcast. Done as one bmm.
Tensor batched_matmul(const Tensor& a, const Tensor& b) {
  const auto batch_sizes = [](const Tensor& x) {
    return x.dim() > 2 ? x.sizes().slice(0, x.sizes().size() - 2) : IntArrayRef();
  };
  const Dims batch = broadcast_shapes(batch_sizes(a), batch_sizes(b));
  const auto as_batch = [&](const Tensor& x) {
    Dims shape = batch;
    shape.push_back(x.size(-2));
    shape.push_back(x.size(-1));
    return x.expand(shape).reshape({numel_of(batch), x.size(-2), x.size(-1)});
  };
  Dims shape = batch;
  shape.push_back(a.size(-2));
  shape.push_back(b.size(-1));
  return own_tensor(bmm(as_batch(a), as_batch(b)).view(shape));
}

}  // namespace
}  // namespace ops

using namespace ops;

// C = A B.   Shapes: A (n, k), B (k, m) -> (n, m).
Tensor mm(const Tensor& a, const Tensor& b) {
  check_matrices(a, b);
  return record_product("MmBackward0", multiply(a, b, "addmm_impl_cpu_", {a.sizes()[0], b.sizes()[1]}), a, b);
}
Tensor& mm_out(Tensor& out, const Tensor& a, const Tensor& b) {
  check_matrices(a, b);
  return write_out("mm", out, {a, b}, {a.sizes()[0], b.sizes()[1]}, a.dtype(), Writes::kInAnyOrder,
                   [&](const Tensor& to) { multiply(a, b, "addmm_impl_cpu_", to.sizes(), &to); });
}

// C_s = A_s B_s for each s.   Shapes: A (s, n, k), B (s, k, m) -> (s, n, m).
Tensor bmm(const Tensor& a, const Tensor& b) {
  check_batches(a, b);
  return record_product("BmmBackward0", multiply(a, b, "bmm", {a.size(0), a.size(1), b.size(2)}), a, b);
}
Tensor& bmm_out(Tensor& out, const Tensor& a, const Tensor& b) {
  check_batches(a, b);
  return write_out("bmm", out, {a, b}, {a.size(0), a.size(1), b.size(2)}, a.dtype(), Writes::kInAnyOrder,
                   [&](const Tensor& to) { multiply(a, b, "bmm", to.sizes(), &to); });
}

// y = A x.   Shapes: A (n, k), x (k) -> (n).   VJP, for G = dL/dy (n):   dA = G xᵀ,   dx = Aᵀ G.
Tensor mv(const Tensor& a, const Tensor& x) {
  check(a.dim() == 2 && x.dim() == 1, "vector + matrix @ vector expected, got 1, {}, {}", a.dim(), x.dim());
  check(a.size(1) == x.size(0), "size mismatch, got {}, {}x{},{}", a.size(0), a.size(0), a.size(1), x.size(0));
  check_same_dtype(a, x);
  return record(
      "MvBackward0", multiply(a, x.detach().unsqueeze(1), "mv", {a.size(0)}), {a, x},
      saving(ToSave(a).for_gradients_of(x), ToSave(x).for_gradients_of(a)),
      [](const Backward& c) { return c.grad().unsqueeze(1) * c.saved(1); },
      [](const Backward& c) { return mv(c.saved(0).t(), c.grad()); });
}

// s = x · y.   VJP, for the scalar G = dL/ds:   dx = G y,   dy = G x.
Tensor dot(const Tensor& x, const Tensor& y) {
  check(x.dim() == 1 && y.dim() == 1, "1D tensors expected, but got {}D and {}D tensors", x.dim(), y.dim());
  check(x.dtype() == y.dtype(), "dot : expected both vectors to have same dtype, but found {} and {}", x.dtype(),
        y.dtype());
  check(x.numel() == y.numel(),
        "inconsistent tensor size, expected tensor [{}] and src [{}] to have the same number of elements, but got {} "
        "and {} elements respectively",
        x.numel(), y.numel(), x.numel(), y.numel());
  check(x.dtype() != kBool, "\"dot\" not implemented for 'Bool'");
  Tensor s;
  {
    const NoGradGuard no_grad;
    s = sum(x * y);
  }
  return record(
      "DotBackward0", s, {x, y}, saving(ToSave(x).for_gradients_of(y), ToSave(y).for_gradients_of(x)),
      [](const Backward& c) { return c.grad() * c.saved(1); }, [](const Backward& c) { return c.grad() * c.saved(0); });
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  check(a.dim() > 0 && b.dim() > 0, "both arguments to matmul need to be at least 1D, but they are {}D and {}D",
        a.dim(), b.dim());
  if (a.dim() == 1 && b.dim() == 1) return dot(a, b);
  if (a.dim() == 2 && b.dim() == 1) return mv(a, b);
  if (a.dim() == 1 && b.dim() == 2) return own_tensor(mm(a.unsqueeze(0), b).squeeze(0));
  if (a.dim() == 2 && b.dim() == 2) return mm(a, b);
  if (a.dim() == 1) return own_tensor(matmul(a.unsqueeze(0), b).squeeze(-2));
  if (b.dim() == 1) return own_tensor(matmul(a, b.unsqueeze(1)).squeeze(-1));
  if (b.dim() == 2) {
    // One large product instead of many: the rows of all matrices under one another.
    check(a.size(-1) == b.size(0), "mat1 and mat2 shapes cannot be multiplied ({}x{} and {}x{})",
          a.numel() / std::max<int64_t>(1, a.size(-1)), a.size(-1), b.size(0), b.size(1));
    Dims shape(a.sizes());
    shape.back() = b.size(1);
    const Dims batch(a.sizes().slice(0, a.sizes().size() - 1));
    return own_tensor(mm(a.reshape({numel_of(batch), a.size(-1)}), b).view(shape));
  }
  return batched_matmul(a, b);
}

Tensor& matmul_out(Tensor& out, const Tensor& a, const Tensor& b) {
  if (a.dim() == 2 && b.dim() == 2) return mm_out(out, a, b);
  return write_out("matmul", out, {a, b}, [&] { return matmul(a, b); });
}

}  // namespace wengert
