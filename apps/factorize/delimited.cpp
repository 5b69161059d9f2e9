#include <factorize/delimited.h>
#include <fmt/format.h>
#include <wengert/autograd/base/error.h>
#include <wengert/autograd/tensor/factories.h>

#include <algorithm>
#include <charconv>

namespace factorize {
namespace {

using wengert::Error;

constexpr std::string_view kBlanks = " \t\r";

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

std::string_view unquoted(std::string_view text) {
  if (text.size() >= 2 && text.front() == '"' && text.back() == '"') return text.substr(1, text.size() - 2);
  return text;
}

char detect_delimiter(std::string_view line) {
  for (const char candidate : {'\t', ';', ','}) {
    if (line.find(candidate) != std::string_view::npos) return candidate;
  }
  return ' ';
}

// Calls visit(field) for each field of a line. Blanks count as one delimiter however many there are.
template <class Visit>
void for_each_field(std::string_view line, char delimiter, const Visit& visit) {
  if (delimiter == ' ') line = trimmed(line);
  while (true) {
    const size_t end = line.find(delimiter);
    visit(unquoted(trimmed(line.substr(0, end))));
    if (end == std::string_view::npos) return;
    line.remove_prefix(end + 1);
    if (delimiter == ' ') line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
  }
}

std::string shown(std::string_view field) {
  constexpr size_t kMost = 30;
  return field.size() <= kMost ? std::string(field) : fmt::format("{}...", field.substr(0, kMost));
}

}  // namespace

std::optional<double> parse_number(std::string_view field) {
  if (field.starts_with('+')) field.remove_prefix(1);
  double value;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc() || end != field.data() + field.size()) return std::nullopt;
  return value;
}

wengert::Tensor parse_delimited(const std::string& name, std::string_view content) {
  if (content.starts_with("\xef\xbb\xbf")) content.remove_prefix(3);  // UTF-8 byte order mark
  std::vector<double> values;
  int64_t columns = 0, rows = 0, line_number = 0;
  char delimiter = 0;
  while (!content.empty()) {
    const size_t newline = content.find('\n');
    const std::string_view line = content.substr(0, newline);
    content.remove_prefix(newline == std::string_view::npos ? content.size() : newline + 1);
    ++line_number;
    if (trimmed(line).empty()) continue;

    if (delimiter == 0) {
      delimiter = detect_delimiter(trimmed(line));
      bool header = true;
      for_each_field(line, delimiter, [&](std::string_view field) {
        ++columns;
        header &= !field.empty() && !parse_number(field);
      });
      if (header) continue;
    }

    int64_t column = 0;
    for_each_field(line, delimiter, [&](std::string_view field) {
      ++column;
      if (column > columns) return;  // counted, and reported below
      const std::optional<double> value = parse_number(field);
      if (!value) {
        throw Error(fmt::format("{}:{}: expected a number in column {}, found \"{}\"", name, line_number, column,
                                shown(field)));
      }
      values.push_back(*value);
    });
    if (column != columns) {
      throw Error(fmt::format("{}:{}: expected {} columns as in the lines before, found {}", name, line_number, columns,
                              column));
    }
    ++rows;
  }
  if (rows == 0) throw Error(fmt::format("{}: there is a header, but no row of numbers", name));

  wengert::Tensor matrix = wengert::empty({rows, columns}, wengert::kDouble);
  std::copy(values.begin(), values.end(), matrix.data_ptr<double>());
  return matrix;
}

}  // namespace factorize
