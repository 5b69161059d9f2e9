#include <factorize/input/dialect.h>
#include <factorize/input/text.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace factorize {
namespace {

// Whether a delimiter is in a line, outside quotes.
bool occurs(std::string_view delimiter, std::string_view line) {
  bool in_quotes = false;
  for (size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') in_quotes = !in_quotes;
    if (!in_quotes && line.substr(i).starts_with(delimiter)) return true;
  }
  return false;
}

// Whether a field is a number but for a comma in the place of the point.
bool has_decimal_comma(std::string_view field) {
  const size_t comma = field.find(',');
  if (comma == std::string_view::npos) return false;
  std::string with_point(field);
  with_point[comma] = '.';
  return parse_number(with_point).has_value();
}

}  // namespace

bool says_nothing(std::string_view line) {
  const std::string_view text = trimmed(line);
  return text.empty() || text.front() == '#' || text.front() == '%';
}

std::string_view without_byte_order_mark(std::string_view text) {
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  return text;
}

std::string_view take_line(std::string_view& text) {
  const size_t newline = text.find('\n');
  std::string_view line = text.substr(0, newline);
  text.remove_prefix(newline == std::string_view::npos ? text.size() : newline + 1);
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Dialect Dialect::of(const std::vector<std::string_view>& lines, const std::string& given) {
  Dialect dialect;
  dialect.delimiter = given;
  if (given.empty()) {
    // The first line may be a title.
    for (size_t i = 0; i < std::min<size_t>(2, lines.size()) && dialect.delimiter.empty(); ++i) {
      for (const std::string_view candidate : {"::", "\t", ";", "|", ","}) {
        if (dialect.delimiter.empty() && occurs(candidate, trimmed(lines[i]))) dialect.delimiter = candidate;
      }
    }
    if (dialect.delimiter.empty()) dialect.delimiter.assign(1, ' ');
  }
  if (dialect.delimiter == ",") return dialect;
  Fields fields(dialect);
  size_t commas = 0, points = 0;
  for (const std::string_view line : lines) {
    try {
      for (const std::string_view field : fields.of(line)) {
        commas += has_decimal_comma(field) ? 1 : 0;
        points += field.find('.') != std::string_view::npos && parse_number(field) ? 1 : 0;
      }
    } catch (const std::string&) {
      // Told when the line is read.
    }
  }
  dialect.decimal_comma = commas > 0 && points == 0;
  return dialect;
}

std::string Dialect::described() const {
  const std::string how = delimiter == ","    ? "comma-separated"
                          : delimiter == "\t" ? "tab-separated"
                          : delimiter == " "  ? "blank-separated"
                                              : fmt::format("separated by {}", shown(delimiter));
  return decimal_comma ? how + ", decimal commas" : how;
}

std::string_view Fields::quoted(std::string_view& rest) {
  rest.remove_prefix(1);
  const size_t end = rest.find('"');
  if (end == std::string_view::npos) throw std::string("a quote is not closed in its line");
  std::string_view field = rest.substr(0, end);
  rest.remove_prefix(end + 1);
  if (!rest.starts_with('"')) return field;
  std::string& whole = unescaped_.emplace_back(field);
  while (rest.starts_with('"')) {
    const size_t next = rest.find('"', 1);
    if (next == std::string_view::npos) throw std::string("a quote is not closed in its line");
    whole += rest.substr(0, next);
    rest.remove_prefix(next + 1);
  }
  return whole;
}

const std::vector<std::string_view>& Fields::of(std::string_view line) {
  fields_.clear();
  const std::string_view delimiter = dialect_.delimiter;
  const bool by_blanks = delimiter == " ";
  std::string_view rest = by_blanks ? trimmed(line) : line;
  while (true) {
    const size_t first = rest.find_first_not_of(" \t\r");
    if (first != std::string_view::npos && rest[first] == '"' &&
        (by_blanks || !rest.substr(0, first + 1).starts_with(delimiter))) {
      rest.remove_prefix(first);
      fields_.push_back(quoted(rest));
      const size_t next = rest.find(delimiter);
      if (!trimmed(rest.substr(0, next)).empty()) throw std::string("there is text behind a quote's end");
      if (next == std::string_view::npos) return fields_;
      rest.remove_prefix(next + delimiter.size());
    } else {
      const size_t next = by_blanks ? rest.find_first_of(" \t") : rest.find(delimiter);
      fields_.push_back(trimmed(rest.substr(0, next)));
      if (next == std::string_view::npos) return fields_;
      rest.remove_prefix(next + delimiter.size());
    }
    if (by_blanks) rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
  }
}

std::optional<double> Fields::number(std::string_view field) {
  if (!dialect_.decimal_comma || field.find(',') == std::string_view::npos) return parse_number(field);
  with_point_ = field;
  std::replace(with_point_.begin(), with_point_.end(), ',', '.');
  return parse_number(with_point_);
}

}  // namespace factorize
