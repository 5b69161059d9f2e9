#include <wengert/autograd/base/check.h>
#include <wengert/ops/kernels/lapack.h>
#include <wengert/ops/kernels/lapack_call.h>

#include <algorithm>
#include <limits>

// LAPACK's Fortran interface, which every LAPACK has. Hidden lengths of character arguments are left out, as C
// callers of LAPACK have always done: these routines read one character.

extern "C" {
void sgesv_(const int*, const int*, float*, const int*, int*, float*, const int*, int*);
void dgesv_(const int*, const int*, double*, const int*, int*, double*, const int*, int*);
void sgetrf_(const int*, const int*, float*, const int*, int*, int*);
void dgetrf_(const int*, const int*, double*, const int*, int*, int*);
void spotrf_(const char*, const int*, float*, const int*, int*);
void dpotrf_(const char*, const int*, double*, const int*, int*);
void strsm_(const char*, const char*, const char*, const char*, const int*, const int*, const float*, const float*,
            const int*, float*, const int*);
void dtrsm_(const char*, const char*, const char*, const char*, const int*, const int*, const double*, const double*,
            const int*, double*, const int*);
void sgesdd_(const char*, const int*, const int*, float*, const int*, float*, float*, const int*, float*, const int*,
             float*, const int*, int*, int*);
void dgesdd_(const char*, const int*, const int*, double*, const int*, double*, double*, const int*, double*,
             const int*, double*, const int*, int*, int*);
void sgeqrf_(const int*, const int*, float*, const int*, float*, float*, const int*, int*);
void dgeqrf_(const int*, const int*, double*, const int*, double*, double*, const int*, int*);
void sorgqr_(const int*, const int*, const int*, float*, const int*, const float*, float*, const int*, int*);
void dorgqr_(const int*, const int*, const int*, double*, const int*, const double*, double*, const int*, int*);
void ssyevd_(const char*, const char*, const int*, float*, const int*, float*, float*, const int*, int*, const int*,
             int*);
void dsyevd_(const char*, const char*, const int*, double*, const int*, double*, double*, const int*, int*, const int*,
             int*);
}

