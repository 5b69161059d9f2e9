#pragma once

#include <wengert/autograd/base/device.h>
#include <wengert/autograd/base/error.h>
#include <wengert/autograd/base/intrusive_ptr.h>
#include <wengert/autograd/base/scalar.h>
#include <wengert/autograd/base/shape.h>
#include <wengert/autograd/tensor/accessor.h>
#include <wengert/autograd/tensor/storage.h>
#include <wengert/autograd/tensor/tensor_options.h>

#include <cmath>
#include <functional>
#include <iosfwd>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

namespace wengert {

class Tensor;
struct TensorImpl;
using TensorList = ArrayRef<Tensor>;

namespace autograd {
class AccumulateGrad;
class Node;
}  // namespace autograd
namespace indexing {
class TensorIndex;
}  // namespace indexing

/// An n-dimensional array of one dtype, and its place in the graph of operations that computed it.
///
/// A Tensor is a handle, one pointer wide: copies share elements, gradient and history. A default-made
/// Tensor is undefined and stands for "no tensor". Methods that end in `_` change the elements in place.
///
/// Names, defaults, broadcasting, dtype promotion and errors are those of libtorch's torch::Tensor. What a
/// method computes is told where the function of the same name is declared, in <wengert/ops/ops.h>.
class Tensor {
 public:
  Tensor() = default;
  Tensor(const Tensor&) = default;
  Tensor(Tensor&&) noexcept = default;
  explicit Tensor(IntrusivePtr<TensorImpl> impl) : impl_(std::move(impl)) {}

  Tensor& operator=(const Tensor&) & = default;
  Tensor& operator=(Tensor&&) & noexcept = default;
  // Assigning to what an expression returned writes elements: `x[0] = y`, `x[0] = 1`.
  Tensor& operator=(const Tensor& source) &&;
  Tensor& operator=(Tensor&& source) &&;  // NOLINT: copies elements, and may throw
  Tensor& operator=(Scalar value) &&;

  // --- What it is -----------------------------------------------------------------------------------

  bool defined() const { return static_cast<bool>(impl_); }
  /// Lets go of the tensor; the handle is then undefined.
  void reset() { impl_.reset(); }
  IntArrayRef sizes() const;
  IntArrayRef strides() const;  ///< in elements
  int64_t size(int64_t dim) const;
  int64_t stride(int64_t dim) const;
  int64_t dim() const;
  int64_t numel() const;
  ScalarType dtype() const;
  ScalarType scalar_type() const { return dtype(); }
  TensorOptions options() const;
  int64_t element_size() const { return wengert::element_size(dtype()); }
  size_t nbytes() const { return static_cast<size_t>(numel()) * static_cast<size_t>(element_size()); }
  int64_t storage_offset() const;  ///< in elements
  bool is_contiguous() const;
  Layout layout() const;
  bool is_sparse() const;
  bool is_floating_point() const { return isFloatingType(dtype()); }
  bool is_signed() const { return isSignedType(dtype()); }
  bool is_complex() const { return false; }
  int64_t itemsize() const { return element_size(); }
  int64_t ndimension() const { return dim(); }
  bool is_same_size(const Tensor& other) const { return sizes() == other.sizes(); }
  /// How many handles there are of this tensor, those that the graph holds among them.
  size_t use_count() const;
  std::string name() const { return ""; }  // here as tensors of libtorch have one
  bool has_names() const { return false; }
  Device device() const { return Device(); }
  bool is_cpu() const { return true; }
  bool is_cuda() const { return false; }
  /// Made in inference mode; see <wengert/autograd/base/inference_mode.h>.
  bool is_inference() const;
  /// Whether both are handles of the same tensor.
  bool is_same(const Tensor& other) const { return impl_ == other.impl_; }
  /// Whether both share their memory.
  bool is_alias_of(const Tensor& other) const;
  /// "CPUFloatType", as libtorch names it in errors.
  std::string toString() const;

  // --- Its elements ---------------------------------------------------------------------------------

  /// The only element, of any dtype. Throws unless numel() is 1.
  Scalar item() const;
  template <class T>
  T item() const {
    return item().to<T>();
  }
  /// Whether the only element is not 0. Throws unless numel() is 1.
  bool is_nonzero() const;
  /// The first element. Throws when T is not the dtype's C++ type (bool, int64_t, float, double).
  template <class T>
  T* data_ptr() const {
    return static_cast<T*>(typed_data(dtype_of<std::remove_const_t<T>>()));
  }
  void* data_ptr() const;
  template <class T, size_t N>
  TensorAccessor<T, N> accessor() const& {
    require_dims(N);
    return TensorAccessor<T, N>(data_ptr<T>(), sizes().data(), strides().data());
  }
  template <class T, size_t N>
  TensorAccessor<T, N> accessor() && = delete;  // the tensor would be gone before the accessor is used

