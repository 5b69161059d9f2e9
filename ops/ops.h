#pragma once

#include <wengert/autograd/tensor/tensor.h>
#include <wengert/ops/loss.h>

#include <string_view>
#include <tuple>
#include <vector>

// Every public operation, by family. Each is differentiable, twice and more, where its mathematics is.
//
// Unless said otherwise: operands broadcast against each other (NumPy's rule) and are promoted to a common
// dtype (bool < Long < Float < Double; a number's kind counts only if it is of a higher kind than the
// tensor's: bool < whole < real); the result is a new tensor of that shape and dtype. Shapes that do not
// broadcast throw wengert::Error. Most have a method of the same name, and one that ends in `_` and writes its
// result into the tensor.

namespace wengert {

// --- Arithmetic (ops/elementwise/arithmetic.cpp, remainder.cpp, power.cpp) -----------------------------------------
// Operands are broadcast to one shape and promoted to one dtype, as in NumPy and libtorch.

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
/// a / b, true division: whole numbers give the default dtype. rounding_mode "floor" or "trunc": the quotient
/// rounded, in the operands' dtype; its gradient is 0.
Tensor div(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, Scalar b);
Tensor div(const Tensor& a, const Tensor& b, std::optional<std::string_view> rounding_mode);
Tensor div(const Tensor& a, Scalar b, std::optional<std::string_view> rounding_mode);
Tensor floor_divide(const Tensor& a, const Tensor& b);
Tensor floor_divide(const Tensor& a, Scalar b);
/// a - b floor(a / b): the sign is b's, as of Python's %.
Tensor remainder(const Tensor& a, const Tensor& b);
Tensor remainder(const Tensor& a, Scalar b);
/// a - b trunc(a / b): the sign is a's, as of C's fmod.
Tensor fmod(const Tensor& a, const Tensor& b);
Tensor fmod(const Tensor& a, Scalar b);
/// The angle of the point (b, a), in (-pi, pi].
Tensor atan2(const Tensor& a, const Tensor& b);
/// a + weight (b - a).
Tensor lerp(const Tensor& a, const Tensor& b, Scalar weight);
Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight);
Tensor addcmul(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value = 1);  ///< x + value a b
Tensor addcdiv(const Tensor& x, const Tensor& a, const Tensor& b, Scalar value = 1);  ///< x + value a / b
Tensor xlogy(const Tensor& x, const Tensor& y);                                       ///< x ln y, and 0 where x is 0
/// base^exponent. Whole numbers to a negative whole number throw.
Tensor pow(const Tensor& base, Scalar exponent);
Tensor pow(const Tensor& base, const Tensor& exponent);
Tensor pow(Scalar base, const Tensor& exponent);

// --- Pointwise (ops/elementwise/pointwise.cpp, exponential.cpp, special.cpp) ---------------------------------------
// Shape of x. Functions with real values turn whole numbers into the default dtype
// first.

Tensor neg(const Tensor& x);
Tensor abs(const Tensor& x);         ///< |x|; derivative 0 at 0
Tensor sign(const Tensor& x);        ///< -1, 0 or 1
Tensor square(const Tensor& x);      ///< x^2
Tensor sqrt(const Tensor& x);        ///< NaN below 0
Tensor rsqrt(const Tensor& x);       ///< 1 / sqrt(x)
Tensor reciprocal(const Tensor& x);  ///< 1 / x
Tensor floor(const Tensor& x);
Tensor ceil(const Tensor& x);
Tensor trunc(const Tensor& x);  ///< towards 0
Tensor round(const Tensor& x);  ///< halves to the even neighbour
Tensor frac(const Tensor& x);   ///< x - trunc(x)
Tensor exp(const Tensor& x);
Tensor expm1(const Tensor& x);  ///< e^x - 1, exact near 0
Tensor log(const Tensor& x);    ///< natural; NaN below 0, -inf at 0
Tensor log1p(const Tensor& x);  ///< ln(1 + x), exact near 0
Tensor log2(const Tensor& x);
Tensor log10(const Tensor& x);
Tensor sin(const Tensor& x);  ///< angles are in radians
Tensor cos(const Tensor& x);
Tensor tan(const Tensor& x);
Tensor asin(const Tensor& x);
Tensor acos(const Tensor& x);
Tensor atan(const Tensor& x);
Tensor sinh(const Tensor& x);
Tensor cosh(const Tensor& x);
Tensor tanh(const Tensor& x);
Tensor erf(const Tensor& x);                   ///< 2/sqrt(pi) times the integral of e^(-t^2) from 0 to x
Tensor erfc(const Tensor& x);                  ///< 1 - erf(x)
Tensor lgamma(const Tensor& x);                ///< ln |Gamma(x)|
Tensor digamma(const Tensor& x);               ///< d/dx ln Gamma(x)
Tensor polygamma(int64_t n, const Tensor& x);  ///< the n-th derivative of digamma