namespace wengert::kernels {
namespace {

// Fortran's integers.
int whole(int64_t size) {
  check(size <= std::numeric_limits<int>::max(), "LAPACK takes sizes below 2^31, but got {}", size);
  return static_cast<int>(size);
}
int leading(int64_t rows) { return std::max(1, whole(rows)); }

// The routine for float or for double.
template <class T, class Single, class Double>
constexpr auto choose(Single single, Double in_double) {
  if constexpr (sizeof(T) == sizeof(float)) {
    return single;
  } else {
    return in_double;
  }
}

// Before the first matrix, gives a workspace what the largest of these routines asks for, with `own` more at its begin.
// They are called with the memory and its size, which asks when it is -1.
template <class T, class... Calls>
void reserve(Workspace<T>& workspace, int own, const Calls&... calls) {
  if (!workspace.numbers.empty()) return;
  int most = 1;
  const auto ask = [&](const auto& call) {
    T wanted = 0;
    const int size = -1;
    call(&wanted, &size);
    most = std::max(most, static_cast<int>(wanted));
  };
  (ask(calls), ...);
  workspace.numbers.resize(static_cast<size_t>(own) + static_cast<size_t>(most));
}

template <class T, class Call>
void call_with(Workspace<T>& workspace, int own, const Call& call) {
  const int size = static_cast<int>(workspace.numbers.size()) - own;
  call(workspace.numbers.data() + own, &size);
}

}  // namespace

template <class T>
int lapack_solve(int64_t n, int64_t m, T* a, T* b, Workspace<T>& workspace) {
  const LapackCall call;
  const int rows = whole(n), columns = whole(m), ld = leading(n);
  workspace.integers.resize(static_cast<size_t>(n));  // exchanges of rows
  int info = 0;
  choose<T>(sgesv_, dgesv_)(&rows, &columns, a, &ld, workspace.integers.data(), b, &ld, &info);
  return info;
}

template <class T>
int lapack_lu(int64_t n, T* a, int* swaps) {
  const LapackCall call;
  const int rows = whole(n), ld = leading(n);
  int info = 0;
  choose<T>(sgetrf_, dgetrf_)(&rows, &rows, a, &ld, swaps, &info);
  return info;
}

template <class T>
int lapack_cholesky(int64_t n, T* a) {
  const LapackCall call;
  const int rows = whole(n), ld = leading(n);
  int info = 0;
  choose<T>(spotrf_, dpotrf_)("L", &rows, a, &ld, &info);
  return info;
}

template <class T>
void lapack_solve_upper(int64_t n, int64_t m, const T* a, T* b) {
  const LapackCall call;
  const int rows = whole(n), columns = whole(m), ld = leading(n);
  const T one = 1;
  choose<T>(strsm_, dtrsm_)("L", "U", "N", "N", &rows, &columns, &one, a, &ld, b, &ld);
}

template <class T>
int lapack_svd(int64_t n, int64_t m, T* a, T* u, T* s, T* vt, Workspace<T>& workspace) {
  const LapackCall call;
  const int rows = whole(n), columns = whole(m), k = leading(std::min(n, m)), ld = leading(n);
  workspace.integers.resize(8 * static_cast<size_t>(k));
  int info = 0;
  const auto factorize = [&](T* work, const int* size) {
    choose<T>(sgesdd_, dgesdd_)(u == nullptr ? "N" : "S", &rows, &columns, a, &ld, s, u, &ld, vt, &k, work, size,
                                workspace.integers.data(), &info);
  };
  reserve(workspace, 0, factorize);
  call_with(workspace, 0, factorize);
  return info;
}

template <class T>
void lapack_qr(int64_t n, int64_t m, T* a, T* q, Workspace<T>& workspace) {
  const LapackCall call;
  const int rows = whole(n), columns = whole(m), k = std::min(rows, columns), ld = leading(n);
  T* reflectors = nullptr;  // k, at the workspace's begin
  int info = 0;
  const auto factorize = [&](T* work, const int* size) {
    choose<T>(sgeqrf_, dgeqrf_)(&rows, &columns, a, &ld, reflectors, work, size, &info);
  };
  const auto form_q = [&](T* work, const int* size) {
    choose<T>(sorgqr_, dorgqr_)(&rows, &k, &k, q, &ld, reflectors, work, size, &info);
  };
  reserve(workspace, k, factorize, form_q);
  reflectors = workspace.numbers.data();
  call_with(workspace, k, factorize);
  std::copy_n(a, n * k, q);
  call_with(workspace, k, form_q);
}

template <class T>
int lapack_eigh(int64_t n, T* a, T* w, bool lower, Workspace<T>& workspace) {
  const LapackCall call;
  const int rows = whole(n), ld = leading(n);
  const int integer_size = 3 + 5 * rows;
  workspace.integers.resize(static_cast<size_t>(integer_size));
  int info = 0;
  const auto factorize = [&](T* work, const int* size) {
    choose<T>(ssyevd_, dsyevd_)("V", lower ? "L" : "U", &rows, a, &ld, w, work, size, workspace.integers.data(),
                                &integer_size, &info);
  };
  reserve(workspace, 0, factorize);
  call_with(workspace, 0, factorize);
  return info;
}

template int lapack_solve(int64_t, int64_t, float*, float*, Workspace<float>&);
template int lapack_solve(int64_t, int64_t, double*, double*, Workspace<double>&);
template int lapack_lu(int64_t, float*, int*);
template int lapack_lu(int64_t, double*, int*);
template int lapack_cholesky(int64_t, float*);
template int lapack_cholesky(int64_t, double*);
template void lapack_solve_upper(int64_t, int64_t, const float*, float*);
template void lapack_solve_upper(int64_t, int64_t, const double*, double*);
template int lapack_svd(int64_t, int64_t, float*, float*, float*, float*, Workspace<float>&);
template int lapack_svd(int64_t, int64_t, double*, double*, double*, double*, Workspace<double>&);
template void lapack_qr(int64_t, int64_t, float*, float*, Workspace<float>&);
template void lapack_qr(int64_t, int64_t, double*, double*, Workspace<double>&);
template int lapack_eigh(int64_t, float*, float*, bool, Workspace<float>&);
template int lapack_eigh(int64_t, double*, double*, bool, Workspace<double>&);

}  // namespace wengert::kernels