  // --- Its place in the graph -----------------------------------------------------------------------

  bool requires_grad() const;
  /// Starts or stops the recording of operations on this leaf. Throws for integers and for non-leaves.
  const Tensor& requires_grad_(bool requires_grad = true) const;
  const Tensor& set_requires_grad(bool requires_grad) const { return requires_grad_(requires_grad); }
  /// True for tensors that no recorded operation computed; gradients are kept for these.
  bool is_leaf() const;
  /// The gradient that backward() accumulated; undefined before the first.
  const Tensor& grad() const;
  Tensor& mutable_grad() const;
  /// The Node that computes the gradient of this tensor's inputs from its own; null for leaves.
  const IntrusivePtr<autograd::Node>& grad_fn() const;
  /// Which of grad_fn's outputs this is.
  uint32_t output_nr() const;
  /// Has backward() keep the gradient of this non-leaf too, in grad(). No effect on a leaf.
  void retain_grad() const;
  bool retains_grad() const;

  /// Computes d(this)/d(leaf) for every leaf it depends on and adds it to the leaf's grad().
  /// gradient: dL/d(this), of this tensor's shape; may be left out when it has one element (then 1).
  /// retain_graph: keep what the graph saved, for another backward; defaults to create_graph.
  /// create_graph: record the backward itself, so that gradients can be differentiated.
  /// inputs: if given, gradients are accumulated into these only.
  void backward(const Tensor& gradient = {}, std::optional<bool> retain_graph = std::nullopt, bool create_graph = false,
                std::optional<TensorList> inputs = std::nullopt) const;

  /// The same elements without history. Shares memory and version.
  Tensor detach() const;
  Tensor& detach_();
  /// The elements alone: as detach(), but in-place changes to it are not noticed by what autograd saved.
  Tensor data() const;
  Tensor tensor_data() const { return data(); }
  Tensor variable_data() const { return data(); }
  /// This tensor becomes another one's memory and shape, of the same dtype, and keeps its own place in the graph.
  void set_data(const Tensor& new_data) const;
  /// How often the memory was changed in place. Throws for inference tensors.
  int64_t _version() const;
  bool is_view() const;
  /// The tensor that this is a view of. Throws when it is none.
  const Tensor& _base() const;

  // --- Sparse tensors only; see <wengert/ops/sparse.h> -----------------------------------------------

  int64_t _nnz() const;     ///< how many positions it holds
  Tensor _indices() const;  ///< Long (d, n)
  Tensor _values() const;   ///< (n, ...)
  bool is_coalesced() const;
  /// Each position once, in rising order, its values added.
  Tensor coalesce() const;
  Tensor indices() const;  ///< as _indices(); throws unless coalesced
  Tensor values() const;
  /// The same elements with memory for each; a dense tensor itself.
  Tensor to_dense() const;

  // --- Hooks ----------------------------------------------------------------------------------------

  /// Calls `hook` with this tensor's gradient when backward() has completed it. The hook returns nothing, or
  /// a Tensor to take the gradient's place. Returns a handle for remove_hook().
  template <class Hook>
  unsigned register_hook(Hook&& hook) const {
    using Result = std::invoke_result_t<Hook&, Tensor>;
    if constexpr (std::is_void_v<Result>) {
      return add_hook([hook = std::forward<Hook>(hook)](const Tensor& grad) mutable {
        hook(grad);
        return Tensor();
      });
    } else {
      return add_hook(std::function<Tensor(const Tensor&)>(std::forward<Hook>(hook)));
    }
  }
  /// Throws when there is no such hook.
  void remove_hook(unsigned handle) const;
  /// Calls `hook` with this leaf whenever backward() has added to its grad(). Throws for non-leaves.
  void register_post_accumulate_grad_hook(std::function<void(const Tensor&)> hook) const;

  // --- Arithmetic -----------------------------------------------------------------------------------

