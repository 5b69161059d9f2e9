#include <wengert/autograd/base/check.h>
#include <wengert/autograd/base/dispatch.h>
#include <wengert/autograd/tape/formula.h>
#include <wengert/ops/kernels/lapack.h>
#include <wengert/ops/kernels/with_count.h>
#include <wengert/ops/linalg.h>
#include <wengert/ops/ops.h>
#include <wengert/ops/reductions/reduction.h>

#include <algorithm>
#include <cmath>

// Solving and factorizing matrices, through LAPACK; G = dL/dy. Every operation takes batches: all dimensions but the
// last two. The formulas are those of Giles (An extended collection of matrix derivative results, 2008), Murray
// (arXiv:1602.07527, Cholesky), Townsend (Differentiating the SVD, 2016) and Walter and Lehmann (Algorithmic
// differentiation of linear algebra functions, 2010: QR); Aᵀ is A.mT.

namespace wengert::ops {
namespace {

// The matrix that an error is about. It is put into words when there is one.
struct BatchName {
  bool is_batch;
  int64_t s;
};

}  // namespace
}  // namespace wengert::ops

template <>
struct fmt::formatter<wengert::ops::BatchName> : fmt::formatter<std::string_view> {
  auto format(const wengert::ops::BatchName& name, format_context& context) const {
    return name.is_batch ? fmt::format_to(context.out(), "(Batch element {}): ", name.s) : context.out();
  }
};

