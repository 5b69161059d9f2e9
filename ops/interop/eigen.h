#pragma once

#include <wengert/autograd/base/grad_mode.h>
#include <wengert/autograd/tensor/factories.h>
#include <wengert/autograd/tools/functional.h>
#include <wengert/ops/interop/expect.h>
#include <wengert/ops/ops.h>

#include <Eigen/Core>
#include <functional>

// Matrices of Eigen and tensors on the same memory, and functions of tensors for Eigen's solvers. Eigen 3.3 and later.

namespace wengert {

/// A matrix of Eigen's on a tensor's memory, whatever its strides.
template <class T>
using EigenMap = Eigen::Map<Eigen::Matrix<T, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>, Eigen::Unaligned,
                            Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>>;

/// A tensor of two dimensions, or of one as a column, which must live longer. T: its dtype's C++ type. Throws
/// wengert::Error for other tensors.
template <class T>
EigenMap<T> eigen_map(const Tensor& tensor) {
  interop::expect(tensor.dim() == 1 || tensor.dim() == 2, "eigen_map: expected a matrix or a vector, got a tensor of ",
                  tensor.dim(), " dimensions");
  const bool is_matrix = tensor.dim() == 2;
  return EigenMap<T>(tensor.data_ptr<T>(), tensor.size(0), is_matrix ? tensor.size(1) : 1,
                     Eigen::Stride<Eigen::Dynamic, Eigen::Dynamic>(tensor.stride(0), is_matrix ? tensor.stride(1) : 1));
}

/// A leaf on the memory of a matrix (rows, columns), or of a vector (size), which must live longer.
template <class Derived>
Tensor tensor_on(Eigen::PlainObjectBase<Derived>& matrix) {
  using T = typename Derived::Scalar;
  if constexpr (Derived::IsVectorAtCompileTime) {
    return from_blob(matrix.data(), {matrix.size()}, dtype_of<T>());
  } else {
    const int64_t rows = matrix.rows(), columns = matrix.cols();
    const int64_t of_row = Derived::IsRowMajor ? columns : 1, of_column = Derived::IsRowMajor ? 1 : rows;
    return from_blob(matrix.data(), {rows, columns}, {of_row, of_column}, dtype_of<T>());
  }
}

/// A function from a vector to a vector, double, as Eigen's solvers of nonlinear problems take it (LevenbergMarquardt,
/// HybridNonLinearSolver): values by the function, the Jacobian by the tape.
class EigenFunctor {
 public:
  using Scalar = double;
  using InputType = Eigen::VectorXd;
  using ValueType = Eigen::VectorXd;
  using JacobianType = Eigen::MatrixXd;
  enum { InputsAtCompileTime = Eigen::Dynamic, ValuesAtCompileTime = Eigen::Dynamic };

  /// function: Double (inputs) -> Double (values).
  EigenFunctor(std::function<Tensor(const Tensor&)> function, int inputs, int values)
      : function_(std::move(function)), inputs_(inputs), values_(values) {}

  int inputs() const { return inputs_; }
  int values() const { return values_; }
  int operator()(const InputType& x, ValueType& values) const {
    const NoGradGuard no_grad;
    InputType at = x;
    const Tensor result = function_(tensor_on(at));
    interop::expect(result.dim() == 1 && result.size(0) == values_, "EigenFunctor: expected ", values_,
                    " values, got a tensor of sizes ", result.sizes());
    values = eigen_map<double>(result);
    return 0;
  }
  int df(const InputType& x, JacobianType& jacobian) const {
    InputType at = x;
    jacobian = eigen_map<double>(autograd::functional::jacobian(function_, tensor_on(at)));
    return 0;
  }

 private:
  std::function<Tensor(const Tensor&)> function_;
  int inputs_, values_;
};

}  // namespace wengert