  Tensor add(const Tensor& other, Scalar alpha = 1) const;
  Tensor add(Scalar other, Scalar alpha = 1) const;
  Tensor& add_(const Tensor& other, Scalar alpha = 1) const;
  Tensor& add_(Scalar other, Scalar alpha = 1) const;
  Tensor sub(const Tensor& other, Scalar alpha = 1) const;
  Tensor sub(Scalar other, Scalar alpha = 1) const;
  Tensor& sub_(const Tensor& other, Scalar alpha = 1) const;
  Tensor& sub_(Scalar other, Scalar alpha = 1) const;
  Tensor mul(const Tensor& other) const;
  Tensor mul(Scalar other) const;
  Tensor& mul_(const Tensor& other) const;
  Tensor& mul_(Scalar other) const;
  Tensor div(const Tensor& other) const;
  Tensor div(Scalar other) const;
  Tensor& div_(const Tensor& other) const;
  Tensor& div_(Scalar other) const;
  Tensor div(const Tensor& other, std::optional<std::string_view> rounding_mode) const;
  Tensor div(Scalar other, std::optional<std::string_view> rounding_mode) const;
  Tensor& div_(const Tensor& other, std::optional<std::string_view> rounding_mode) const;
  Tensor& div_(Scalar other, std::optional<std::string_view> rounding_mode) const;
  Tensor floor_divide(const Tensor& other) const;
  Tensor floor_divide(Scalar other) const;
  Tensor& floor_divide_(const Tensor& other) const;
  Tensor& floor_divide_(Scalar other) const;
  Tensor remainder(const Tensor& other) const;
  Tensor remainder(Scalar other) const;
  Tensor& remainder_(const Tensor& other) const;
  Tensor& remainder_(Scalar other) const;
  Tensor fmod(const Tensor& other) const;
  Tensor fmod(Scalar other) const;
  Tensor& fmod_(const Tensor& other) const;
  Tensor& fmod_(Scalar other) const;
  Tensor atan2(const Tensor& other) const;
  Tensor& atan2_(const Tensor& other) const;
  Tensor lerp(const Tensor& end, Scalar weight) const;
  Tensor lerp(const Tensor& end, const Tensor& weight) const;
  Tensor& lerp_(const Tensor& end, Scalar weight) const;
  Tensor& lerp_(const Tensor& end, const Tensor& weight) const;
  Tensor addcmul(const Tensor& a, const Tensor& b, Scalar value = 1) const;
  Tensor& addcmul_(const Tensor& a, const Tensor& b, Scalar value = 1) const;
  Tensor addcdiv(const Tensor& a, const Tensor& b, Scalar value = 1) const;
  Tensor& addcdiv_(const Tensor& a, const Tensor& b, Scalar value = 1) const;
  Tensor xlogy(const Tensor& other) const;
  Tensor pow(Scalar exponent) const;
  Tensor pow(const Tensor& exponent) const;
  Tensor& pow_(Scalar exponent) const;
  Tensor& pow_(const Tensor& exponent) const;

  Tensor operator-() const;
  Tensor& operator+=(const Tensor& other) { return add_(other); }
  Tensor& operator+=(Scalar other) { return add_(other); }
  Tensor& operator-=(const Tensor& other) { return sub_(other); }
  Tensor& operator-=(Scalar other) { return sub_(other); }
  Tensor& operator*=(const Tensor& other) { return mul_(other); }
  Tensor& operator*=(Scalar other) { return mul_(other); }
  Tensor& operator/=(const Tensor& other) { return div_(other); }
  Tensor& operator/=(Scalar other) { return div_(other); }

  // --- Pointwise ------------------------------------------------------------------------------------