namespace wengert {
namespace ops {
namespace {

void check_matrices(const Tensor& a, const char* op) {
  check(isFloatingType(a.dtype()), "{}: Expected a floating point or complex tensor as input. Got {}", op, a.dtype());
  check(a.dim() >= 2, "{}: The input tensor A must have at least 2 dimensions.", op);
}

void check_square(const Tensor& a, const char* op) {
  check_matrices(a, op);
  check(a.size(-1) == a.size(-2), "{}: A must be batches of square matrices, but they are {} by {} matrices", op,
        a.size(-2), a.size(-1));
}

// (*, n) -> (*, n, n), with x on the diagonals.
Tensor diagonal_matrix(const Tensor& x) {
  return where(eye(x.size(-1), kBool), x.unsqueeze(-1), zeros({}, x.options()));
}

Tensor transposed(const Tensor& a) { return a.transpose(-2, -1); }

// A new tensor of a's batches of (rows, columns) matrices, each column-major: what LAPACK reads and writes.
Tensor column_major(const Tensor& a, int64_t rows, int64_t columns) {
  Dims shape(a.sizes());
  shape[shape.size() - 2] = columns;
  shape[shape.size() - 1] = rows;
  return transposed(empty(shape, a.options()));
}

// A copy in that layout, without history.
Tensor column_major_copy(const Tensor& a) {
  Tensor copy = column_major(a, a.size(-2), a.size(-1));
  constexpr int64_t kSmall = 16;
  const int64_t rows = a.size(-2), columns = a.size(-1);
  if (!a.is_contiguous() || rows > kSmall || columns > kSmall) {
    copy.copy_(a.detach());
    return copy;
  }
  dispatch_floating(a.dtype(), "linalg", [&]<class T>() {
    const T* from = a.data_ptr<T>();
    T* to = copy.data_ptr<T>();
    const int64_t count = a.numel();
    kernels::with_count(columns, [=](auto n) {
      for (int64_t matrix = 0; matrix < count; matrix += rows * n) {
        for (int64_t i = 0; i < rows; ++i) {
          for (int64_t j = 0; j < n; ++j) to[matrix + j * rows + i] = from[matrix + i * n + j];
        }
      }
    });
  });
  return copy;
}

// A new tensor of a's batches of vectors.
Tensor vectors(const Tensor& a, int64_t length) {
  Dims shape(a.sizes());
  shape.pop_back();
  shape.back() = length;
  return empty(shape, a.options());
}

int64_t batches_of(const Tensor& a) {
  const int64_t matrix = a.size(-1) * a.size(-2);
  return matrix == 0 ? 0 : a.numel() / matrix;
}

// The part of a factorization's tensor that belongs to batch s.
template <class T>
T* part(const Tensor& x, int64_t s, int64_t elements) {
  return x.data_ptr<T>() + s * elements;
}

BatchName batch_name(const Tensor& a, int64_t s) { return {a.dim() > 2, s}; }

// X = A⁻¹ B for matrices B.
Tensor compute_solve(const Tensor& a, const Tensor& b, const char* op) {
  const NoGradGuard no_grad;
  const bool inverts = std::string_view(op) == "linalg.inv";
  const Tensor factors = column_major_copy(a);
  Tensor x = column_major_copy(b);
  const int64_t n = a.size(-1), m = b.size(-1);
  dispatch_floating(a.dtype(), op, [&]<class T>() {
    kernels::Workspace<T> workspace;
    for (int64_t s = 0, batches = batches_of(a); s < batches; ++s) {
      const int info = kernels::lapack_solve(n, m, part<T>(factors, s, n * n), part<T>(x, s, n * m), workspace);
      check(info == 0 || !inverts,
            "{}: {}The diagonal element {} is zero, the inversion could not be completed because the input matrix is "
            "singular.",
            op, batch_name(a, s), info);
      check(info == 0, "{}: {}The solver failed because the input matrix is singular.", op, batch_name(a, s));
    }
  });
  return x;
}

Tensor identity_like(const Tensor& a) { return eye(a.size(-1), a.options()).expand(a.sizes()); }

// The lower triangle with half the diagonal: the derivative of a Cholesky factor's triangle.
Tensor lower_half(const Tensor& x) {
  const Tensor lower = tril(x);
  return lower - diagonal_matrix(diagonal(lower, 0, -2, -1) / 2);
}

// Calls use(s, lu, odd) for each matrix of a: P A = L U, U's diagonal at every (n + 1)st of lu, and whether P is odd.
template <class Use>
void for_each_lu(const Tensor& a, const char* op, const Use& use) {
  const NoGradGuard no_grad;
  const Tensor factors = column_major_copy(a);
  const int64_t n = a.size(-1);
  std::vector<int> swaps(static_cast<size_t>(n));
  dispatch_floating(a.dtype(), op, [&]<class T>() {
    for (int64_t s = 0, batches = batches_of(a); s < batches; ++s) {
      T* lu = part<T>(factors, s, n * n);
      kernels::lapack_lu(n, lu, swaps.data());
      bool odd = false;
      for (int i = 0; i < n; ++i) odd ^= swaps[static_cast<size_t>(i)] != i + 1;
      use(s, static_cast<const T*>(lu), odd);
    }
  });
}

// a's batches, each with one number.
Dims batch_shape(const Tensor& a) {
  Dims shape(a.sizes());
  shape.pop_back();
  shape.pop_back();
  return shape;
}

Tensor compute_det(const Tensor& a) {
  Tensor y = ones(batch_shape(a), a.options());
  for_each_lu(a, "linalg.det", [&, n = a.size(-1)]<class T>(int64_t s, const T* lu, bool odd) {
    T product = odd ? T(-1) : T(1);
    for (int64_t i = 0; i < n; ++i) product *= lu[i * (n + 1)];
    *part<T>(y, s, 1) = product;
  });
  return y;
}

// The sign of the determinant and the logarithm of its size.
std::pair<Tensor, Tensor> compute_slogdet(const Tensor& a) {
  const Tensor sign = ones(batch_shape(a), a.options()), log_size = zeros(batch_shape(a), a.options());
  for_each_lu(a, "linalg.slogdet", [&, n = a.size(-1)]<class T>(int64_t s, const T* lu, bool odd) {
    T signed_one = odd ? T(-1) : T(1), sum = 0;
    for (int64_t i = 0; i < n; ++i) {
      const T pivot = lu[i * (n + 1)];
      signed_one = pivot == 0 ? T(0) : pivot < 0 ? -signed_one : signed_one;
      sum += std::log(std::abs(pivot));
    }
    *part<T>(sign, s, 1) = signed_one;
    *part<T>(log_size, s, 1) = sum;
  });
  return {sign, log_size};
}

// adj(A)ᵀ, the matrix of A's cofactors, also where A is singular: with A = U diag(s) Vᵀ it is
// det(U) det(V) U diag(prod_{j != i} s_j) Vᵀ.
Tensor transposed_adjugate(const Tensor& a) {
  const auto [u, s, vt] = linalg_svd(a, false);
  const int64_t n = a.size(-1);
  Dims square(s.sizes());
  square.push_back(n);
  const Tensor others = s.unsqueeze(-2).expand(square).masked_fill(eye(n, s.options()) == 1, 1).prod(-1);
  const Tensor orientation = (compute_slogdet(u).first * compute_slogdet(vt).first).unsqueeze(-1).unsqueeze(-1);
  return orientation * matmul(u * others.unsqueeze(-2), vt);
}

Tensor gradient_of_log_size(const Tensor& g, const Tensor& a) {
  return g.unsqueeze(-1).unsqueeze(-1) * transposed(linalg_inv(a));
}

// x_ij / (e_j - e_i), and 0 on the diagonal.
Tensor over_differences(const Tensor& x, const Tensor& e) {
  const Tensor differences = e.unsqueeze(-2) - e.unsqueeze(-1);
  const Tensor on_diagonal = eye(e.size(-1), kBool);
  return where(on_diagonal, 0, x / where(on_diagonal, 1, differences));
}

Tensor columns_scaled(const Tensor& x, const Tensor& by) { return x * by.unsqueeze(-2); }

Tensor add_defined(const Tensor& a, const Tensor& b) { return a.defined() ? (b.defined() ? a + b : a) : b; }

// dA of A = U diag(s) Vᵀ.  With X = Uᵀ dU - dUᵀ U and Y = Vᵀ dV - dVᵀ V, both over (s_j² - s_i²):
//     U (X diag(s) + diag(s) Y + diag(ds)) Vᵀ, and where U or V is no square matrix, what of dU and dV
//     lies outside their columns' space.
Tensor gradient_of_svd(const Tensor& du, const Tensor& ds, const Tensor& dvh, const Tensor& u, const Tensor& s,
                       const Tensor& vh) {
  const Tensor v = transposed(vh);
  const auto skew = [](const Tensor& x) { return x - transposed(x); };
  Tensor inner;
  if (ds.defined()) inner = diagonal_matrix(ds);
  if (du.defined()) {
    inner = add_defined(inner, columns_scaled(over_differences(skew(matmul(transposed(u), du)), s * s), s));
  }
  const Tensor dv = dvh.defined() ? transposed(dvh) : dvh;
  if (dv.defined()) {
    inner = add_defined(inner, s.unsqueeze(-1) * over_differences(skew(matmul(transposed(v), dv)), s * s));
  }
  Tensor da = matmul(u, matmul(inner, vh));
  if (du.defined() && u.size(-2) > u.size(-1)) {
    const Tensor outside = columns_scaled(du - matmul(u, matmul(transposed(u), du)), 1 / s);
    da = da + matmul(outside, vh);
  }
  if (dv.defined() && v.size(-2) > v.size(-1)) {
    const Tensor outside = columns_scaled(dv - matmul(v, matmul(transposed(v), dv)), 1 / s);
    da = da + matmul(u, transposed(outside));
  }
  return da;
}

// X = A⁻¹ B for upper triangular A.
Tensor solve_upper(const Tensor& a, const Tensor& b) {
  if (autograd::must_record({a, b})) return linalg_solve(a, b);
  const Tensor factors = column_major_copy(a);
  Tensor x = column_major_copy(b);
  const int64_t n = a.size(-1), m = b.size(-1);
  dispatch_floating(a.dtype(), "linalg.solve", [&]<class T>() {
    for (int64_t s = 0, batches = batches_of(a); s < batches; ++s) {
      kernels::lapack_solve_upper(n, m, part<T>(factors, s, n * n), part<T>(x, s, n * m));
    }
  });
  return x;
}

// dA of A = Q R, R square: (dQ + Q S) R⁻ᵀ, with S the symmetric matrix whose upper triangle is that of
// dR Rᵀ - Qᵀ dQ.
Tensor gradient_of_square_qr(const Tensor& dq, const Tensor& dr, const Tensor& q, const Tensor& r) {
  Tensor m = matmul(dr, transposed(r)) - matmul(transposed(q), dq);
  const Tensor upper = triu(m);
  const Tensor symmetric = upper + transposed(upper) - diagonal_matrix(diagonal(upper, 0, -2, -1));
  return transposed(solve_upper(r, transposed(dq + matmul(q, symmetric))));
}

// dA of A = Q R for any shape. Where A has more columns than rows, A = [X Y], R = [U W]: X = Q U, and Y = Q W adds
// dQ = Y dWᵀ and dY = Q dW.
Tensor gradient_of_qr(const Tensor& dq, const Tensor& dr, const Tensor& a, const Tensor& q, const Tensor& r) {
  const int64_t n = a.size(-2), m = a.size(-1);
  if (n >= m) return gradient_of_square_qr(dq, dr, q, r);
  const Tensor dw = dr.narrow(-1, n, m - n), y = a.narrow(-1, n, m - n);
  const Tensor dx = gradient_of_square_qr(dq + matmul(y, transposed(dw)), dr.narrow(-1, 0, n), q, r.narrow(-1, 0, n));
  return cat({dx, matmul(q, dw)}, -1);
}

}  // namespace
}  // namespace ops

using namespace ops;

// X = A⁻¹ B.   VJP:   dB = A⁻ᵀ G,   dA = -dB Xᵀ.
Tensor linalg_solve(const Tensor& a, const Tensor& b_in) {
  check_square(a, "linalg.solve");
  check(a.dtype() == b_in.dtype(),
        "linalg.solve: Expected A and B to have the same dtype, but found A of type {} and "
        "B of type {} instead",
        a.dtype(), b_in.dtype());
  // A vector, or a batch of them, is one column.
  const bool vector =
      b_in.dim() == 1 || (a.dim() - 1 == b_in.dim() && b_in.sizes() == a.sizes().slice(0, a.sizes().size() - 1));
  const Tensor b = vector ? b_in.unsqueeze(-1) : b_in;
  check(b.dim() >= 2 && b.size(-2) == a.size(-1),
        "linalg.solve: Incompatible shapes of A and B for the equation AX = B ({}x{} and {}x{})", a.size(-2),
        a.size(-1), b.dim() >= 2 ? b.size(-2) : b.numel(), b.size(-1));
  const auto batch = [](const Tensor& x) { return x.sizes().slice(0, x.sizes().size() - 2); };
  const Dims batches = broadcast_shapes(batch(a), batch(b));
  const auto expanded = [&](const Tensor& x) {
    Dims shape = batches;
    shape.push_back(x.size(-2));
    shape.push_back(x.size(-1));
    return x.expand(shape);
  };
  const Tensor wide_a = expanded(a), wide_b = expanded(b);
  Tensor x = compute_solve(wide_a, wide_b, "linalg.solve");
  x = record("LinalgSolveExBackward0", x, {wide_a, wide_b}, saving(wide_a, ToSave::output(x)),
             [](const Backward& c) -> Gradients {
               const Tensor db = linalg_solve(transposed(c.saved(0)), c.grad());
               return {c.needs(0) ? -matmul(db, transposed(c.saved(1))) : Tensor(), db};
             });
  return vector ? x.squeeze(-1) : x;
}

// Y = A⁻¹.   VJP:   dA = -Yᵀ G Yᵀ.
Tensor linalg_inv(const Tensor& a) {
  check_square(a, "linalg.inv");
  const Tensor y = compute_solve(a, identity_like(a), "linalg.inv");
  return record("LinalgInvExBackward0", y, {a}, saving(ToSave::output(y)), [](const Backward& c) -> Gradients {
    const Tensor yt = transposed(c.saved(0));
    return {-matmul(yt, matmul(c.grad(), yt))};
  });
}
Tensor inverse(const Tensor& a) { return linalg_inv(a); }

// A = L Lᵀ.   VJP:   dA = (S + Sᵀ) / 2,   S = L⁻ᵀ H L⁻¹, H the lower half of Lᵀ G.
Tensor linalg_cholesky(const Tensor& a, bool upper) {
  check_square(a, "linalg.cholesky");
  if (upper) return transposed(linalg_cholesky(transposed(a)));
  Tensor l;
  {
    const NoGradGuard no_grad;
    l = column_major_copy(a);
    const int64_t n = a.size(-1);
    dispatch_floating(a.dtype(), "linalg.cholesky", [&]<class T>() {
      for (int64_t s = 0, batches = batches_of(a); s < batches; ++s) {
        T* factor = part<T>(l, s, n * n);
        const int info = kernels::lapack_cholesky(n, factor);
        check(info == 0,
              "linalg.cholesky: {}The factorization could not be completed because the input is not positive-definite "
              "(the leading minor of order {} is not positive-definite).",
              batch_name(a, s), info);
        for (int64_t j = 1; j < n; ++j) std::fill_n(factor + j * n, j, T(0));
      }
    });
  }
  return record("LinalgCholeskyExBackward0", l, {a}, saving(ToSave::output(l)), [](const Backward& c) -> Gradients {
    const Tensor l = c.saved(0), lt = transposed(l);
    const Tensor h = lower_half(matmul(lt, c.grad()));
    const Tensor s = transposed(solve_upper(lt, transposed(solve_upper(lt, h))));
    return {(s + transposed(s)) / 2};
  });
}
Tensor cholesky(const Tensor& a, bool upper) { return linalg_cholesky(a, upper); }

// (sign, ln |det A|).   VJP:   dA = G A⁻ᵀ of the second; the sign has none.
std::tuple<Tensor, Tensor> linalg_slogdet(const Tensor& a) {
  check_square(a, "linalg.slogdet");
  const std::pair<Tensor, Tensor> parts = compute_slogdet(a);
  Tensor sign = parts.first, log_size = parts.second;
  record_all("LinalgSlogdetBackward0", {sign, log_size}, {a}, saving(a), [](const Backward& c) -> Gradients {
    const Tensor a = c.saved(0);
    return {c.grad(1).defined() ? gradient_of_log_size(c.grad(1), a) : zeros_like(a)};
  });
  return {sign, log_size};
}
std::tuple<Tensor, Tensor> slogdet(const Tensor& a) { return linalg_slogdet(a); }

Tensor logdet(const Tensor& a) {
  check_square(a, "logdet");
  const auto [sign, log_size] = linalg_slogdet(a);
  return where(sign < 0, std::numeric_limits<double>::quiet_NaN(), log_size);
}

// y = det A.   VJP:   dA = G adj(A)ᵀ, which is G y A⁻ᵀ where A is regular.
Tensor linalg_det(const Tensor& a) {
  check_square(a, "linalg.det");
  const Tensor y = compute_det(a);
  return record("LinalgDetBackward0", y, {a}, saving(a, ToSave::output(y)), [](const Backward& c) -> Gradients {
    const Tensor a = c.saved(0), y = c.saved(1);
    if (has_zero(y)) return {c.grad().unsqueeze(-1).unsqueeze(-1) * transposed_adjugate(a)};
    return {gradient_of_log_size(c.grad() * y, a)};
  });
}
Tensor det(const Tensor& a) { return linalg_det(a); }

// The singular values of a, and into u and vh, where these are defined, its singular vectors.
Tensor compute_svd(const Tensor& a, const Tensor& u, const Tensor& vh) {
  const NoGradGuard no_grad;
  const int64_t n = a.size(-2), m = a.size(-1), k = std::min(n, m);
  const Tensor destroyed = column_major_copy(a);
  Tensor values = vectors(a, k);
  dispatch_floating(a.dtype(), "linalg.svd", [&]<class T>() {
    kernels::Workspace<T> workspace;
    for (int64_t i = 0, batches = batches_of(a); i < batches; ++i) {
      const int info =
          kernels::lapack_svd(n, m, part<T>(destroyed, i, n * m), u.defined() ? part<T>(u, i, n * k) : nullptr,
                              part<T>(values, i, k), vh.defined() ? part<T>(vh, i, k * m) : nullptr, workspace);
      check(info == 0,
            "linalg.svd: {}The algorithm failed to converge because the input matrix is ill-conditioned or has too "
            "many repeated singular values (error code: {}).",
            batch_name(a, i), info);
    }
  });
  return values;
}

// A = U diag(s) Vᵀ.   VJP, with X = (Uᵀ dU - dUᵀ U) / (s_j² - s_i²) and Y likewise of V:
// dA = U (X diag(s) + diag(s) Y + diag(ds)) Vᵀ, and more where U or V is no square matrix.
std::tuple<Tensor, Tensor, Tensor> linalg_svd(const Tensor& a, bool full_matrices) {
  check_matrices(a, "linalg.svd");
  const int64_t n = a.size(-2), m = a.size(-1), k = std::min(n, m);
  check(
      !full_matrices || n == m,
      "linalg.svd: only the thin decomposition is offered, but full_matrices=true asks for more columns of a {} by {} "
      "matrix. Pass full_matrices=false.",
      n, m);
  Tensor u, s, vh;
  {
    const NoGradGuard no_grad;
    u = column_major(a, n, k);
    vh = column_major(a, k, m);
    s = compute_svd(a, u, vh);
  }
  record_all("LinalgSvdBackward0", {u, s, vh}, {a},
             saving(ToSave::output(u, 0), ToSave::output(s, 1), ToSave::output(vh, 2)),
             [](const Backward& c) -> Gradients {
               return {gradient_of_svd(c.grad(0), c.grad(1), c.grad(2), c.saved(0), c.saved(1), c.saved(2))};
             });
  return {u, s, vh};
}

std::tuple<Tensor, Tensor, Tensor> svd(const Tensor& a, bool some, bool compute_uv) {
  check(compute_uv, "svd: compute_uv=false is not offered; use linalg_svdvals.");
  const auto [u, s, vh] = linalg_svd(a, !some);
  return {u, s, transposed(vh)};
}
Tensor linalg_svdvals(const Tensor& a) {
  if (autograd::must_record({a})) return std::get<1>(linalg_svd(a, false));
  check_matrices(a, "linalg.svd");
  return compute_svd(a, {}, {});
}

// A = Q R.   VJP, with S the symmetric matrix that has the upper triangle of dR Rᵀ - Qᵀ dQ:   dA = (dQ + Q S) R⁻ᵀ.
std::tuple<Tensor, Tensor> linalg_qr(const Tensor& a, std::string_view mode) {
  check_matrices(a, "linalg.qr");
  const int64_t n = a.size(-2), m = a.size(-1), k = std::min(n, m);
  check(mode == "reduced" || (mode == "complete" && n <= m),
        "qr: of the modes only 'reduced' is offered, but got mode '{}' for a {} by {} matrix", mode, n, m);
  Tensor q, r;
  {
    const NoGradGuard no_grad;
    const Tensor factors = column_major_copy(a);
    q = column_major(a, n, k);
    dispatch_floating(a.dtype(), "linalg.qr", [&]<class T>() {
      kernels::Workspace<T> workspace;
      for (int64_t i = 0, batches = batches_of(a); i < batches; ++i) {
        kernels::lapack_qr(n, m, part<T>(factors, i, n * m), part<T>(q, i, n * k), workspace);
      }
    });
    r = triu(factors.narrow(-2, 0, k));
  }
  record_all("LinalgQrBackward0", {q, r}, {a}, saving(a, ToSave::output(q, 0), ToSave::output(r, 1)),
             [](const Backward& c) -> Gradients {
               const Tensor q = c.saved(1), r = c.saved(2);
               const Tensor dq = c.grad(0).defined() ? c.grad(0) : zeros_like(q);
               const Tensor dr = c.grad(1).defined() ? c.grad(1) : zeros_like(r);
               return {gradient_of_qr(dq, dr, c.saved(0), q, r)};
             });
  return {q, r};
}
std::tuple<Tensor, Tensor> qr(const Tensor& a, bool some) { return linalg_qr(a, some ? "reduced" : "complete"); }

// A = V diag(w) Vᵀ.   VJP:   dA = V (diag(dw) + (Vᵀ dV) / (w_j - w_i)) Vᵀ.
std::tuple<Tensor, Tensor> linalg_eigh(const Tensor& a, std::string_view uplo) {
  check_square(a, "linalg.eigh");
  check(uplo == "L" || uplo == "U" || uplo == "l" || uplo == "u", "Expected UPLO argument to be 'L' or 'U', but got {}",
        uplo);
  const int64_t n = a.size(-1);
  Tensor v, w;
  {
    const NoGradGuard no_grad;
    v = column_major_copy(a);
    w = vectors(a, n);
    const bool lower = uplo == "L" || uplo == "l";
    dispatch_floating(a.dtype(), "linalg.eigh", [&]<class T>() {
      kernels::Workspace<T> workspace;
      for (int64_t i = 0, batches = batches_of(a); i < batches; ++i) {
        const int info = kernels::lapack_eigh(n, part<T>(v, i, n * n), part<T>(w, i, n), lower, workspace);
        check(info == 0,
              "linalg.eigh: {}The algorithm failed to converge because the input matrix is ill-conditioned or has too "
              "many repeated eigenvalues (error code: {}).",
              batch_name(a, i), info);
      }
    });
  }
  record_all("LinalgEighBackward0", {w, v}, {a}, saving(ToSave::output(w, 0), ToSave::output(v, 1)),
             [](const Backward& c) -> Gradients {
               const Tensor w = c.saved(0), v = c.saved(1), vt = transposed(v);
               Tensor inner;
               if (c.grad(0).defined()) inner = diagonal_matrix(c.grad(0));
               if (c.grad(1).defined()) inner = add_defined(inner, over_differences(matmul(vt, c.grad(1)), w));
               return {matmul(v, matmul(inner, vt))};
             });
  return {w, v};
}

Tensor Tensor::inverse() const { return linalg_inv(*this); }
Tensor Tensor::det() const { return linalg_det(*this); }
Tensor Tensor::cholesky(bool upper) const { return linalg_cholesky(*this, upper); }

}  // namespace wengert