// --- Activation (ops/elementwise/activation.cpp) -------------------------------------------------------------------
// Shape of x. Floating point only, but for relu, sigmoid and hardtanh.

Tensor relu(const Tensor& x);         ///< max(x, 0); derivative 0 at 0
Tensor sigmoid(const Tensor& x);      ///< 1 / (1 + e^-x)
Tensor log_sigmoid(const Tensor& x);  ///< ln sigmoid(x), without underflow
Tensor silu(const Tensor& x);         ///< x sigmoid(x)
Tensor softsign(const Tensor& x);     ///< x / (1 + |x|)
Tensor leaky_relu(const Tensor& x, Scalar negative_slope = 0.01);
/// scale x above 0, scale alpha (e^(input_scale x) - 1) below.
Tensor elu(const Tensor& x, Scalar alpha = 1, Scalar scale = 1, Scalar input_scale = 1);
/// ln(1 + e^(beta x)) / beta, and x itself where beta x > threshold.
Tensor softplus(const Tensor& x, Scalar beta = 1, Scalar threshold = 20);
Tensor hardtanh(const Tensor& x, Scalar min_val = -1, Scalar max_val = 1);  ///< x limited to [min_val, max_val]
/// x Phi(x), Phi the standard normal distribution function; approximate = "tanh": by Hendrycks and Gimpel's
/// formula.
Tensor gelu(const Tensor& x, std::string_view approximate = "none");
Tensor& leaky_relu_(const Tensor& x, Scalar negative_slope = 0.01);
Tensor& elu_(const Tensor& x, Scalar alpha = 1, Scalar scale = 1, Scalar input_scale = 1);
Tensor& hardtanh_(const Tensor& x, Scalar min_val = -1, Scalar max_val = 1);
Tensor& silu_(const Tensor& x);

// --- Choice (ops/elementwise/choice.cpp) ---------------------------------------------------------------------------

/// a where the Bool tensor `condition` is true, else b.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, Scalar b);
Tensor where(const Tensor& condition, Scalar a, const Tensor& b);
Tensor where(const Tensor& condition, Scalar a, Scalar b);
std::vector<Tensor> where(const Tensor& condition);  ///< nonzero(condition), one tensor a dimension
/// The larger (smaller) of a and b; NaN where one is NaN. Equal ones share the gradient.
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);
/// min(max(x, min), max); a bound may be left out.
Tensor clamp(const Tensor& x, std::optional<Scalar> min = std::nullopt, std::optional<Scalar> max = std::nullopt);
Tensor clamp(const Tensor& x, const std::optional<Tensor>& min, const std::optional<Tensor>& max = std::nullopt);
Tensor clamp_min(const Tensor& x, Scalar min);
Tensor clamp_max(const Tensor& x, Scalar max);
/// value where the Bool tensor `mask` is true, else x. A tensor as value must have no dimensions.
Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value);
Tensor masked_fill(const Tensor& x, const Tensor& mask, const Tensor& value);

// --- Comparison and logic (ops/elementwise/comparison.cpp, logic.cpp) ----------------------------------------------
// Bool tensors, unless told otherwise; no gradient.

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
Tensor isfinite(const Tensor& x);  ///< false for infinities and NaN
Tensor isnan(const Tensor& x);
Tensor isinf(const Tensor& x);
Tensor logical_and(const Tensor& a, const Tensor& b);  ///< all but 0 is true
Tensor logical_or(const Tensor& a, const Tensor& b);
Tensor logical_xor(const Tensor& a, const Tensor& b);
Tensor logical_not(const Tensor& x);
/// Bits of Long tensors, truth values of Bool ones.
Tensor bitwise_and(const Tensor& a, const Tensor& b);
Tensor bitwise_or(const Tensor& a, const Tensor& b);
Tensor bitwise_xor(const Tensor& a, const Tensor& b);
Tensor bitwise_not(const Tensor& x);
/// Whether shapes and all elements are the same. NaN differs from everything.
bool equal(const Tensor& a, const Tensor& b);
/// Whether |a - b| <= atol + rtol |b|; infinities must be equal. Throws unless the dtypes agree.
Tensor isclose(const Tensor& a, const Tensor& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);
/// Whether isclose is true everywhere.
bool allclose(const Tensor& a, const Tensor& b, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false);