  Tensor neg() const;
  Tensor& neg_() const;
  Tensor abs() const;
  Tensor& abs_() const;
  Tensor sign() const;
  Tensor& sign_() const;
  Tensor square() const;
  Tensor& square_() const;
  Tensor sqrt() const;
  Tensor& sqrt_() const;
  Tensor rsqrt() const;
  Tensor& rsqrt_() const;
  Tensor reciprocal() const;
  Tensor& reciprocal_() const;
  Tensor floor() const;
  Tensor& floor_() const;
  Tensor ceil() const;
  Tensor& ceil_() const;
  Tensor trunc() const;
  Tensor& trunc_() const;
  Tensor round() const;
  Tensor& round_() const;
  Tensor frac() const;
  Tensor& frac_() const;
  Tensor exp() const;
  Tensor& exp_() const;
  Tensor expm1() const;
  Tensor& expm1_() const;
  Tensor log() const;
  Tensor& log_() const;
  Tensor log1p() const;
  Tensor& log1p_() const;
  Tensor log2() const;
  Tensor& log2_() const;
  Tensor log10() const;
  Tensor& log10_() const;
  Tensor sin() const;
  Tensor& sin_() const;
  Tensor cos() const;
  Tensor& cos_() const;
  Tensor tan() const;
  Tensor& tan_() const;
  Tensor asin() const;
  Tensor& asin_() const;
  Tensor acos() const;
  Tensor& acos_() const;
  Tensor atan() const;
  Tensor& atan_() const;
  Tensor sinh() const;
  Tensor& sinh_() const;
  Tensor cosh() const;
  Tensor& cosh_() const;
  Tensor tanh() const;
  Tensor& tanh_() const;
  Tensor erf() const;
  Tensor& erf_() const;
  Tensor erfc() const;
  Tensor& erfc_() const;
  Tensor lgamma() const;
  Tensor& lgamma_() const;
  Tensor digamma() const;
  Tensor& digamma_() const;
  Tensor relu() const;
  Tensor& relu_() const;
  Tensor sigmoid() const;
  Tensor& sigmoid_() const;
  Tensor polygamma(int64_t n) const;
  Tensor where(const Tensor& condition, const Tensor& other) const;
  Tensor maximum(const Tensor& other) const;
  Tensor minimum(const Tensor& other) const;
  Tensor clamp(std::optional<Scalar> min = std::nullopt, std::optional<Scalar> max = std::nullopt) const;
  Tensor clamp(const std::optional<Tensor>& min, const std::optional<Tensor>& max = std::nullopt) const;
  Tensor& clamp_(std::optional<Scalar> min = std::nullopt, std::optional<Scalar> max = std::nullopt) const;
  Tensor& clamp_(const std::optional<Tensor>& min, const std::optional<Tensor>& max = std::nullopt) const;
  Tensor clamp_min(Scalar min) const;
  Tensor& clamp_min_(Scalar min) const;
  Tensor clamp_max(Scalar max) const;
  Tensor& clamp_max_(Scalar max) const;
  Tensor masked_fill(const Tensor& mask, Scalar value) const;
  Tensor masked_fill(const Tensor& mask, const Tensor& value) const;
  Tensor& masked_fill_(const Tensor& mask, Scalar value) const;
  Tensor& masked_fill_(const Tensor& mask, const Tensor& value) const;

  // --- Comparison and logic -------------------------------------------------------------------------

  Tensor eq(const Tensor& other) const;
  Tensor eq(Scalar other) const;
  Tensor ne(const Tensor& other) const;
  Tensor ne(Scalar other) const;
  Tensor lt(const Tensor& other) const;
  Tensor lt(Scalar other) const;
  Tensor le(const Tensor& other) const;
  Tensor le(Scalar other) const;
  Tensor gt(const Tensor& other) const;
  Tensor gt(Scalar other) const;
  Tensor ge(const Tensor& other) const;
  Tensor ge(Scalar other) const;
  Tensor isfinite() const;
  Tensor isnan() const;
  Tensor isinf() const;
  Tensor logical_and(const Tensor& other) const;
  Tensor logical_or(const Tensor& other) const;
  Tensor logical_xor(const Tensor& other) const;
  Tensor logical_not() const;
  Tensor bitwise_and(const Tensor& other) const;
  Tensor bitwise_or(const Tensor& other) const;
  Tensor bitwise_xor(const Tensor& other) const;
  Tensor bitwise_not() const;
  Tensor operator!() const;
  Tensor operator~() const;
  bool equal(const Tensor& other) const;
  Tensor isclose(const Tensor& other, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false) const;
  bool allclose(const Tensor& other, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false) const;

  // --- Reduction ------------------------------------------------------------------------------------

