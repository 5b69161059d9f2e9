#include <differential/operation.h>

namespace differential {

void add_matrices(Operations& operations) {
  // libtorch's result is a view of a temporary, which cannot be changed later if it was made without grad mode.
  const auto own = [](const auto& y) { return y.requires_grad() ? y : y * 1; };
  const auto product = [&](const char* name, Kind a, Kind b, auto f) {
    operations.add(name, {a, b}, [f](const auto& in, const Numbers&) { return f(in[0], in[1]); });
  };
  product("mm", Kind::kMatrix, Kind::kMatrix, [](const auto& a, const auto& b) { return a.mm(b.to(a.dtype())); });
  product("mm_transposed", Kind::kMatrix, Kind::kMatrix,
          [](const auto& a, const auto& b) { return a.mm(b.to(a.dtype()).t()); });
  product("matmul", Kind::kAny, Kind::kAny, [](const auto& a, const auto& b) { return a.matmul(b.to(a.dtype())); });
  product("matmul_transposed", Kind::kReal, Kind::kReal,
          [](const auto& a, const auto& b) { return a.matmul(b.transpose(-1, -2).to(a.dtype())); });
  product("bmm", Kind::kReal, Kind::kReal,
          [](const auto& a, const auto& b) { return a.bmm(b.transpose(1, 2).to(a.dtype())); });
  product("mv", Kind::kMatrix, Kind::kVector, [](const auto& a, const auto& b) { return a.mv(b); });
  product("dot", Kind::kVector, Kind::kVector, [](const auto& a, const auto& b) { return a.dot(b); });
  product("outer", Kind::kVector, Kind::kVector, [](const auto& a, const auto& b) { return a.outer(b); });
  product("kron", Kind::kReal, Kind::kReal, [](const auto& a, const auto& b) {
    // Of copies: libtorch does not notice when they are changed in place later. And it wants them row-major.
    const auto packed = [](const auto& x) { return (x * 1).reshape({-1}).reshape(x.sizes()); };
    return kron(packed(a), packed(b));
  });
  product("linear", Kind::kReal, Kind::kMatrix,
          [](const auto& a, const auto& b) { return linear(a, b.to(a.dtype())); });
  product("tensordot", Kind::kReal, Kind::kReal, [own](const auto& a, const auto& b) {
    return own(tensordot(a * 1, b.to(a.dtype()) * 1, std::vector<int64_t>{0}, std::vector<int64_t>{0}));
  });
  const auto einsum_of = [&](const char* equation, Kind a, Kind b) {
    operations.add(std::string("einsum ") + equation, {a, b}, [equation, own](const auto& in, const Numbers&) {
      return own(einsum(equation, std::vector{in[0] * 1, in[1].to(in[0].dtype()) * 1}));
    });
  };
  einsum_of("ij,jk->ik", Kind::kMatrix, Kind::kMatrix);
  einsum_of("ij,ij->j", Kind::kMatrix, Kind::kMatrix);
  einsum_of("ij,kj", Kind::kMatrix, Kind::kMatrix);
  einsum_of("i,j->ij", Kind::kVector, Kind::kVector);
  einsum_of("...i,...i->...", Kind::kReal, Kind::kReal);
  einsum_of("ii,jj->ij", Kind::kSquare, Kind::kSquare);
  operations.add("addmm", {Kind::kReal, Kind::kMatrix, Kind::kMatrix}, [](const auto& in, const Numbers& n) {
    return addmm(in[0].to(in[1].dtype()), in[1], in[2], n.real, 2);
  });
  operations.add("addmv", {Kind::kReal, Kind::kMatrix, Kind::kVector}, [](const auto& in, const Numbers& n) {
    // libtorch does not repeat x where the matrix has no elements.
    const auto x = in[0].to(in[1].dtype()).sum();
    return addmv(in[1].numel() == 0 ? x.expand({in[1].size(0)}) : x, in[1], in[2], n.real, 2);
  });
  operations.add_in_place("addmm_", {Kind::kMatrix, Kind::kMatrix, Kind::kMatrix},
                          [](const auto& in, const Numbers& n) {
                            auto x = in[0];
                            x.addmm_(in[1].clone(), in[2].clone(), n.real, 2);  // libtorch reads what it has written
                          });

  // Kept well away from singular: A Aᵀ + 1, and A + 5.
  const auto square = [&](const char* name, auto f) {
    operations.add(name, {Kind::kSquare}, [f](const auto& in, const Numbers&) { return f(in[0]); });
  };
  const auto definite = [](const auto& a) { return a.mm(a.t()) + eye_like(a); };
  const auto regular = [](const auto& a) { return a + eye_like(a) * 5; };
  square("inverse", [regular](const auto& a) { return regular(a).inverse(); });
  square("det", [regular](const auto& a) { return regular(a).det(); });
  square("logdet", [regular](const auto& a) { return regular(a).logdet(); });
  square("slogdet", [regular](const auto& a) { return slogdet(regular(a)); });
  square("cholesky", [definite](const auto& a) { return linalg_cholesky(definite(a)); });
  square("solve", [regular](const auto& a) { return linalg_solve(regular(a), a); });
  square("svdvals", [](const auto& a) { return linalg_svdvals(a); });
  square("eigvals", [definite](const auto& a) { return std::get<0>(linalg_eigh(definite(a), "L")); });
  square("qr_r", [regular](const auto& a) { return std::get<1>(linalg_qr(regular(a))).abs(); });
}

}  // namespace differential