// --- Reduction (ops/reductions/reduction.cpp) ---------------------------------------------------------------------
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

Tensor nansum(const Tensor& x);  ///< sum, with NaN counted as 0
Tensor nansum(const Tensor& x, IntArrayRef dims, bool keepdim = false);
/// The product of all elements, or along dim. Gradients are right also where elements are 0.
Tensor prod(const Tensor& x, std::optional<ScalarType> dtype = std::nullopt);
Tensor prod(const Tensor& x, int64_t dim, bool keepdim = false, std::optional<ScalarType> dtype = std::nullopt);
/// Running sums and products along dim.
Tensor cumsum(const Tensor& x, int64_t dim, std::optional<ScalarType> dtype = std::nullopt);
Tensor cumprod(const Tensor& x, int64_t dim, std::optional<ScalarType> dtype = std::nullopt);
/// Mean squared distance from the mean, with n - 1 in place of n if unbiased. Floating point only.
Tensor var(const Tensor& x, bool unbiased = true);
Tensor var(const Tensor& x, IntArrayRef dims, bool unbiased = true, bool keepdim = false);
Tensor std(const Tensor& x, bool unbiased = true);  ///< sqrt(var)
Tensor std(const Tensor& x, IntArrayRef dims, bool unbiased = true, bool keepdim = false);
/// (sum |x|^p)^(1/p); p = 0 counts elements that are not 0, p = inf and -inf give the largest and smallest |x|.
Tensor norm(const Tensor& x, Scalar p = 2);
Tensor norm(const Tensor& x, std::optional<Scalar> p, IntArrayRef dims, bool keepdim = false);
Tensor all(const Tensor& x);  ///< Bool: whether none is 0
Tensor all(const Tensor& x, int64_t dim, bool keepdim = false);
Tensor any(const Tensor& x);  ///< Bool: whether one is not 0
Tensor any(const Tensor& x, int64_t dim, bool keepdim = false);
Tensor count_nonzero(const Tensor& x, std::optional<int64_t> dim = std::nullopt);  ///< Long
Tensor count_nonzero(const Tensor& x, IntArrayRef dims);

// --- Exponentials, normalized (ops/reductions/softmax.cpp) --------------------------------------------------------
// Floating point only. Nothing overflows: the largest element is taken off first.

Tensor softmax(const Tensor& x, int64_t dim, std::optional<ScalarType> dtype = std::nullopt);  ///< e^x / sum e^x
Tensor log_softmax(const Tensor& x, int64_t dim, std::optional<ScalarType> dtype = std::nullopt);
Tensor logsumexp(const Tensor& x, IntArrayRef dims, bool keepdim = false);  ///< ln sum e^x

// --- Order (ops/reductions/order.cpp) -----------------------------------------------------------------------------
// NaN counts as larger than every number. The tuples are (values, Long indices along dim).

Tensor max(const Tensor& x);
Tensor min(const Tensor& x);
std::tuple<Tensor, Tensor> max(const Tensor& x, int64_t dim, bool keepdim = false);
std::tuple<Tensor, Tensor> min(const Tensor& x, int64_t dim, bool keepdim = false);
Tensor max(const Tensor& a, const Tensor& b);  ///< maximum
Tensor min(const Tensor& a, const Tensor& b);  ///< minimum
/// As max and min, over any dimensions; equal extremes share the gradient.
Tensor amax(const Tensor& x, IntArrayRef dims = {}, bool keepdim = false);
Tensor amin(const Tensor& x, IntArrayRef dims = {}, bool keepdim = false);
/// Where the first of the largest (smallest) elements stands; without dim, in the flattened tensor.
Tensor argmax(const Tensor& x, std::optional<int64_t> dim = std::nullopt, bool keepdim = false);
Tensor argmin(const Tensor& x, std::optional<int64_t> dim = std::nullopt, bool keepdim = false);
/// Stable: equal elements keep their order.
std::tuple<Tensor, Tensor> sort(const Tensor& x, int64_t dim = -1, bool descending = false);
Tensor argsort(const Tensor& x, int64_t dim = -1, bool descending = false);
/// The k largest (smallest) along dim, in order.
std::tuple<Tensor, Tensor> topk(const Tensor& x, int64_t k, int64_t dim = -1, bool largest = true, bool sorted = true);
/// The middle element, the lower one of an even number.
Tensor median(const Tensor& x);
std::tuple<Tensor, Tensor> median(const Tensor& x, int64_t dim, bool keepdim = false);