  Tensor sum(std::optional<ScalarType> dtype = std::nullopt) const;
  Tensor sum(IntArrayRef dims, bool keepdim = false, std::optional<ScalarType> dtype = std::nullopt) const;
  Tensor mean(std::optional<ScalarType> dtype = std::nullopt) const;
  Tensor mean(IntArrayRef dims, bool keepdim = false, std::optional<ScalarType> dtype = std::nullopt) const;
  Tensor sum_to_size(IntArrayRef sizes) const;
  Tensor nansum() const;
  Tensor nansum(IntArrayRef dims, bool keepdim = false) const;
  Tensor prod(std::optional<ScalarType> dtype = std::nullopt) const;
  Tensor prod(int64_t dim, bool keepdim = false, std::optional<ScalarType> dtype = std::nullopt) const;
  Tensor cumsum(int64_t dim, std::optional<ScalarType> dtype = std::nullopt) const;
  Tensor cumprod(int64_t dim, std::optional<ScalarType> dtype = std::nullopt) const;
  Tensor var(bool unbiased = true) const;
  Tensor var(IntArrayRef dims, bool unbiased = true, bool keepdim = false) const;
  Tensor std(bool unbiased = true) const;
  Tensor std(IntArrayRef dims, bool unbiased = true, bool keepdim = false) const;
  Tensor norm(Scalar p = 2) const;
  Tensor norm(std::optional<Scalar> p, IntArrayRef dims, bool keepdim = false) const;
  Tensor all() const;
  Tensor all(int64_t dim, bool keepdim = false) const;
  Tensor any() const;
  Tensor any(int64_t dim, bool keepdim = false) const;
  Tensor count_nonzero(std::optional<int64_t> dim = std::nullopt) const;
  Tensor count_nonzero(IntArrayRef dims) const;
  Tensor softmax(int64_t dim, std::optional<ScalarType> dtype = std::nullopt) const;
  Tensor log_softmax(int64_t dim, std::optional<ScalarType> dtype = std::nullopt) const;
  Tensor logsumexp(IntArrayRef dims, bool keepdim = false) const;

  // --- Order ----------------------------------------------------------------------------------------

  Tensor max() const;
  Tensor max(const Tensor& other) const;
  std::tuple<Tensor, Tensor> max(int64_t dim, bool keepdim = false) const;
  Tensor min() const;
  Tensor min(const Tensor& other) const;
  std::tuple<Tensor, Tensor> min(int64_t dim, bool keepdim = false) const;
  Tensor amax(IntArrayRef dims = {}, bool keepdim = false) const;
  Tensor amin(IntArrayRef dims = {}, bool keepdim = false) const;
  Tensor argmax(std::optional<int64_t> dim = std::nullopt, bool keepdim = false) const;
  Tensor argmin(std::optional<int64_t> dim = std::nullopt, bool keepdim = false) const;
  std::tuple<Tensor, Tensor> sort(int64_t dim = -1, bool descending = false) const;
  Tensor argsort(int64_t dim = -1, bool descending = false) const;
  std::tuple<Tensor, Tensor> topk(int64_t k, int64_t dim = -1, bool largest = true, bool sorted = true) const;
  Tensor median() const;
  std::tuple<Tensor, Tensor> median(int64_t dim, bool keepdim = false) const;

  // --- Matrices -------------------------------------------------------------------------------------

  Tensor mm(const Tensor& mat2) const;
  Tensor bmm(const Tensor& mat2) const;
  Tensor mv(const Tensor& vec) const;
  Tensor dot(const Tensor& other) const;
  Tensor matmul(const Tensor& other) const;
  Tensor outer(const Tensor& other) const;
  Tensor addmm(const Tensor& a, const Tensor& b, Scalar beta = 1, Scalar alpha = 1) const;
  Tensor& addmm_(const Tensor& a, const Tensor& b, Scalar beta = 1, Scalar alpha = 1) const;
  Tensor addmv(const Tensor& a, const Tensor& v, Scalar beta = 1, Scalar alpha = 1) const;
  Tensor& addmv_(const Tensor& a, const Tensor& v, Scalar beta = 1, Scalar alpha = 1) const;
  Tensor baddbmm(const Tensor& a, const Tensor& b, Scalar beta = 1, Scalar alpha = 1) const;
  Tensor& baddbmm_(const Tensor& a, const Tensor& b, Scalar beta = 1, Scalar alpha = 1) const;
  Tensor kron(const Tensor& other) const;
  Tensor tril(int64_t diagonal = 0) const;
  Tensor& tril_(int64_t diagonal = 0) const;
  Tensor triu(int64_t diagonal = 0) const;
  Tensor& triu_(int64_t diagonal = 0) const;
  Tensor diagonal(int64_t offset = 0, int64_t dim1 = 0, int64_t dim2 = 1) const;
  Tensor diag(int64_t diagonal = 0) const;
  Tensor trace() const;
  Tensor inverse() const;
  Tensor det() const;
  Tensor logdet() const;
  Tensor cholesky(bool upper = false) const;
  std::tuple<Tensor, Tensor, Tensor> svd(bool some = true, bool compute_uv = true) const;
  std::tuple<Tensor, Tensor> qr(bool some = true) const;

