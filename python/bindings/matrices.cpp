#include <bindings/casters.h>
#include <wengert/ops/linalg.h>

namespace wengert::python {

void bind_matrices(Binder& binder) {
  const auto beta = ("beta"_a = Scalar(1)), alpha = ("alpha"_a = Scalar(1));
  const py::kw_only kw_only;
  binder.both("mm", mm, "mat2"_a)
      .both("bmm", bmm, "mat2"_a)
      .both("mv", mv, "vec"_a)
      .both("dot", dot, "tensor"_a)
      .both("vdot", dot, "other"_a)
      .both(
          "inner",
          [](const Tensor& input, const Tensor& other) {
            return input.dim() == 0 || other.dim() == 0 ? input * other : tensordot(input, other, -1, -1);
          },
          "other"_a)
      .both("matmul", matmul, "other"_a)
      .both("outer", outer, "vec2"_a)
      .both("ger", outer, "vec2"_a)
      .both("addmm", addmm, "mat1"_a, "mat2"_a, kw_only, beta, alpha)
      .both("addmv", addmv, "mat"_a, "vec"_a, kw_only, beta, alpha)
      .both("baddbmm", baddbmm, "batch1"_a, "batch2"_a, kw_only, beta, alpha)
      .in_place("addmv_", &Tensor::addmv_, "mat"_a, "vec"_a, kw_only, beta, alpha)
      .in_place("baddbmm_", &Tensor::baddbmm_, "batch1"_a, "batch2"_a, kw_only, beta, alpha)
      .in_place("addmm_", &Tensor::addmm_, "mat1"_a, "mat2"_a, kw_only, beta, alpha)
      .both("kron", kron, "other"_a)
      .function(
          "tensordot",
          [](const Tensor& a, const Tensor& b, int64_t dims) {
            std::vector<int64_t> of_a, of_b;
            for (int64_t d = 0; d < dims; ++d) {
              of_a.push_back(a.dim() - dims + d);
              of_b.push_back(d);
            }
            return tensordot(a, b, of_a, of_b);
          },
          "a"_a, "b"_a, "dims"_a = 2)
      .function(
          "tensordot",
          [](const Tensor& a, const Tensor& b, const std::pair<std::vector<int64_t>, std::vector<int64_t>>& dims) {
            return tensordot(a, b, dims.first, dims.second);
          },
          "a"_a, "b"_a, "dims"_a);
  binder.module().def(
      "einsum",
      [](const std::string& equation, const py::args& operands) {
        const auto tensors = py::cast<std::vector<Tensor>>(sequence_in(operands));
        const py::gil_scoped_release release;
        return einsum(equation, tensors);
      },
      "equation"_a);
  binder.both("inverse", inverse)
      .both("det", det)
      .both("logdet", logdet)
      .both("slogdet", [](const Tensor& input) { return TensorTuple("slogdet", slogdet(input)); })
      .both(
          "cholesky", [](const Tensor& input, bool upper) { return cholesky(input, upper); }, "upper"_a = false)
      .both(
          "svd",
          [](const Tensor& input, bool some, bool compute_uv) {
            return TensorTuple("svd", svd(input, some, compute_uv));
          },
          "some"_a = true, "compute_uv"_a = true)
      .both(
          "qr", [](const Tensor& input, bool some) { return TensorTuple("qr", qr(input, some)); }, "some"_a = true);

  Binder linalg(binder.module().def_submodule("linalg", "Solving and factorizing matrices."));
  linalg.function("solve", linalg_solve, "A"_a, "B"_a)
      .function("inv", linalg_inv, "A"_a)
      .function("cholesky", linalg_cholesky, "A"_a, kw_only, "upper"_a = false)
      .function("det", linalg_det, "A"_a)
      .function(
          "slogdet", [](const Tensor& a) { return TensorTuple("linalg_slogdet", linalg_slogdet(a)); }, "A"_a)
      .function(
          "svd",
          [](const Tensor& a, bool full_matrices) { return TensorTuple("linalg_svd", linalg_svd(a, full_matrices)); },
          "A"_a, "full_matrices"_a = true)
      .function("svdvals", linalg_svdvals, "A"_a)
      .function(
          "qr", [](const Tensor& a, const std::string& mode) { return TensorTuple("linalg_qr", linalg_qr(a, mode)); },
          "A"_a, "mode"_a = "reduced")
      .function(
          "eigh",
          [](const Tensor& a, const std::string& uplo) { return TensorTuple("linalg_eigh", linalg_eigh(a, uplo)); },
          "A"_a, "UPLO"_a = "L");
}

}  // namespace wengert::python
