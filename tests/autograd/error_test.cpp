#include <gtest/gtest.h>
#include <support/inputs.h>

// Errors, worded as libtorch words them.

namespace wengert {
namespace {

using autograd::grad;

class ErrorTest : public testing::Test {
 protected:
  Tensor x = ones({2, 2}, requires_grad());
};

TEST_F(ErrorTest, BackwardOfSeveralElementsWithoutAGradient) {
  EXPECT_ERROR((x * 2).backward(), "grad can be implicitly created only for scalar outputs");
}

TEST_F(ErrorTest, BackwardOfWhatHasNoGraph) {
  EXPECT_ERROR(ones({1}).backward(), "element 0 of tensors does not require grad and does not have a grad_fn");
  EXPECT_ERROR(autograd::backward({x.sum(), ones({1})}),
               "element 1 of tensors does not require grad and does not have a grad_fn");
}

TEST_F(ErrorTest, BackwardTwice) {
  const Tensor y = (x * x).sum();
  y.backward();
  EXPECT_ERROR(y.backward(), "Trying to backward through the graph a second time (or directly access saved tensors");
}

TEST_F(ErrorTest, BackwardWithAGradientOfAnotherShape) {
  EXPECT_ERROR((x * 2).backward(ones({3})),
               "invalid gradient at index 0 - got [3] but expected shape compatible with [2, 2]");
  EXPECT_ERROR(autograd::backward({x.sum()}, {ones({}), ones({})}), "got 1 tensors and 2 gradients");
}

TEST_F(ErrorTest, ChangingALeafInPlace) {
  const std::string text =
      "a leaf Variable that requires grad is being used in an in-place operation. (docs/errors/leaf-in-place.md)";
  EXPECT_EQ(test::error_of([&] { x.add_(1); }), text);
  EXPECT_EQ(test::error_of([&] { x.copy_(ones({2, 2})); }), text);
  EXPECT_EQ(test::error_of([&] { x.zero_(); }), text);
  EXPECT_EQ(test::error_of([&] { x.exp_(); }), text);
  EXPECT_EQ(test::error_of([&] { x.mul_(ones({2, 2})); }), text);
  EXPECT_EQ(test::error_of([&] { x[0].add_(1); }),
            "a view of a leaf Variable that requires grad is being used in an in-place operation. "
            "(docs/errors/view-of-leaf-in-place.md)");
  const NoGradGuard no_grad;
  x.add_(1);
}

TEST_F(ErrorTest, SavedTensorChangedInPlace) {
  const Tensor y = x * 2;
  const Tensor z = y.pow(2);
  y.add_(1);
  EXPECT_ERROR(
      z.sum().backward(),
      "one of the variables needed for gradient computation has been modified by an inplace operation: "
      "[CPUFloatType [2, 2]], which is output 0 of AddBackward1, is at version 1; expected version 0 instead.");
}

TEST_F(ErrorTest, SavedLeafChangedInPlace) {
  const Tensor z = x.pow(2);
  {
    const NoGradGuard no_grad;
    x.add_(1);
  }
  EXPECT_ERROR(z.sum().backward(),
               "one of the variables needed for gradient computation has been modified by an inplace operation: "
               "[CPUFloatType [2, 2]] is at version 1; expected version 0 instead.");
}

TEST_F(ErrorTest, SavedOutputChangedInPlace) {
  const Tensor z = x.exp();
  z.add_(1);
  EXPECT_ERROR(z.sum().backward(), "which is output 0 of ExpBackward0, is at version 1; expected version 0 instead.");
}

TEST_F(ErrorTest, RequiresGradOnIntegers) {
  const std::string text = "Only Tensors of floating point and complex dtype can require gradients";
  EXPECT_ERROR(ones({2}, kLong).requires_grad_(), text);
  EXPECT_ERROR(ones({2}, dtype(kBool).requires_grad(true)), text);
}

TEST_F(ErrorTest, RequiresGradOffOnANonLeaf) {
  EXPECT_ERROR((x * 2).requires_grad_(false), "you can only change requires_grad flags of leaf variables.");
}

TEST_F(ErrorTest, GradOfWhatIsUnused) {
  const Tensor y = ones({2}, requires_grad());
  EXPECT_ERROR(grad({x.sum()}, {y}),
               "One of the differentiated Tensors appears to not have been used in the graph. Set allow_unused=True");
  EXPECT_ERROR(grad({x.sum()}, {ones({2})}), "One of the differentiated Tensors does not require grad");
  EXPECT_ERROR(grad({x.sum()}, {}), "grad requires non-empty inputs.");
}

TEST_F(ErrorTest, AccumulatedGradientOfAnotherShape) {
  const Tensor y = ones({2, 2}, requires_grad());
  y.mutable_grad() = ones({3});
  EXPECT_ERROR((y * 2).sum().backward(), "The size of tensor a (3) must match the size of tensor b (2)");
}

TEST_F(ErrorTest, ShapesThatDoNotBroadcast) {
  EXPECT_EQ(test::error_of([] {
              ones({2, 3}) + ones({2, 4});
            }),
            "The size of tensor a (3) must match the size of tensor b (4) at non-singleton dimension 1");
  EXPECT_ERROR(ones({2, 1}).add_(ones({2, 3})), "output with shape [2, 1] doesn't match the broadcast shape [2, 3]");
}

TEST_F(ErrorTest, ShapesThatDoNotMultiply) {
  EXPECT_EQ(test::error_of([] {
              mm(ones({3, 4}), ones({3, 2}));
            }),
            "mat1 and mat2 shapes cannot be multiplied (3x4 and 3x2)");
  EXPECT_ERROR(mm(ones({3}), ones({3, 2})), "self must be a matrix");
  EXPECT_ERROR(mm(ones({2, 3}), ones({3})), "mat2 must be a matrix");
  EXPECT_ERROR(mm(ones({2, 3}), ones({3, 2}, kDouble)), "expected scalar type Float but found Double");
  EXPECT_ERROR(matmul(ones({3, 4}), ones({3})), "size mismatch, got 3, 3x4,3");
  EXPECT_ERROR(matmul(ones({2, 3, 4}), ones({2, 3, 4})),
               "Expected size for first two dimensions of batch2 tensor to be: [2, 4] but got: [2, 3].");
  EXPECT_ERROR(matmul(ones({2, 3, 4}), ones({3, 4, 4})),
               "The size of tensor a (2) must match the size of tensor b (3)");
  EXPECT_ERROR(matmul(ones({}), ones({4, 5})),
               "both arguments to matmul need to be at least 1D, but they are 0D and 2D");
  EXPECT_ERROR(dot(ones({3}), ones({4})),
               "inconsistent tensor size, expected tensor [3] and src [4] to have the same number of elements");
}

TEST_F(ErrorTest, Items) {
  EXPECT_EQ(test::error_of([] { ones({2}).item<float>(); }), "a Tensor with 2 elements cannot be converted to Scalar");
  EXPECT_ERROR(ones({2}).data_ptr<double>(), "expected scalar type Double but found Float");
  const Tensor flat = ones({2});
  EXPECT_ERROR((flat.accessor<float, 2>()), "TensorAccessor expected 2 dims but tensor has 1");
}

TEST_F(ErrorTest, Views) {
  EXPECT_ERROR(ones({2, 3}).t().view({6}), "view size is not compatible with input tensor's size and stride");
  EXPECT_ERROR(ones({2, 3}).view({4}), "shape '[4]' is invalid for input of size 6");
  EXPECT_ERROR(ones({2, 3}).view({-1, -1}), "only one dimension can be inferred");
  EXPECT_ERROR(ones({2, 3}).view({-2, 3}), "invalid shape dimension -2");
  EXPECT_ERROR(ones({0, 3}).view({-1, 0}), "cannot reshape tensor of 0 elements into shape [-1, 0]");
  EXPECT_ERROR(ones({2, 3}).expand({4, 3}),
               "The expanded size of the tensor (4) must match the existing size (2) at non-singleton dimension 0.");
  EXPECT_ERROR(ones({2, 3}).expand({3}), "the number of sizes provided (1) must be greater or equal to");
  EXPECT_ERROR(ones({2, 3}).transpose(0, 2), "Dimension out of range (expected to be in range of [-2, 1], but got 2)");
  EXPECT_ERROR(ones({2, 3, 4}).t(), "t() expects a tensor with <= 2 dimensions, but self is 3D");
  EXPECT_ERROR(ones({2, 3}).permute({0, 0}), "permute(): duplicate dims are not allowed.");
  EXPECT_ERROR(ones({2, 3}).permute({0}), "input.dim() = 2 is not equal to len(dims) = 1");
  EXPECT_ERROR(ones({2, 3}).select(0, 2), "select(): index 2 out of range for tensor of size [2, 3] at dimension 0");
  EXPECT_ERROR(ones({2, 3})[-3], "select(): index -3 out of range");
  EXPECT_ERROR(ones({})[0], "select() cannot be applied to a 0-dim tensor.");
  EXPECT_ERROR(ones({2, 3}).narrow(0, 1, 2), "start (1) + length (2) exceeds dimension size (2).");
  EXPECT_ERROR(ones({2, 3}).slice(0, 0, 2, 0), "slice step must be positive");
  EXPECT_ERROR(ones({4}).as_strided({2, 2}, {4, 1}), "out of bounds for storage of size 16");
}

TEST_F(ErrorTest, Reductions) {
  EXPECT_ERROR(ones({2, 3}).sum(2), "Dimension out of range (expected to be in range of [-2, 1], but got 2)");
  EXPECT_ERROR(ones({2, 3}).sum({0, 0}), "dim 0 appears multiple times in the list of dims");
  EXPECT_ERROR(ones({2}, kLong).mean(), "mean(): could not infer output dtype.");
}

TEST_F(ErrorTest, InPlaceResultsThatDoNotFit) {
  const std::string text = "result type Float can't be cast to the desired output type Long";
  EXPECT_EQ(test::error_of([] { ones({2}, kLong).add_(1.5); }), text);
  EXPECT_EQ(test::error_of([] { ones({2}, kLong).add_(ones({2})); }), text);
  EXPECT_EQ(test::error_of([] { ones({2}, kLong).div_(2); }), text);
  EXPECT_EQ(test::error_of([] { ones({2}, kLong).exp_(); }), text);
}

TEST_F(ErrorTest, SharedElements) {
  EXPECT_ERROR(ones({1}).expand({3}).add_(1),
               "unsupported operation: more than one element of the written-to tensor refers to a single memory");
  const Tensor a = arange(4.0);
  EXPECT_ERROR(a.slice(0, 1).add_(a.slice(0, 0, 3)),
               "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single");
}

TEST_F(ErrorTest, Booleans) {
  const Tensor b = ones({2}, kBool);
  EXPECT_ERROR(b - b, "Subtraction, the `-` operator, with two bool tensors is not supported.");
  EXPECT_ERROR(-b, "Negation, the `-` operator, on a bool tensor is not supported.");
  EXPECT_ERROR(b.relu(), "Boolean inputs not supported for relu");
  EXPECT_ERROR(mm(ones({2, 2}, kBool), ones({2, 2}, kBool)), "not implemented for 'Bool'");
}

TEST_F(ErrorTest, Alpha) {
  const Tensor n = ones({2}, kLong);
  EXPECT_ERROR(n.add(n, 1.5), "For integral input tensors, argument alpha must not be a floating point number.");
  EXPECT_ERROR(n.add(n, true), "Boolean alpha only supported for Boolean results.");
}

TEST_F(ErrorTest, Powers) {
  EXPECT_ERROR(ones({2}, kLong).pow(-1), "Integers to negative integer powers are not allowed.");
}

TEST_F(ErrorTest, Factories) {
  EXPECT_ERROR(ones({-1}), "Trying to create tensor with negative dimension -1: [-1]");
  EXPECT_ERROR(arange(0, 10, 0), "step must be nonzero");
  EXPECT_ERROR(arange(0, 10, -1), "upper bound and larger bound inconsistent with step sign");
  EXPECT_ERROR(linspace(0, 1, -1), "number of steps must be non-negative");
  EXPECT_ERROR(eye(-1), "n must be greater or equal to 0, got -1");
  EXPECT_ERROR(rand({2}, kLong), "\"check_uniform_bounds\" not implemented for 'Long'");
  EXPECT_ERROR(randn({2}, kLong), "\"normal_kernel_cpu\" not implemented for 'Long'");
  EXPECT_ERROR(randint(5, 5, {2}), "random_ expects 'from' to be less than 'to', but got from=5 >= to=5");
  EXPECT_ERROR(tensor({{5, 6}, {7}}),
               "Expected all sub-lists to have sizes: 2 (e.g. {5, 6}), but got sub-list {7} with sizes: 1");
}

TEST_F(ErrorTest, UndefinedTensors) {
  const std::string text = "Expected a proper Tensor but got None (or an undefined Tensor in C++)";
  EXPECT_ERROR(Tensor() + ones({1}), text);
  EXPECT_ERROR(Tensor().sum(), text);
  EXPECT_ERROR(mm(Tensor(), ones({1, 1})), "self must be a matrix");
  EXPECT_ERROR(Tensor().backward(), text);
  EXPECT_EQ(Tensor().numel(), 0);
}

TEST_F(ErrorTest, HooksAndRetainedGradients) {
  EXPECT_ERROR(ones({2}).retain_grad(), "can't retain_grad on Tensor that has requires_grad=False");
  EXPECT_ERROR(ones({2}).register_hook([](const Tensor& g) { return g; }),
               "cannot register a hook on a variable that doesn't require gradient");
  x.register_hook([](const Tensor&) { return ones({3}); });
  EXPECT_ERROR(x.sum().backward(), "hook '0' has changed the size of value");
}

TEST_F(ErrorTest, DetachInPlaceOfAView) {
  const Tensor y = x * 2;
  Tensor view = y.view({4});
  EXPECT_ERROR(view.detach_(), "Can't detach views in-place. Use detach() instead.");
}

TEST_F(ErrorTest, Allclose) { EXPECT_ERROR(allclose(ones({2}), ones({2}, kDouble)), "Float did not match Double"); }

TEST_F(ErrorTest, LeavesTheEngineUsable) {
  const Tensor y = x * 2;
  const unsigned handle = y.register_hook([](const Tensor&) { throw Error("from a hook"); });
  const Tensor loss = y.sum();
  EXPECT_ERROR(loss.backward({}, true), "from a hook");
  y.remove_hook(handle);
  loss.backward();
  EXPECT_TRUE(equal(x.grad(), full({2, 2}, 2.0)));
}

}  // namespace
}  // namespace wengert