// --- Matrices (ops/matrices/matmul.cpp, einsum.cpp) ----------------------------------------------------------------
// Both operands of one dtype, not bool.

Tensor mm(const Tensor& a, const Tensor& b);   ///< (n, k) (k, m) -> (n, m)
Tensor bmm(const Tensor& a, const Tensor& b);  ///< (s, n, k) (s, k, m) -> (s, n, m)
Tensor mv(const Tensor& a, const Tensor& x);   ///< (n, k) (k) -> (n)
Tensor dot(const Tensor& x, const Tensor& y);  ///< (k) (k) -> ()
/// dot, mv or mm by the number of dimensions; with more than two, products of the last two dimensions, the
/// others broadcast. A one-dimensional a is a row, a one-dimensional b a column, of which the result keeps
/// no dimension.
Tensor matmul(const Tensor& a, const Tensor& b);

Tensor outer(const Tensor& a, const Tensor& b);  ///< (n) (m) -> (n, m)
/// beta x + alpha A B, and the like with a vector and with batches; x broadcasts. beta = 0 leaves x out.
Tensor addmm(const Tensor& x, const Tensor& a, const Tensor& b, Scalar beta = 1, Scalar alpha = 1);
Tensor addmv(const Tensor& x, const Tensor& a, const Tensor& v, Scalar beta = 1, Scalar alpha = 1);
Tensor baddbmm(const Tensor& x, const Tensor& a, const Tensor& b, Scalar beta = 1, Scalar alpha = 1);
Tensor kron(const Tensor& a, const Tensor& b);  ///< Kronecker product
/// Sums over dims_a of a and dims_b of b, pairwise of one size; the others follow in order, a's first.
Tensor tensordot(const Tensor& a, const Tensor& b, IntArrayRef dims_a, IntArrayRef dims_b);
/// Einstein's summation, "ij,jk->ik": products of the operands, summed over the letters that the result lacks.
/// A letter twice in one operand is its diagonal; "..." stands for dimensions that broadcast.
Tensor einsum(std::string_view equation, TensorList operands);

// --- Shape (ops/shapes/shape.cpp) -----------------------------------------------------------------------------
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

/// The elements x[i, i + offset] of the dimensions dim1 and dim2, in a new last dimension.
Tensor diagonal(const Tensor& x, int64_t offset = 0, int64_t dim1 = 0, int64_t dim2 = 1);
Tensor movedim(const Tensor& x, IntArrayRef source, IntArrayRef destination);
Tensor movedim(const Tensor& x, int64_t source, int64_t destination);
Tensor broadcast_to(const Tensor& x, IntArrayRef sizes);  ///< expand
/// Vectors as coordinates: tensor i holds x_i along dimension i, repeated along the others. indexing "xy": the first
/// two vectors lie along dimensions 1 and 0.
std::vector<Tensor> meshgrid(TensorList tensors, std::string_view indexing = "ij");
/// Parts of x along dim: `size` long each, or of the sizes given; `chunks` of about one length; single slices.
std::vector<Tensor> split(const Tensor& x, int64_t size, int64_t dim = 0);
std::vector<Tensor> split(const Tensor& x, IntArrayRef sizes, int64_t dim = 0);
std::vector<Tensor> split_with_sizes(const Tensor& x, IntArrayRef sizes, int64_t dim = 0);
std::vector<Tensor> chunk(const Tensor& x, int64_t chunks, int64_t dim = 0);
std::vector<Tensor> unbind(const Tensor& x, int64_t dim = 0);

// --- Rearrangement (ops/shapes/rearrange.cpp, join.cpp) ------------------------------------------------------------
// New tensors, but for flatten, which is a view where it can be.

