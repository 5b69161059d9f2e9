#pragma once

#include <wengert/autograd/accessor.h>
#include <wengert/autograd/error.h>
#include <wengert/autograd/intrusive_ptr.h>
#include <wengert/autograd/scalar.h>
#include <wengert/autograd/shape.h>
#include <wengert/autograd/storage.h>
#include <wengert/autograd/tensor_options.h>

#include <cmath>
#include <functional>
#include <iosfwd>
#include <limits>
#include <optional>
#include <string>
#include <type_traits>

namespace wengert {

class Tensor;
struct TensorImpl;
using TensorList = ArrayRef<Tensor>;

namespace autograd {
class AccumulateGrad;
class Node;
}  // namespace autograd

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
  size_t nbytes() const { return static_cast<size_t>(numel() * element_size()); }
  int64_t storage_offset() const;  ///< in elements
  bool is_contiguous() const;
  bool is_floating_point() const { return isFloatingType(dtype()); }
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
  /// How often the memory was changed in place.
  int64_t _version() const;
  bool is_view() const;
  /// The tensor that this is a view of. Throws when it is none.
  const Tensor& _base() const;

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
  void remove_hook(unsigned handle) const;

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
  Tensor reciprocal() const;
  Tensor& reciprocal_() const;
  Tensor exp() const;
  Tensor& exp_() const;
  Tensor log() const;
  Tensor& log_() const;
  Tensor tanh() const;
  Tensor& tanh_() const;
  Tensor sigmoid() const;
  Tensor& sigmoid_() const;
  Tensor relu() const;
  Tensor& relu_() const;

  // --- Comparison -----------------------------------------------------------------------------------

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
  bool equal(const Tensor& other) const;
  bool allclose(const Tensor& other, double rtol = 1e-5, double atol = 1e-8, bool equal_nan = false) const;

  // --- Reduction ------------------------------------------------------------------------------------

  Tensor sum(std::optional<ScalarType> dtype = std::nullopt) const;
  Tensor sum(IntArrayRef dims, bool keepdim = false, std::optional<ScalarType> dtype = std::nullopt) const;
  Tensor mean(std::optional<ScalarType> dtype = std::nullopt) const;
  Tensor mean(IntArrayRef dims, bool keepdim = false, std::optional<ScalarType> dtype = std::nullopt) const;
  Tensor sum_to_size(IntArrayRef sizes) const;

  // --- Matrices -------------------------------------------------------------------------------------

  Tensor mm(const Tensor& mat2) const;
  Tensor bmm(const Tensor& mat2) const;
  Tensor mv(const Tensor& vec) const;
  Tensor dot(const Tensor& other) const;
  Tensor matmul(const Tensor& other) const;

  // --- Shape ----------------------------------------------------------------------------------------

  Tensor view(IntArrayRef sizes) const;
  Tensor view_as(const Tensor& other) const { return view(other.sizes()); }
  Tensor reshape(IntArrayRef sizes) const;
  Tensor reshape_as(const Tensor& other) const { return reshape(other.sizes()); }
  Tensor t() const;
  Tensor transpose(int64_t dim0, int64_t dim1) const;
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

  // --- Copies and writes ----------------------------------------------------------------------------

  Tensor clone() const;
  Tensor contiguous() const;
  /// This tensor as `dtype`; itself when it is so already.
  Tensor to(ScalarType dtype, bool non_blocking = false, bool copy = false) const;
  Tensor to(const TensorOptions& options, bool non_blocking = false, bool copy = false) const;
  Tensor toType(ScalarType dtype) const { return to(dtype); }
  Tensor& copy_(const Tensor& source) const;
  Tensor& fill_(Scalar value) const;
  Tensor& fill_(const Tensor& value) const;
  Tensor& zero_() const;
  Tensor& uniform_(double from = 0, double to = 1) const;
  Tensor& normal_(double mean = 0, double std = 1) const;

  TensorImpl* impl() const { return impl_.get(); }
  const IntrusivePtr<TensorImpl>& impl_ptr() const { return impl_; }

 private:
  const TensorImpl& info() const;  // throws when undefined
  void* typed_data(ScalarType dtype) const;
  void require_dims(size_t dims) const;
  unsigned add_hook(std::function<Tensor(const Tensor&)> hook) const;
  // In-place methods are const, as in libtorch: they change what the handle points to.
  Tensor& self() const { return const_cast<Tensor&>(*this); }

  IntrusivePtr<TensorImpl> impl_;
};

/// What the handles of one tensor share.
struct TensorImpl final : pool::Pooled {
  TensorImpl(IntrusivePtr<Storage> storage, ScalarType dtype, Dims sizes, Dims strides, int64_t offset);
  ~TensorImpl();
  TensorImpl(const TensorImpl&) = delete;
  TensorImpl& operator=(const TensorImpl&) = delete;

  void retain() noexcept { owners.retain(); }
  void release() noexcept {
    if (owners.release()) destroy();
  }
  void destroy() noexcept;

  void* data() const { return static_cast<char*>(storage->data()) + offset * element_size(dtype); }

  ReferenceCount owners;
  ScalarType dtype;
  bool contiguous;
  bool requires_grad = false;  // asked for on this leaf; non-leaves have a grad_fn instead
  bool retains_grad = false;
  bool made_without_grad_mode = false;  // a view taken while grad mode was off
  int64_t numel;
  int64_t offset;  // of the first element in the storage, in elements
  Dims sizes;
  Dims strides;
  IntrusivePtr<Storage> storage;

  // The graph. `grad_fn` is a view's own only as long as the storage has the version `grad_fn_version`:
  // after an in-place change through the base or another view, history.cpp makes it anew from the base.
  IntrusivePtr<autograd::Node> grad_fn;
  uint32_t output_nr = 0;
  uint32_t grad_fn_version = 0;
  Tensor base;  // what this is a view of; itself never a view
  Tensor grad;
  std::atomic<autograd::AccumulateGrad*> accumulate_grad{nullptr};  // owned; made when first needed
};

inline const TensorImpl& Tensor::info() const {
  if (!impl_) [[unlikely]] {
    throw Error("Expected a proper Tensor but got None (or an undefined Tensor in C++) for argument #0 'self'");
  }
  return *impl_;
}
inline IntArrayRef Tensor::sizes() const { return impl_ ? IntArrayRef(impl_->sizes) : IntArrayRef(); }
inline IntArrayRef Tensor::strides() const { return impl_ ? IntArrayRef(impl_->strides) : IntArrayRef(); }
inline int64_t Tensor::dim() const { return static_cast<int64_t>(sizes().size()); }
inline int64_t Tensor::numel() const { return impl_ ? impl_->numel : 0; }
inline ScalarType Tensor::dtype() const { return info().dtype; }
inline TensorOptions Tensor::options() const { return TensorOptions(dtype()); }
inline int64_t Tensor::storage_offset() const { return info().offset; }
inline bool Tensor::is_contiguous() const { return info().contiguous; }
inline void* Tensor::data_ptr() const { return info().data(); }
inline bool Tensor::is_alias_of(const Tensor& other) const {
  return info().storage->data() == other.info().storage->data();
}
inline int64_t Tensor::_version() const { return info().storage->version(); }
inline bool Tensor::is_view() const { return info().base.defined(); }

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

/// Writes the tensor as PyTorch prints it in Python; see <wengert/autograd/printing.h>.
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

}  // namespace wengert
