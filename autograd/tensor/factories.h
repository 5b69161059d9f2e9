#pragma once

#include <wengert/autograd/tensor/tensor.h>

#include <vector>

namespace wengert {

// Each makes a new, contiguous tensor of options.dtype() (the default dtype unless told otherwise), a leaf
// that requires grad if options ask for it. Sizes must not be negative.

Tensor empty(IntArrayRef sizes, const TensorOptions& options = {});  ///< elements undefined
Tensor zeros(IntArrayRef sizes, const TensorOptions& options = {});
Tensor ones(IntArrayRef sizes, const TensorOptions& options = {});
/// Without a dtype in options, a whole number fills a Long tensor and a bool a Bool tensor.
Tensor full(IntArrayRef sizes, Scalar value, const TensorOptions& options = {});
/// Elements undefined; strides in elements, not negative.
Tensor empty_strided(IntArrayRef sizes, IntArrayRef strides, const TensorOptions& options = {});

/// start, start + step, ... below end: ceil((end - start) / step) elements. Long when all three are whole.
Tensor arange(Scalar end, const TensorOptions& options = {});
Tensor arange(Scalar start, Scalar end, const TensorOptions& options = {});
Tensor arange(Scalar start, Scalar end, Scalar step, const TensorOptions& options = {});
/// `steps` values from start to end, both included, at equal distances.
Tensor linspace(Scalar start, Scalar end, int64_t steps, const TensorOptions& options = {});
/// base to the power of `steps` values from start to end, both included, at equal distances.
Tensor logspace(Scalar start, Scalar end, int64_t steps, double base = 10, const TensorOptions& options = {});
/// (n, m) with ones on the diagonal.
Tensor eye(int64_t n, const TensorOptions& options = {});
Tensor eye(int64_t n, int64_t m, const TensorOptions& options = {});

// Like another tensor: its sizes, and its dtype unless options have one.
Tensor empty_like(const Tensor& like, const TensorOptions& options = {});
Tensor zeros_like(const Tensor& like, const TensorOptions& options = {});
Tensor ones_like(const Tensor& like, const TensorOptions& options = {});
Tensor full_like(const Tensor& like, Scalar value, const TensorOptions& options = {});

/// The numbers that tensor() is given: one, a list, a list of lists and so on, or a std::vector.
class TensorData {
 public:
  template <Arithmetic T>
  TensorData(T value) : dtype_(Scalar(value).type()), values_{Scalar(value)} {}  // NOLINT
  TensorData(std::initializer_list<TensorData> list);                            // NOLINT
  template <Arithmetic T>
  TensorData(const std::vector<T>& values)  // NOLINT
      : sizes_{static_cast<int64_t>(values.size())},
        dtype_(Scalar(T()).type()),
        values_(values.begin(), values.end()) {}
  template <class T>
  TensorData(ArrayRef<T> values) : TensorData(values.vec()) {}  // NOLINT

  IntArrayRef sizes() const { return sizes_; }
  const std::vector<Scalar>& values() const { return values_; }  ///< in row-major order
  /// kLong for whole numbers, kBool for bools, the default dtype for the others and for an empty list.
  ScalarType dtype() const;

 private:
  Dims sizes_;
  ScalarType dtype_;
  std::vector<Scalar> values_;
};

/// A tensor of these numbers: `tensor({{1.0, 2.0}, {3.0, 4.0}})`. Throws when lists of one level differ in
/// length or in kind of number.
Tensor tensor(const TensorData& data, const TensorOptions& options = {});

/// A tensor on memory that the caller owns and keeps alive, of options.dtype(); `deleter`, if given, is
/// called with `data` when the last tensor on it is gone.
Tensor from_blob(void* data, IntArrayRef sizes, const TensorOptions& options = {});
Tensor from_blob(void* data, IntArrayRef sizes, IntArrayRef strides, const TensorOptions& options = {});
Tensor from_blob(void* data, IntArrayRef sizes, std::function<void(void*)> deleter, const TensorOptions& options = {});

/// A sparse tensor (see <wengert/ops/sparse.h>). indices: Long (d, n), the positions along the first d dimensions;
/// values: (n, ...), what is there, a slice of the other dimensions each. A position may come several times: its values
/// are added. sizes: of the whole tensor. Throws when the shapes do not fit together or a position lies outside.
Tensor sparse_coo_tensor(const Tensor& indices, const Tensor& values, IntArrayRef sizes);

namespace autograd {
/// Writes `value` to every element, which nobody else has seen yet: no history, no new version. In
/// ops/elementwise/copy.cpp.
void fill_elements(const Tensor& self, Scalar value);
}  // namespace autograd

}  // namespace wengert