Tensor flatten(const Tensor& x, int64_t start_dim = 0, int64_t end_dim = -1);
Tensor cat(TensorList tensors, int64_t dim = 0);     ///< one after another along dim; dtypes are promoted
Tensor stack(TensorList tensors, int64_t dim = 0);   ///< side by side along a new dimension
Tensor repeat(const Tensor& x, IntArrayRef counts);  ///< counts[d] copies along d; leading dimensions may be new
Tensor tile(const Tensor& x, IntArrayRef counts);    ///< the same, counts for the last dimensions
/// Each element (of the flattened tensor, or slice along dim) several times.
Tensor repeat_interleave(const Tensor& x, int64_t repeats, std::optional<int64_t> dim = std::nullopt);
Tensor repeat_interleave(const Tensor& x, const Tensor& repeats, std::optional<int64_t> dim = std::nullopt);
Tensor flip(const Tensor& x, IntArrayRef dims);  ///< in reverse order
/// Shifted along dims (of the flattened tensor if there are none); what falls off comes in at the start.
Tensor roll(const Tensor& x, IntArrayRef shifts, IntArrayRef dims = {});
/// x with `value` around it: pads are (before, after) of the last dimension, then of the one before, and so on;
/// negative ones cut off. Of pad's modes only "constant".
Tensor pad(const Tensor& x, IntArrayRef pads, std::string_view mode = "constant",
           std::optional<double> value = std::nullopt);
Tensor constant_pad_nd(const Tensor& x, IntArrayRef pads, Scalar value = 0);
Tensor tril(const Tensor& x, int64_t diagonal = 0);  ///< the lower triangle of each matrix, 0 above
Tensor triu(const Tensor& x, int64_t diagonal = 0);
Tensor diag(const Tensor& x, int64_t diagonal = 0);  ///< a matrix's diagonal, or the matrix of one
Tensor trace(const Tensor& x);                       ///< sum of a matrix's diagonal

// --- Elements at positions (ops/positions/index.cpp) -------------------------------------------------------------
// index: Long tensors of positions. An element that is read several times gets the sum of the gradients.
// x.index({Slice(), 1, mask}) is told in <wengert/ops/tensor_index.h>.

/// Positions (k, dims) of the elements that are not 0, in row-major order; no gradient.
Tensor nonzero(const Tensor& x);
/// y[i][j] = x[index[i][j]][j] for dim 0, and so on: index has x's number of dimensions.
Tensor gather(const Tensor& x, int64_t dim, const Tensor& index, bool sparse_grad = false);
/// y = x, but source at index (or added there) along dim.
Tensor scatter(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source);
Tensor scatter(const Tensor& x, int64_t dim, const Tensor& index, Scalar value);
Tensor scatter_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source);
/// The slices of x at the positions of a vector, along dim.
Tensor index_select(const Tensor& x, int64_t dim, const Tensor& index);
/// y = x, with alpha times the slices of source added at the positions of a vector.
Tensor index_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source, Scalar alpha = 1);
/// x at the indices, one for each leading dimension: Long positions that broadcast against each other, Bool masks
/// of one or more dimensions, or undefined tensors for whole dimensions. NumPy's advanced indexing.
Tensor index(const Tensor& x, TensorList indices);
/// y = x, but values there (added, if accumulate).
Tensor index_put(const Tensor& x, TensorList indices, const Tensor& values, bool accumulate = false);
Tensor masked_select(const Tensor& x, const Tensor& mask);  ///< the elements where the mask is true, as a vector
Tensor take(const Tensor& x, const Tensor& index);          ///< x flattened, at index
/// Classes, Long (*), as vectors that are 1 at the class and else 0, (*, num_classes); by default the largest class and
/// one.
Tensor one_hot(const Tensor& x, int64_t num_classes = -1);

// --- Losses and layers (ops/reductions/loss.cpp) ------------------------------------------------------------------
// x: the prediction; target: of its shape, but for classes. reduction: what becomes of the elements' losses.

