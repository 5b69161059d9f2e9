#pragma once

#include <string>
#include <vector>

namespace bench {

/// How many times faster Wengert was in one case.
struct Bar {
  std::string name;
  double ratio;
};

/// An SVG of bars on a logarithmic scale, with a line where both are equally fast.
std::string chart(const std::string& title, const std::vector<Bar>& bars);

}  // namespace bench
