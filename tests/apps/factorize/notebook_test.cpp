#include <factorize/notebook.h>
#include <gtest/gtest.h>

#include <regex>
#include <sstream>

namespace factorize {
namespace {

std::string output_of(const NotebookOptions& options) {
  std::ostringstream out;
  run_notebook(options, out);
  return out.str();
}

// The numbers in the text between two headings.
std::vector<double> numbers_between(const std::string& text, const std::string& from, const std::string& to) {
  const size_t begin = text.find(from);
  const size_t end = text.find(to, begin + from.size());
  EXPECT_NE(begin, std::string::npos) << from;
  EXPECT_NE(end, std::string::npos) << to;
  const std::string part = text.substr(begin + from.size(), end - begin - from.size());
  static const std::regex number(R"(-?\d+\.\d*(e[-+]\d+)?)");
  std::vector<double> found;
  for (std::sregex_iterator it(part.begin(), part.end(), number), last; it != last; ++it) {
    found.push_back(std::stod(it->str()));
  }
  return found;
}

void expect_near(const std::vector<double>& actual, const std::vector<double>& expected, double tolerance) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) EXPECT_NEAR(actual[i], expected[i], tolerance) << i;
}

// The inputs are known to four decimals, which the results reproduce to about 2e-4 and the gradients to 5e-4.
constexpr double kTolerance = 2e-4;
constexpr double kGradientTolerance = 5e-4;

TEST(RecordedNotebook, PrintsWhatTheNotebookPrinted) {
  const std::string text = output_of({.recorded = true});
  const auto section = [&](const char* from, const char* to) { return numbers_between(text, from, to); };

  expect_near(section("The matrix D", "Starting"),
              {0.0456, 0.1537, 0.0830, 0.0980, 0.2683, 0.4260, 0.4277, 0.4913, 0.4779, 0.7156, 0.7563, 0.8673}, 0);
  expect_near(section("Starting factors C and F", "D_hat = C F"),
              {0.9721, 0.2518, 0.0386, 0.5858, 0.4206, 0.2610,  // C
               0.8656, 0.0336, 0.1317, 0.2444, 0.4919, 0.4990, 0.4563, 0.7689},
              0);
  expect_near(section("D_hat = C F", "D_hat.grad_fn: <MmBackward0>"),
              {0.9654, 0.1583, 0.2429, 0.4312, 0.3215, 0.2936, 0.2724, 0.4599, 0.4925, 0.1443, 0.1745, 0.3034},
              kTolerance);
  expect_near(section("loss = sum (D - D_hat)^2", "loss.grad_fn: <SumBackward0>"), {2.0110}, kTolerance);
  expect_near(section("Gradients C.grad and F.grad", "C and F after"),
              {1.7976, 1.5676, 0.0270, -0.2698, -0.4419, -1.9538,  // C.grad
               1.8045, -0.4818, -0.1906, 0.1710, 0.5332, -0.4509, -0.4052, -0.1633},
              kGradientTolerance);
  expect_near(section("learning rate 0.01", "The loss now"),
              {0.9541, 0.2361, 0.0383, 0.5885, 0.4250, 0.2805,  // C
               0.8476, 0.0384, 0.1336, 0.2426, 0.4866, 0.5036, 0.4603, 0.7705},
              kTolerance);
  expect_near(section("The loss now", "Iteration"), {1.8741}, kTolerance);
  expect_near(section("\nD_hat\n", "\nD\n"),
              {0.0497, 0.1423, 0.0869, 0.1019, 0.2768, 0.4008, 0.4364, 0.5000, 0.4724, 0.7316, 0.7508, 0.8618},
              kTolerance);
  std::vector<double> difference{0.4044, -1.1402, 0.3885,  0.3853, 0.8437,  -2.5201,
                                 0.8680, 0.8727,  -0.5418, 1.6038, -0.5506, -0.5531};
  for (double& d : difference) d *= 1e-2;
  expect_near(numbers_between(text + "<end>", "D_hat - D\n", "<end>"), difference, kTolerance);
}

TEST(RecordedNotebook, PrintsTheLossesOfTheLoop) {
  const std::string text = output_of({.recorded = true});
  static const std::regex line(R"(Iteration n\.  (\d+) \. Loss:  (\d+\.\d{4}))");
  std::vector<int> iterations;
  std::vector<double> losses;
  for (std::sregex_iterator it(text.begin(), text.end(), line), last; it != last; ++it) {
    iterations.push_back(std::stoi((*it)[1]));
    losses.push_back(std::stod((*it)[2]));
  }
  EXPECT_EQ(iterations, (std::vector<int>{1, 1000, 2000, 3000, 4000, 5000, 6000, 7000, 8000, 9000, 10000}));
  expect_near(losses, {1.8741, 0.0223, 0.0060, 0.0028, 0.0020, 0.0017, 0.0016, 0.0015, 0.0015, 0.0014, 0.0014},
              kTolerance);
}

TEST(SeededNotebook, IsTheSameForTheSameSeedOnly) {
  EXPECT_EQ(output_of({.seed = 1}), output_of({.seed = 1}));
  EXPECT_NE(output_of({.seed = 1}), output_of({.seed = 2}));
}

TEST(SeededNotebook, StartsFromPyTorchsRandomNumbers) {
  // torch.manual_seed(0); torch.rand(3, 4) begins with these.
  const std::vector<double> D = numbers_between(output_of({.seed = 0}), "The matrix D", "Starting");
  expect_near({D[0], D[1], D[2], D[3]}, {0.4963, 0.7682, 0.0885, 0.1320}, 5e-5);
}

}  // namespace
}  // namespace factorize
