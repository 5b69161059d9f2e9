#include <gtest/gtest.h>
#include <wengert/torch.h>

#include <fstream>
#include <iterator>

#define main tape_main
#include "../../examples/tape_in_150_lines.cpp"
#undef main

// The exhibit computes what the library does.

namespace {

tape::Matrix matrix_of(const torch::Tensor& x) {
  const double* data = x.data_ptr<double>();
  return {static_cast<size_t>(x.size(0)), static_cast<size_t>(x.size(1)), std::vector<double>(data, data + x.numel())};
}
torch::Tensor tensor_of(const tape::Matrix& m) {
  return torch::tensor(m.x, torch::kDouble).view({static_cast<int64_t>(m.rows), static_cast<int64_t>(m.columns)});
}

TEST(TapeIn150Lines, HasTheGradientsOfTheLibrary) {
  torch::manual_seed(5);
  const torch::Tensor d = torch::rand({5, 7}, torch::kDouble);
  const torch::Tensor c = torch::rand({5, 3}, torch::dtype(torch::kDouble).requires_grad(true));
  const torch::Tensor f = torch::rand({3, 7}, torch::dtype(torch::kDouble).requires_grad(true));
  // With a Node that two others lead to, and a leaf that is used twice.
  const auto loss = [](const auto& D, const auto& C, const auto& F) {
    const auto y = mm(C, F);
    return sum(pow(D - y, 2) + pow(y, 3) + mm(C, F));
  };
  loss(d, c, f).backward();
  const tape::Tensor D(matrix_of(d)), C(matrix_of(c), true), F(matrix_of(f), true);
  const tape::Tensor l = loss(D, C, F);
  tape::backward(l);
  EXPECT_TRUE(torch::allclose(tensor_of(C.grad()), c.grad(), 1e-12));
  EXPECT_TRUE(torch::allclose(tensor_of(F.grad()), f.grad(), 1e-12));
  tape::backward(l);
  EXPECT_TRUE(torch::allclose(tensor_of(C.grad()), 2 * c.grad(), 1e-12)) << "gradients add up";
}

TEST(TapeIn150Lines, HasNoMoreLinesThanItSays) {
  std::ifstream file(TAPE_IN_150_LINES);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_GT(text.size(), 1000u);
  EXPECT_LE(std::count(text.begin(), text.end(), '\n'), 150);
}

}  // namespace