Tensor mse_loss(const Tensor& x, const Tensor& target, int64_t reduction = Reduction::Mean);  ///< (x - t)^2
Tensor l1_loss(const Tensor& x, const Tensor& target, int64_t reduction = Reduction::Mean);   ///< |x - t|
/// d^2 / (2 beta) where d = |x - t| < beta, else d - beta / 2.
Tensor smooth_l1_loss(const Tensor& x, const Tensor& target, int64_t reduction = Reduction::Mean, double beta = 1);
/// d^2 / 2 where d = |x - t| < delta, else delta (d - delta / 2).
Tensor huber_loss(const Tensor& x, const Tensor& target, int64_t reduction = Reduction::Mean, double delta = 1);
/// -(t ln x + (1 - t) ln(1 - x)) for x in [0, 1]; the logarithms are no less than -100.
Tensor binary_cross_entropy(const Tensor& x, const Tensor& target, const Tensor& weight = {},
                            int64_t reduction = Reduction::Mean);
/// The same of sigmoid(x), without overflow; pos_weight: the weight of positives.
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target, const Tensor& weight = {},
                                        const Tensor& pos_weight = {}, int64_t reduction = Reduction::Mean);
/// t (ln t - x) for x = ln of a distribution; with log_target, t is a logarithm too.
Tensor kl_div(const Tensor& x, const Tensor& target, int64_t reduction = Reduction::Mean, bool log_target = false);
/// -weight[t] x[t], x (n, classes, ...) log-probabilities, t (n, ...) Long classes. The mean is weighted.
Tensor nll_loss(const Tensor& x, const Tensor& target, const Tensor& weight = {}, int64_t reduction = Reduction::Mean,
                int64_t ignore_index = -100);
/// nll_loss of log_softmax(x); the target may also be probabilities, of x's shape.
Tensor cross_entropy_loss(const Tensor& x, const Tensor& target, const Tensor& weight = {},
                          int64_t reduction = Reduction::Mean, int64_t ignore_index = -100, double label_smoothing = 0);
/// a b / (|a| |b|), summed along dim.
Tensor cosine_similarity(const Tensor& a, const Tensor& b, int64_t dim = 1, double eps = 1e-8);
/// x Wᵀ + b.   x (*, in), weight (out, in), bias (out) -> (*, out).
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});
/// The rows of weight (n, m) at indices (*) -> (*, m). The gradient at padding_idx is 0.
Tensor embedding(const Tensor& weight, const Tensor& indices, int64_t padding_idx = -1, bool scale_grad_by_freq = false,
                 bool sparse = false);
/// Each element 0 with probability p, else divided by 1 - p; x itself unless `train`.
Tensor dropout(const Tensor& x, double p, bool train);
/// (x - mean) / sqrt(var + eps) weight + bias over the last dimensions, of sizes normalized_shape.
Tensor layer_norm(const Tensor& x, IntArrayRef normalized_shape, const Tensor& weight = {}, const Tensor& bias = {},
                  double eps = 1e-5);

// --- Copies (ops/elementwise/copy.cpp) -----------------------------------------------------------------------------

/// A copy with memory of its own, row-major.
Tensor clone(const Tensor& x);

// --- Random numbers (ops/elementwise/random.cpp) -------------------------------------------------------------------
// The numbers that PyTorch gives on the CPU after the same manual_seed and the same calls. One generator
// serves all threads, see <wengert/autograd/base/generator.h>; calls are safe on any of them.

Tensor rand(IntArrayRef sizes, const TensorOptions& options = {});   ///< uniform on [0, 1)
Tensor randn(IntArrayRef sizes, const TensorOptions& options = {});  ///< standard normal
Tensor rand_like(const Tensor& like, const TensorOptions& options = {});
Tensor randn_like(const Tensor& like, const TensorOptions& options = {});
/// Whole numbers, uniform on [low, high). Long unless options have a dtype.
Tensor randint(int64_t high, IntArrayRef sizes, const TensorOptions& options = {});
Tensor randint(int64_t low, int64_t high, IntArrayRef sizes, const TensorOptions& options = {});
/// 1 with the probability that x holds, else 0.
Tensor bernoulli(const Tensor& x);
/// The numbers 0 .. n-1 in random order. Long unless options have a dtype.
Tensor randperm(int64_t n, const TensorOptions& options = {});

namespace nn::functional {
// Names that only libtorch's torch::nn::functional has, for calls without an options object.
inline Tensor logsigmoid(const Tensor& x) { return log_sigmoid(x); }
inline Tensor cross_entropy(const Tensor& x, const Tensor& target) { return cross_entropy_loss(x, target); }
using wengert::softsign;
}  // namespace nn::functional

}  // namespace wengert