  // --- Shape ----------------------------------------------------------------------------------------

  Tensor view(IntArrayRef sizes) const;
  Tensor view_as(const Tensor& other) const { return view(other.sizes()); }
  Tensor reshape(IntArrayRef sizes) const;
  Tensor reshape_as(const Tensor& other) const { return reshape(other.sizes()); }
  Tensor t() const;
  Tensor transpose(int64_t dim0, int64_t dim1) const;
  Tensor mT() const;  ///< each matrix transposed
  Tensor permute(IntArrayRef dims) const;
  Tensor expand(IntArrayRef sizes, bool implicit = false) const;
  Tensor expand_as(const Tensor& other) const { return expand(other.sizes()); }
  Tensor squeeze() const;
  Tensor squeeze(int64_t dim) const;
  Tensor unsqueeze(int64_t dim) const;
  Tensor select(int64_t dim, int64_t index) const;
  Tensor narrow(int64_t dim, int64_t start, int64_t length) const;
  Tensor slice(int64_t dim = 0, std::optional<int64_t> start = std::nullopt, std::optional<int64_t> end = std::nullopt,
               int64_t step = 1) const;
  Tensor as_strided(IntArrayRef sizes, IntArrayRef strides, std::optional<int64_t> storage_offset = std::nullopt) const;
  Tensor operator[](int64_t index) const { return select(0, index); }
  Tensor flatten(int64_t start_dim = 0, int64_t end_dim = -1) const;
  Tensor movedim(IntArrayRef source, IntArrayRef destination) const;
  Tensor movedim(int64_t source, int64_t destination) const;
  Tensor broadcast_to(IntArrayRef sizes) const;
  std::vector<Tensor> split(int64_t size, int64_t dim = 0) const;
  std::vector<Tensor> split(IntArrayRef sizes, int64_t dim = 0) const;
  std::vector<Tensor> split_with_sizes(IntArrayRef sizes, int64_t dim = 0) const;
  std::vector<Tensor> chunk(int64_t chunks, int64_t dim = 0) const;
  std::vector<Tensor> unbind(int64_t dim = 0) const;
  Tensor repeat(IntArrayRef counts) const;
  Tensor tile(IntArrayRef counts) const;
  Tensor repeat_interleave(int64_t repeats, std::optional<int64_t> dim = std::nullopt) const;
  Tensor repeat_interleave(const Tensor& repeats, std::optional<int64_t> dim = std::nullopt) const;
  Tensor flip(IntArrayRef dims) const;
  Tensor roll(IntArrayRef shifts, IntArrayRef dims = {}) const;

  // --- Elements at positions ------------------------------------------------------------------------

  /// x.index({0, Slice(1, None), "...", mask}) is x[0, 1:, ..., mask]; see <wengert/ops/tensor_index.h>.
  Tensor index(ArrayRef<indexing::TensorIndex> indices) const;
  Tensor index(std::initializer_list<indexing::TensorIndex> indices) const;
  Tensor index(TensorList indices) const;
  /// Writes to what index() would read.
  Tensor& index_put_(ArrayRef<indexing::TensorIndex> indices, const Tensor& values) const;
  Tensor& index_put_(ArrayRef<indexing::TensorIndex> indices, Scalar value) const;
  Tensor& index_put_(std::initializer_list<indexing::TensorIndex> indices, const Tensor& values) const;
  Tensor& index_put_(std::initializer_list<indexing::TensorIndex> indices, Scalar value) const;
  Tensor& index_put_(TensorList indices, const Tensor& values, bool accumulate = false) const;
  Tensor index_put(TensorList indices, const Tensor& values, bool accumulate = false) const;
  Tensor operator[](const Tensor& index) const;
  Tensor nonzero() const;
  Tensor gather(int64_t dim, const Tensor& index, bool sparse_grad = false) const;
  Tensor scatter(int64_t dim, const Tensor& index, const Tensor& source) const;
  Tensor scatter(int64_t dim, const Tensor& index, Scalar value) const;
  Tensor& scatter_(int64_t dim, const Tensor& index, const Tensor& source) const;
  Tensor& scatter_(int64_t dim, const Tensor& index, Scalar value) const;
  Tensor scatter_add(int64_t dim, const Tensor& index, const Tensor& source) const;
  Tensor& scatter_add_(int64_t dim, const Tensor& index, const Tensor& source) const;
  Tensor index_select(int64_t dim, const Tensor& index) const;
  Tensor index_add(int64_t dim, const Tensor& index, const Tensor& source, Scalar alpha = 1) const;
  Tensor& index_add_(int64_t dim, const Tensor& index, const Tensor& source, Scalar alpha = 1) const;
  Tensor masked_select(const Tensor& mask) const;
  Tensor take(const Tensor& index) const;

