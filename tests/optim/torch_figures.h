#pragma once

#include <string>
#include <vector>

namespace wengert::test {

/// The numbers of a case in torch_figures.txt, which torch_figures.py made with PyTorch.
std::vector<double> torch_figures(const std::string& name);

/// Expects |got - expected| <= 1e-12 max(1, |expected|) for all numbers.
void expect_torch_figures(const std::string& name, const std::vector<double>& got);

}  // namespace wengert::test
