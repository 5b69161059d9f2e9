#include <gtest/gtest.h>
#include <support/inputs.h>

#include <cmath>
#include <limits>
#include <sstream>

// Expected texts follow from the rules of PyTorch's Python printing, worked out by hand.

namespace wengert {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

TEST(Printing, FourDecimalsAndOneWidth) {
  EXPECT_EQ(str(tensor({{1.0, -2.5}, {3.25, 100.0}})), "tensor([[  1.0000,  -2.5000],\n        [  3.2500, 100.0000]])");
  EXPECT_EQ(str(tensor(2.011)), "tensor(2.0110)");
}

TEST(Printing, WholeFloatsEndInAPoint) {
  EXPECT_EQ(str(tensor({1.0, 2.0, -10.0})), "tensor([  1.,   2., -10.])");
  EXPECT_EQ(str(zeros({2})), "tensor([0., 0.])");
}

TEST(Printing, IntegersAndBools) {
  EXPECT_EQ(str(tensor({1, -20, 3})), "tensor([  1, -20,   3])");
  EXPECT_EQ(str(tensor({true, false})), "tensor([ True, False])");
}

TEST(Printing, ScientificForWideRanges) {
  EXPECT_EQ(str(tensor({1e-5, 1.0})), "tensor([1.0000e-05, 1.0000e+00])");
  EXPECT_EQ(str(tensor({0.001, 2.5})), "tensor([1.0000e-03, 2.5000e+00])");
  EXPECT_EQ(str(tensor({0.01, 2.5})), "tensor([0.0100, 2.5000])");
  EXPECT_EQ(str(tensor({2e8, 1e8})), "tensor([2.0000e+08, 1.0000e+08])");
  EXPECT_EQ(str(tensor({1.0, 1001.0})), "tensor([1.0000e+00, 1.0010e+03])");
  EXPECT_EQ(str(tensor({1.0, 1000.0})), "tensor([   1., 1000.])");
}

TEST(Printing, NonFiniteValues) {
  EXPECT_EQ(str(tensor({1.5, kInf, kNan})), "tensor([1.5000,    inf,    nan])");
  EXPECT_EQ(str(tensor({kNan, -kInf})), "tensor([nan, -inf])");
}

TEST(Printing, DtypeWhenItIsNotEvident) {
  EXPECT_EQ(str(tensor({1.0}, kDouble)), "tensor([1.], dtype=torch.float64)");
  EXPECT_EQ(str(tensor({1}, kLong)), "tensor([1])");
}

TEST(Printing, EmptyTensors) {
  EXPECT_EQ(str(zeros({0})), "tensor([])");
  EXPECT_EQ(str(zeros({2, 0})), "tensor([], size=(2, 0))");
  EXPECT_EQ(str(zeros({0}, kLong)), "tensor([], dtype=torch.int64)");
}

TEST(Printing, GradFnAndRequiresGrad) {
  const Tensor x = ones({2}, requires_grad());
  EXPECT_EQ(str(x), "tensor([1., 1.], requires_grad=True)");
  EXPECT_EQ(str(x * 2), "tensor([2., 2.], grad_fn=<MulBackward1>)");
  std::ostringstream out;
  out << (x * 2).grad_fn() << " " << x.grad_fn();
  EXPECT_EQ(out.str(), "<MulBackward1> None");
}

TEST(Printing, LinesBreakAtTheWidth) {
  EXPECT_EQ(str(arange(30)),
            "tensor([ 0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14, 15, 16, 17,\n"
            "        18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29])");
}

TEST(Printing, SuffixesGoToANewLineWhenTheLastIsFull) {
  const Tensor x = full({9}, 1.5, requires_grad());
  EXPECT_EQ(str(x),
            "tensor([1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000, 1.5000],\n"
            "       requires_grad=True)");
}

TEST(Printing, LargeTensorsShowTheirEdges) {
  EXPECT_EQ(str(arange(1001)), "tensor([   0,    1,    2,  ...,  998,  999, 1000])");
  EXPECT_EQ(str(zeros({7, 200})),
            "tensor([[0., 0., 0.,  ..., 0., 0., 0.],\n"
            "        [0., 0., 0.,  ..., 0., 0., 0.],\n"
            "        [0., 0., 0.,  ..., 0., 0., 0.],\n"
            "        ...,\n"
            "        [0., 0., 0.,  ..., 0., 0., 0.],\n"
            "        [0., 0., 0.,  ..., 0., 0., 0.],\n"
            "        [0., 0., 0.,  ..., 0., 0., 0.]])");
}

TEST(Printing, TheWidthComesFromWhatIsShown) {
  Tensor x = zeros({1001}, kLong);
  x[500] = 123456;
  EXPECT_EQ(str(x), "tensor([0, 0, 0,  ..., 0, 0, 0])");
}

TEST(Printing, ThreeDimensionsHaveBlankLinesBetween) {
  EXPECT_EQ(str(zeros({2, 2, 2}, kLong)),
            "tensor([[[0, 0],\n"
            "         [0, 0]],\n"
            "\n"
            "        [[0, 0],\n"
            "         [0, 0]]])");
}

TEST(Printing, ViewsPrintTheirOwnElements) {
  EXPECT_EQ(str(arange(6).view({2, 3}).t()), "tensor([[0, 3],\n        [1, 4],\n        [2, 5]])");
  EXPECT_EQ(str(arange(6).slice(0, 1, 6, 2)), "tensor([1, 3, 5])");
}

TEST(Printing, Undefined) { EXPECT_EQ(str(Tensor()), "[ Tensor (undefined) ]"); }

TEST(Printing, OptionsChangeIt) {
  PrintOptions options;
  options.precision = 2;
  options.sci_mode = true;
  set_printoptions(options);
  EXPECT_EQ(str(tensor({0.5})), "tensor([5.00e-01])");
  options = PrintOptions();
  options.threshold = 4;
  options.edgeitems = 1;
  set_printoptions(options);
  EXPECT_EQ(str(arange(5)), "tensor([0,  ..., 4])");
  set_printoptions(PrintOptions());
}

TEST(Printing, TheNotebooksTensors) {
  EXPECT_EQ(str(tensor({{0.9721, 0.2518}, {0.0386, 0.5858}, {0.4206, 0.2610}}, requires_grad())),
            "tensor([[0.9721, 0.2518],\n        [0.0386, 0.5858],\n        [0.4206, 0.2610]], requires_grad=True)");
}

}  // namespace
}  // namespace wengert