  // --- Copies and writes ----------------------------------------------------------------------------

  Tensor clone() const;
  Tensor contiguous() const;
  /// This tensor as `dtype`; itself when it is so already.
  Tensor to(ScalarType dtype, [[maybe_unused]] bool non_blocking = false, bool copy = false) const {
    return this->dtype() == dtype && !copy ? *this : converted(dtype);
  }
  Tensor to(const TensorOptions& options, bool non_blocking = false, bool copy = false) const;
  Tensor toType(ScalarType dtype) const { return to(dtype); }
  Tensor to(const Tensor& like, bool non_blocking = false, bool copy = false) const {
    return to(like.dtype(), non_blocking, copy);
  }
  Tensor to(Device, bool non_blocking = false, bool copy = false) const { return to(dtype(), non_blocking, copy); }
  Tensor to(Device, ScalarType dtype, bool non_blocking = false, bool copy = false) const {
    return to(dtype, non_blocking, copy);
  }
  Tensor type_as(const Tensor& other) const { return to(other.dtype()); }
  Tensor cpu() const { return *this; }
  Tensor new_empty(IntArrayRef sizes, const TensorOptions& options = {}) const;
  Tensor new_zeros(IntArrayRef sizes, const TensorOptions& options = {}) const;
  Tensor new_ones(IntArrayRef sizes, const TensorOptions& options = {}) const;
  Tensor new_full(IntArrayRef sizes, Scalar value, const TensorOptions& options = {}) const;
  Tensor& copy_(const Tensor& source) const;
  Tensor& fill_(Scalar value) const;
  Tensor& fill_(const Tensor& value) const;
  Tensor& zero_() const;
  Tensor& uniform_(double from = 0, double to = 1) const;
  Tensor& normal_(double mean = 0, double std = 1) const;
  Tensor& bernoulli_(double p = 0.5) const;
  Tensor& bernoulli_(const Tensor& p) const;
  Tensor bernoulli() const;

  // --- Second names: what NumPy calls it, and what other tensors than these would need --------------------

