#include <gtest/gtest.h>
#include <ops/gradient_table.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>

// A public operation without a row in the gradient table, or in the benchmark of all operations, fails here.

namespace wengert::test {
namespace {

std::string read(const std::string& path) {
  std::ifstream file(std::string(WENGERT_SOURCE_DIR) + "/" + path);
  EXPECT_TRUE(file) << path;
  return {std::istreambuf_iterator<char>(file), {}};
}

std::set<std::string> matches(const std::string& text, const std::string& pattern) {
  std::set<std::string> found;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) found.insert((*it)[1]);
  return found;
}

std::set<std::string> rows() {
  std::set<std::string> ops;
  for (const GradientRow& row : gradient_table()) ops.insert(row.op);
  return ops;
}

// Operations whose results are bools, whole numbers or fresh random numbers.
const std::set<std::string> kWithoutGradient{
    "eq",         "ne",          "lt",          "le",          "gt",         "ge",          "equal",
    "isclose",    "one_hot",     "allclose",    "isfinite",    "isnan",      "isinf",       "logical_and",
    "logical_or", "logical_xor", "logical_not", "bitwise_and", "bitwise_or", "bitwise_xor", "bitwise_not",
    "all",        "any",         "nonzero",     "argmax",      "argmin",     "argsort",     "rand",
    "randn",      "rand_like",   "randn_like",  "randint",     "randperm",   "bernoulli",   "count_nonzero"};

TEST(GradientTable, HasARowForEveryOperation) {
  // Declarations, not the namespace of libtorch's second names.
  const std::string declaration = R"(\n(?:Tensor&?|bool|void|std::\w+<[^>]*>) (\w+)\()";
  std::set<std::string> public_ops = matches(read("ops/ops.h"), declaration);
  public_ops.merge(matches(read("ops/linalg.h"), declaration));
  EXPECT_GT(public_ops.size(), 200u);
  const std::set<std::string> tested = rows();
  for (const std::string& op : public_ops) {
    EXPECT_TRUE(tested.contains(op) != kWithoutGradient.contains(op)) << op;
  }
  for (const std::string& op : kWithoutGradient) EXPECT_TRUE(public_ops.contains(op)) << op;
}

// bench_operations times every operation, but second names and forms in place, which are others' code.
TEST(Benchmark, HasARowForEveryOperation) {
  const std::string declaration = R"(\n(?:Tensor|bool|void|std::\w+<[^>]*>) (\w+)\()";
  std::set<std::string> public_ops = matches(read("ops/ops.h"), declaration);
  public_ops.merge(matches(read("ops/linalg.h"), declaration));
  const std::set<std::string> second_names{"cholesky", "det", "inverse", "qr", "slogdet", "svd"};
  const std::set<std::string> timed = matches(read("bench/operations.inc"), R"((\w+))");
  for (const std::string& op : public_ops) EXPECT_TRUE(timed.contains(op) || second_names.contains(op)) << op;
}

TEST(GradientTable, HasARowForEveryInPlaceMethod) {
  // These change the graph, not the elements; and random fills have no formula but zero (see random_test.cpp).
  std::set<std::string> others{"requires_grad_", "detach_", "uniform_", "normal_", "bernoulli_"};
  // Second names, whose bodies are the call of the first.
  others.merge(matches(read("autograd/tensor/tensor.h"), R"(Tensor& (\w+_)\([^)]*\) const \{ return \w+_\()"));
  others.merge(std::set<std::string>{"clip_"});
  const std::set<std::string> methods = matches(read("autograd/tensor/tensor.h"), R"(Tensor& (\w+_)\()");
  EXPECT_GT(methods.size(), 60u);
  const std::set<std::string> tested = rows();
  for (const std::string& method : methods) {
    EXPECT_TRUE(tested.contains(method) != others.contains(method)) << method;
  }
}

}  // namespace
}  // namespace wengert::test
