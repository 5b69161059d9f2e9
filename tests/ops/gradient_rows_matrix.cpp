#include <ops/gradient_table.h>
#include <support/inputs.h>

namespace wengert::test {

void add_matrix_rows(GradientRows& rows) {
  rows.row("mm", "", {real({3, 4}), real({4, 2}, 1)}, [](const Inputs& in) { return mm(in[0], in[1]); })
      .without_empty();
  rows.row("mm", "transposed", {real({4, 3}), real({2, 4}, 1)},
           [](const Inputs& in) { return mm(in[0].t(), in[1].t()); })
      .without_empty();
  rows.row("bmm", "", {real({2, 3, 4}), real({2, 4, 2}, 1)}, [](const Inputs& in) { return bmm(in[0], in[1]); });
  rows.row("mv", "", {real({3, 4}), real({4}, 1)}, [](const Inputs& in) { return mv(in[0], in[1]); }).without_empty();
  rows.row("dot", "", {real({4}), real({4}, 1)}, [](const Inputs& in) { return dot(in[0], in[1]); });
  const SparsePattern pattern(tensor({2, 0, 1, 0}, kLong), tensor({1, 3, 0, 0}, kLong), 3, 4);
  rows.row("sampled_mm", "", {real({3, 2}), real({2, 4}, 1)},
           [=](const Inputs& in) { return sampled_mm(in[0], in[1], pattern); })
      .without_empty();
  rows.row("sampled_mm", "transposed", {real({2, 4}), real({3, 2}, 1)},
           [=](const Inputs& in) { return sampled_mm(in[0].t(), in[1].t(), pattern.t()); })
      .without_empty();
  rows.row("SparseMatrix::mm", "", {real({4}), real({4, 2}, 1)},
           [=](const Inputs& in) { return SparseMatrix(pattern, in[0]).mm(in[1]); })
      .without_empty();
  rows.row("SparseMatrix::mm", "transposed", {real({4}), real({3, 2}, 1)},
           [=](const Inputs& in) { return SparseMatrix(pattern, in[0]).t().mm(in[1]); })
      .without_empty();
  const Tensor weights = tensor({0.5, 2.0, 1.0, 3.0});
  rows.row("sampled_squared_error", "", {real({3, 2}), real({2, 4}, 1), real({4}, 2)},
           [=](const Inputs& in) { return sampled_squared_error(in[0], in[1], SparseMatrix(pattern, in[2])); })
      .without_empty();
  rows.row("sampled_squared_error", "weighted_transposed", {real({2, 4}), real({3, 2}, 1), real({4}, 2)},
           [=](const Inputs& in) {
             return sampled_squared_error(in[0].t(), in[1].t(), SparseMatrix(pattern, in[2]).t(),
                                          weights.to(in[0].dtype()));
           })
      .without_empty();
  for (const int64_t dim : {0, 1}) {
    rows.row("SparseMatrix::sum", dim == 0 ? "columns" : "rows", {real({4})},
             [=](const Inputs& in) { return SparseMatrix(pattern, in[0]).sum(dim); })
        .without_empty();
  }
  const auto matmul_row = [&](const char* variant, Dims a, Dims b) {
    rows.row("matmul", variant, {real(a), real(b, 1)}, [](const Inputs& in) { return matmul(in[0], in[1]); })
        .without_empty();
  };
  matmul_row("vector_vector", {4}, {4});
  matmul_row("matrix_vector", {3, 4}, {4});
  matmul_row("vector_matrix", {4}, {4, 2});
  matmul_row("matrix_matrix", {3, 4}, {4, 2});
  matmul_row("batch_matrix", {2, 3, 4}, {4, 2});
  matmul_row("batch_vector", {2, 3, 4}, {4});
  matmul_row("vector_batch", {3}, {2, 3, 4});
  matmul_row("batch_batch", {2, 1, 3, 4}, {5, 4, 2});

  rows.row("outer", "", {real({3}), real({4}, 1)}, [](const Inputs& in) { return outer(in[0], in[1]); });
  const Inputs with_matrices{real({2}), real({3, 4}, 1), real({4, 2}, 2)};
  const Inputs with_vector{real({3}), real({3, 4}, 1), real({4}, 2)};
  const Inputs with_batches{real({3, 2}), real({2, 3, 4}, 1), real({2, 4, 2}, 2)};
  rows.row("addmm", "", with_matrices, [](const Inputs& in) { return addmm(in[0], in[1], in[2], 0.5, 1.5); })
      .without_empty();
  rows.row("addmv", "", with_vector, [](const Inputs& in) { return addmv(in[0], in[1], in[2], 0.5, 1.5); })
      .without_empty();
  rows.row("baddbmm", "", with_batches, [](const Inputs& in) { return baddbmm(in[0], in[1], in[2], 0.5, 1.5); });
  rows.in_place_row("addmm_", "", {real({3, 2}), real({3, 4}, 1), real({4, 2}, 2)},
                    [](const Inputs& in) { return in[0].addmm_(in[1], in[2], 0.5, 1.5); })
      .without_empty();
  rows.in_place_row("addmv_", "", with_vector, [](const Inputs& in) { return in[0].addmv_(in[1], in[2], 0.5, 1.5); })
      .without_empty();
  rows.in_place_row("baddbmm_", "", {real({2, 3, 2}), with_batches[1], with_batches[2]},
                    [](const Inputs& in) { return in[0].baddbmm_(in[1], in[2], 0.5, 1.5); });
  rows.row("kron", "", {real({2, 3}), real({3, 2}, 1)}, [](const Inputs& in) { return kron(in[0], in[1]); })
      .without_empty();
  rows.row("tensordot", "", {real({3, 4, 2}), real({2, 3, 5}, 1)},
           [](const Inputs& in) {
             return tensordot(in[0], in[1], {0, 2}, {1, 0});
           })
      .without_empty();
  const auto einsum_row = [&](const char* variant, const char* equation, Inputs inputs) {
    rows.row("einsum", variant, std::move(inputs), [equation](const Inputs& in) { return einsum(equation, in); })
        .without_empty();
  };
  einsum_row("product", "ij,jk->ik", {real({3, 4}), real({4, 2}, 1)});
  einsum_row("trace", "ii", {real({3, 3})});
  einsum_row("diagonal", "ii->i", {real({3, 3})});
  einsum_row("bilinear", "bn,anm,bm->ba", {real({2, 3}), real({4, 3, 2}, 1), real({2, 2}, 2)});
  einsum_row("ellipsis", "...ij,...jk->...ik", {real({2, 3, 4}), real({4, 2}, 1)});
  einsum_row("outer", "i,j->ij", {real({3}), real({4}, 1)});
  einsum_row("sum", "ijk->j", {real({2, 3, 4})});

  rows.row("tril", "", {real({3, 4})}, [](const Inputs& in) { return tril(in[0], -1); });
  rows.row("triu", "", {real({2, 3, 4})}, [](const Inputs& in) { return triu(in[0], 1); });
  rows.in_place_row("tril_", "", {real({3, 4})}, [](const Inputs& in) { return in[0].tril_(); });
  rows.in_place_row("triu_", "", {real({3, 4})}, [](const Inputs& in) { return in[0].triu_(); });
  rows.row("diagonal", "", {real({3, 4, 2})}, [](const Inputs& in) { return diagonal(in[0], 1, 0, 1); });
  rows.row("diagonal", "below", {real({3, 4})}, [](const Inputs& in) { return diagonal(in[0], -1); });
  rows.row("diag", "of_matrix", {real({3, 4})}, [](const Inputs& in) { return diag(in[0], 1); });
  rows.row("diag", "of_vector", {real({3})}, [](const Inputs& in) { return diag(in[0], -1); });
  rows.row("trace", "", {real({3, 4})}, [](const Inputs& in) { return trace(in[0]); });

  // Through LAPACK. Well-conditioned matrices: shifted by the identity, and A Aᵀ + 1 where they must be positive
  // definite or symmetric.
  const auto regular = [](const Tensor& a) { return a + 3 * eye(a.size(-1), a.options()); };
  const auto definite = [](const Tensor& a) { return matmul(a, a.transpose(-2, -1)) + eye(a.size(-2), a.options()); };
  const auto symmetric = [](const Tensor& a) {
    return a + a.transpose(-2, -1) + diag(arange(a.size(-1), a.options()));
  };
  const auto matrix_row = [&](const char* op, const char* variant, Inputs inputs, const GradientRows::Operation& f) {
    rows.row(op, variant, std::move(inputs), f).without_empty();
  };
  for (const auto& [variant, a] : {std::pair{"matrix", real({3, 3})}, std::pair{"batch", real({2, 3, 3})}}) {
    for (const char* op : {"linalg_inv", "inverse"}) {
      matrix_row(op, variant, {a}, [=](const Inputs& in) { return inverse(regular(in[0])); });
    }
    for (const char* op : {"linalg_det", "det"}) {
      matrix_row(op, variant, {a}, [=](const Inputs& in) { return det(regular(in[0])); });
    }
    for (const char* op : {"linalg_slogdet", "slogdet"}) {
      matrix_row(op, variant, {a}, [=](const Inputs& in) { return std::get<1>(slogdet(regular(in[0]))); });
    }
    for (const char* op : {"linalg_cholesky", "cholesky"}) {
      matrix_row(op, variant, {a}, [=](const Inputs& in) { return cholesky(definite(in[0])); });
    }
    matrix_row("logdet", variant, {a}, [=](const Inputs& in) { return logdet(regular(in[0])); });
    matrix_row("linalg_eigh", variant, {a}, [=](const Inputs& in) {
      const auto [w, v] = linalg_eigh(symmetric(in[0]));
      return cat({w.unsqueeze(-2), v}, -2);
    });
  }
  matrix_row("cholesky", "upper", {real({3, 3})}, [=](const Inputs& in) { return cholesky(definite(in[0]), true); });
  matrix_row("linalg_solve", "matrix", {real({3, 3}), real({3, 2}, 1)},
             [=](const Inputs& in) { return linalg_solve(regular(in[0]), in[1]); });
  matrix_row("linalg_solve", "vector", {real({3, 3}), real({3}, 1)},
             [=](const Inputs& in) { return linalg_solve(regular(in[0]), in[1]); });
  matrix_row("linalg_solve", "batch_broadcast", {real({2, 3, 3}), real({3, 2}, 1)},
             [=](const Inputs& in) { return linalg_solve(regular(in[0]), in[1]); });
  for (const auto& [variant, a] : {std::pair{"square", real({3, 3})}, std::pair{"tall", real({4, 2})},
                                   std::pair{"wide", real({2, 4})}, std::pair{"batch", real({2, 3, 2})}}) {
    for (const char* op : {"linalg_svd", "svd"}) {
      // What the signs of singular vectors do not touch.
      matrix_row(op, variant, {a}, [](const Inputs& in) {
        const auto [u, s, v] = svd(in[0]);
        return cat({(u * u).flatten(), s.flatten(), (v * v).flatten(), matmul(u, v.transpose(-2, -1)).flatten()});
      });
    }
    matrix_row("linalg_svdvals", variant, {a}, [](const Inputs& in) { return linalg_svdvals(in[0]); });
    for (const char* op : {"linalg_qr", "qr"}) {
      matrix_row(op, variant, {a}, [](const Inputs& in) {
        const auto [q, r] = qr(in[0]);
        return cat({q.flatten(), r.flatten()});
      });
    }
  }
}

}  // namespace wengert::test