  Tensor absolute() const { return abs(); }
  Tensor& absolute_() const { return abs_(); }
  Tensor arccos() const { return acos(); }
  Tensor& arccos_() const { return acos_(); }
  Tensor arcsin() const { return asin(); }
  Tensor& arcsin_() const { return asin_(); }
  Tensor arctan() const { return atan(); }
  Tensor& arctan_() const { return atan_(); }
  Tensor negative() const { return neg(); }
  Tensor& negative_() const { return neg_(); }
  Tensor fix() const { return trunc(); }
  Tensor& fix_() const { return trunc_(); }
  Tensor multiply(const Tensor& other) const { return mul(other); }
  Tensor multiply(Scalar other) const { return mul(other); }
  Tensor& multiply_(const Tensor& other) const { return mul_(other); }
  Tensor& multiply_(Scalar other) const { return mul_(other); }
  Tensor subtract(const Tensor& other) const { return sub(other); }
  Tensor subtract(Scalar other) const { return sub(other); }
  Tensor& subtract_(const Tensor& other) const { return sub_(other); }
  Tensor& subtract_(Scalar other) const { return sub_(other); }
  Tensor divide(const Tensor& other) const { return div(other); }
  Tensor divide(Scalar other) const { return div(other); }
  Tensor& divide_(const Tensor& other) const { return div_(other); }
  Tensor& divide_(Scalar other) const { return div_(other); }
  Tensor true_divide(const Tensor& other) const { return div(other); }
  Tensor true_divide(Scalar other) const { return div(other); }
  Tensor& true_divide_(const Tensor& other) const { return div_(other); }
  Tensor& true_divide_(Scalar other) const { return div_(other); }
  Tensor greater(const Tensor& other) const { return gt(other); }
  Tensor greater(Scalar other) const { return gt(other); }
  Tensor greater_equal(const Tensor& other) const { return ge(other); }
  Tensor greater_equal(Scalar other) const { return ge(other); }
  Tensor less(const Tensor& other) const { return lt(other); }
  Tensor less(Scalar other) const { return lt(other); }
  Tensor less_equal(const Tensor& other) const { return le(other); }
  Tensor less_equal(Scalar other) const { return le(other); }
  Tensor not_equal(const Tensor& other) const { return ne(other); }
  Tensor not_equal(Scalar other) const { return ne(other); }
  Tensor arctan2(const Tensor& other) const { return atan2(other); }
  Tensor& arctan2_(const Tensor& other) const { return atan2_(other); }
  Tensor clip(std::optional<Scalar> min = std::nullopt, std::optional<Scalar> max = std::nullopt) const {
    return clamp(min, max);
  }
  Tensor& clip_(std::optional<Scalar> min = std::nullopt, std::optional<Scalar> max = std::nullopt) const {
    return clamp_(min, max);
  }
  Tensor ger(const Tensor& other) const { return outer(other); }
  Tensor swapaxes(int64_t dim0, int64_t dim1) const { return transpose(dim0, dim1); }
  Tensor swapdims(int64_t dim0, int64_t dim1) const { return transpose(dim0, dim1); }
  Tensor moveaxis(int64_t source, int64_t destination) const { return movedim(source, destination); }
  Tensor moveaxis(IntArrayRef source, IntArrayRef destination) const { return movedim(source, destination); }
  Tensor ravel() const { return contiguous().view(-1); }
  Tensor mH() const { return mT(); }
  Tensor matrix_H() const { return t(); }
  Tensor vdot(const Tensor& other) const { return dot(other); }
  Tensor adjoint() const { return mT(); }
  Tensor positive() const { return *this; }
  Tensor conj() const { return *this; }
  Tensor resolve_conj() const { return *this; }
  Tensor resolve_neg() const { return *this; }
  bool is_conj() const { return false; }
  bool is_neg() const { return false; }
  bool is_pinned() const { return false; }
  bool is_quantized() const { return false; }
  bool is_meta() const { return false; }
  bool has_storage() const { return defined(); }
  int64_t get_device() const { return device().index(); }

  TensorImpl* impl() const { return impl_.get(); }
  const IntrusivePtr<TensorImpl>& impl_ptr() const { return impl_; }

 private:
  const TensorImpl& info() const;  // throws when undefined
  void* typed_data(ScalarType dtype) const;
  void require_dims(size_t dims) const;
  Tensor converted(ScalarType dtype) const;
  const IntrusivePtr<autograd::Node>& grad_fn_of_view() const;
  unsigned add_hook(std::function<Tensor(const Tensor&)> hook) const;
  // In-place methods are const, as in libtorch: they change what the handle points to.
  Tensor& self() const { return const_cast<Tensor&>(*this); }

  IntrusivePtr<TensorImpl> impl_;
};

template <>
inline constexpr bool is_relocatable<Tensor> = true;

// Binary operators take a Tensor or a number on either side.
Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator+(const Tensor& a, Scalar b);
Tensor operator+(Scalar a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, Scalar b);
Tensor operator-(Scalar a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, Scalar b);
Tensor operator*(Scalar a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, Scalar b);
Tensor operator/(Scalar a, const Tensor& b);
Tensor operator==(const Tensor& a, const Tensor& b);
Tensor operator==(const Tensor& a, Scalar b);
Tensor operator!=(const Tensor& a, const Tensor& b);
Tensor operator!=(const Tensor& a, Scalar b);
Tensor operator<(const Tensor& a, const Tensor& b);
Tensor operator<(const Tensor& a, Scalar b);
Tensor operator<=(const Tensor& a, const Tensor& b);
Tensor operator<=(const Tensor& a, Scalar b);
Tensor operator>(const Tensor& a, const Tensor& b);
Tensor operator>(const Tensor& a, Scalar b);
Tensor operator>=(const Tensor& a, const Tensor& b);
Tensor operator>=(const Tensor& a, Scalar b);
Tensor operator%(const Tensor& a, const Tensor& b);  // remainder
Tensor operator%(const Tensor& a, Scalar b);
Tensor operator&(const Tensor& a, const Tensor& b);
Tensor operator|(const Tensor& a, const Tensor& b);
Tensor operator^(const Tensor& a, const Tensor& b);

/// Writes the tensor as PyTorch prints it in Python; see <wengert/autograd/tools/printing.h>.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

}  // namespace wengert

#include <wengert/autograd/tensor/tensor_impl.h>  // the bodies of Tensor's short methods
