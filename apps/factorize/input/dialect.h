#pragma once

#include <factorize/input/byte_stream.h>

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace factorize {

/// How text is cut into fields. A file has one; what a message says about a field names its line and column.
struct Dialect {
  std::string delimiter;  ///< " ": any number of blanks
  bool decimal_comma = false;

  /// By the first lines. given: the delimiter, or empty.
  static Dialect of(const std::vector<std::string_view>& lines, const std::string& given);
  std::string described() const;  ///< "comma-separated"
};

/// Cuts lines into fields, without the quotes around them; two quotes in a quoted field are one.
class Fields {
 public:
  explicit Fields(const Dialect& dialect) : dialect_(dialect) {}
  /// Those of a line, valid until the Fields are gone. Throws std::string where a quote is not closed.
  const std::vector<std::string_view>& of(std::string_view line);
  /// A number; none where the field is something else.
  std::optional<double> number(std::string_view field);

 private:
  std::string_view quoted(std::string_view& rest);

  const Dialect& dialect_;
  std::vector<std::string_view> fields_;
  std::deque<std::string> unescaped_;
  std::string with_point_;
};

/// Whether a line says nothing: blank, or a comment after # or %.
bool says_nothing(std::string_view line);

/// Without UTF-8's byte order mark, which may stand at a file's beginning.
std::string_view without_byte_order_mark(std::string_view text);

/// Takes the first line away from a text, and returns it without its end.
std::string_view take_line(std::string_view& text);

}  // namespace factorize
