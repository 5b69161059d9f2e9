#include "chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace bench {

std::string chart(const std::string& title, const std::vector<Bar>& bars) {
  constexpr double kRow = 22, kNames = 210, kWidth = 420, kTop = 40;
  double most = 10;
  for (const Bar& bar : bars) most = std::max(most, bar.ratio);
  const double decades = std::ceil(std::log10(most) * 4) / 4;
  const auto x = [&](double ratio) { return kNames + kWidth * std::max(0.0, std::log10(ratio)) / decades; };
  const double bottom = kTop + kRow * static_cast<double>(bars.size());

  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" viewBox=\"0 0 {0} {1}\" "
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
      "<text x=\"10\" y=\"20\" font-size=\"14\">{2}</text>\n",
      kNames + kWidth + 60, bottom + 30, title);
  for (const double mark : {1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0}) {
    if (mark > most * 1.2) break;
    svg += fmt::format(
        "<line x1=\"{0:.1f}\" y1=\"{1}\" x2=\"{0:.1f}\" y2=\"{2}\" stroke=\"#ccc\"/><text x=\"{0:.1f}\" y=\"{3}\" "
        "text-anchor=\"middle\" fill=\"#555\">{4:g}x</text>\n",
        x(mark), kTop - 6, bottom, bottom + 18, mark);
  }
  for (size_t i = 0; i < bars.size(); ++i) {
    const double y = kTop + kRow * static_cast<double>(i);
    svg += fmt::format(
        "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text><rect x=\"{}\" y=\"{:.1f}\" width=\"{:.1f}\" "
        "height=\"{}\" fill=\"#3a6ea5\"/><text x=\"{:.1f}\" y=\"{:.1f}\">{:.1f}</text>\n",
        kNames - 8, y + 13, bars[i].name, kNames, y, std::max(1.0, x(bars[i].ratio) - kNames), kRow - 6,
        x(bars[i].ratio) + 5, y + 13, bars[i].ratio);
  }
  return svg + "</svg>\n";
}

}  // namespace bench
