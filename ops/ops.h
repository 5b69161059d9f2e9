#pragma once

#include <wengert/autograd/tensor.h>

// Every public operation, by family. Each is differentiable, twice and more, where its mathematics is.
//
// Unless said otherwise: operands broadcast against each other (NumPy's rule) and are promoted to a common
// dtype (bool < Long < Float < Double; a number's kind counts only if it is of a higher kind than the
// tensor's: bool < whole < real); the result is a new tensor of that shape and dtype. Shapes that do not
// broadcast throw wengert::Error. Most have a method of the same name, and one that ends in `_` and writes its
// result into the tensor.

namespace wengert {

// --- Arithmetic (ops/arithmetic.cpp, ops/power.cpp) ----------------------------------------------------

/// a + alpha b.
Tensor add(const Tensor& a, const Tensor& b, Scalar alpha = 1);
Tensor add(const Tensor& a, Scalar b, Scalar alpha = 1);
/// a - alpha b. Not for bool.
Tensor sub(const Tensor& a, const Tensor& b, Scalar alpha = 1);
Tensor sub(const Tensor& a, Scalar b, Scalar alpha = 1);
/// b - alpha a.
Tensor rsub(const Tensor& a, const Tensor& b, Scalar alpha = 1);
Tensor rsub(const Tensor& a, Scalar b, Scalar alpha = 1);
Tensor mul(const Tensor& a, const Tensor& b);
Tensor mul(const Tensor& a, Scalar b);
/// a / b, true division: whole numbers give the default dtype.
Tensor div(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, Scalar b);
/// base^exponent. Whole numbers to a negative whole number throw.
Tensor pow(const Tensor& base, Scalar exponent);
Tensor pow(const Tensor& base, const Tensor& exponent);
Tensor pow(Scalar base, const Tensor& exponent);

// --- Pointwise (ops/pointwise.cpp) ---------------------------------------------------------------------
// Shape of x. Functions with real values turn whole numbers into the default dtype first.

Tensor neg(const Tensor& x);
Tensor abs(const Tensor& x);         ///< |x|; derivative 0 at 0
Tensor sign(const Tensor& x);        ///< -1, 0 or 1
Tensor square(const Tensor& x);      ///< x^2
Tensor sqrt(const Tensor& x);        ///< NaN below 0
Tensor reciprocal(const Tensor& x);  ///< 1 / x
Tensor exp(const Tensor& x);
Tensor log(const Tensor& x);  ///< natural; NaN below 0, -inf at 0
Tensor tanh(const Tensor& x);
Tensor sigmoid(const Tensor& x);  ///< 1 / (1 + e^-x)
Tensor relu(const Tensor& x);     ///< max(x, 0); derivative 0 at 0

/// a where the Bool tensor `condition` is true, else b.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, Scalar b);
Tensor where(const Tensor& condition, Scalar a, const Tensor& b);

// --- Comparison (ops/comparison.cpp) -------------------------------------------------------------------
// Bool tensors; no gradient.

Tensor eq(const Tensor& a, const Tensor& b);
Tensor eq(const Tensor& a, Scalar b);
Tensor ne(const Tensor& a, const Tensor& b);
Tensor ne(const Tensor& a, Scalar b);
Tensor lt(const Tensor& a, const Tensor& b);
Tensor lt(const Tensor& a, Scalar b);
Tensor le(const Tensor& a, const Tensor& b);
Tensor le(const Tensor& a, Scalar b);
Tensor gt(const Tensor& a, const Tensor& b);
Tensor gt(const Tensor& a, Scalar b);
Tensor ge(const Tensor& a, const Tensor& b);
Tensor ge(const Tensor& a, Scalar b);
/// False for infinities and NaN.
Tensor isfinite(const Tensor& x);
/// Whether shapes and all elements are the same. NaN differs from everything.
bool equal(const Tensor& a, const Tensor& b);
/// Whether |a - b| <= atol + rtol |b| everywhere; infinities must be equal. Throws unless the dtypes agree.
bool allclose(const Tensor& a, const Tensor& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);

// --- Reduction (ops/reduction.cpp) ---------------------------------------------------------------------
// dims may count from the end; an empty list means all. keepdim leaves reduced dimensions as size 1.

/// Whole numbers and bools are summed as Long. dtype: convert to it first.
Tensor sum(const Tensor& x, std::optional<ScalarType> dtype = std::nullopt);
Tensor sum(const Tensor& x, IntArrayRef dims, bool keepdim = false, std::optional<ScalarType> dtype = std::nullopt);
/// Floating point only (or with such a dtype). NaN over no elements.
Tensor mean(const Tensor& x, std::optional<ScalarType> dtype = std::nullopt);
Tensor mean(const Tensor& x, IntArrayRef dims, bool keepdim = false, std::optional<ScalarType> dtype = std::nullopt);
/// Sums x over the dimensions along which `sizes` would have to be repeated to give x's shape: the gradient of
/// a broadcast.
Tensor sum_to_size(const Tensor& x, IntArrayRef sizes);

// --- Matrices (ops/matmul.cpp) -------------------------------------------------------------------------
// Both operands of one dtype, not bool.

Tensor mm(const Tensor& a, const Tensor& b);   ///< (n, k) (k, m) -> (n, m)
Tensor bmm(const Tensor& a, const Tensor& b);  ///< (s, n, k) (s, k, m) -> (s, n, m)
Tensor mv(const Tensor& a, const Tensor& x);   ///< (n, k) (k) -> (n)
Tensor dot(const Tensor& x, const Tensor& y);  ///< (k) (k) -> ()
/// dot, mv or mm by the number of dimensions; with more than two, products of the last two dimensions, the
/// others broadcast. A one-dimensional a is a row, a one-dimensional b a column, of which the result keeps
/// no dimension.
Tensor matmul(const Tensor& a, const Tensor& b);

// --- Shape (ops/shape.cpp) -----------------------------------------------------------------------------
// Views: they share x's memory.

/// The same elements in row-major order under other sizes, one of which may be -1. Throws when x's strides
/// do not allow it without a copy.
Tensor view(const Tensor& x, IntArrayRef sizes);
/// As view, but copies where it must.
Tensor reshape(const Tensor& x, IntArrayRef sizes);
Tensor t(const Tensor& x);  ///< transpose of at most two dimensions
Tensor transpose(const Tensor& x, int64_t dim0, int64_t dim1);
Tensor permute(const Tensor& x, IntArrayRef dims);
/// x repeated, without a copy, along dimensions of size 1 and new leading ones; -1 keeps a size.
Tensor expand(const Tensor& x, IntArrayRef sizes);
Tensor squeeze(const Tensor& x);               ///< without all dimensions of size 1
Tensor squeeze(const Tensor& x, int64_t dim);  ///< without this one, if its size is 1
Tensor unsqueeze(const Tensor& x, int64_t dim);
Tensor select(const Tensor& x, int64_t dim, int64_t index);                  ///< x[index] along dim
Tensor narrow(const Tensor& x, int64_t dim, int64_t start, int64_t length);  ///< x[start : start+length]
/// x[start : end : step] along dim, as Python slices: ends may count from the end and lie outside. step > 0.
Tensor slice(const Tensor& x, int64_t dim = 0, std::optional<int64_t> start = std::nullopt,
             std::optional<int64_t> end = std::nullopt, int64_t step = 1);
/// Any strided view of x's storage. The gradient is offered where no two elements of the result that are not
/// repeated by a stride of 0 lie in one place.
Tensor as_strided(const Tensor& x, IntArrayRef sizes, IntArrayRef strides,
                  std::optional<int64_t> storage_offset = std::nullopt);

// --- Copies (ops/copy.cpp) -----------------------------------------------------------------------------

/// A copy with memory of its own, row-major.
Tensor clone(const Tensor& x);

// --- Random numbers (ops/random.cpp) -------------------------------------------------------------------
// The numbers that PyTorch gives on the CPU after the same manual_seed and the same calls. One generator
// serves all threads; calls are safe on any of them.

/// Starts the generator anew.
void manual_seed(uint64_t seed);
Tensor rand(IntArrayRef sizes, const TensorOptions& options = {});   ///< uniform on [0, 1)
Tensor randn(IntArrayRef sizes, const TensorOptions& options = {});  ///< standard normal
Tensor rand_like(const Tensor& like, const TensorOptions& options = {});
Tensor randn_like(const Tensor& like, const TensorOptions& options = {});
/// Whole numbers, uniform on [low, high). Long unless options have a dtype.
Tensor randint(int64_t high, IntArrayRef sizes, const TensorOptions& options = {});
Tensor randint(int64_t low, int64_t high, IntArrayRef sizes, const TensorOptions& options = {});
/// The numbers 0 .. n-1 in random order. Long unless options have a dtype.
Tensor randperm(int64_t n, const TensorOptions& options = {});

}  // namespace wengert
