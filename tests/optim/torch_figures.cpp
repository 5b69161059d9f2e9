#include <gtest/gtest.h>
#include <optim/torch_figures.h>

#include <cmath>
#include <fstream>
#include <sstream>

namespace wengert::test {

std::vector<double> torch_figures(const std::string& name) {
  std::ifstream file(WENGERT_SOURCE_DIR "/tests/optim/torch_figures.txt");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind(name + ": ", 0) != 0) continue;
    std::istringstream words(line.substr(name.size() + 2));
    std::vector<double> figures;
    for (std::string word; words >> word;) figures.push_back(std::stod(word));
    return figures;
  }
  ADD_FAILURE() << "no figures for " << name;
  return {};
}

void expect_torch_figures(const std::string& name, const std::vector<double>& got) {
  const std::vector<double> expected = torch_figures(name);
  ASSERT_EQ(got.size(), expected.size()) << name;
  for (size_t i = 0; i < got.size(); ++i) {
    ASSERT_NEAR(got[i], expected[i], 1e-12 * std::max(1.0, std::abs(expected[i]))) << name << ", number " << i;
  }
}

}  // namespace wengert::test
